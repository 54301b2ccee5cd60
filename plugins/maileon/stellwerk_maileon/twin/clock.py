"""The twin's time: the machine's or another given for it, plus an offset, written in the account's zone (sections 9, 12)."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from .problem import Problem


class Clock:
    """Seconds since 1970 as `float`; `offset_seconds` moves it, as `POST /clock` of the control API does."""

    def __init__(self, zone: str, time: Callable[[], float] = time.time) -> None:
        self._time = time
        self.zone = ZoneInfo(zone)
        self.offset_seconds = 0.0

    def now(self) -> float:
        return self._time() + self.offset_seconds

    def local(self, seconds: float) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(seconds, self.zone)

    def contact_text(self, seconds: float) -> str:
        """As `created` and `updated` of a contact: `2016-06-13 09:14:41.0` (section 5.5)."""
        return self.local(seconds).strftime("%Y-%m-%d %H:%M:%S.0")

    def report_text(self, seconds: float) -> str:
        """As `timestamp` of a report entry: `2016-06-13 09:14:41` (section 9)."""
        return self.local(seconds).strftime("%Y-%m-%d %H:%M:%S")

    def minute_text(self, seconds: float) -> str:
        """As `blocking_timestamp`: `2013-05-15 20:59` (section 6.5)."""
        return self.local(seconds).strftime("%Y-%m-%d %H:%M")

    def offset_text(self, seconds: float) -> str:
        """As `created` of the account, the one place with an offset: `2020-07-06T09:41:00+0200` (section 1.1)."""
        return self.local(seconds).strftime("%Y-%m-%dT%H:%M:%S%z")

    def parse(self, text: str) -> float:
        """`Y-m-d H:i:s` in the account's zone; anything else is 400."""
        try:
            naive = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the vendor sends no zone
        except ValueError:
            raise Problem(400, f"not a time of the form yyyy-MM-dd HH:mm:ss: {text}") from None
        return naive.replace(tzinfo=self.zone).timestamp()

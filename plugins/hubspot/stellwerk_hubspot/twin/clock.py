"""The twin's clock: real time, or what it is given for it, plus an offset that the control API sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

__all__ = ["Clock", "iso", "parse_iso_ms"]


class Clock:
    """Milliseconds since the epoch, shifted by `offset_seconds`."""

    def __init__(self, time: Callable[[], float] = time.time) -> None:
        self._time = time
        self.offset_seconds = 0.0

    def seconds(self) -> float:
        return self._time() + self.offset_seconds

    def ms(self) -> int:
        return int(self.seconds() * 1000)

    def http_date(self) -> str:
        """The value of the `Date` header (RFC 9110)."""
        return formatdate(self.seconds(), usegmt=True)


def iso(ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, as all times on HubSpot's wire (section 6)."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


@lru_cache(maxsize=300_000)  # a search over a large portal compares each of its times, page after page
def parse_iso_ms(text: str) -> int:
    """Epoch milliseconds of an ISO 8601 text with `Z`, or of digits; raises ValueError for anything else."""
    if text.lstrip("-").isdecimal():
        return int(text)
    if not text.endswith("Z"):
        raise ValueError("a datetime is ISO 8601 in UTC with Z")
    return round(datetime.fromisoformat(text[:-1] + "+00:00").timestamp() * 1000)

"""Rate budgets (section 12): ten seconds per app and account, and search per account."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from .errors import rate_limited

__all__ = ["Budgets", "Limit"]


class Limit(Struct, frozen=True):
    """`calls` in any window of `seconds`."""

    calls: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Limit:
        """From `N/SECONDS`; ValueError otherwise."""
        calls, _, seconds = text.partition("/")
        return cls(int(calls), float(seconds))


SEARCH = Limit(5, 1.0)
DAILY = 625_000  # shown, not enforced


class Budgets:
    """Sliding logs. Refused calls do not count against the budget."""

    def __init__(self, limit: Limit, time: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._time = time
        self._ten_seconds: dict[tuple[str, int], deque[float]] = {}
        self._today: dict[int, int] = {}
        self._search: dict[int, deque[float]] = {}

    def spend(self, app: str, portal: int, *, oauth: bool) -> dict[str, str]:
        """The rate headers of an answer, the daily ones not for OAuth; raises 429 TEN_SECONDLY_ROLLING, which has them too."""
        log = self._ten_seconds.setdefault((app, portal), deque())
        left = _left(log, self.limit, self._time())
        headers = {
            "x-hubspot-ratelimit-max": str(self.limit.calls),
            "x-hubspot-ratelimit-remaining": str(max(left - 1, 0)),
            "x-hubspot-ratelimit-interval-milliseconds": str(int(self.limit.seconds * 1000)),
        }
        if not oauth:
            self._today[portal] = self._today.get(portal, 0) + 1
            headers["x-hubspot-ratelimit-daily"] = str(DAILY)
            headers["x-hubspot-ratelimit-daily-remaining"] = str(max(DAILY - self._today[portal], 0))
        if left <= 0:
            raise rate_limited("TEN_SECONDLY_ROLLING", headers)
        log.append(self._time())
        return headers

    def spend_search(self, portal: int) -> dict[str, str]:
        """No headers at all; raises 429 SECONDLY."""
        log = self._search.setdefault(portal, deque())
        if _left(log, SEARCH, self._time()) <= 0:
            raise rate_limited("SECONDLY", {})
        log.append(self._time())
        return {}


def _left(log: deque[float], limit: Limit, now: float) -> int:
    while log and log[0] <= now - limit.seconds:
        log.popleft()
    return limit.calls - len(log)

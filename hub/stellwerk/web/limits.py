"""How often somebody may try: logins, tests of a key, and what is not let in. What is authentic is never counted.

Counted in this process alone and kept in memory: what is guessed at here is 256 bits long, so this spares work, it guards nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.exceptions import TooManyRequestsException
from msgspec import Struct

MOST_KEPT = 10_000
LONGEST_ADDRESS = 64


class Limit(Struct, frozen=True, kw_only=True):
    """So many within so many seconds."""

    name: str
    count: int
    seconds: float


LOGINS = Limit(name="login", count=30, seconds=60.0)
KEY_TESTS = Limit(name="key test", count=10, seconds=60.0)
TRIES = Limit(name="try", count=10, seconds=3600.0)
PREVIEWS = Limit(name="preview", count=10, seconds=60.0)
SYNCS_NOW = Limit(name="sync now", count=30, seconds=60.0)
ASKS_AGAIN = Limit(name="ask again", count=30, seconds=60.0)
LINKINGS = Limit(name="unlink", count=30, seconds=60.0)
NOTIFICATION_TESTS = Limit(name="notification test", count=10, seconds=3600.0)
REFUSALS = Limit(name="refusal", count=100, seconds=60.0)


class Limits:
    """One for the hub: a sliding log for each limit and whoever it counts."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._logs: dict[tuple[str, str], deque[float]] = {}

    def wait(self, limit: Limit, who: str) -> int | None:
        """Count one more of `who`; None where there may be one, else how many seconds to wait, and nothing is counted."""
        now = self._now()
        log = self._logs.pop((limit.name, who), None) or deque()
        while log and log[0] <= now - limit.seconds:
            log.popleft()
        self._logs[limit.name, who] = log  # the last one asked for stands last
        while len(self._logs) > MOST_KEPT:
            self._logs.pop(next(iter(self._logs)))
        if len(log) >= limit.count:
            return max(1, math.ceil(log[0] + limit.seconds - now))
        log.append(now)
        return None

    def spend(self, limit: Limit, who: str) -> None:
        """Count one more of `who`. Raises `TooManyRequestsException` (429) with `retry-after`."""
        seconds = self.wait(limit, who)
        if seconds is not None:
            raise TooManyRequestsException(headers={"retry-after": str(seconds)})

    def refused(self, request: Request[Any, Any, Any]) -> None:
        """Somebody was not let in. Raises `TooManyRequestsException` where that happens too often."""
        self.spend(REFUSALS, caller(request))


def caller(request: Request[Any, Any, Any]) -> str:
    """Where a request comes from: the peer, and whom a proxy in between names last.

    No proxy is believed in anything else. Who makes the name up escapes a limit; who is behind the same proxy as somebody
    that tries too often must not be kept out with them, which would be worse.
    """
    peer = request.client.host if request.client is not None else ""
    named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return f"{peer} {named[:LONGEST_ADDRESS]}".strip()

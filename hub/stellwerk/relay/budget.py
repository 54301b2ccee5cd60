"""One rate budget per account, whatever shares it: a sliding log, kept in the lease row across holders."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable

MOST_KEPT = 10_000


class Budget:
    """At most `calls` in any `seconds`. `now` is wall-clock seconds, so that the log means something to the next holder."""

    def __init__(self, calls: int, seconds: float, now: Callable[[], float], log: bytes | None = None) -> None:
        self.calls = calls
        self.seconds = seconds
        self._now = now
        # Longer than `calls`: the remote may tell a larger rate, and what the former holder spent under it counts.
        self._log: deque[float] = deque(maxlen=MOST_KEPT)
        if log:
            for at in struct.unpack(f"<{len(log) // 8}d", log):
                # A clock that was set back must not lock the account for longer than one window.
                self._log.append(min(at, now()))
        self._turn = asyncio.Lock()

    def resize(self, calls: int, seconds: float) -> None:
        """Take the rate that the remote itself tells; what was spent stays spent."""
        if 1 <= calls <= MOST_KEPT and seconds > 0:
            self.calls, self.seconds = calls, seconds

    async def spend(self, calls: int = 1) -> None:
        """Wait until there is room for `calls`, and take it."""
        async with self._turn:
            for _ in range(calls):
                if len(self._log) >= self.calls:
                    await self._wait_for(self._log[-self.calls])
                self._log.append(self._now())

    def left(self) -> float:
        """The share of the calls that could be spent now without waiting."""
        since = self._now() - self.seconds
        spent = sum(1 for at in list(self._log)[-self.calls :] if at > since)
        return max(self.calls - spent, 0) / self.calls

    async def room(self, calls: int) -> None:
        """Wait until `calls` could be spent without waiting; takes nothing."""
        async with self._turn:
            spent = list(self._log)[-self.calls :]
            free = self.calls - len(spent)
            if calls > free:
                await self._wait_for(spent[min(calls - free, len(spent)) - 1])

    async def _wait_for(self, spent: float) -> None:
        """Until the call made at `spent` is out of the window; never longer than one, should the clock be set back."""
        wait = min(spent + self.seconds - self._now(), self.seconds)
        if wait > 0:
            await asyncio.sleep(wait)

    def log(self) -> bytes:
        """The window as bytes for the lease row."""
        window = list(self._log)[-self.calls :]
        return struct.pack(f"<{len(window)}d", *window)

"""The scheduler: an event loop whose clock is part of the world, and stands still while anybody has something to do."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp()


class TooLong(Exception):
    """A history takes longer than anybody waits for one."""


class Standstill(Exception):
    """Everybody waits for somebody else, and no time that passes will change it."""


class _Asleep(selectors.SelectSelector):
    """Where a loop waits for the network: here nothing comes from outside, so waiting is time that passes."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Standstill("nobody is due at any time")
        self.loop.pass_time(timeout)
        self.loop.look_at_the_clock()
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs what is due in an order that depends on nothing but what was asked for; sleeping moves its clock."""

    def __init__(self, seconds: float) -> None:
        self._now = START
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        asleep = _Asleep()
        asleep.loop = self
        super().__init__(asleep)
        # Seconds since 1970 have no finer steps than a fifth of this; less would never be over.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds since 1970 in the world."""
        return self._now

    def pass_time(self, seconds: float) -> None:
        self._now += max(seconds, 0.0)

    def look_at_the_clock(self) -> None:
        """The one on the wall. What ends then may end in peace."""
        if time.monotonic() > self._until:
            self._until = float("inf")
            raise TooLong(f"not over after {self._seconds:g} seconds on the clock on the wall")


def run(work: Coroutine[Any, Any, T], *, seconds: float) -> T:
    """What `work` returns, on a loop of its own; whatever it left behind is ended. Raises `TooLong`."""
    loop = SimulatedLoop(seconds)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()

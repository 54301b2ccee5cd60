"""Lanes: tasks of the process that drain accounts, whichever waits longest; the engine of a hub on a file.

They look each second for what is due, so they know what other processes on the same database took in a second later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from stellwerk.errors import StellwerkError, StoreAway, StoreFull
from stellwerk.relay.bug import place
from stellwerk.relay.engine import LANES, SWEEP_SECONDS, Drain, Process, until_woken
from stellwerk.relay.timetable import Timetable
from stellwerk.store import lease

log = logging.getLogger("stellwerk")


class Lanes:
    """An `Engine`. `lane` and `turn` are its parts, for whoever moves it by hand."""

    def __init__(self, process: Process, lanes: int = LANES, sweep: float = SWEEP_SECONDS) -> None:
        self._process = process
        self._count = lanes
        self._seconds = sweep
        self._timetable = Timetable(process)
        self.every = self._timetable.every
        self._woken = asyncio.Event()
        self.wake = self._woken.set
        self._stopping = False

    @contextlib.asynccontextmanager
    async def run(self, drain: Drain | None) -> AsyncIterator[None]:
        if drain is None:
            yield
            return
        async with self._timetable.running():
            self._stopping = False
            tasks = [asyncio.create_task(self.lane(drain), name=f"lane {number}") for number in range(self._count)]
            try:
                yield
            finally:
                self._stopping = True
                self.wake()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def turn(self, drain: Drain) -> bool:
        """Drain one account that is due; False when none is."""
        process = self._process
        due = await process.store.read(lease.next_wake)
        if due is None or due > process.now():
            return False
        held = await process.store.write(lambda tx: lease.claim(tx, process.name, process.now()))
        if held is None:
            return False
        self.wake()  # the other lanes: more may be due than this one account
        await drain(held)
        return True

    async def woken(self, seconds: float) -> None:
        """Wait for `wake`, or `seconds`."""
        await until_woken(self._woken, seconds)
        self._woken.clear()

    async def lane(self, drain: Drain) -> None:
        """One account after the other, until `run` ends or the task is cancelled."""
        while not self._stopping:
            try:
                if not await self.turn(drain) and not self._stopping:
                    await self.woken(self._seconds)
            except (StoreAway, StoreFull):
                await asyncio.sleep(SWEEP_SECONDS)  # the store has said so, and says when it is back
            except StellwerkError as error:
                log.error("lane: %s", error)
                await asyncio.sleep(SWEEP_SECONDS)
            except Exception as bug:
                log.error("lane: a bug: %s", place(bug))
                await asyncio.sleep(SWEEP_SECONDS)

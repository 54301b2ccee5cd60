"""What is done now and then, by one process for all that share a database.

When a work began last stands in the database, and so does who is at it: a process that starts, freezes or has another clock
does not do again what is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from msgspec import Struct

from stellwerk.errors import StoreAway, StoreError, StoreFull
from stellwerk.relay.bug import place
from stellwerk.relay.engine import Process, Work
from stellwerk.store import duty

TURN_SECONDS = 300.0
"""Who is at it for longer is not waited for: it may be gone."""

LOOKS = 4
LONGEST_LOOK_SECONDS = 60.0

log = logging.getLogger("stellwerk")


class _Entry(Struct, frozen=True):
    seconds: float
    name: str
    work: Work


class Timetable:
    """Filled by `every`; what stands in it is done while `running`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._entries: list[_Entry] = []

    def every(self, seconds: float, name: str, work: Work) -> None:
        self._entries.append(_Entry(seconds, name, work))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """At its end, what is under way stops where it is: all of it is done in slices, and goes on another time."""
        tasks = [asyncio.create_task(self._run(one), name=one.name) for one in self._entries]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, entry: _Entry) -> None:
        while True:
            try:
                await self._look(entry)
            except (StoreAway, StoreFull):
                pass  # the store has said so
            except StoreError as error:
                log.error("%s: %s", entry.name, error)
            except Exception as bug:
                log.error("%s: a bug: %s", entry.name, place(bug))
            await asyncio.sleep(min(entry.seconds / LOOKS, LONGEST_LOOK_SECONDS))

    async def _look(self, entry: _Entry) -> None:
        """Do it if it is due and nobody is at it. What fails is due again at once."""
        process, name = self._process, entry.name
        if not await process.store.read(lambda tx: duty.is_due(tx, name, process.now(), entry.seconds)):
            return
        began = process.now()
        if not await process.store.write(
            lambda tx: duty.begin(tx, name, process.name, process.now(), entry.seconds, TURN_SECONDS)
        ):
            return
        try:
            await entry.work()
            await process.store.write(lambda tx: duty.done(tx, name, began, entry.seconds))
        finally:
            await process.store.write(lambda tx: duty.free(tx, name, process.name))

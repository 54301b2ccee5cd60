"""The engine: who drains which account when, among all processes that share a database.

An engine only says "drain account X", and may say it twice, late or never: the lease decides who drains, and what is due
stands in the tables. So a wake-up that is lost makes work late by one sweep, and loses none. There are two of them, and one
contract of both: lanes inside the process (`relay/lanes.py`), and jobs on the server that all processes share
(`relay/jobs.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol, TypeAlias

from stellwerk.relay.place import Place
from stellwerk.store import duty, lease
from stellwerk.store.lease import Lease
from stellwerk.store.store import Store, Tx

__all__ = ["LANES", "SWEEP_SECONDS", "Drain", "Engine", "Process", "Work", "take_over", "until_woken"]

LANES = 4
"""Accounts that one process drains at once."""

SWEEP_SECONDS = 1.0

Drain: TypeAlias = Callable[[Lease], Awaitable[None]]
Work: TypeAlias = Callable[[], Awaitable[None]]


class Process(Protocol):
    """What an engine knows of the process that it is in. `name` is its own among all that have the database."""

    @property
    def store(self) -> Store: ...
    @property
    def now(self) -> Callable[[], float]: ...
    @property
    def name(self) -> str: ...
    @property
    def place(self) -> Place | None: ...


class Engine(Protocol):
    """Three calls, and no more."""

    def wake(self) -> None:
        """Something is due: said after the commit, as often as one likes. It may be lost."""
        ...

    def every(self, seconds: float, name: str, work: Work) -> None:
        """While this runs, `work` is done so often by one of all processes; said before `run`.

        One that dies in the middle is followed by another after `timetable.TURN_SECONDS`.
        """
        ...

    def run(self, drain: Drain | None) -> AbstractAsyncContextManager[None]:
        """Drain what is due as long as this lasts; at its end, what is under way is finished.

        Without `drain` others do that, and are woken from here. Raises `StoreError` where it cannot begin.
        """
        ...


async def take_over(process: Process) -> None:
    """What dead processes held is free at once, where they are known to be dead: nobody waits until their leases end."""
    if process.store.alone:
        await process.store.write(_all)
    elif process.place is not None:
        seat = process.place.seat

        def work(tx: Tx) -> None:
            lease.expire_of(tx, seat, process.now())
            duty.leave(tx, seat)

        await process.store.write(work)


def _all(tx: Tx) -> None:
    lease.expire_all(tx)
    duty.leave(tx, "")


async def until_woken(woken: asyncio.Event, seconds: float | None) -> None:
    """Wait for `woken`, or for so long. Who is cancelled ends: `wait_for` swallows that in Python 3.11 when both come at once."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()

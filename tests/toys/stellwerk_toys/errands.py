"""Work for an engine without a hub: errands of accounts, each to be run once, at a remote that writes down what it was told.

A holder does what a hub does with a delivery: it says on disk that the errand is under way, calls, and says that it is done.
Its successor looks at the remote for what it finds under way.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stellwerk.relay.grip import Grip
from stellwerk.relay.place import Place
from stellwerk.store import lease
from stellwerk.store.lease import Lease, LeaseLost
from stellwerk.store.store import Store, Tx

TABLE = "create table errand (id bigint primary key, account text not null, state text not null)"
NEXT = "select id, state from errand where account = :account and state <> 'done' order by id limit 100"
SLICE_SECONDS = 0.2


class Remote:
    """A file with one line a call; one write each, so that whoever is killed leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def call(self, errands: Sequence[int], by: str) -> None:
        lines = "".join(f"{one} {by} {time.time()}\n" for one in errands)
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, lines.encode())
        os.close(file)

    def told(self) -> list[tuple[int, str, float]]:
        """Errand, who ran it, and when, in the order of the calls. A line that is being written is not told yet."""
        if not self.path.exists():
            return []
        whole, _, _ = self.path.read_text().rpartition("\n")
        rows = (line.split() for line in whole.splitlines())
        return [(int(one), by, float(at)) for one, by, at in rows]


class Runner:
    """One process, as engines know it, and the drain that runs errands. `passed` hears of each point on the way."""

    place: Place | None = None

    def __init__(
        self,
        store: Store,
        name: str,
        remote: Remote,
        now: Callable[[], float],
        *,
        call_seconds: float = 0.0,
        slice_seconds: float = SLICE_SECONDS,
        passed: Callable[[str], Any] = lambda _: None,
    ) -> None:
        self.store = store
        self.name = name
        self.now = now
        self.drains: list[str] = []
        self._remote = remote
        self._call_seconds = call_seconds
        self._slice_seconds = slice_seconds
        self._passed = passed

    async def drain(self, held: Lease) -> None:
        self.drains.append(held.account)
        grip, until = Grip(held, self.now), time.monotonic() + self._slice_seconds
        try:
            while await self._some(held, grip) and time.monotonic() < until:
                pass
            await self.store.write(lambda tx: self._release(tx, held))
        except LeaseLost:
            return

    async def _some(self, held: Lease, grip: Grip) -> int:
        rows = await self.store.read(lambda tx: tx.all(NEXT, account=held.account))
        told = {one for one, _, _ in self._remote.told()} if any(row["state"] == "sent" for row in rows) else set()
        errands = [row["id"] for row in rows]
        await self._state(held, errands, "sent")
        self._passed("before the call")
        grip.check()
        calls = [one for one in errands if one not in told]
        if calls:
            await asyncio.sleep(self._call_seconds)
            grip.check()
            self._remote.call(calls, self.name)
        self._passed("after the call")
        await self._state(held, errands, "done")
        return len(rows)

    async def _state(self, held: Lease, errands: Sequence[int], state: str) -> None:
        def work(tx: Tx) -> None:
            lease.fence(tx, held, self.now())
            for one in errands:
                tx.run("update errand set state = :state where id = :one", state=state, one=one)
            self._passed(f"inside the transaction of {state}")

        await self.store.write(work)

    def _release(self, tx: Tx, held: Lease) -> None:
        lease.fence(tx, held, self.now())
        more = tx.one(NEXT, account=held.account)
        lease.release(tx, held, None if more is None else self.now())


def put(tx: Tx, account: str, errands: Sequence[int], now: float) -> None:
    """They are to be run from now on."""
    for one in errands:
        tx.run("insert into errand (id, account, state) values (:one, :account, 'waiting')", one=one, account=account)
    lease.wake(tx, account, now)


def left(tx: Tx) -> int:
    row = tx.one("select count(*) as count from errand where state <> 'done'")
    assert row is not None
    return int(row["count"])

"""The product's SQLite adapter without its threads and without fsync: groups of writes commit when the loop turns."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from stellwerk.errors import StoreError
from stellwerk.store.room import Room
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Tx
from stellwerk_simulation.fate import Fate, Gone

T = TypeVar("T")


class SimulatedStore(SqliteStore):
    """`fate` may end the process at any write or read, and just before or after each commit."""

    fate: Fate
    wake: Callable[[], None]

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Any) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        connection.execute("pragma synchronous=off")
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._closed = False
        self._room = Room(path.name)
        self._group: list[tuple[Callable[[Tx], Any], asyncio.Future[Any]]] = []
        self.wake = lambda: None

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def write(self, work: Callable[[Tx], T], /) -> T:
        await self.fate.turn()
        self._must_be_open()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if not self._group:
            asyncio.get_running_loop().call_soon(self._commit_group)
        self._group.append((work, future))
        return await future

    async def read(self, work: Callable[[Tx], T], /) -> T:
        await self.fate.turn()
        self._must_be_open()
        return self._read(work)

    async def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Let go of the file at once; what was not committed never was."""
        if self._closed:
            return
        self._closed = True
        for _, future in self._group:
            future.cancel()
        self._group = []
        for connection in (*self._reader_connections, self._connection):
            connection.close()
        self._lock.close()

    def copy(self, path: Path) -> None:
        """A back-up of the database as it is now."""
        with sqlite3.connect(path) as into:
            self._connection.backup(into)
        into.close()

    def fill_disk(self, full: bool) -> None:
        """No page more than there are now; or as many as it takes."""
        pages = self._connection.execute("pragma page_count").fetchone()[0] if full else 2**30
        self._connection.execute(f"pragma max_page_count={pages}")

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")

    def _commit_group(self) -> None:
        group, self._group = self._group, []
        if self._closed or not group:
            return
        answers = [] if self.fate.strikes("before the commit") else self._commit([work for work, _ in group])
        if self.fate.dead or self.fate.strikes("after the commit"):
            for _, future in group:
                future.cancel()  # nobody is there any more to answer
            return
        if any(isinstance(failed, StoreError) for _, failed in answers):
            self.fate.reached["disk full: commit failed"] += 1
        for (_, future), (result, failed) in zip(group, answers, strict=True):
            if future.done():
                continue
            if failed is None:
                future.set_result(result)
            else:
                future.set_exception(failed)
        self.wake()


__all__ = ["Gone", "SimulatedStore"]

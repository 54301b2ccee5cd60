"""The embedded adapter: one file, one writer thread with group commit for all writes, readers of their own."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from stellwerk.errors import InUse, StoreError, StoreFull
from stellwerk.store.private import private
from stellwerk.store.room import Room
from stellwerk.store.schema import KNOWN_MIGRATIONS, migrations
from stellwerk.store.store import Row, Tx
from stellwerk.store.writer import Answer, Work, Writer

T = TypeVar("T")
OLDEST_SQLITE = (3, 38, 0)
READERS = 2
STATEMENTS = 512
"""So many are kept prepared: more than there are, so that none is prepared again."""


class SqliteTx:
    """A transaction over one sqlite3 connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        rows = self._connection.execute(sql, params).fetchall()
        if not rows:
            return []
        # Not `dict(row)`, which looks for the place of each name by itself.
        names = rows[0].keys()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def one(self, sql: str, /, **params: Any) -> Row | None:
        row = self._connection.execute(sql, params).fetchone()
        return None if row is None else dict(zip(row.keys(), row, strict=True))

    def run(self, sql: str, /, **params: Any) -> int:
        return self._connection.execute(sql, params).rowcount

    def many(self, sql: str, rows: Iterable[Mapping[str, Any]], /) -> int:
        return self._connection.executemany(sql, rows).rowcount


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with this project's pragmas. Every value is what `engine.md` measured."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}{'?mode=ro' if read_only else ''}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("pragma busy_timeout=5000")
    if not read_only:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
    connection.execute("pragma temp_store=memory")
    return connection


class SqliteStore:
    """Open with `SqliteStore.open`. Only one process may hold a file; the second one is told so."""

    alone = True

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Any) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="stellwerk-read")
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._closed = False
        self._room = Room(str(path))
        self._writer = Writer(self._commit)

    @classmethod
    def open(cls, path: Path) -> SqliteStore:
        """Open or make the file and bring its tables up to date.

        Raises `StoreError` when SQLite is too old, another hub holds the file, or a newer version wrote it.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; 3.38 or newer is needed")
        lock = _take_lock(path)
        connection: sqlite3.Connection | None = None
        try:
            # SQLite gives the files beside it the same mode; what keeps it from being made SQLite says better.
            with suppress(OSError), open(path, "xb", opener=private):
                pass
            connection = connect(path)
            _migrate(connection, path)
            return cls(path, connection, lock)
        except (sqlite3.DatabaseError, StoreError) as error:
            if connection is not None:
                connection.close()
            lock.close()
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{path} cannot be used as a database: {error}") from None

    @property
    def full(self) -> bool:
        return self._room.none

    async def write(self, work: Callable[[Tx], T], /) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        return await self._writer.write(work)

    async def read(self, work: Callable[[Tx], T], /) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def now(self) -> float:
        return time.time()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in (*self._reader_connections, self._connection):
            connection.close()
        self._lock.close()

    def _read(self, work: Callable[[Tx], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = connect(self._path, read_only=True)
                self._reader_connections.append(connection)
            connection.execute("begin")
            try:
                return work(SqliteTx(connection))
            finally:
                connection.execute("rollback")
        except sqlite3.Error as error:
            raise StoreError(f"the database could not be read: {error}") from None

    def _commit(self, works: list[Work]) -> list[Answer]:
        """All of `works` in one transaction, each under a savepoint. A failing commit fails every one of them."""
        answers = self._in_one_transaction(works)
        self._room.note(answers)
        return answers

    def _in_one_transaction(self, works: list[Work]) -> list[Answer]:
        connection = self._connection
        try:
            connection.execute("begin immediate")
            answers = [_under_savepoint(connection, work) for work in works]
            connection.execute("commit")
        except sqlite3.Error as error:
            # A disk that fails may refuse this too; the writer lives on, and the next group tries again.
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("rollback")
            return [(None, _refused(error))] * len(works)
        return answers


def _under_savepoint(connection: sqlite3.Connection, work: Work) -> Answer:
    connection.execute("savepoint one")
    try:
        result = work(SqliteTx(connection))
    except Exception as error:
        # After a full disk or an I/O error SQLite may have undone the whole transaction: then there is no savepoint any
        # more, this raises, and the group fails as one.
        connection.execute("rollback to one")
        connection.execute("release one")
        if isinstance(error, sqlite3.Error):
            return None, _refused(error)
        return None, error
    connection.execute("release one")
    return result, None


def _refused(error: sqlite3.Error) -> StoreError:
    """What to tell. Where SQLite undid the whole transaction, the reason is what came before its missing savepoint."""
    for one in (error, error.__context__):
        if getattr(one, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return StoreFull(f"the database did not take a write: {one}")
    return StoreError(f"the database did not take a write: {error}")


def _take_lock(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = open(path.with_name(path.name + ".lock"), "a", opener=private)  # noqa: SIM115 - held as long as the store is open
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise InUse(
            f"{path} is in use by another hub; stop that one first, or give this one a database of its own"
        ) from None
    return lock


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    database = Database(connection)
    if not {migration.name for migration in migrations.applied(database)} <= KNOWN_MIGRATIONS:
        raise StoreError(
            f"{path} was written by a newer version of Stellwerk; run that version, or restore a back-up made before it"
        )
    migrations.apply(database)

"""The adapter for a server: group commit as on a file, readers of their own, and a server that may be away for a while.

Writes of all processes happen one after the other, each group under one lock of the database: every function sees what all
before it wrote, as it does on a file. What takes long (calls, reading, deciding) happens outside of it, in parallel.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row

from stellwerk.errors import NeverUsed, StoreAway, StoreError, StoreFull
from stellwerk.store.dialect import parameters
from stellwerk.store.postgres_schema import applied, migrate
from stellwerk.store.postgres_session import connect, is_lost, named, said
from stellwerk.store.room import Room
from stellwerk.store.store import Row, Tx
from stellwerk.store.writer import Answer, Work, Writer

T = TypeVar("T")
READERS = 4
ATTEMPTS = 3
CLOCK_SECONDS = 10.0
CLOCK_MARGIN_SECONDS = 0.25
"""Clocks closer than this count as one: otherwise each measurement would make time jump a little."""

CONFLICTS = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
"""Our writes wait for one another; somebody else's statements may not."""

HOST_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, and nobody can set it: time is told by it from one look at the server's clock to the next."""

log = logging.getLogger("stellwerk")


class PostgresTx:
    """A transaction over one connection."""

    __slots__ = ("_cursor",)

    def __init__(self, connection: Connection[Any]) -> None:
        self._cursor = connection.cursor(row_factory=dict_row, binary=True)

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        self._execute(sql, params)
        return list(self._cursor.fetchall())

    def one(self, sql: str, /, **params: Any) -> Row | None:
        self._execute(sql, params)
        return self._cursor.fetchone()

    def run(self, sql: str, /, **params: Any) -> int:
        self._execute(sql, params)
        return self._cursor.rowcount

    def many(self, sql: str, rows: Iterable[Mapping[str, Any]], /) -> int:
        several = [storable(row) for row in rows]
        if not several:
            return 0
        if len(several) == 1:
            self._execute(sql, several[0])
        else:
            self._cursor.executemany(parameters(sql).encode(), several)
        return self._cursor.rowcount

    def _execute(self, sql: str, params: Mapping[str, Any]) -> None:
        self._cursor.execute(parameters(sql).encode(), storable(params))


def storable(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Texts of this server cannot hold the character 0; what somebody sent with one is kept with a mark in its place."""
    if any(isinstance(value, str) and "\0" in value for value in params.values()):
        return {
            name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
            for name, value in params.items()
        }
    return params


class _Lost(Exception):
    """The connection broke, or the server undid the group, before anything was committed: it can be run again."""


class PostgresStore:
    """Open with `PostgresStore.open`. Any number of processes may have the same database."""

    alone = False

    def __init__(self, url: str, connection: Connection[Any]) -> None:
        self._url = url
        self._name = named(url)
        self._connection: Connection[Any] | None = connection
        self._lock = _lock_of(connection)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="stellwerk-read")
        self._local = threading.local()
        self._reader_connections: set[Connection[Any] | None] = set()
        self._closed = False
        self._away = False
        self._telling = threading.Lock()
        self._ahead = 0.0
        self._clock_read = 0.0
        self._read_clock(connection)
        self._room = Room(self._name)
        self._writer = Writer(self._commit)

    @classmethod
    def open(cls, url: str) -> PostgresStore:
        """Connect and bring the tables up to date.

        Raises `StoreError` when the server cannot be reached or used, or a newer version wrote the database.
        """
        connection = connect(url)
        try:
            migrate(connection, named(url))
            return cls(url, connection)
        except psycopg.Error as error:
            connection.close()
            raise StoreError(f"{named(url)} cannot be used as a database: {said(error)}") from None
        except StoreError:
            connection.close()
            raise

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
        return time.clock_gettime(HOST_CLOCK) + self._ahead

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in (*self._reader_connections, self._connection):
            if connection is not None:
                connection.close()

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, work: Callable[[Tx], T]) -> T:
        for _ in range(ATTEMPTS):
            connection = self._reading()
            try:
                connection.execute("begin isolation level repeatable read read only")
                try:
                    return work(PostgresTx(connection))
                finally:
                    if not connection.closed:
                        connection.execute("rollback")
            except psycopg.Error as error:
                if not is_lost(error, connection):
                    raise StoreError(f"the database could not be read: {said(error)}") from None
                connection.close()
        raise self._gone("the connection broke again and again")

    def _reading(self) -> Connection[Any]:
        connection: Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            self._reader_connections.discard(connection)
            connection = self._local.connection = self._connected()
            self._reader_connections.add(connection)
        return connection

    # --- writing, in the writer's thread -----------------------------------------------------------------------------

    def _commit(self, works: list[Work]) -> list[Answer]:
        """All of `works` in one transaction, each under a savepoint. A failing commit fails every one of them."""
        answers = self._answers(works)
        self._room.note(answers)
        return answers

    def _answers(self, works: list[Work]) -> list[Answer]:
        why = ""
        for _ in range(ATTEMPTS):
            try:
                return self._group(works)
            except _Lost as lost:
                why = str(lost)
            except StoreError as error:
                return [(None, error)] * len(works)
        return [(None, self._gone(why))] * len(works)

    def _group(self, works: list[Work]) -> list[Answer]:
        """Raises `_Lost` when nothing was committed and it can be run again, `StoreError` when it cannot."""
        connection = self._writing()
        answers: list[Answer] = []
        try:
            if time.clock_gettime(HOST_CLOCK) - self._clock_read > CLOCK_SECONDS:
                self._read_clock(connection)
            _control(connection, f"begin; select pg_advisory_xact_lock({self._lock}); savepoint one")
            tx = PostgresTx(connection)
            for number, work in enumerate(works):
                if number:
                    _control(connection, "release savepoint one; savepoint one")
                answers.append(_under_savepoint(connection, tx, work))
        except psycopg.Error as error:
            if is_lost(error, connection):
                connection.close()
                raise _Lost(said(error)) from None
            with contextlib.suppress(psycopg.Error):
                connection.execute("rollback")
            if isinstance(error, CONFLICTS):
                raise _Lost(said(error)) from None
            raise _refused(error) from None
        try:
            _control(connection, "commit")
        except psycopg.errors.IdleInTransactionSessionTimeout as error:
            connection.close()
            raise _Lost(said(error)) from None  # we stood still, and were cut off before the commit came
        except psycopg.Error as error:
            # Perhaps committed, perhaps not: whoever wrote is told that it failed, and nothing is run again.
            with contextlib.suppress(psycopg.Error):
                connection.execute("rollback")
            if is_lost(error, connection):
                connection.close()
                raise self._gone(said(error)) from None
            raise _refused(error) from None
        return answers

    def _writing(self) -> Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = None
            self._connection = self._connected()
            self._read_clock(self._connection)
        return self._connection

    def _read_clock(self, connection: Connection[Any]) -> None:
        before = time.clock_gettime(HOST_CLOCK)
        row = connection.execute("select extract(epoch from clock_timestamp())::double precision").fetchone()
        assert row is not None
        self._clock_read = time.clock_gettime(HOST_CLOCK)
        ahead = row[0] - (before + self._clock_read) / 2
        if abs(ahead - self._ahead) > CLOCK_MARGIN_SECONDS:
            self._ahead = ahead

    # --- a server that goes away -------------------------------------------------------------------------------------

    def _connected(self) -> Connection[Any]:
        """A new connection. Raises `StoreAway` while there is none."""
        try:
            connection = connect(self._url)
        except StoreError as error:
            raise self._gone(str(error)) from None
        with self._telling:
            if self._away:
                self._away = False
                log.warning("%s answers again; what waited goes on", self._name)
        return connection

    def _gone(self, why: str) -> StoreAway:
        """What to raise; logged when it begins."""
        with self._telling:
            if not self._away:
                self._away = True
                log.error("%s is away; what waits goes on when it is back: %s", self._name, why)
        return StoreAway(f"{self._name} cannot be reached: {why}")


@contextmanager
def looking_at_server(url: str) -> Iterator[Tx]:
    """One consistent view, in which nothing can be written. Raises `StoreError`."""
    with contextlib.closing(connect(url)) as connection:
        if not applied(connection):
            raise NeverUsed(f"{named(url)} has no tables of a hub; has the hub of this file ever run?")
        connection.execute("set idle_in_transaction_session_timeout = 0")  # a person may take time to read
        connection.execute("begin isolation level repeatable read read only")
        try:
            yield PostgresTx(connection)
        except psycopg.Error as error:
            raise StoreError(f"{named(url)} cannot be read: {said(error)}") from None


def _under_savepoint(connection: Connection[Any], tx: Tx, work: Work) -> Answer:
    try:
        result = work(tx)
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
            raise StoreError("the database did not take a write, and the function went on")
    except Exception as error:
        if isinstance(error, CONFLICTS) or (isinstance(error, psycopg.Error) and is_lost(error, connection)):
            raise
        _control(connection, "rollback to savepoint one")
        if isinstance(error, psycopg.Error):
            return None, _refused(error)
        return None, error
    return result, None


def _refused(error: psycopg.Error) -> StoreError:
    text = f"the database did not take a write: {said(error)}"
    return StoreFull(text) if isinstance(error, psycopg.errors.DiskFull) else StoreError(text)


def _control(connection: Connection[Any], statements: str) -> None:
    """Several at once, in one round trip; they are never prepared."""
    connection.execute(statements.encode(), prepare=False)


def _lock_of(connection: Connection[Any]) -> int:
    """The number of the lock that every write takes: of these tables, so that two hubs in two schemas do not wait for each other."""
    row = connection.execute("select 'migration'::regclass::oid::bigint").fetchone()
    assert row is not None
    return 0x5354_0000_0000 | int(row[0])

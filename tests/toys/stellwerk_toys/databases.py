"""The databases that a store can have, as the contract of stores needs them: opened, crashed, and searched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from stellwerk.store.postgres import PostgresStore
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Store
from stellwerk_toys.clear_text import assert_no_clear_text, assert_not_in
from stellwerk_toys.pg_server import Server


class TestDatabase(Protocol):
    """One database of a test's own."""

    __test__ = False

    def open(self) -> Store:
        """A store of it, as a process has one."""
        ...

    def as_after_a_crash(self) -> TestDatabase:
        """What a machine that stopped at this moment would find."""
        ...

    def assert_no_clear_text(self, *texts: str) -> None:
        """Fail when one of `texts` stands in what a thief would get."""
        ...


class SqliteDatabase:
    """A database file in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "hub.db"

    def open(self) -> Store:
        return SqliteStore.open(self.path)

    def as_after_a_crash(self) -> SqliteDatabase:
        """The files as they are now, nothing finished."""
        copy = SqliteDatabase(self.folder / f"after-{len(list(self.folder.iterdir()))}")
        copy.folder.mkdir()
        for suffix in ("", "-wal"):
            if (file := self.path.with_name(self.path.name + suffix)).exists():
                shutil.copy(file, copy.path.with_name(copy.path.name + suffix))
        return copy

    def assert_no_clear_text(self, *texts: str) -> None:
        assert_no_clear_text(self.path, *texts)


class PostgresDatabase:
    """A schema of the test server: the one that all tests share, emptied, or a copy of it."""

    def __init__(self, server: Server, schema: str | None = None) -> None:
        self.server = server
        self.schema = schema or _emptied(server)

    @property
    def url(self) -> str:
        return self.server.url(self.schema)

    def open(self) -> Store:
        return PostgresStore.open(self.url)

    def as_after_a_crash(self) -> PostgresDatabase:
        """A copy of what is committed: the server keeps that, and undoes the rest when a client is gone."""
        copy = self.server.new_schema()
        with self.server.connected() as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read")
            for table in tables(connection, self.schema):
                names = {"new": Identifier(copy, table), "old": Identifier(self.schema, table)}
                connection.execute(SQL("create table {new} (like {old} including all)").format(**names))
                connection.execute(SQL("insert into {new} select * from {old}").format(**names))
            _count_on(connection, copy)
        return PostgresDatabase(self.server, copy)

    def assert_no_clear_text(self, *texts: str) -> None:
        with self.server.connected() as connection:
            for table in tables(connection, self.schema):
                cursor = connection.cursor(binary=True)
                rows = cursor.execute(SQL("select * from {}").format(Identifier(self.schema, table))).fetchall()
                values = (value for row in rows for value in row)
                content = b"\n".join(one if isinstance(one, bytes) else str(one).encode() for one in values)
                assert_not_in(table, content, *texts)


def tables(connection: Connection[Any], schema: str) -> list[str]:
    rows = connection.execute("select tablename from pg_tables where schemaname = %s order by tablename", (schema,))
    return [row[0] for row in rows.fetchall()]


def _emptied(server: Server) -> str:
    """The schema that the tests share, with no row in it, every number still to be given."""
    if server.shared is None:
        server.shared = server.new_schema()
        return server.shared
    with server.connected() as connection, connection.transaction():
        for table in tables(connection, server.shared):
            if table != "migration":
                connection.execute(SQL("delete from {}").format(Identifier(server.shared, table)))
        _count_on(connection, server.shared)
    return server.shared


def _count_on(connection: Connection[Any], schema: str) -> None:
    """The next number of each table is one above the highest that stands there."""
    columns = connection.execute(
        "select table_name, column_name from information_schema.columns where table_schema = %s and is_identity = 'YES'",
        (schema,),
    )
    for table, column in columns.fetchall():
        place = SQL("{}").format(Identifier(schema, table)).as_string(connection)
        last = SQL(
            "select setval(pg_get_serial_sequence({place}, {name}), coalesce(max({column}), 0) + 1, false) from {table}"
        )
        connection.execute(
            last.format(place=place, name=column, column=Identifier(column), table=Identifier(schema, table))
        )

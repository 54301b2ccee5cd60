"""Copying a database file to a server: every row of every table in one transaction there, or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from stellwerk.errors import StoreError
from stellwerk.store import meta
from stellwerk.store.postgres import PostgresTx, storable
from stellwerk.store.postgres_session import connect as connect_to_server
from stellwerk.store.postgres_session import named, said
from stellwerk.store.sqlite import connect

STAYS = f"name not like '{meta.INSTANCE}%' and name <> '{meta.MOVED}'"
"""Of `meta`, what is about the database and not about this copy of it."""


def copy(source: Path, url: str, first: Iterator[tuple[str, bytes]]) -> dict[str, int]:
    """Rows by table. Both have their tables; whoever calls has the file for itself.

    `first` are rows of `meta` that only the copy has. Raises `StoreError`, and then the server has what it had.
    """
    try:
        with closing(connect(source, read_only=True)) as here, closing(connect_to_server(url)) as there:
            here.execute("begin")
            with there.transaction():
                counted = {table: _copy_table(here, there, table) for table in _tables(here)}
                for name, value in first:
                    meta.set_value(PostgresTx(there), name, value)
            return counted
    except psycopg.Error as error:
        raise StoreError(f"{named(url)} did not take a copy: {said(error)}") from None
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be read: {error}") from None


def is_used(url: str) -> bool:
    """Whether a hub has ever used the tables there."""
    with closing(connect_to_server(url)) as there:
        found = there.execute("select exists (select 1 from meta)").fetchone()
        return bool(found and found[0])


def _tables(here: sqlite3.Connection) -> list[str]:
    rows = here.execute(
        "select name from sqlite_master where type = 'table' and name not like '%sqlite%' order by name"
    )
    return [row["name"] for row in rows]


def _copy_table(here: sqlite3.Connection, there: Connection[Any], table: str) -> int:
    columns = [row["name"] for row in here.execute(f"pragma table_info({table})")]
    if table == "meta":
        there.execute("lock table meta in exclusive mode")
        found = there.execute("select count(*) from meta").fetchone()
        if found is None or found[0]:
            raise StoreError("the database there has been used by a hub already; take an empty one")
    count = 0
    with there.cursor().copy(_into(table, columns)) as rows:
        for row in here.execute(f"select * from {table}" + (f" where {STAYS}" if table == "meta" else "")):
            rows.write_row(tuple(storable(dict(row)).values()))
            count += 1
    if "id" in columns:
        _count_on(there, table)
    return count


def _into(table: str, columns: Sequence[str]) -> Composed:
    names = SQL(", ").join(Identifier(column) for column in columns)
    return SQL("copy {} ({}) from stdin").format(Identifier(table), names)


def _count_on(there: Connection[Any], table: str) -> None:
    """The next number there is one above the last, where the table counts."""
    place = SQL("select pg_get_serial_sequence({}, 'id')").format(table)
    found = there.execute(place).fetchone()
    if found is not None and found[0] is not None:
        last = SQL("select setval({}, coalesce(max(id), 0) + 1, false) from {}")
        there.execute(last.format(found[0], Identifier(table)))

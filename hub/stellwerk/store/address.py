"""What stands under `hub.database`: which store it means, and a look into it beside whoever has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

from stellwerk.errors import NeverUsed, StoreError
from stellwerk.store.sqlite import SqliteStore, SqliteTx, connect
from stellwerk.store.store import Store, Tx

SQLITE = "sqlite:///"
POSTGRES = "postgresql://"
NEEDED = ("psycopg", "psycopg_pool", "procrastinate")
"""What the extra `postgres` brings: for the store, and for the engine that says who drains next."""


def database_file(database: str, folder: Path) -> Path | None:
    """The file that a `database:` names, from the folder of integration.yaml; None for one on a server."""
    return folder / database.removeprefix(SQLITE) if database.startswith(SQLITE) else None


def open_store(database: str, folder: Path) -> Store:
    """The store a `database:` names; a relative SQLite file lies beside integration.yaml. Raises `StoreError`."""
    path = database_file(database, folder)
    if path is not None:
        return SqliteStore.open(path)
    _is_server(database)
    from stellwerk.store.postgres import PostgresStore

    return PostgresStore.open(database)


def shown(database: str, folder: Path) -> str:
    """The database for messages, without a password."""
    path = database_file(database, folder)
    if path is not None:
        return str(path)
    _is_server(database)
    from stellwerk.store.postgres_session import named

    return named(database)


@contextmanager
def looking(database: str, folder: Path) -> Iterator[Tx]:
    """One consistent view of the database, whoever has it; nothing can be written. Raises `StoreError`, `NeverUsed` for none."""
    path = database_file(database, folder)
    if path is None:
        _is_server(database)
        from stellwerk.store.postgres import looking_at_server

        with looking_at_server(database) as tx:
            yield tx
        return
    if not path.is_file():
        raise NeverUsed(f"{path} is not there; has the hub of this file ever run?")
    try:
        with closing(connect(path, read_only=True)) as connection:
            connection.execute("begin")
            yield SqliteTx(connection)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read: {error}") from None


def _is_server(database: str) -> None:
    """Raises `StoreError` for an address of neither kind, and where the server's driver is not installed."""
    if not database.startswith(POSTGRES):
        raise StoreError(
            f"no store for {database.split(':', 1)[0]}: in this version; use sqlite:///FILE or postgresql://…"
        )
    if not all(find_spec(name) for name in NEEDED):
        raise StoreError("for PostgreSQL one thing more is needed: pip install 'stellwerk[postgres]'")

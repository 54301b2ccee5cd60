"""The tables on PostgreSQL: the same migrations as the embedded adapter's, applied once by whichever process comes first."""

from __future__ import annotations

from typing import Any, cast

from psycopg import Connection
from sqlite_utils import Database

from stellwerk.errors import StoreError
from stellwerk.store.dialect import definition
from stellwerk.store.schema import KNOWN_MIGRATIONS, migrations

APPLIED = "create table if not exists migration (name text primary key, at timestamptz not null default now())"
MIGRATING = 0x5745_4943_4845
"""Name of the lock under which tables are made."""


class _Definitions:
    """What a migration uses of a database: `conn.execute`."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    @property
    def conn(self) -> _Definitions:
        return self

    def execute(self, sql: str) -> None:
        self._connection.execute(definition(sql).encode())


def applied(connection: Connection[Any]) -> set[str]:
    """Names of the migrations that were applied; none where there are no tables yet."""
    found = connection.execute("select to_regclass('migration') is not null").fetchone()
    if found is None or not found[0]:
        return set()
    return {row[0] for row in connection.execute("select name from migration")}


def migrate(connection: Connection[Any], name: str) -> None:
    """Bring the tables up to date, whole or not at all. Raises `StoreError` for a database of a newer version."""
    # Looked at first: a hub that is not the first one needs no right to make tables.
    if _known(applied(connection), name) == KNOWN_MIGRATIONS:
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (MIGRATING,))
        connection.execute(APPLIED)
        before = _known(applied(connection), name)
        # Asked of an empty database: all there are, in their order.
        for step in migrations.pending(Database(memory=True)):
            if step.name not in before:
                step.fn(cast(Database, _Definitions(connection)))
                connection.execute("insert into migration (name) values (%s)", (step.name,))


def _known(names: set[str], name: str) -> set[str]:
    if not names <= KNOWN_MIGRATIONS:
        raise StoreError(
            f"{name} was written by a newer version of Stellwerk; run that version, or restore a back-up made before it"
        )
    return names

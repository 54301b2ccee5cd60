"""One connection to the server: how it is made, what it is called, and whether an error ended it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from stellwerk.errors import StoreError

OLDEST_SERVER = 13
CONNECT_SECONDS = 5
STATEMENTS_PREPARED = 500
IDLE_SECONDS = 10
"""A process that stands still inside a transaction keeps all others from writing. Far below the life of a lease."""

# Until the connection is known to be dead, where the server's machine went away without a word.
KEEP_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
# Connection failures, the server ended the session, it starts or stops, the session stood idle in a transaction for too long.
_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04")


def connect(url: str) -> Connection[Any]:
    """A connection that commits nothing by itself being asked to. Raises `StoreError`, which names no password."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise StoreError(f"hub.database is no address of a PostgreSQL database: {said(error)}") from None
    more: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "stellwerk", **KEEP_ALIVE}
    try:
        connection = psycopg.connect(
            url, autocommit=True, client_encoding="utf8", **{name: to for name, to in more.items() if name not in given}
        )
    except psycopg.Error as error:
        raise StoreError(f"{named(url)} cannot be reached: {said(error)}") from None
    try:
        _fit(connection, named(url))
    except psycopg.Error as error:
        connection.close()
        raise StoreError(f"{named(url)} cannot be used: {said(error)}") from None
    except StoreError:
        connection.close()
        raise
    return connection


def _fit(connection: Connection[Any], name: str) -> None:
    if connection.info.server_version < OLDEST_SERVER * 10_000:
        raise StoreError(
            f"{name} is PostgreSQL {connection.info.server_version // 10_000}; {OLDEST_SERVER} or newer is needed"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"{name} has the encoding {encoding}; make one with: createdb --encoding UTF8")
    # One type for each kind of value: otherwise every size of number would be a statement of its own.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_dumper(str, StrDumper)
    connection.prepared_max = STATEMENTS_PREPARED
    # A stricter one of the server's stays.
    connection.execute(
        "select set_config(name, %s, false) from pg_settings where name = 'idle_in_transaction_session_timeout'"
        " and setting::bigint not between 1 and %s",
        (f"{IDLE_SECONDS}s", IDLE_SECONDS * 1000),
    )
    # What is acknowledged is on disk, whatever the server's default; a stricter one stays.
    connection.execute(
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"
    )


def named(url: str) -> str:
    """The database for messages: no user, no password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "the database"
    host, port = parts.get("host") or "localhost", parts.get("port")
    return f"postgresql://{host}{f':{port}' if port else ''}/{parts.get('dbname') or ''}"


def said(error: psycopg.Error) -> str:
    """The server's or the driver's own words in one line, without the values that the server tells in details."""
    return " ".join((error.diag.message_primary or str(error)).split())


def is_lost(error: psycopg.Error, connection: Connection[Any]) -> bool:
    """Whether the connection is of no use after this."""
    return connection.closed or (error.sqlstate or "").startswith(_LOST)

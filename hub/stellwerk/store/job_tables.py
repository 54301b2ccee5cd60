"""The engine's tables, in a schema of their own beside the hub's. Nothing in them is missed: what is due stands in `lease`.

They are made by whichever process comes first. Those of another version of the engine are made anew, not brought up to date.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import Any

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from stellwerk.errors import StoreError
from stellwerk.store.postgres_schema import MIGRATING
from stellwerk.store.postgres_session import connect, named, said

__all__ = ["ready"]

BEGINS = "stellwerk_jobs_"
LONGEST_NAME = 63


def ready(url: str, *, anew: bool = False) -> str:
    """The schema, with its tables in it; with `anew` those of another version are replaced.

    Raises `StoreError` where the server cannot be reached, the user may not make a schema, or another version is at work.
    """
    version = hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()[:16]
    with closing(connect(url)) as connection:
        try:
            schema = _name(connection, url)
            if _version(connection, schema) != version:
                _make(connection, schema, version, anew=anew)
        except psycopg.errors.InsufficientPrivilege as error:
            raise StoreError(
                f"{named(url)} has no place for the engine's tables ({said(error)}); let somebody who may do so run there:"
                f' drop schema if exists "{schema}" cascade; create schema "{schema}" authorization "{connection.info.user}"'
            ) from None
        except psycopg.Error as error:
            raise StoreError(f"{named(url)} does not take the engine's tables: {said(error)}") from None
    return schema


def _name(connection: Connection[Any], url: str) -> str:
    """Of the schema that belongs to the hub's own: two hubs in one database have one each."""
    row = connection.execute("select current_schema()").fetchone()
    if row is None or row[0] is None:
        raise StoreError(f"{named(url)} has no schema for tables; set the search_path of the hub's user")
    return f"{BEGINS}{row[0]}"[:LONGEST_NAME]


def _version(connection: Connection[Any], schema: str) -> str | None:
    """Which version's tables are there; None where none are."""
    row = connection.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s", (schema,)
    ).fetchone()
    return None if row is None else row[0]


def _make(connection: Connection[Any], schema: str, version: str, *, anew: bool) -> None:
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (MIGRATING,))
        before = _version(connection, schema)
        if before == version:
            return
        if before is not None and not anew:
            raise StoreError(
                f"the engine's tables in {schema} are of another version; stop every process, then start them all with the same one"
            )
        name = Identifier(schema)
        if before is not None:
            connection.execute(SQL("drop schema {} cascade").format(name))
        if connection.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone() is None:
            connection.execute(SQL("create schema {}").format(name))
        connection.execute(SQL("set local search_path to {}").format(name))
        connection.execute(SchemaManager.get_schema(), prepare=False)
        connection.execute(SQL("comment on schema {} is {}").format(name, Literal(version)))

"""Who is told of a connection's repairs. Where to and the secret are sealed under a key of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault

Kind: TypeAlias = Literal["email", "webhook"]
Language: TypeAlias = Literal["en", "de"]
OWNER = "all recipients"
"""Name of the key that seals them; it stands in `meta` with those of no account."""


class Reach(Struct, frozen=True, kw_only=True):
    """An address or a URL, and the secret that signs what goes to the latter."""

    to: str
    secret: str = ""


class Recipient(Struct, frozen=True, kw_only=True):
    """A named person and how they are told."""

    id: int
    connection: str
    name: str
    kind: Kind
    language: Language
    reach: Reach
    made_by: str
    created: float


def add(
    tx: Tx,
    vault: Vault,
    *,
    connection: str,
    name: str,
    kind: Kind,
    language: Language,
    reach: Reach,
    made_by: str,
    now: float,
) -> int:
    row = tx.one(
        "insert into recipient (connection, name, kind, language, body, made_by, created)"
        " values (:connection, :name, :kind, :language, :body, :made_by, :now) returning id",
        connection=connection,
        name=name,
        kind=kind,
        language=language,
        body=vault.seal(OWNER, msgspec.json.encode(reach)),
        made_by=made_by,
        now=now,
    )
    assert row is not None
    return int(row["id"])


def of_connection(tx: Tx, vault: Vault, connection: str) -> list[Recipient]:
    """Oldest first."""
    rows = tx.all("select * from recipient where connection = :connection order by id", connection=connection)
    return [_recipient(vault, row) for row in rows]


def by_id(tx: Tx, vault: Vault, one: int) -> Recipient | None:
    row = tx.one("select * from recipient where id = :id", id=one)
    return None if row is None else _recipient(vault, row)


def remove(tx: Tx, connection: str, one: int) -> bool:
    """With all that they were told; False where this connection has no such one."""
    if not tx.run("delete from recipient where id = :id and connection = :connection", id=one, connection=connection):
        return False
    _forget(tx, [one])
    return True


def forget(tx: Tx, connection: str) -> None:
    """Nobody is told of the connection any more."""
    rows = tx.all("select id from recipient where connection = :connection", connection=connection)
    tx.run("delete from recipient where connection = :connection", connection=connection)
    _forget(tx, [row["id"] for row in rows])


def _forget(tx: Tx, ids: Sequence[int]) -> None:
    for one in ids:
        tx.run("delete from notification where recipient = :id", id=one)
        tx.run("delete from told where recipient = :id", id=one)


def _recipient(vault: Vault, row: Row) -> Recipient:
    return Recipient(
        id=row["id"],
        connection=row["connection"],
        name=row["name"],
        kind=row["kind"],
        language=row["language"],
        reach=msgspec.json.decode(vault.open(OWNER, row["body"]), type=Reach),
        made_by=row["made_by"],
        created=row["created"],
    )

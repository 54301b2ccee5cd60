"""What lets somebody in to one connection: that which a token of the API and an invitation have in common."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from stellwerk.store.store import Tx

Rights: TypeAlias = Literal["view", "change"]
Table: TypeAlias = Literal["api_token", "invitation"]
COLUMNS = "id, connection, name, rights, made_by, created, expires, used, revoked"


class Access(Struct, frozen=True, kw_only=True):
    """One of them, without its text. Times in seconds since 1970."""

    id: int
    connection: str
    name: str
    rights: Rights
    made_by: str
    created: float
    expires: float
    used: float | None = None
    revoked: float | None = None

    def works(self, now: float) -> bool:
        return self.revoked is None and now < self.expires


def revoke(tx: Tx, table: Table, connection: str, one: int, now: float) -> bool:
    """False when this connection has no such one that still stands."""
    return bool(
        tx.run(
            f"update {table} set revoked = :now where id = :id and connection = :connection and revoked is null",
            now=now,
            id=one,
            connection=connection,
        )
    )


def revoke_all(tx: Tx, connection: str, now: float) -> None:
    """Nothing lets anybody in to this connection any more."""
    for table in get_args(Table):
        tx.run(
            f"update {table} set revoked = :now where connection = :connection and revoked is null",
            now=now,
            connection=connection,
        )

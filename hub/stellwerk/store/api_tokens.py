"""Tokens of the JSON API: one names its connection, what it may do and until when; only its keyed digest is stored."""

from __future__ import annotations

import secrets

from stellwerk.store import access
from stellwerk.store.access import COLUMNS, Access, Rights
from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault

PREFIX = "stw_"
USED_SECONDS = 60.0


class ApiToken(Access, frozen=True, kw_only=True):
    """One token, without its text."""


def add(
    tx: Tx, vault: Vault, *, connection: str, name: str, rights: Rights, made_by: str, now: float, expires: float
) -> str:
    """Make a token; its text, which is shown once and never stored."""
    text = PREFIX + secrets.token_urlsafe(32)
    tx.run(
        "insert into api_token (connection, name, rights, digest, made_by, created, expires)"
        " values (:connection, :name, :rights, :digest, :made_by, :now, :expires)",
        connection=connection,
        name=name,
        rights=rights,
        digest=_digest(vault, text),
        made_by=made_by,
        now=now,
        expires=expires,
    )
    return text


def by_text(tx: Tx, vault: Vault, text: str) -> ApiToken | None:
    """The token with this text, whether it works or not; found by its digest, so that no comparison leaks a letter."""
    return _token(tx.one(f"select {COLUMNS} from api_token where digest = :digest", digest=_digest(vault, text)))


def of_connection(tx: Tx, connection: str) -> list[ApiToken]:
    """Newest first."""
    rows = tx.all(
        f"select {COLUMNS} from api_token where connection = :connection order by id desc", connection=connection
    )
    return [token for token in map(_token, rows) if token is not None]


def revoke(tx: Tx, connection: str, one: int, now: float) -> ApiToken | None:
    """The token that ends now; None when this connection has no such one that still stands."""
    if not access.revoke(tx, "api_token", connection, one, now):
        return None
    return _token(tx.one(f"select {COLUMNS} from api_token where id = :id", id=one))


def used(tx: Tx, one: int, now: float) -> None:
    """Remember when it was last used, to the minute: reading is not to write each time."""
    tx.run(
        "update api_token set used = :now where id = :id and (used is null or used < :before)",
        now=now,
        id=one,
        before=now - USED_SECONDS,
    )


def _digest(vault: Vault, text: str) -> str:
    return vault.digest("api token:" + text)


def _token(row: Row | None) -> ApiToken | None:
    return None if row is None else ApiToken(**row)

"""Invitations: a link that lets somebody without a login look after one connection; only its keyed digest is stored."""

from __future__ import annotations

import secrets

from stellwerk.store import access
from stellwerk.store.access import COLUMNS, Access, Rights
from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault

VALID_SECONDS = 7 * 86_400.0


class Invitation(Access, frozen=True, kw_only=True):
    """One invitation of the person called `name`, without the text of its link."""


def add(
    tx: Tx, vault: Vault, *, connection: str, name: str, rights: Rights, made_by: str, now: float
) -> tuple[int, str]:
    """Invite somebody; the invitation's number, and the text of its link, which is told once and never stored."""
    text = secrets.token_urlsafe(32)
    row = tx.one(
        "insert into invitation (connection, name, rights, digest, made_by, created, expires)"
        " values (:connection, :name, :rights, :digest, :made_by, :now, :expires) returning id",
        connection=connection,
        name=name,
        rights=rights,
        digest=_digest(vault, text),
        made_by=made_by,
        now=now,
        expires=now + VALID_SECONDS,
    )
    assert row is not None
    return int(row["id"]), text


def by_text(tx: Tx, vault: Vault, text: str) -> Invitation | None:
    """The invitation of this link, whether it works or not; found by its digest, so that no comparison leaks a letter."""
    return _invitation(tx.one(f"select {COLUMNS} from invitation where digest = :digest", digest=_digest(vault, text)))


def by_id(tx: Tx, one: int) -> Invitation | None:
    return _invitation(tx.one(f"select {COLUMNS} from invitation where id = :id", id=one))


def of_connection(tx: Tx, connection: str) -> list[Invitation]:
    """Newest first."""
    rows = tx.all(
        f"select {COLUMNS} from invitation where connection = :connection order by id desc", connection=connection
    )
    return [found for found in map(_invitation, rows) if found is not None]


def used(tx: Tx, one: int, now: float) -> None:
    """Remember when its link was last followed."""
    tx.run("update invitation set used = :now where id = :id", now=now, id=one)


def revoke(tx: Tx, connection: str, one: int, now: float) -> Invitation | None:
    """The invitation that ends now; None when this connection has no such one that still stands."""
    return by_id(tx, one) if access.revoke(tx, "invitation", connection, one, now) else None


def _digest(vault: Vault, text: str) -> str:
    return vault.digest("invitation:" + text)


def _invitation(row: Row | None) -> Invitation | None:
    return None if row is None else Invitation(**row)

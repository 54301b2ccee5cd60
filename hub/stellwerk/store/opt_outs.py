"""Opt-outs on their way: decided and not delivered yet."""

from __future__ import annotations

from stellwerk.store.store import Tx


def oldest_by_connection(tx: Tx) -> dict[str, float]:
    """By connection, when the opt-out that waits longest was decided; those without one are left out."""
    rows = tx.all(
        "select connection, min(created) as created from outbox where class = 0 and state in ('waiting', 'sent')"
        " group by connection"
    )
    return {row["connection"]: row["created"] for row in rows}


def oldest(tx: Tx, connection: str | None = None) -> float | None:
    """When the opt-out that waits longest was decided, of one connection or of all."""
    row = tx.one(
        "select min(created) as created from outbox where class = 0 and state in ('waiting', 'sent')"
        " and (connection = :connection or :connection is null)",
        connection=connection,
    )
    return None if row is None else row["created"]

"""Deliveries of a connection that ends, or leaves an account."""

from __future__ import annotations

from stellwerk.store import comparisons, syncs
from stellwerk.store.store import Tx, counted


def leave(tx: Tx, connection: str, text: str, now: float) -> None:
    """The connection ends, or leaves an account: what was to be made for it is not needed any more."""
    run = comparisons.going_on(tx, connection)
    if run is not None:
        comparisons.fail(tx, run.id, "disconnected", text, now)
    sync = syncs.going_on(tx, connection)
    if sync is not None:
        syncs.go(tx, sync, "cancelled", now, code="disconnected", text=text)
        syncs.drop_events(tx, sync.id, "disconnected", now)  # connected again, they would be decided on its terms
    tx.run(
        "update outbox set state = 'skipped', code = 'disconnected', text = :text, ended = :now"
        " where connection = :connection and state in ('waiting', 'parked', 'held')",
        connection=connection,
        text=text,
        now=now,
    )


def opt_outs_of(tx: Tx, connection: str) -> int:
    """How many opt-outs of a connection are still on their way to where they must be known."""
    return counted(
        tx,
        "select count(*) as n from outbox where connection = :connection and class = 0"
        " and state in ('waiting', 'sent', 'parked')",
        connection=connection,
    )

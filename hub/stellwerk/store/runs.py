"""What syncs and comparisons have to say of single contacts: kept for a while, and forgotten of both in one way."""

from __future__ import annotations

from stellwerk.store.store import Tx

SAID = {"sync_row": "sync_run", "drift": "comparison"}
"""Tables with lines about single contacts (`address` is a digest), and the table of the runs that said so."""

PARTS = {"comparison_part": "comparison"}


def forget_address(tx: Tx, address: str, connection: str | None = None) -> int:
    """What was said of the address goes, or what one connection's runs said of it. How many lines went."""
    return sum(
        tx.run(
            f"delete from {lines} where address = :address and (run in"
            f" (select id from {runs} where connection = :connection) or :connection is null)",
            address=address,
            connection=connection,
        )
        for lines, runs in SAID.items()
    )


def forget(tx: Tx, connection: str) -> None:
    """Nothing stands of the connection's runs any more."""
    for lines, runs in (SAID | PARTS).items():
        tx.run(
            f"delete from {lines} where run in (select id from {runs} where connection = :connection)",
            connection=connection,
        )
    for runs in SAID.values():
        tx.run(f"delete from {runs} where connection = :connection", connection=connection)


def purge(tx: Tx, before: float, limit: int) -> int:
    """What runs said that ended before goes, at most `limit` lines of each kind; the figures stay. How many lines went."""
    return sum(
        tx.run(
            f"delete from {lines} where id in (select s.id from {lines} as s join {runs} as r on r.id = s.run"
            " where r.ended < :before order by s.id limit :limit)",
            before=before,
            limit=limit,
        )
        for lines, runs in SAID.items()
    )

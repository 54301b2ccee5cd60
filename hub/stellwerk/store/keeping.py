"""Rows that have outlived their days. They are looked for on a reader and deleted by number, a few at a time: intake never waits."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.store import meta
from stellwerk.store.counts import RETIRED, fates_of
from stellwerk.store.store import Row, Tx

UNDECIDED = (None, "waiting", "held")
REDELIVERY_SECONDS = 4 * 86_400.0
"""Vendors repeat what they told for up to 72 hours: so long an event must be recognised, whatever `keep:` says."""


def old_events(tx: Tx, before: float, dead_before: float, now: float, after: int, limit: int) -> list[Row]:
    """`{id, head, fate}` of events with a number above `after` that ended before their time, in order of their numbers."""
    rows = tx.all(
        "select id from inbox where id > :after and ended is not null and received < :seen"
        " and case when state = 'dead' then ended < :dead else ended < :before end order by id limit :limit",
        after=after,
        before=before,
        dead=dead_before,
        seen=now - REDELIVERY_SECONDS,
        limit=limit,
    )
    return fates_of(tx, [row["id"] for row in rows])


def drop_events(tx: Tx, rows: Sequence[Row]) -> int:
    """Delete them; what had become of each stays counted. One whose changes wait for somebody stays. How many went."""
    gone = 0
    for row in rows:
        if row["fate"] in UNDECIDED:
            continue
        if not tx.run("delete from inbox where id = :id and ended is not null", id=row["id"]):
            continue  # replayed meanwhile
        gone += 1
        meta.count(tx, RETIRED + row["fate"])
        tx.run(
            "delete from effect where event = :head and not exists (select 1 from inbox where together = :head)",
            head=row["head"],
        )
    return gone


def old_changes(tx: Tx, before: float, dead_before: float, after: int, limit: int) -> list[int]:
    """Numbers of deliveries above `after` that ended before their time and that no event leads to any more.

    What may happen once for ever stays, without its contents: it is what keeps it from happening twice.
    """
    rows = tx.all(
        "select id from outbox as o where id > :after and ended is not null and once is null and state <> 'held'"
        " and case when state = 'dead' then ended < :dead else ended < :before end"
        " and not exists (select 1 from effect as e where e.delivery = o.id) order by id limit :limit",
        after=after,
        before=before,
        dead=dead_before,
        limit=limit,
    )
    return [row["id"] for row in rows]


def drop_changes(tx: Tx, ids: Sequence[int]) -> int:
    for one in ids:
        tx.run("delete from outbox where id = :id and ended is not null and state <> 'held'", id=one)
    return len(ids)


def old_histories(tx: Tx, before: float, limit: int) -> list[Row]:
    """`{account, address}` of consent histories whose last entry was written down before; suppression is apart and stays."""
    return tx.all(
        "select account, address from ledger group by account, address having max(recorded) < :before limit :limit",
        before=before,
        limit=limit,
    )


def drop_histories(tx: Tx, rows: Sequence[Row], before: float) -> int:
    for row in rows:
        tx.run(
            "delete from ledger where account = :account and address = :address and not exists"
            " (select 1 from ledger where account = :account and address = :address and recorded >= :before)",
            account=row["account"],
            address=row["address"],
            before=before,
        )
    return len(rows)

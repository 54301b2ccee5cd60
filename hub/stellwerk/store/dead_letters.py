"""Deliveries that were given up, by their cause."""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.store.outbox import COLUMNS, OutboxRow
from stellwerk.store.store import Row, Tx


def groups(tx: Tx) -> list[Row]:
    """Dead letters by cause."""
    return tx.all(
        "select 'delivery' as what, account, connection, tag as change, code, count(*) as count, min(ended) as oldest,"
        " max(ended) as newest from outbox where state = 'dead' group by account, connection, tag, code order by oldest"
    )


def of_cause(tx: Tx, code: str, *, number: int | None = None, after: int = 0, limit: int = 1000) -> list[Row]:
    """Dead letters of that cause after the id `after`, or the one with that number."""
    return tx.all(
        "select id, account, connection, contact, tag, body, event, run, attempts, code, text, answer, created, ended from outbox"
        " where state = 'dead' and code = :code and id > :after and (id = :number or :number is null) order by id limit :limit",
        code=code,
        number=number,
        after=after,
        limit=limit,
    )


def as_delivery(tx: Tx, one: int) -> OutboxRow | None:
    """One of them, as it is made once it was put back."""
    row = tx.one(f"select {COLUMNS} from outbox where id = :id", id=one)
    return None if row is None else OutboxRow(**row)


def dismiss(tx: Tx, ids: Sequence[int], text: str) -> None:
    """Given up for good by a person, who says why."""
    tx.many(
        "update outbox set state = 'skipped', text = :text where id = :id and state = 'dead'",
        [{"id": one, "text": text} for one in ids],
    )

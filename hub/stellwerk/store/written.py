"""Which fields of a contact were written in the last minutes, and whether a person or a form had set them: names and times, no values."""

from __future__ import annotations

from collections.abc import Iterable

from stellwerk.store.store import Row, Tx


def note(tx: Tx, contact: int, system: str, fields: Iterable[tuple[str, bool]], now: float, *, since: float) -> None:
    """These fields, each with `by_hand`, were written at `system` now. What was written before `since` is forgotten."""
    tx.run("delete from written where at <= :since", since=since)
    tx.many(
        "insert into written (contact, system, field, at, by_hand) values (:contact, :system, :field, :now, :by_hand)",
        [
            {"contact": contact, "system": system, "field": field, "now": now, "by_hand": int(by_hand)}
            for field, by_hand in fields
        ],
    )


def lately(tx: Tx, contact: int, since: float) -> list[Row]:
    """`{system, field, at, by_hand}` of what was written of the contact after `since`, oldest first."""
    return tx.all(
        "select system, field, at, by_hand from written where contact = :contact and at > :since order by id",
        contact=contact,
        since=since,
    )

"""What the breaker is told, and what becomes of what it stopped once the contact's values are on their way after all."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk.relay.case import Case
from stellwerk.sdk.connector import Receipt
from stellwerk.store import held as held_rows
from stellwerk.store import repairs, written
from stellwerk.store.store import Tx
from stellwerk_rules.breaker import KEEPS_CHANGING, WINDOW
from stellwerk_rules.model import Change, FieldValue, SetFields


def carried(change: Change) -> Mapping[str, FieldValue]:
    """The values of `change` that come from a field of the other system, by field."""
    if not isinstance(change, SetFields) or change.mirror:
        return {}
    return {name: one for name, one in change.fields.items() if one.source_digest is not None}


def note_written(tx: Tx, case: Case, system: str, change: Change, receipt: Receipt, now: float) -> None:
    """Count what a write carried over, but for what the target did not take."""
    missing = {one.field for one in receipt.left_out}
    made = [(name, one.by_hand) for name, one in carried(change).items() if name not in missing]
    if made:
        written.note(tx, case.state.id, system, made, now, since=now - WINDOW.total_seconds())


def overtake(tx: Tx, case: Case, account: str, change: Change, now: float) -> None:
    """What was stopped of the contact before is decided with these values: in its place they go, or are held."""
    if not carried(change):
        return
    text = "decided together with a later change of the contact"
    if held_rows.overtake(tx, case.state.id, account, KEEPS_CHANGING, "overtaken", text, now):
        connection = case.connection.id
        if not held_rows.of_cause(tx, connection, KEEPS_CHANGING, None, after=0, limit=1):
            repairs.close(tx, connection, KEEPS_CHANGING, now)

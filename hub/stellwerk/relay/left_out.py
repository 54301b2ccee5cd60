"""Fields that a target does not take: a repair for each, with the contacts it is missing at, until they are written."""

from __future__ import annotations

from stellwerk.relay.case import Case
from stellwerk.sdk.connector import LeftOut, Receipt
from stellwerk.store import left_out, repairs
from stellwerk.store.store import Tx
from stellwerk_rules.model import Change

FIELD_LEFT_OUT = "field-left-out"


def show_left_out(tx: Tx, case: Case, system: str, change: Change, receipt: Receipt, now: float) -> None:
    """Open or renew the repair of each field left out, and close those of fields that this write brought to the last contact."""
    connection, contact = case.connection.id, case.state.id
    missing = {one.field: one for one in receipt.left_out}
    for name, one in missing.items():
        left_out.note(tx, connection, system, name, contact, one.code, now)
        count = left_out.contacts(tx, connection, system, name)
        repairs.open_(tx, _subject(connection, system, name), FIELD_LEFT_OUT, _text(system, count, one), now)
    written = set(getattr(change, "fields", ())) - missing.keys()
    for name in left_out.arrived(tx, connection, system, contact, written):
        if not left_out.contacts(tx, connection, system, name):
            repairs.close(tx, _subject(connection, system, name), FIELD_LEFT_OUT, now)


def _subject(connection: str, system: str, field: str) -> str:
    return f"{connection}/{system}.{field}"


def _text(system: str, count: int, one: LeftOut) -> str:
    contacts = "1 contact was" if count == 1 else f"{count} contacts were"
    mend = one.text or "mend the field over there, or its row in integration.yaml"
    return (
        f"{system} does not take {one.field} ({one.code}): {contacts} written without it. To mend: {mend}; the value goes"
        " along with the contact's next change"
    )

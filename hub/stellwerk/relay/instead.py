"""What was done in the place of what was wanted: a repair with the contacts it was done at, until it is done as wanted."""

from __future__ import annotations

from stellwerk.relay.case import Case
from stellwerk.sdk.connector import Receipt
from stellwerk.store import left_out, meta, repairs
from stellwerk.store.store import Tx


def show_instead(tx: Tx, case: Case, system: str, tag: str, receipt: Receipt, now: float) -> None:
    """Open or renew the repair that `receipt`, of a change of this tag, asks for; close the one before where it asks for none."""
    connection, name = case.connection.id, f"instead {tag}"
    stood = meta.cursor(tx, connection, f"{system} {name}") or ""
    if stood and stood != receipt.instead:
        repairs.close(tx, connection, stood, now)
        left_out.forget(tx, connection, system, name)
    if receipt.instead:
        left_out.note(tx, connection, system, name, case.state.id, receipt.instead, now)
        number = left_out.contacts(tx, connection, system, name)
        contacts = "1 contact" if number == 1 else f"{number} contacts"
        repairs.open_(tx, connection, receipt.instead, f"{receipt.text} ({contacts} so far)", now)
    if stood != receipt.instead:
        meta.set_cursor(tx, connection, f"{system} {name}", receipt.instead)

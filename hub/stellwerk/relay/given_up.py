"""What was given up of one contact's coming in, and when that is over."""

from __future__ import annotations

from stellwerk.relay.case import Case
from stellwerk.store import dead_letters, inbox, repairs
from stellwerk.store import held as held_rows
from stellwerk.store.store import Tx

TEXT = "asked again"


def end(tx: Tx, case: Case, now: float) -> None:
    """End the dead letters of the contact's coming in, since another is on its way; and the repairs that stood for them alone."""
    dead = [row for row in held_rows.enters_of(tx, case.state.id) if row["state"] == "dead"]
    dead_letters.dismiss(tx, [row["id"] for row in dead], TEXT)
    connection = case.connection
    for code in {row["code"] for row in dead}:
        for subject in (connection.id, *connection.accounts.values()):
            if not is_left(tx, code, subject):
                repairs.close(tx, subject, code, now)


def is_left(tx: Tx, code: str, subject: str) -> bool:
    """Whether a dead letter of this cause is left at the account or connection."""
    rows = (*inbox.dead(tx, code), *dead_letters.of_cause(tx, code))
    return any(subject in (row["account"], row.get("connection")) for row in rows)

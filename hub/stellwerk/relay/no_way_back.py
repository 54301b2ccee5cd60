"""Somebody who left says yes again, and there is no double opt-in to send: they stay out, and a person is told.

Only a double opt-in leads back. Where the connection asks for none, it needs something to send for this one.
"""

from __future__ import annotations

from stellwerk.relay.case import Case
from stellwerk.store import repairs
from stellwerk.store.store import Tx
from stellwerk_rules.model import Decision, Enter
from stellwerk_rules.unlinked import UNLINKED

NO_WAY_TO_ASK = "no-way-to-ask"
"""Code of the reason, and of the repair that shows it."""


def note(tx: Tx, case: Case, decision: Decision, now: float) -> None:
    """Open the repair for a contact that stays out for this reason alone; close it once one is asked back."""
    told = {skip.because.code for skip in decision.skips}
    for skip in () if UNLINKED in told else decision.skips:
        if skip.because.code == NO_WAY_TO_ASK:
            repairs.open_(tx, case.connection.id, NO_WAY_TO_ASK, skip.because.text, now)
    changes = (planned.change for planned in decision.changes)
    if any(isinstance(change, Enter) and change.way_back and change.ask is not None for change in changes):
        repairs.close(tx, case.connection.id, NO_WAY_TO_ASK, now)

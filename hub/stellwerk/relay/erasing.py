"""What was deleted for privacy is forgotten here: payloads, traces, and in the end the contact itself. The ledger and the
suppression list stay; they hold no clear text.

What is on its way, and the deletion over there, keep what they need until they have ended; then it goes as well.
"""

from __future__ import annotations

import msgspec

from stellwerk.store import contacts, inbox, outbox, traces
from stellwerk.store.contacts import ContactState
from stellwerk.store.store import Tx
from stellwerk_rules.model import Remembered

NEEDED = "delete_contact"


def erase(tx: Tx, contact: int, now: float) -> None:
    """Forget the contact as far as nothing that is still to be made needs it."""
    state = contacts.by_id(tx, contact)
    if state is None:
        return
    remembered = state.remembered
    outbox.erase(tx, state.id, NEEDED, now)
    traces.erase(tx, state.connection, state.id, state.address)
    if outbox.is_undone(tx, state.id, NEEDED):
        bare = Remembered(ids=remembered.ids, within=remembered.within, by_wish=True, erased=True)
        if bare != remembered:
            contacts.save(tx, msgspec.structs.replace(state, remembered=bare), now)
    else:
        contacts.delete(tx, state.id)


def erase_events(tx: Tx, account: str, subject: str, now: float) -> None:
    """Forget what the events of one contact said; those that wait are not decided any more."""
    inbox.erase(tx, account, subject, now)


def go_on(tx: Tx, state: ContactState, now: float) -> None:
    """After a delivery of the contact has ended: the rest of what was to be erased. `state` is as it stands now."""
    if state.remembered.erased:
        erase(tx, state.id, now)

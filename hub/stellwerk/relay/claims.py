"""A claimed opt-out counts at once for everything we would send: from the transaction on that takes its event in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stellwerk.relay.hub import Hub
from stellwerk.store import consent, inbox
from stellwerk.store.inbox import NewEvent
from stellwerk.store.store import Tx
from stellwerk_rules.consent import fold
from stellwerk_rules.model import EventKind, Fact, FactKind
from stellwerk_rules.spec import Limits

BY_ADDRESS = "email:"


def claim(tx: Tx, hub: Hub, events: Sequence[NewEvent]) -> None:
    """Write down what `events`, just stored, claim. A claim is one waiting event; what is out already needs none."""
    claims = {
        (event.account, event.subject)
        for event in events
        if event.kind == EventKind.UNSUBSCRIBED and event.subject.startswith(BY_ADDRESS)
    }
    for account, subject in sorted(claims):
        address = subject.removeprefix(BY_ADDRESS)
        for row in inbox.waiting_of(tx, account, subject, EventKind.UNSUBSCRIBED.value):
            if _stands_out(tx, account, address, hub.time()):
                break
            fact = Fact(
                kind=FactKind.OPTED_OUT,
                key=f"claim:{row['id']}",
                at=hub.moment(row["received"]),
                event=str(row["id"]),
                final=False,
            )
            consent.add(tx, account, address, "", [fact], hub.now())


def _stands_out(tx: Tx, account: str, address: str, now: datetime) -> bool:
    known = fold(consent.facts(tx, account, address), False, now, Limits())
    return known.left or known.claimed()

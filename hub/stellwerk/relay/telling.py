"""An opt-out that one connection learns is one for every connection of the mail account, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from stellwerk.relay import case as cases
from stellwerk.relay.case import Case
from stellwerk.relay.hub import Hub
from stellwerk.store import connections, contacts
from stellwerk.store.store import Tx
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import Contact, Decision, Event, EventKind, Fact, OptOutProof, Presence


class Learnt(Struct, frozen=True, kw_only=True):
    """An opt-out that is new in the ledger and reaches every connection, with the case that brought it."""

    case: Case
    fact: Fact


def told_to_others(
    tx: Tx, hub: Hub, learnt: Learnt, event: str, told: frozenset[str]
) -> Iterator[tuple[Case, Decision]]:
    """What every other connection, but those in `told`, decides on the opt-out, each on its contact as it stands now."""
    case, fact = learnt.case, learnt.fact
    for other in connections.of_account(tx, case.mail_account):
        mail_system = hub.book(other).plan.mail_system
        if other.id in told or mail_system is None or case.address is None:
            continue
        for state in contacts.by_address(tx, other.id, case.address):
            theirs = cases.of_state(tx, hub, other, state, case.address)
            before = tuple(one for one in theirs.known.facts if (one.kind, one.key) != (fact.kind, fact.key))
            happened = Event(
                id=event,
                kind=EventKind.UNSUBSCRIBED,
                system=mail_system,
                contact=Contact(presence=Presence.ABSENT, read_at=hub.time()),
                at=hub.time(),
                proof=OptOutProof(key=fact.key, at=fact.at, final=True),
            )
            known = msgspec.structs.replace(theirs.known, facts=before)
            yield theirs, evaluate(theirs.book.plan, happened, known, theirs.settings)

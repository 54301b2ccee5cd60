"""What the mail system shows of a claimed opt-out, and whether that settles it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from stellwerk.relay import case as cases
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.receive import new_event
from stellwerk.sdk.connector import ConsentSource, Ref, Signal
from stellwerk.store import counts, inbox, lease, meta
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.model import Contact, EventKind, Fact, FactKind, OptOutEvidence
from stellwerk_rules.proof import prove
from stellwerk_rules.zones import reach

OVERLAP = timedelta(seconds=120)


async def evidence_of(
    hub: Hub, desk: Desk, source: ConsentSource, connections: Sequence[Connection], contact: Contact
) -> OptOutEvidence:
    """Asked for with every name we have of the contact, since the last confirmation we know. Raises `DeliveryError`."""

    def load(tx: Tx) -> tuple[list[str], list[Fact]]:
        ids: list[str] = []
        since: list[Fact] = []
        for connection in connections:
            case = cases.load(tx, hub, connection, desk.system.name, contact)
            known = case.known.remembered.ids.get(desk.system.name)
            if known is not None:
                ids.append(known)
            since.extend(fact for fact in case.known.facts if fact.kind is FactKind.CONFIRMED)
        return ids, since

    ids, since = await hub.store.read(load)
    last = max(since, key=lambda fact: fact.at, default=None)
    start = None if last is None else last.at - max(OVERLAP, reach(last))
    return await source.opt_outs(email=contact.email, contact_id=contact.id or (ids[0] if ids else None), since=start)


async def is_settled(
    hub: Hub,
    desk: Desk,
    connections: Sequence[Connection],
    contact: Contact,
    evidence: OptOutEvidence,
    claimed: datetime,
    told_by_entry: str | None,
) -> bool:
    """Whether the opt-out is proved or denied for every connection."""

    def work(tx: Tx) -> bool:
        loaded = (cases.load(tx, hub, connection, desk.system.name, contact) for connection in connections)
        proofs = (
            prove(evidence, case.known.facts, claimed, hub.time(), {}, told_by_entry=told_by_entry) for case in loaded
        )
        return all(proof.final or proof.denied for proof in proofs)

    return await hub.store.read(work)


def look_into(tx: Tx, hub: Hub, account: str, email: str | None, facts: Sequence[Fact]) -> None:
    """An opt-out that a delivery met and that is not proved is looked into like one that was told of."""
    if email is None or not any(fact.kind is FactKind.OPTED_OUT and not fact.final for fact in facts):
        return
    now = hub.now()
    signal = Signal(kind=EventKind.UNSUBSCRIBED, ref=Ref(by="email", value=email))
    meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, [new_event(hub, account, signal, now)]))
    lease.wake(tx, account, now)

"""What happened to a contact, decided on one thing after the other, each with the proof it needs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError
from stellwerk.relay import case as cases
from stellwerk.relay import seeking
from stellwerk.relay.again import counted
from stellwerk.relay.asking_again import ASKED_AGAIN, is_asked_again
from stellwerk.relay.case import Case
from stellwerk.relay.decide import COMPARED, Decided, decide
from stellwerk.relay.evidence import evidence_of, is_settled
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.linking import LINKED_AGAIN, is_linked_again
from stellwerk.relay.looking import late_confirmation, next_look
from stellwerk.relay.putting import AS_RELEASED
from stellwerk.relay.waiting import DAY_SECONDS, Waiting, later, named
from stellwerk.sdk.connector import ConsentSource, Signal
from stellwerk.store import held as held_rows
from stellwerk.store import lease, outbox, syncs
from stellwerk.store.connections import Connection
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk.store.syncs import Run
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    CONFIRMED_BY_CONTACT,
    Contact,
    Decision,
    Event,
    EventKind,
    OptOutEvidence,
    Presence,
)
from stellwerk_rules.proof import prove

ORDER = (
    EventKind.ERASED,
    EventKind.DELETED,
    EventKind.MERGED,
    EventKind.RESTORED,
    EventKind.CONFIRMED,
    EventKind.UNSUBSCRIBED,
)
LOOK_AGAIN = frozenset({EventKind.CREATED, EventKind.CHANGED, EventKind.MOVED})
EACH = frozenset({EventKind.BOUNCED, EventKind.BLOCKED, EventKind.UNBLOCKED})
"""Of these each is an event of its own, by the name that its remote gives it."""

ENTRY = "entry"
FIELDS = frozenset({"set_fields"})
ANEW = frozenset({held_rows.ANEW})
OUR_OWN = frozenset({held_rows.RELEASED, COMPARED, ASKED_AGAIN, LINKED_AGAIN, *seeking.DETAILS})
"""Details that the hub gave its own events, and no remote told."""


class Happening(Struct, frozen=True, kw_only=True):
    """Events of one contact that say the same of it, decided on together; those of a sync apart from the live ones."""

    kind: EventKind
    rows: tuple[InboxRow, ...]
    signals: tuple[Signal, ...]

    @property
    def first(self) -> InboxRow:
        return self.rows[0]

    @property
    def claim(self) -> str | None:
        """The key of its claim where every event was told by an entry of a report."""
        return f"claim:{self.first.id}" if all(ENTRY in told.details for told in self.signals) else None

    @property
    def turn(self) -> tuple[int, int]:
        """What a sync only looks at comes after all that happened."""
        return self.first.run or 0, ORDER.index(self.kind) if self.kind in ORDER else len(ORDER)


async def decide_contact(
    hub: Hub, desk: Desk, held: Lease, connections: Sequence[Connection], one: Waiting, contact: Contact
) -> list[Decided]:
    """One decision for each thing that may have happened; what only says "look again" is one together."""
    contact = _with_times(contact, one.signals)
    contact = contact if contact.id is not None or one.ref.by != "id" else named(contact, one.ref)
    searches = seeking.is_search(one.signals)
    if searches:
        await seeking.keep_secondary(hub, held, desk.system.name, connections, one.ref, contact)
    decided: list[Decided] = []
    for happening in happenings(one):
        decided += await _decide_happening(hub, desk, held, connections, contact, happening)
    if searches:
        await seeking.ended(hub, held, one.rows, one.signals)
    return decided


def only_looks(one: Waiting) -> bool:
    """Whether all that happened is decided on by what was read of the contact: no call is made in between."""
    return all(signal.kind in LOOK_AGAIN for signal in one.signals) and not seeking.is_search(one.signals)


def happenings(one: Waiting) -> list[Happening]:
    """The events of a contact, put together, in the order they are decided in."""
    groups: dict[tuple[EventKind, str, int], list[tuple[InboxRow, Signal]]] = {}
    for row, signal in zip(one.rows, one.signals, strict=True):
        kind = signal.kind if signal.kind not in LOOK_AGAIN else EventKind.CHANGED
        fact = signal.details.get(ENTRY if kind in EACH else COMPARED, "")
        groups.setdefault((kind, fact, row.run or 0), []).append((row, signal))
    found = []
    for (kind, _, _), pairs in groups.items():
        rows, signals = zip(*pairs, strict=True)
        found.append(Happening(kind=kind, rows=rows, signals=signals))
    return sorted(found, key=lambda happening: happening.turn)


async def _decide_happening(
    hub: Hub,
    desk: Desk,
    held: Lease,
    connections: Sequence[Connection],
    contact: Contact,
    happening: Happening,
) -> list[Decided]:
    kind, first, signal = happening.kind, happening.first, happening.signals[0]
    system = desk.system.name
    evidence: OptOutEvidence | None = None
    subject = contact
    if kind is EventKind.UNSUBSCRIBED and isinstance(desk.connector, ConsentSource):
        try:
            evidence = await evidence_of(hub, desk, desk.connector, connections, named(contact, signal.ref))
        except (ReauthorizeError, PauseError):
            raise
        except DeliveryError as failed:
            await later(hub, held, happening.rows, failed)
            return []
        subject = seeking.with_peer(named(_in_full(evidence.contact, contact), signal.ref), evidence)
    claimed = hub.moment(first.received)
    if first.run is not None and await _stands_still(hub, held, connections, happening):
        return []

    def look(tx: Tx, connection: Connection) -> list[tuple[Case, Event]]:
        run = (
            None if first.run is None else syncs.by_id(tx, first.run)
        )  # with as many left as were not mailed meanwhile
        if first.run is not None and (run is None or run.connection != connection.id):
            return []  # a sync looks for its own connection alone
        case = cases.load(tx, hub, connection, system, subject)
        if run is not None and let_go(happening.signals):
            run = _counted_anew(tx, hub, case, run, happening)
        own = case.book.plan.wish_system == system
        with_others = own and kind is EventKind.ERASED and subject.id is not None
        others = cases.load_secondary(tx, hub, connection, subject.id or "") if with_others else []
        return [(one, _event(tx, hub, one, happening, subject, evidence, system, run)) for one in (case, *others)]

    soon = next_look(first.received, hub.now(), longest=hub.integration.keep.payload_days * DAY_SECONDS)
    until: float | None = None
    if kind is EventKind.CONFIRMED and _unconfirmed(contact):
        until = late_confirmation(first.received, hub.now())
    if kind is EventKind.ERASED and contact.presence is Presence.PRESENT and contact.id == signal.ref.value:
        until = soon  # the remote may take days for it, and tells it once
    if evidence is not None:
        settled = await is_settled(hub, desk, connections, subject, evidence, claimed, happening.claim)
        until = until if settled else soon
    if until is None and await seeking.seek(hub, held, system, connections, kind, happening.rows, subject):
        return []
    return await decide(
        hub,
        held,
        connections,
        [row.id for row in happening.rows],
        look,
        _judge,
        keep_waiting_until=until,
        unsettled_until=soon,
        released=let_go(happening.signals),
    )


def _counted_anew(tx: Tx, hub: Hub, case: Case, run: Run, happening: Happening) -> Run:
    """Whoever is decided on again is no more among those whom the sync has counted."""
    ids = held_rows.released_of(tx, case.connection.id, case.state.id, let_go(happening.signals))
    for row in outbox.whole(tx, tuple(ids)):
        syncs.count(tx, run.id, counted(hub, case, row), by=-1)
    return syncs.by_id(tx, run.id) or run


async def _stands_still(hub: Hub, held: Lease, connections: Sequence[Connection], happening: Happening) -> bool:
    """Whether these events of a sync wait, since its connection does not run: nobody makes up for what is only watched."""
    standing = {one.id for one in connections if one.state != "runs"}
    if not standing:
        return False

    def work(tx: Tx) -> bool:
        now = hub.now()
        lease.fence(tx, held, now)
        return syncs.stand_still(tx, happening.first.run or 0, [row.id for row in happening.rows], standing, now)

    return await hub.store.write(work)


def _event(
    tx: Tx,
    hub: Hub,
    case: Case,
    happening: Happening,
    subject: Contact,
    evidence: OptOutEvidence | None,
    system: str,
    run: Run | None,
) -> Event:
    """What the rules are told of it, with the proof that it is so where one is needed."""
    first, released = happening.first, let_go(happening.signals)
    details = {name: one for name, one in happening.signals[-1].details.items() if name not in OUR_OWN}
    claimed = hub.moment(first.received)
    proof = None
    if evidence is not None:
        proof = prove(evidence, case.known.facts, claimed, hub.time(), details, told_by_entry=happening.claim)
    told = [one.occurred_at for one in happening.signals if one.occurred_at is not None]
    return Event(
        id=str(first.id),
        kind=happening.kind,
        system=system,
        contact=subject,
        at=hub.time(),
        proof=proof,
        released=is_released(tx, case, released),
        renewed=is_released(tx, case, released, ANEW),
        fields_released=is_released(tx, case, released, FIELDS),
        details={**details, **({} if proof is None else proof.details)},
        occurred_at=max(told, default=None),
        backfill=None if run is None else run.terms(),
        compared=COMPARED in happening.signals[0].details,
        asked_again=is_asked_again(case.connection, happening.signals),
        linked_again=is_linked_again(case.connection, case.known, happening.signals),
    )


def let_go(signals: Sequence[Signal]) -> list[int]:
    """The deliveries that a person let go, as the events of ours name them."""
    return [int(one) for told in signals if (one := told.details.get(held_rows.RELEASED, "")).isdecimal()]


def is_released(tx: Tx, case: Case, ids: Sequence[int], kinds: frozenset[str] = AS_RELEASED) -> bool:
    """Whether the contact is decided on as if nothing had been handled: for changes that were never made."""
    return bool(ids) and not kinds.isdisjoint(
        held_rows.released_of(tx, case.connection.id, case.state.id, ids).values()
    )


def _with_times(contact: Contact, signals: Sequence[Signal]) -> Contact:
    """With the times of fields that the events told: one time for the whole contact makes an old value look young."""
    told = [(one.occurred_at, one.field_name) for one in signals if one.occurred_at is not None]
    times = {name: at for at, name in sorted(told, key=lambda pair: pair[0]) if name is not None}
    return msgspec.structs.replace(contact, changed_at=times) if times else contact


def _in_full(proved: Contact, contact: Contact) -> Contact:
    """The contact as it was read for the proof, with the fields it was read with before."""
    if contact.presence is Presence.TWICE and proved.presence is Presence.PRESENT:
        return contact  # the proof reads by the id alone, and it is one of several
    if (proved.presence, proved.id) != (contact.presence, contact.id):
        return proved
    return msgspec.structs.replace(
        proved, fields=contact.fields, history=contact.history, changed_at=contact.changed_at
    )


def _unconfirmed(contact: Contact) -> bool:
    return contact.presence is Presence.PRESENT and contact.permission not in CONFIRMED_BY_CONTACT


def _judge(case: Case, event: Event) -> Decision:
    return evaluate(case.book.plan, event, case.known, case.settings)

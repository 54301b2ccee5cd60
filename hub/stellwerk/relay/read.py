"""read: an event is a signal, not the truth. Read the contact, then decide on what was read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec
from msgspec import Struct

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RetryableError, StellwerkError
from stellwerk.relay import case as cases
from stellwerk.relay import seeking
from stellwerk.relay.applied import BROKEN
from stellwerk.relay.bug import BUG, place
from stellwerk.relay.case import Case
from stellwerk.relay.company import OUTAGE, companies
from stellwerk.relay.decide import COMPARED, Decided, decide
from stellwerk.relay.evidence import evidence_of, is_settled
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.looking import late_confirmation, next_look
from stellwerk.relay.opened import UNREADABLE, opened
from stellwerk.relay.putting import AS_RELEASED
from stellwerk.relay.reading import read_all
from stellwerk.relay.retry import LATELY_SECONDS, retry
from stellwerk.relay.unread import show_unread
from stellwerk.relay.wave import wave
from stellwerk.sdk.connector import ConsentSource, Reader, Ref, Signal
from stellwerk.store import held as held_rows
from stellwerk.store import inbox, lease, repairs, syncs
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import Stale
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk_rules.breaker import busy
from stellwerk_rules.evaluate import evaluate, wants_history
from stellwerk_rules.model import (
    ADDRESS,
    CONFIRMED_BY_CONTACT,
    Contact,
    Decision,
    Event,
    EventKind,
    OptOutEvidence,
    Presence,
)
from stellwerk_rules.proof import prove

OURS = frozenset({BUG, BROKEN, "keeps-changing"})
"""Codes of failures that are no outage, whatever else goes through."""

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
OUR_OWN = frozenset({held_rows.RELEASED, COMPARED, *seeking.DETAILS})
"""Details that the hub gave its own events, and no remote told."""

DAY_SECONDS = 86_400.0
NOT_NOW_SECONDS = 1.0


class Waiting(Struct, frozen=True, kw_only=True):
    """All waiting events of one contact."""

    ref: Ref
    rows: tuple[InboxRow, ...]
    signals: tuple[Signal, ...]


async def read_and_decide(hub: Hub, desk: Desk, held: Lease) -> int:
    """Take the contacts that wait longest, read each once, decide. The number of events looked at."""
    account = desk.account.id
    rows = await hub.store.read(lambda tx: inbox.take(tx, account, hub.now(), wave(desk.connector)))
    if not rows:
        return 0
    waiting = await _opened(hub, held, rows)
    connections = await hub.connections_of(account)
    connector = desk.connector
    if not isinstance(connector, Reader) or not connections:
        await _end_unread(hub, held, rows, "nobody is connected" if not connections else "cannot be read")
        return len(rows)
    failures = 0
    for together in companies(waiting, lambda one: max(row.attempts for row in one.rows)):
        those = [row for one in together for row in one.rows]
        if failures >= OUTAGE:
            await _not_now(hub, held, those)
            continue
        try:
            contacts = await read_contacts(hub, desk, connector, connections, together)
        except (ReauthorizeError, PauseError):
            raise
        except DeliveryError as failed:
            failures += 1
            desk.pulse.fails(failed)
            await _later(hub, held, those, failed)
            continue
        failures = 0
        desk.pulse.answered += 1
        await show_unread(hub, desk, connections, contacts)
        for one, contact in zip(together, contacts, strict=True):
            await _decided(hub, desk, held, connections, one, contact)
    return len(rows)


async def _opened(hub: Hub, held: Lease, rows: Sequence[InboxRow]) -> list[Waiting]:
    """The rows by contact. One that cannot be read is a dead letter at once; it holds up nobody."""
    waiting: list[Waiting] = []
    unreadable: list[InboxRow] = []
    for _, group in groupby(rows, key=lambda row: row.subject):
        pairs = [(row, opened(hub.vault, held.account, row.body, Signal)) for row in group]
        known = [(row, signal) for row, signal in pairs if signal is not None]
        unreadable += [row for row, signal in pairs if signal is None]
        if known:
            of_one, signals = zip(*known, strict=True)
            waiting.append(Waiting(ref=signals[-1].ref, rows=of_one, signals=signals))
    if unreadable:

        def work(tx: Tx) -> None:
            now = hub.now()
            lease.fence(tx, held, now)
            inbox.end(tx, [row.id for row in unreadable], "dead", UNREADABLE, now)
            repairs.open_(tx, held.account, UNREADABLE, "an event that was taken in cannot be read", now)

        await hub.store.write(work)
    return waiting


async def _decided(
    hub: Hub, desk: Desk, held: Lease, connections: Sequence[Connection], one: Waiting, contact: Contact
) -> None:
    """Decide on one contact; what goes wrong with it holds up nobody else."""
    try:
        await decide_contact(hub, desk, held, connections, one, contact)
    except Stale:
        await _later(hub, held, one.rows, RetryableError("keeps-changing"))
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("account %s: a bug stopped a decision: %s", held.account, place(bug))
        await _later(hub, held, one.rows, RetryableError(BUG))


async def read_contacts(
    hub: Hub, desk: Desk, connector: Reader, connections: Sequence[Connection], waiting: Sequence[Waiting]
) -> list[Contact]:
    """Each contact once, with history where a decision needs to know who set a value."""
    system = desk.system.name
    books = [hub.book(connection) for connection in connections]
    fields = sorted({name for book in books for name in book.plan.reads(system)})
    history = sorted({name for book in books for name in book.plan.history_fields(system)})
    contacts = await read_all(connector, [one.ref for one in waiting], fields)
    for number, one in enumerate(waiting):
        if seeking.is_search(one.signals):
            peers = seeking.peers_of(one.signals)
            contacts[number] = await seeking.found(hub.vault, connector, one.ref, peers, contacts[number], fields)
    if not history:
        return contacts

    def asks(tx: Tx) -> tuple[list[int], frozenset[str]]:
        asked: list[int] = []
        names: frozenset[str] = frozenset()
        for number, (one, contact) in enumerate(zip(waiting, contacts, strict=True)):
            if contact.presence is not Presence.PRESENT:
                continue
            wanted = [_wants(tx, hub, connection, system, contact, one.signals) for connection in connections]
            if any(one is not None for one in wanted):
                asked.append(number)
                names = names.union(*(one for one in wanted if one is not None))
        return asked, names

    deeper, more = await hub.store.read(asks)
    if deeper:
        refs = [Ref(by="id", value=contacts[number].id or "") for number in deeper]
        told = (ADDRESS, *sorted({*history, *more}))
        for number, contact in zip(deeper, await read_all(connector, refs, fields, told), strict=True):
            contacts[number] = contact
    return contacts


def _wants(
    tx: Tx, hub: Hub, connection: Connection, system: str, contact: Contact, signals: Sequence[Signal]
) -> frozenset[str] | None:
    """None where the decision needs no history, else the fields whose history it needs besides the usual ones."""
    try:
        case = cases.load(tx, hub, connection, system, contact)
    except msgspec.MsgspecError:
        return None  # deciding on this one will fail by itself; the others are read
    plan, known = case.book.plan, case.known
    more = frozenset[str]().union(
        *(busy(plan.ways.get((system, other), ()), known.written.get(other, {})) for other in plan.others(system))
    )
    released = _is_released(tx, case, _let_go(signals))
    return more if more or wants_history(plan, contact, known, case.settings, released=released) else None


def _let_go(signals: Sequence[Signal]) -> list[int]:
    """The deliveries that a person let go, as the events of ours name them."""
    return [int(one) for told in signals if (one := told.details.get(held_rows.RELEASED, "")).isdecimal()]


def _is_released(tx: Tx, case: Case, ids: Sequence[int], kinds: frozenset[str] = AS_RELEASED) -> bool:
    """Whether the contact is decided on as if nothing had been handled: for changes that were never made."""
    return not kinds.isdisjoint(held_rows.released_of(tx, case.connection.id, case.state.id, ids).values())


async def decide_contact(
    hub: Hub, desk: Desk, held: Lease, connections: Sequence[Connection], one: Waiting, contact: Contact
) -> list[Decided]:
    """One decision for each thing that may have happened; what only says "look again" is one together."""
    contact = _with_times(contact, one.signals)
    groups: dict[tuple[EventKind, str, int], list[tuple[InboxRow, Signal]]] = {}
    for row, signal in zip(one.rows, one.signals, strict=True):
        kind = signal.kind if signal.kind not in LOOK_AGAIN else EventKind.CHANGED
        fact = signal.details.get(ENTRY if kind in EACH else COMPARED, "")
        groups.setdefault((kind, fact, row.run or 0), []).append((row, signal))
    contact = contact if contact.id is not None or one.ref.by != "id" else named(contact, one.ref)
    searches = seeking.is_search(one.signals)
    if searches:
        await seeking.keep_secondary(hub, held, desk.system.name, connections, one.ref, contact)
    decided: list[Decided] = []
    # What a sync only looks at comes after all that happened.
    for key in sorted(groups, key=lambda key: (key[2], ORDER.index(key[0]) if key[0] in ORDER else len(ORDER))):
        decided += await _decide_kind(hub, desk, held, connections, contact, key[0], groups[key])
    if searches:
        await seeking.ended(hub, held, one.rows, one.signals)
    return decided


async def _decide_kind(
    hub: Hub,
    desk: Desk,
    held: Lease,
    connections: Sequence[Connection],
    contact: Contact,
    kind: EventKind,
    pairs: Sequence[tuple[InboxRow, Signal]],
) -> list[Decided]:
    rows = [row.id for row, _ in pairs]
    first, signal = pairs[0]
    details = {name: one for name, one in pairs[-1][1].details.items() if name not in OUR_OWN}
    released = _let_go([told for _, told in pairs])
    evidence: OptOutEvidence | None = None
    subject = contact
    run = None if first.run is None else await hub.store.read(lambda tx: syncs.by_id(tx, first.run or 0))
    if first.run is not None:
        connections = [one for one in connections if run is not None and one.id == run.connection]
    if kind is EventKind.UNSUBSCRIBED and isinstance(desk.connector, ConsentSource):
        try:
            evidence = await evidence_of(hub, desk, desk.connector, connections, named(contact, signal.ref))
        except (ReauthorizeError, PauseError):
            raise
        except DeliveryError as failed:
            await _later(hub, held, [row for row, _ in pairs], failed)
            return []
        subject = seeking.with_peer(named(_in_full(evidence.contact, contact), signal.ref), evidence)
    claimed = hub.moment(first.received)
    by_entries = f"claim:{first.id}" if all(ENTRY in told.details for _, told in pairs) else None

    def look(tx: Tx, connection: Connection) -> list[tuple[Case, Event]]:
        case = cases.load(tx, hub, connection, desk.system.name, subject)
        own = case.book.plan.wish_system == desk.system.name
        with_others = own and kind is EventKind.ERASED and subject.id is not None
        others = cases.load_secondary(tx, hub, connection, subject.id or "") if with_others else []
        return [(one, judged(tx, one)) for one in (case, *others)]

    def judged(tx: Tx, case: Case) -> Event:
        proof = None
        if evidence is not None:
            proof = prove(evidence, case.known.facts, claimed, hub.time(), details, told_by_entry=by_entries)
        now = None if run is None else syncs.by_id(tx, run.id)  # with as many left as were not mailed meanwhile
        return Event(
            id=str(first.id),
            kind=kind,
            system=desk.system.name,
            contact=subject,
            at=hub.time(),
            proof=proof,
            released=_is_released(tx, case, released),
            fields_released=_is_released(tx, case, released, FIELDS),
            details={**details, **({} if proof is None else proof.details)},
            occurred_at=max((one.occurred_at for _, one in pairs if one.occurred_at is not None), default=None),
            backfill=None if now is None else now.terms(),
            compared=COMPARED in signal.details,
        )

    until: float | None = None
    if kind is EventKind.CONFIRMED and _unconfirmed(contact):
        until = late_confirmation(first.received, hub.now())
    later = next_look(first.received, hub.now(), longest=hub.integration.keep.payload_days * DAY_SECONDS)
    if kind is EventKind.ERASED and contact.presence is Presence.PRESENT and contact.id == signal.ref.value:
        until = later  # the remote may take days for it, and tells it once
    if evidence is not None and not await is_settled(hub, desk, connections, subject, evidence, claimed, by_entries):
        until = later
    told = [row for row, _ in pairs]
    if until is None and await seeking.seek(hub, held, desk.system.name, connections, kind, told, subject):
        return []
    return await decide(
        hub,
        held,
        connections,
        rows,
        look,
        _judge,
        keep_waiting_until=until,
        unsettled_until=later,
        released=released,
    )


def _with_times(contact: Contact, signals: Sequence[Signal]) -> Contact:
    """With the times of fields that the events told: one time for the whole contact makes an old value look young."""
    told = [(one.occurred_at, one.field_name) for one in signals if one.occurred_at is not None]
    times = {name: at for at, name in sorted(told, key=lambda pair: pair[0]) if name is not None}
    return msgspec.structs.replace(contact, changed_at=times) if times else contact


def _in_full(proved: Contact, contact: Contact) -> Contact:
    """The contact as it was read for the proof, with the fields it was read with before."""
    if (proved.presence, proved.id) != (contact.presence, contact.id):
        return proved
    return msgspec.structs.replace(
        proved, fields=contact.fields, history=contact.history, changed_at=contact.changed_at
    )


def _unconfirmed(contact: Contact) -> bool:
    return contact.presence is Presence.PRESENT and contact.permission not in CONFIRMED_BY_CONTACT


def _judge(case: Case, event: Event) -> Decision:
    return evaluate(case.book.plan, event, case.known, case.settings)


def named(contact: Contact, ref: Ref) -> Contact:
    """The contact with what the signal named it by, which one that is anonymous or gone no longer shows."""
    if contact.email is None and ref.by == "email":
        return msgspec.structs.replace(contact, email=ref.value)
    if contact.id is None and ref.by == "id":
        return msgspec.structs.replace(contact, id=ref.value)
    return contact


async def _later(hub: Hub, held: Lease, rows: Sequence[InboxRow], failed: DeliveryError) -> None:
    asked = failed.retry_after if isinstance(failed, RetryableError) else None
    answer = None if failed.answer is None else hub.vault.seal(held.account, failed.answer.encode())

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        alone = failed.code not in OURS and not inbox.works(tx, held.account, now - LATELY_SECONDS)
        for attempts, same in groupby(sorted(rows, key=lambda row: row.attempts), key=lambda row: row.attempts):
            same_rows = list(same)
            ids = [row.id for row in same_rows]
            wait = retry(attempts + 1, asked, (ids[0] % 100) / 100, alone=alone and not _is_stale(hub, same_rows, now))
            if wait.seconds is None:
                inbox.end(tx, ids, "dead", failed.code, now, answer)
                repairs.open_(tx, held.account, failed.code, wait.because, now)
            else:
                inbox.later(tx, ids, now + wait.seconds, failed.code, answer)

    await hub.store.write(work)


def _is_stale(hub: Hub, rows: Sequence[InboxRow], now: float) -> bool:
    """Whether the oldest has waited for as long as its payload is kept."""
    return now - min(row.received for row in rows) >= hub.integration.keep.payload_days * DAY_SECONDS


async def _not_now(hub: Hub, held: Lease, rows: Sequence[InboxRow]) -> None:
    """Others failed, so that these were not asked for: nothing is counted against them."""

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        inbox.untried(tx, [row.id for row in rows], hub.now() + NOT_NOW_SECONDS, "others failed")

    await hub.store.write(work)


async def _end_unread(hub: Hub, held: Lease, rows: Sequence[InboxRow], code: str) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        inbox.end(tx, [row.id for row in rows], "skipped", code, hub.now())

    await hub.store.write(work)

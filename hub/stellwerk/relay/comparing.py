"""compare: both sides looked at contact by contact, behind everything live. A page and its cursor commit together.

A page reads and asks the rules what an ordinary look would do; that is the drift, and nothing of it is done yet. Once all of it
is listed, what is safe to mend goes the ordinary way: an event that says "look at this contact", in the account's inbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RejectedError, RetryableError
from stellwerk.relay import case as cases
from stellwerk.relay.backfill import LEFT_TO_LIVE, LOOK_AGAIN_SECONDS
from stellwerk.relay.case import Case
from stellwerk.relay.decide import COMPARED
from stellwerk.relay.evidence import evidence_of
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.page import PATIENCE, once_more, read_page
from stellwerk.relay.reading import page_of
from stellwerk.relay.receive import new_event, subject_of
from stellwerk.relay.retry import LONGEST_SECONDS, retry
from stellwerk.relay.wave import wave
from stellwerk.sdk.connector import ConsentSource, Lister, Reader, Ref, Signal
from stellwerk.store import comparisons, connections, contacts, counts, inbox, lease, meta, outbox
from stellwerk.store.comparisons import Drift, Part
from stellwerk.store.connections import Connection
from stellwerk.store.lease import Lease
from stellwerk.store.store import Row, Tx
from stellwerk.store.urgency import BACKFILL, LIVE
from stellwerk_rules.comparing import BY_EVENT, DriftKind, drift
from stellwerk_rules.consent import fold
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import Contact, Decision, Event, EventKind, OptOutEvidence, OptOutProof, Presence
from stellwerk_rules.proof import prove
from stellwerk_rules.unlinked import standing

SLICE = 100
CANNOT = "cannot-be-compared"
GONE_THERE = frozenset({Presence.ABSENT, Presence.ANONYMOUS})
LEFT = frozenset(BY_EVENT.values())
GRAVITY = {kind: number for number, kind in enumerate(DriftKind)}
"""The gravest is written down first: several differences are one look, which waits as the first of them does."""


async def next_comparison(hub: Hub, desk: Desk, held: Lease) -> int:
    """One page more of a comparison of this account that is due. How many contacts were on it; 0 where nothing is to be done.

    Raises `ReauthorizeError` and `PauseError`, which concern the whole account.
    """
    part = await hub.store.read(lambda tx: comparisons.next_part(tx, held.account, hub.now()))
    if part is None:
        return 0
    connection = await hub.store.read(lambda tx: _connection(tx, part))
    if connection is None or not isinstance(desk.connector, Reader):
        await _fail(
            hub, held, part, CANNOT, "its connection was ended or has other accounts, or nothing can be read there"
        )
        return 0
    if desk.budget.left() < LEFT_TO_LIVE:
        await _wait(hub, held, part, hub.now() + LOOK_AGAIN_SECONDS, part.attempts)
        return 0
    try:
        if part.state == "mends":
            return await _mend(hub, held, part, connection)
        if part.what == "known":
            done = await _known(hub, desk, desk.connector, held, part, connection)
        else:
            done = await _listed(hub, desk, desk.connector, held, part, connection)
    except (ReauthorizeError, PauseError):
        raise
    except RejectedError as refused:
        desk.pulse.answered += 1
        await _fail(hub, held, part, refused.code, refused.text or refused.code)
        return 0
    except DeliveryError as failed:
        desk.pulse.fails(failed)
        asked = failed.retry_after if isinstance(failed, RetryableError) else None
        seconds = retry(part.attempts + 1, asked, 0.5, alone=True).seconds or LONGEST_SECONDS
        await _wait(hub, held, part, hub.now() + seconds, part.attempts + 1)
        return 0
    desk.pulse.answered += 1
    return done


def _connection(tx: Tx, part: Part) -> Connection | None:
    run = comparisons.by_id(tx, part.run)
    one = None if run is None else connections.living(tx, run.connection)
    return one if one is not None and one.accounts.get(part.system) == part.account else None


async def _known(hub: Hub, desk: Desk, connector: Reader, held: Lease, part: Part, connection: Connection) -> int:
    """Contacts that are linked here, in the order of our own numbers."""
    most, after = wave(connector), int(part.cursor or 0)
    rows = await hub.store.read(lambda tx: comparisons.linked(tx, connection.id, part.system, after, most))
    refs = [Ref(by="id", value=row["remote"]) for row in rows]
    read = await _read(hub, desk, connector, part, connection, refs)
    proofs = await _evidence(hub, desk, part, connection, read)

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        found: list[Drift] = []
        for number, contact in read.items():
            if _is_as_it_was(tx, rows[number], connection):
                remote = rows[number]["remote"]
                found += _drift(tx, hub, part, connection, contact, remote, proofs.get(number))
        following = str(rows[-1]["id"]) if len(rows) == most else None
        comparisons.turned(tx, part, following, len(rows), found, now)

    await hub.store.write(work)
    return max(len(rows), 1)


async def _listed(hub: Hub, desk: Desk, connector: Reader, held: Lease, part: Part, connection: Connection) -> int:
    """Contacts that stand over there and that we do not know."""
    if not isinstance(connector, Lister):
        raise RejectedError(CANNOT, "the contacts of this system cannot be listed")
    refs, after = await page_of(connector, part.cursor)
    strangers = await hub.store.read(lambda tx: [ref for ref in refs if _is_stranger(tx, hub, part, connection, ref)])
    read = await _read(hub, desk, connector, part, connection, strangers)

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        found: list[Drift] = []
        for number, contact in read.items():
            ref = strangers[number]
            if contact.presence is Presence.PRESENT and _is_stranger(tx, hub, part, connection, ref):
                found += _drift(tx, hub, part, connection, contact, ref.value, None)
        comparisons.turned(tx, part, after, len(strangers), found, now)

    await hub.store.write(work)
    return max(len(refs), 1)


async def _read(
    hub: Hub, desk: Desk, connector: Reader, part: Part, connection: Connection, refs: Sequence[Ref]
) -> dict[int, Contact]:
    """By the number of its ref; who cannot be read is not there, and its own next event says so."""
    found = await read_page(hub, desk, connector, connection, refs, part.attempts)
    return {number: one for number, one in enumerate(found) if isinstance(one, Contact)}


async def _evidence(
    hub: Hub, desk: Desk, part: Part, connection: Connection, read: Mapping[int, Contact]
) -> Mapping[int, OptOutEvidence]:
    """What the mail system shows of those who are not there any more and have not left, as far as we know."""
    if desk.system.name != hub.book(connection).plan.mail_system or not isinstance(desk.connector, ConsentSource):
        return {}

    def asked(tx: Tx) -> list[int]:
        gone = [number for number, one in read.items() if one.presence in GONE_THERE or one.opted_out]
        return [one for one in gone if _may_have_left(tx, hub, desk, connection, read[one])]

    found: dict[int, OptOutEvidence] = {}
    for number in await hub.store.read(asked):
        try:
            found[number] = await evidence_of(hub, desk, desk.connector, [connection], read[number])
        except (ReauthorizeError, PauseError):
            raise
        except DeliveryError as failed:
            if part.attempts < PATIENCE:
                raise once_more(failed) from None
    return found


def _may_have_left(tx: Tx, hub: Hub, desk: Desk, connection: Connection, contact: Contact) -> bool:
    try:
        known = cases.load(tx, hub, connection, desk.system.name, contact)
    except msgspec.MsgspecError:
        return False  # as of the others that cannot be read, its next event says so
    return not _has_left(hub, known)


def _has_left(hub: Hub, case: Case) -> bool:
    known = case.known
    consent = fold(known.facts, known.suppressed, hub.time(), case.book.plan.limits, known.suppressed_at)
    return consent.left or consent.removed


def _is_as_it_was(tx: Tx, row: Row, connection: Connection) -> bool:
    """Whether nothing was decided on the contact since it was read, and nothing of it is on its way."""
    try:
        state = contacts.by_id(tx, row["id"])
    except msgspec.MsgspecError:
        return False
    if state is None or state.version != row["version"] or state.connection != connection.id:
        return False
    return not comparisons.is_busy(tx, state.id, state.address, connection.accounts)


def _is_stranger(tx: Tx, hub: Hub, part: Part, connection: Connection, ref: Ref) -> bool:
    if contacts.is_linked(tx, connection.id, part.system, ref.value):
        return False
    return not comparisons.waits(tx, part.account, subject_of(hub.vault, ref))


def _drift(
    tx: Tx, hub: Hub, part: Part, connection: Connection, contact: Contact, remote: str, told: OptOutEvidence | None
) -> list[Drift]:
    """How one contact differs, as it reads here."""
    try:
        case = cases.load(tx, hub, connection, part.system, contact)
    except msgspec.MsgspecError:
        return []  # what is stored of it cannot be read; its next event says so
    kinds = _kinds(tx, hub, part, case, contact, told)
    known = case.state.id or None
    return [
        Drift(remote=remote, contact=known, address=case.address, kind=kind.value, event=event and event.value)
        for kind, event in sorted(kinds.items(), key=lambda pair: GRAVITY[pair[0]])
    ]


def _kinds(
    tx: Tx, hub: Hub, part: Part, case: Case, contact: Contact, told: OptOutEvidence | None
) -> Mapping[DriftKind, EventKind | None]:
    """Each with the event that mends it, None where a comparison does not."""
    plan, known = case.book.plan, case.known
    if told is not None:
        proof = prove(told, known.facts, hub.time(), hub.time(), {})
        if proof.final:
            kinds = _differs(tx, hub, part, case, EventKind.UNSUBSCRIBED, contact, proof)[0]
            return dict.fromkeys(kinds, EventKind.UNSUBSCRIBED)
    if contact.presence is Presence.PRESENT:
        kinds, _ = _differs(tx, hub, part, case, EventKind.CHANGED, contact)
        return {kind: None if kind in LEFT else EventKind.CHANGED for kind in kinds}
    at_home = part.system == plan.wish_system
    if contact.presence is Presence.ARCHIVED and at_home:
        kinds, decision = _differs(tx, hub, part, case, EventKind.DELETED, contact)
        if kinds or decision.remembered != known.remembered:
            return dict.fromkeys({DriftKind.GONE, *kinds}, EventKind.DELETED)
        return {}
    if standing(known) is not None and told is None:
        return {}
    missed = told is not None or (at_home and not known.remembered.by_wish and not known.remembered.erased)
    return {DriftKind.GONE: None} if contact.presence in GONE_THERE and missed else {}


def _differs(
    tx: Tx, hub: Hub, part: Part, case: Case, kind: EventKind, contact: Contact, proof: OptOutProof | None = None
) -> tuple[frozenset[DriftKind], Decision]:
    """What a look would make of it, without what was planned before: that is made, or waits for a person."""
    event = Event(
        id=f"comparison {part.run}",
        kind=kind,
        system=part.system,
        contact=contact,
        at=hub.time(),
        proof=proof,
        compared=True,
    )
    decision = evaluate(case.book.plan, event, case.known, case.settings)
    news = tuple(one for one in decision.changes if not outbox.is_effect(tx, case.connection.id, one.key))
    decision = msgspec.structs.replace(decision, changes=news)
    return drift(case.book.plan, event, case.known, decision), decision


async def _mend(hub: Hub, held: Lease, part: Part, connection: Connection) -> int:
    """Some of what was found here goes into the inbox, once, behind what is live; opt-outs are not kept waiting.

    Nothing where the connection does not run by now: it would be watched, and count as mended.
    """
    runs = connection.state == "runs"
    rows = await hub.store.read(lambda tx: comparisons.to_mend(tx, part, SLICE) if runs else [])
    now = hub.now()
    events = [_look_again(hub, part, row, now) for row in rows]

    def work(tx: Tx) -> None:
        lease.fence(tx, held, now)
        meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, events))
        comparisons.mended(tx, part, [row["id"] for row in rows], now)
        if len(rows) < SLICE:
            comparisons.part_done(tx, part, now)

    await hub.store.write(work)
    return max(len(rows), 1)


def _look_again(hub: Hub, part: Part, row: Row, now: float) -> inbox.NewEvent:
    """Several differences of one contact are one look."""
    kind = EventKind(row["event"])
    ref = Ref(by="id", value=row["remote"])
    key = f"compared/{part.id}/{kind.value}/{row['remote']}"
    signal = Signal(kind=kind, ref=ref, key=key, details={COMPARED: str(part.run)})
    return new_event(hub, part.account, signal, now, urgency=LIVE if row["kind"] == DriftKind.OPT_OUT else BACKFILL)


async def _wait(hub: Hub, held: Lease, part: Part, due: float, attempts: int) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        comparisons.put_off(tx, part, due, attempts)

    await hub.store.write(work)


async def _fail(hub: Hub, held: Lease, part: Part, code: str, text: str) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        comparisons.fail(tx, part.run, code, text, hub.now())

    await hub.store.write(work)

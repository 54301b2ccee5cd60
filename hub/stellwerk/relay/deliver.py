"""deliver: take waiting changes in batches, settle each against what stands over there, write, and keep the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RetryableError, StellwerkError
from stellwerk.relay import case as cases
from stellwerk.relay.abreast import abreast
from stellwerk.relay.applied import applied, is_whole
from stellwerk.relay.bug import BUG, place
from stellwerk.relay.case import Case
from stellwerk.relay.company import OUTAGE, companies
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.instance import restored_at
from stellwerk.relay.job import Job, Write, email_of, tag
from stellwerk.relay.opened import UNREADABLE, opened
from stellwerk.relay.reading import read_all
from stellwerk.relay.rests import asks_for_rest, behind, of_its_own
from stellwerk.relay.sending import sending
from stellwerk.relay.settle import LEAVING_SECONDS, answered, forget, give_up, not_now, put_aside, refuse, retry_later
from stellwerk.relay.stage import move_stage
from stellwerk.relay.stands_twice import as_it_stands
from stellwerk.relay.unseen import asked_for, goes_unseen, to_be_looked_up, together
from stellwerk.relay.waiting import named
from stellwerk.sdk.connector import Delivery, Outcome, Reader, Receipt, Ref, Target
from stellwerk.store import hold, lease, outbox
from stellwerk.store.hold import RESTORED
from stellwerk.store.lease import Lease
from stellwerk.store.outbox import OutboxRow
from stellwerk.store.store import Tx
from stellwerk.store.urgency import OPT_OUT
from stellwerk_rules.model import (
    AddEntry,
    Change,
    Contact,
    DeleteContact,
    MoveAddress,
    MoveStage,
    Planned,
    Presence,
    SetFields,
    SetPeer,
    Unsubscribe,
)
from stellwerk_rules.prepare import Ready, prepare, prepare_history


async def deliver(hub: Hub, desk: Desk, held: Lease) -> int:
    """Make the deliveries whose turn it is. Their number; 0 when nothing is ready."""
    account = desk.account.id
    connector = desk.connector
    if not isinstance(connector, Target):
        return 0
    rows = await hub.store.read(
        lambda tx: outbox.ready(tx, account, hub.now(), asked_for(connector), hold=hold.holds(tx, account))
    )
    rows = together(hub, account, connector, rows)
    for some in _in_turn(rows):
        await _made(hub, desk, held, connector, some)
    return len(rows)


def _in_turn(rows: Sequence[OutboxRow]) -> list[list[OutboxRow]]:
    """What was begun and opt-outs by themselves: done before anybody else is so much as looked up, whatever becomes of that."""
    parts: dict[bool, list[OutboxRow]] = {True: [], False: []}
    for row in rows:
        parts[bool(row.progress) or row.urgency == OPT_OUT].append(row)
    return [some for some in parts.values() if some]


async def _made(hub: Hub, desk: Desk, held: Lease, connector: Target, rows: Sequence[OutboxRow]) -> None:
    writes: list[Write] = []
    for job in await look_up(hub, desk, held, rows):
        try:
            if isinstance(job.planned.change, MoveStage):
                await move_stage(hub, desk, held, connector, job)
            else:
                writes += await _prepared(hub, held, job)
        except StellwerkError:
            raise
        except Exception as bug:
            log.error("account %s: a bug stopped a delivery: %s", held.account, place(bug))
            await retry_later(hub, held, [job.row], RetryableError(BUG))
    alone = [write for write in writes if write.last and not _more(writes, write)]
    for name, group in groupby(sorted(alone, key=lambda w: tag(w.change)), key=lambda w: tag(w.change)):
        batch = list(group)
        size = connector.batch_sizes.get(name, 0)
        if size == 0:
            for one in batch:
                await refuse(hub, held, one.job, "not-offered", f"this system takes no {name}")
            continue
        for start in range(0, len(batch), size):
            await _write(hub, desk, held, connector, batch[start : start + size])
    for sequence in _sequences(writes):
        for one in sequence:
            if not await _write(hub, desk, held, connector, [one]):
                break


async def look_up(hub: Hub, desk: Desk, held: Lease, rows: Sequence[OutboxRow]) -> list[Job]:
    """The rows with their cases and the contacts as they stand at the target now. Rows without a case are ended."""
    account = desk.account.id
    planned = {row.id: found for row in rows if (found := opened(hub.vault, account, row.body, Planned)) is not None}
    unreadable = [row for row in rows if row.id not in planned]
    connections = {connection.id: connection for connection in await hub.connections_of(account)}

    def load(tx: Tx) -> tuple[dict[int, Case], list[OutboxRow], list[OutboxRow]]:
        found: dict[int, Case] = {}
        gone: list[OutboxRow] = []
        broken: list[OutboxRow] = []
        for row in rows:
            connection = connections.get(row.connection)
            change = planned[row.id].change if row.id in planned else None
            try:
                case = None if connection is None else cases.load_stored(tx, hub, connection, row.contact, change)
            except msgspec.MsgspecError:
                broken.append(row)
                continue
            if case is None:
                gone.append(row)
            elif row.id in planned:
                found[row.id] = case
        return found, gone, broken

    loaded, gone, broken = await hub.store.read(load)
    await give_up(hub, held, [*unreadable, *broken], UNREADABLE, "what is stored of it cannot be read")
    for row in gone:
        await forget(hub, held, row)
    rows = [row for row in rows if row.id in loaded]
    targets = await _targets(hub, desk, held, rows, planned, loaded)
    return [
        Job(row=row, planned=planned[row.id], case=loaded[row.id], target=targets[row.id])
        for row in rows
        if row.id in targets
    ]


async def _targets(
    hub: Hub,
    desk: Desk,
    held: Lease,
    rows: Sequence[OutboxRow],
    planned: Mapping[int, Planned],
    loaded: Mapping[int, Case],
) -> dict[int, Contact]:
    """What stands over there, read in as few calls as the connector can; a failed read puts its rows off."""
    connector = desk.connector
    system = desk.system.name
    if not isinstance(connector, Reader):
        return {row.id: Contact(presence=Presence.PRESENT, read_at=hub.time()) for row in rows}
    fields = sorted({name for case in loaded.values() for name in case.book.plan.reads(system)})
    targets: dict[int, Contact] = {}
    plain: list[tuple[OutboxRow, Ref]] = []
    deeper: list[tuple[OutboxRow, Ref]] = []
    history: set[str] = set()
    for row in rows:
        ref = _ref(system, planned[row.id], loaded[row.id])
        if ref is None or goes_unseen(connector, row, planned[row.id]):
            targets[row.id] = Contact(presence=Presence.ABSENT, read_at=hub.time())
            continue
        wanted = prepare_history(loaded[row.id].book.plan, planned[row.id])
        history.update(wanted)
        (deeper if wanted else plain).append((row, ref))
    failures = 0
    for names, every in (((), plain), (sorted(history), deeper)):
        for pairs in companies(every, lambda pair: of_its_own(pair[0])):
            if failures >= OUTAGE:
                await not_now(hub, held, [row for row, _ in pairs])
                continue
            try:
                contacts = await read_all(connector, [ref for _, ref in pairs], fields, names)
                contacts = [
                    await as_it_stands(connector, contact) if _may_be_one_of_two(planned[row.id], ref) else contact
                    for (row, ref), contact in zip(pairs, contacts, strict=True)
                ]
            except ReauthorizeError:
                raise
            except PauseError as asked:
                await behind(hub, held, [row for row, _ in pairs], asked)
                raise
            except DeliveryError as failed:
                failures += 1
                desk.pulse.fails(failed)
                await retry_later(hub, held, [row for row, _ in pairs], failed)
                continue
            failures = 0
            desk.pulse.answered += 1
            for (row, ref), contact in zip(pairs, contacts, strict=True):
                targets[row.id] = _who_is_meant(hub, planned[row.id], loaded[row.id], ref, named(contact, ref))
    return targets


def _ref(system: str, planned: Planned, case: Case) -> Ref | None:
    """How the target names the contact that `planned` is about."""
    change, plan, remembered = planned.change, case.book.plan, case.known.remembered
    if isinstance(change, SetPeer | Unsubscribe | DeleteContact) and change.of is not None:
        return Ref(by="id", value=change.of.id)
    email = None if isinstance(change, MoveAddress) else email_of(planned)
    if email is not None:
        return Ref(by="email", value=email)
    known = remembered.ids.get(system) or (remembered.within if system == plan.wish_system else None)
    if known is not None:
        return Ref(by="id", value=known)
    here = remembered.ids.get(plan.wish_system or "")
    if here is None or system != plan.mail_system:
        return None
    if isinstance(change, DeleteContact | Unsubscribe):
        return Ref(by="peer_id", value=here)  # of one erased nothing else is left, nor of one that stands there twice
    # Made over there, and its id could not be read then: our own id stands at it, or the one we had before a merge.
    if isinstance(change, SetPeer) and change.replaces is not None:
        return Ref(by="peer_id", value=change.replaces)
    return Ref(by="peer_id", value=here) if remembered.entered and isinstance(change, SetFields) else None


def _may_be_one_of_two(planned: Planned, ref: Ref) -> bool:
    """Whether what is written by the address was found by our own id alone, which others with this address need not have."""
    return ref.by == "peer_id" and not isinstance(planned.change, DeleteContact | Unsubscribe)


def _who_is_meant(hub: Hub, planned: Planned, case: Case, ref: Ref, found: Contact) -> Contact:
    """`found`, unless it was found by our own id alone and has another address: then nobody is."""
    if ref.by != "peer_id" or isinstance(planned.change, DeleteContact) or found.email is None:
        return found
    return (
        found
        if hub.vault.address(found.email) == case.address
        else Contact(presence=Presence.ABSENT, read_at=found.read_at)
    )


async def _prepared(hub: Hub, held: Lease, job: Job) -> list[Write]:
    """The concrete changes, or none because there is nothing to write any more: then the row is ended here."""
    ready = prepare(
        job.case.book.plan,
        job.planned,
        job.target,
        job.case.known,
        job.case.settings,
        hub.time(),
        released=job.row.released is not None,
        early=hub.now() - job.row.created < LEAVING_SECONDS,
    )
    if isinstance(ready, Ready):
        last = len(ready.changes) - 1
        return [
            Write(job=job, change=change, first=number == 0, last=number == last)
            for number, change in enumerate(ready.changes)
        ]
    await put_aside(hub, held, job, ready)
    return []


async def _write(hub: Hub, desk: Desk, held: Lease, target: Target, writes: Sequence[Write]) -> bool:
    """One call for changes of one tag. True when the (single) job may go on with its next change."""
    writes = await _not_made_before(hub, held, writes)
    if not writes:
        return False
    going, braked = await sending(hub, desk, held, writes, first=writes[0].first)
    for job, why in braked:
        await put_aside(hub, held, job, why)
    writes = [write for write in writes if write.job.row.id in going]
    if not writes:
        return False
    answers = await applied(target, [delivery(hub, desk, write) for write in writes])
    receipts = [to_be_looked_up(target, write, one) for write, one in zip(writes, answers, strict=True)]
    if is_whole(receipts, marked=tag(writes[0].change) in target.marked):
        # One bad row must not hold up the others: the halves are tried on their own.
        middle = len(writes) // 2
        await _write(hub, desk, held, target, writes[:middle])
        await _write(hub, desk, held, target, writes[middle:])
        return True
    if all(one.outcome in (Outcome.RETRY, Outcome.AMBIGUOUS) and one.seconds is None for one in receipts):
        desk.pulse.failed += 1
    elif any(one.outcome is not Outcome.PAUSE for one in receipts):
        desk.pulse.answered += 1
    # All of them at once: what follows from them goes out together, too, in as few calls.
    pairs = zip(writes, receipts, strict=True)
    going_on = all(await abreast(_settled(hub, held, target, *pair) for pair in pairs))
    stop = next((one for one in reversed(receipts) if one.outcome in (Outcome.REAUTHORIZE, Outcome.PAUSE)), None)
    if stop is not None and stop.outcome is Outcome.REAUTHORIZE:
        raise ReauthorizeError(stop.code, stop.text, answer=stop.answer)
    if stop is not None:
        raise asks_for_rest(stop)
    return going_on


async def _not_made_before(hub: Hub, held: Lease, writes: Sequence[Write]) -> Sequence[Write]:
    """Without the entries of before the database was restored: their marks are looked for first, as after a lost answer."""
    restored = await hub.store.read(restored_at)
    if restored is None:
        return writes
    doubtful = [one for one in writes if _may_stand_there(one, restored)]

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        for one in doubtful:
            row, text = one.job.row, "the database was restored since; it may have been made"
            outbox.again(tx, row.id, hub.now(), code=RESTORED, text=text, answer=None, state="sent", attempts=1)

    if doubtful:
        await hub.store.write(work)
    return [one for one in writes if one not in doubtful]


def _may_stand_there(one: Write, restored: datetime) -> bool:
    return isinstance(one.change, AddEntry) and one.job.row.attempts == 0 and one.change.at < restored


async def _settled(hub: Hub, held: Lease, target: Target, write: Write, receipt: Receipt) -> bool:
    try:
        return await answered(hub, held, target, write.job, write.change, receipt, last=write.last)
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("account %s: a bug stopped what follows a delivery: %s", held.account, place(bug))
        text = f"answered with {receipt.outcome.value}; what follows from it could not be worked out"
        await give_up(hub, held, [write.job.row], BUG, text)
        return False


def delivery(hub: Hub, desk: Desk, write: Write) -> Delivery:
    job = write.job
    return Delivery(
        key=job.planned.key,
        id=job.target.id or _id_of(write.change) or job.case.known.remembered.ids.get(desk.system.name),
        email=job.target.email or email_of(job.planned),
        change=write.change,
        created_at=hub.moment(job.row.created),
    )


def _id_of(change: Change) -> str | None:
    of = change.of if isinstance(change, SetPeer | Unsubscribe | DeleteContact) else None
    return None if of is None else of.id


def _more(writes: Sequence[Write], one: Write) -> bool:
    return sum(1 for write in writes if write.job is one.job) > 1


def _sequences(writes: Sequence[Write]) -> list[list[Write]]:
    """The changes of jobs that need several, in order."""
    jobs = [list(group) for _, group in groupby(writes, key=lambda write: write.job.row.id)]
    return [group for group in jobs if len(group) > 1]

"""The end of a delivery: what each answer means for its row, the ledger, and what is remembered."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import structs

from stellwerk.errors import DeliveryError, RetryableError
from stellwerk.relay import breaking, erasing
from stellwerk.relay import case as cases
from stellwerk.relay.again import decide_anew
from stellwerk.relay.case import Case
from stellwerk.relay.decide import write
from stellwerk.relay.evidence import look_into
from stellwerk.relay.hearing import wrote
from stellwerk.relay.hub import Hub
from stellwerk.relay.instead import show_instead
from stellwerk.relay.job import Job, email_of, tag
from stellwerk.relay.left_out import show_left_out
from stellwerk.relay.opened import opened
from stellwerk.relay.own_picks import with_own_picks
from stellwerk.relay.rests import asks_for_rest, behind, counted_at_most
from stellwerk.relay.retry import LATELY_SECONDS, LONGEST_SECONDS, retry
from stellwerk.relay.seeking import look_for
from stellwerk.relay.waiting import DAY_SECONDS, OURS
from stellwerk.sdk.connector import Outcome, Receipt, Target
from stellwerk.store import accounts, connections, contacts, lease, outbox, repairs
from stellwerk.store.connections import ENDED
from stellwerk.store.contacts import ContactState
from stellwerk.store.lease import Lease
from stellwerk.store.outbox import OutboxRow
from stellwerk.store.store import Tx
from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.arrived import is_looked_for
from stellwerk_rules.ending import Ending
from stellwerk_rules.model import CHANGED_SINCE, Change, Held, Planned, Skip
from stellwerk_rules.prepare import OPT_OUT_CLAIMED, STILL_LEAVING
from stellwerk_rules.remember import given_up

PARKED_SECONDS = 30.0
LONG_PARKED_SECONDS = 3600.0
"""Until the next look at what waits for an opt-out to be proved or denied: most are within an hour or so, some never."""

SOON_SETTLED_SECONDS = 7200.0
LEAVING_SECONDS = 600.0
"""How long after a way back was decided the contact may still read as before the opt-out that it follows."""

LEAVES_SECONDS = 5.0
NOT_NOW_SECONDS = 1.0
MARK_UNREADABLE = "mark-unreadable"
FINISHED = frozenset({Outcome.DONE, Outcome.NOT_NEEDED, Outcome.OPTED_OUT})


async def answered(
    hub: Hub, held: Lease, target: Target, job: Job, change: Change, receipt: Receipt, *, last: bool = True
) -> bool:
    """Write down one receipt. True when the change was made (or was not needed)."""
    outcome = receipt.outcome
    if outcome in FINISHED:
        await finished(hub, held, job, change, receipt, last=last)
        return True
    if outcome is Outcome.REJECTED:
        await refuse(hub, held, job, receipt.code, receipt.text, change=change, receipt=receipt)
    elif outcome is Outcome.AMBIGUOUS and tag(change) in target.marked:
        await unknown(hub, held, job, receipt)
    elif outcome is Outcome.REAUTHORIZE:
        await untried(hub, held, job)
    elif outcome is Outcome.PAUSE:
        await behind(hub, held, [job.row], asks_for_rest(receipt))
    else:
        failed = RetryableError(receipt.code, receipt.text, answer=receipt.answer, retry_after=receipt.seconds)
        await retry_later(hub, held, [job.row], failed)
    return False


async def finished(hub: Hub, held: Lease, job: Job, change: Change, receipt: Receipt, *, last: bool = True) -> None:
    """Done: the ledger, what we wrote (for echoes), and what follows at the other side, in one transaction."""

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        case = _case(tx, hub, job)
        ending = Ending(
            planned=job.planned,
            change=change,
            outcome=receipt.outcome.value,
            target=job.target,
            remote_id=receipt.id or job.target.id,
            remote_at=receipt.at,
            left_out={one.field: one.code for one in receipt.left_out},
            tried=job.row.sent is not None,
        )
        decision = after(case.book.plan, ending, case.known, hub.time())
        decision = with_own_picks(tx, case, job.planned.system, held.account, change, decision)
        case = write(
            tx,
            hub,
            case,
            decision,
            event=job.row.event,
            what=tag(change),
            outcome=receipt.outcome.value,
            answer=receipt.answer,
            run=job.row.run,
        )
        look_into(tx, hub, held.account, email_of(job.planned), decision.facts)
        if is_looked_for(case.book.plan, ending):
            look_for(tx, hub, held.account, email_of(job.planned) or "", receipt.id)
        show_left_out(tx, case, job.planned.system, change, receipt, now)
        if receipt.outcome is Outcome.DONE:
            show_instead(tx, case, job.planned.system, tag(change), receipt, now)
            breaking.note_written(tx, case, job.planned.system, change, receipt, now)
            wrote(tx, hub.systems[job.planned.system], held.account, change, now)
        if last:
            outbox.settle(
                tx, job.row.id, receipt.outcome.value, code=receipt.code, text=receipt.text, answer=None, now=now
            )
            erasing.go_on(tx, case.state, now)

    await hub.store.write(work)


async def refuse(
    hub: Hub,
    held: Lease,
    job: Job,
    code: str,
    text: str,
    *,
    change: Change | None = None,
    receipt: Receipt | None = None,
) -> None:
    """Never as it is: a dead letter for a person, with the answer kept."""
    answer = None if receipt is None else receipt.answer

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        case = _case(tx, hub, job)
        made = change or job.planned.change
        outcome = "ambiguous_given_up" if code == MARK_UNREADABLE else "rejected"
        ending = Ending(planned=job.planned, change=made, outcome=outcome, target=job.target)
        decision = after(case.book.plan, ending, case.known, hub.time())
        event, run = job.row.event, job.row.run
        case = write(tx, hub, case, decision, event=event, what=tag(made), outcome="dead", answer=answer, run=run)
        outbox.settle(tx, job.row.id, "dead", code=code, text=text, answer=_sealed(hub, job, answer), now=now)
        repairs.open_(tx, job.case.connection.id, code, text or code, now)
        erasing.go_on(tx, case.state, now)

    await hub.store.write(work)


async def put_aside(hub: Hub, held: Lease, job: Job, why: Skip | Held) -> None:
    """End a delivery that the rules, asked again just before the write, no longer allow or need.

    While an opt-out is only claimed the delivery waits; it is asked again when the claim is settled, or now and then. So
    does for some minutes a way back of somebody whose opt-out is not seen over there yet. Where what it was decided on has
    changed, its contact is decided on again.
    """

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        if why.because.code == OPT_OUT_CLAIMED:
            seconds = PARKED_SECONDS if now - job.row.created < SOON_SETTLED_SECONDS else LONG_PARKED_SECONDS
            outbox.again(tx, job.row.id, now + seconds, code=OPT_OUT_CLAIMED, text=why.because.text, answer=None)
            return
        if why.because.code == STILL_LEAVING:
            outbox.again(tx, job.row.id, now + LEAVES_SECONDS, code=STILL_LEAVING, text=why.because.text, answer=None)
            return
        if why.because.code == CHANGED_SINCE and decide_anew(tx, hub, job.row.id):
            return
        case = _case(tx, hub, job)
        state = "held" if isinstance(why, Held) else "skipped"
        outbox.settle(tx, job.row.id, state, code=why.because.code, text=why.because.text, answer=None, now=now)
        if isinstance(why, Held):
            repairs.open_(tx, case.connection.id, why.repair, why.because.text, now)
        plan, tried = case.book.plan, job.row.sent is not None
        decision = dropped(plan, job.planned, why, job.target, case.known, hub.time(), tried=tried)
        event, run = job.row.event, job.row.run
        case = write(tx, hub, case, decision, event=event, what=tag(job.planned.change), outcome=state, run=run)
        look_into(tx, hub, held.account, email_of(job.planned), decision.facts)
        erasing.go_on(tx, case.state, now)

    await hub.store.write(work)


async def unknown(hub: Hub, held: Lease, job: Job, receipt: Receipt) -> None:
    """Nobody knows whether it was applied: its mark is read after twice the time-out, since the call may still be on its way."""
    wait = 2.0 * hub.timeout_seconds(hub.systems[job.planned.system])

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        outbox.again(
            tx,
            job.row.id,
            now + wait,
            code=receipt.code,
            text=receipt.text,
            answer=_sealed(hub, job, receipt.answer),
            state="sent",
        )

    await hub.store.write(work)


async def retry_later(hub: Hub, held: Lease, rows: Sequence[OutboxRow], failed: DeliveryError) -> None:
    """Not done: again after a while, or a dead letter after too many attempts; what was answered is kept.

    One in flight stays in flight: that it could not be looked for says nothing of whether it was done, and is no attempt.
    """
    asked = failed.retry_after if isinstance(failed, RetryableError) else None
    answer = None if failed.answer is None else hub.vault.seal(held.account, failed.answer.encode())

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        for row in rows:
            attempts = row.attempts + 1
            wait = retry(
                attempts, asked, (row.id % 100) / 100, alone=_is_alone(tx, hub, held.account, row, failed.code)
            )
            # What stands between clear and set is never given up: the set comes first when we can write again.
            if wait.seconds is None and row.state != "sent" and not row.progress:
                _end(tx, hub, held.account, row, failed.code, wait.because, answer)
                continue
            outbox.again(
                tx,
                row.id,
                now + (LONGEST_SECONDS if wait.seconds is None else wait.seconds),
                code=failed.code,
                text=failed.text,
                answer=answer,
                state=row.state,
                attempts=counted_at_most(row) if row.state == "sent" else attempts,
            )

    await hub.store.write(work)


def _is_alone(tx: Tx, hub: Hub, account: str, row: OutboxRow, code: str) -> bool:
    """Whether nothing of its kind went through lately at its account; no excuse for our own faults, nor for ever."""
    now = hub.now()
    if code in OURS or now - row.created >= hub.integration.keep.payload_days * DAY_SECONDS:
        return False
    return not outbox.works(tx, account, row.tag, now - LATELY_SECONDS)


async def not_now(hub: Hub, held: Lease, rows: Sequence[OutboxRow]) -> None:
    """Others failed, so that these were not tried: nothing is counted against them."""

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        for row in rows:
            due = hub.now() + NOT_NOW_SECONDS
            outbox.again(tx, row.id, due, code="others failed", text="", answer=None, state=row.state)

    await hub.store.write(work)


async def give_up(hub: Hub, held: Lease, rows: Sequence[OutboxRow], code: str, text: str) -> None:
    """A dead letter for a person, without asking the rules what follows."""
    if not rows:
        return

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        for row in rows:
            _end(tx, hub, held.account, row, code, text, None)

    await hub.store.write(work)


def _end(tx: Tx, hub: Hub, account: str, row: OutboxRow, code: str, text: str, answer: bytes | None) -> None:
    """A dead letter: what it was to write is not on its way any more, so that the contact's next change carries it."""
    now = hub.now()
    outbox.settle(tx, row.id, "dead", code=code, text=text, answer=answer, now=now)
    repairs.open_(tx, row.connection, code, text, now)
    state = _remembered(tx, row.contact)
    system = accounts.system_of(account)
    if state is None:
        return
    if state.remembered.going.get(system):
        planned = opened(hub.vault, account, row.body, Planned)
        change = None if planned is None else planned.change
        left = given_up(state.remembered, system, change, hub.vault.digest)
        contacts.save(tx, structs.replace(state, remembered=left), now)
    erasing.go_on(tx, state, now)


def _remembered(tx: Tx, contact: int) -> ContactState | None:
    """The contact's state; None also where another version wrote it."""
    try:
        return contacts.by_id(tx, contact)
    except msgspec.MsgspecError:
        return None


async def untried(hub: Hub, held: Lease, job: Job) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        outbox.untried(tx, [job.row.id])

    await hub.store.write(work)


async def forget(hub: Hub, held: Lease, row: OutboxRow) -> None:
    """The connection or the contact is gone; there is nothing to deliver to."""

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        outbox.settle(
            tx,
            row.id,
            "skipped",
            code="gone",
            text="the connection or contact is no longer known",
            answer=None,
            now=hub.now(),
        )

    await hub.store.write(work)


def _sealed(hub: Hub, job: Job, answer: str | None) -> bytes | None:
    if answer is None:
        return None
    return hub.vault.seal(job.case.connection.accounts[job.planned.system], answer.encode())


def _case(tx: Tx, hub: Hub, job: Job) -> Case:
    """The job's case as it stands now."""
    case = cases.load_stored(tx, hub, job.case.connection, job.row.contact, job.planned.change) or job.case
    if connections.stands(tx, case.connection):
        return case
    # It was ended or has other accounts since: what was learned is kept, and nothing more is made.
    return structs.replace(case, connection=structs.replace(case.connection, state=ENDED))

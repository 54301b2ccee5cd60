"""A stage move: read, clear, set, read back. Nothing stands between clear and set but the set."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RetryableError
from stellwerk.relay.applied import applied
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.job import Job, Write
from stellwerk.relay.reading import read_all
from stellwerk.relay.rests import asks_for_rest, behind
from stellwerk.relay.sending import sending
from stellwerk.relay.settle import finished, put_aside, refuse, retry_later
from stellwerk.relay.stages import has_stages, not_moved, show_stages_gone, stages_now, stages_of_this_turn
from stellwerk.sdk.connector import Delivery, Outcome, Reader, Receipt, Ref, Target
from stellwerk.store import lease, repairs
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk_rules.model import Change, ClearStage, Contact, Held, MoveStage, SetStage, Skip
from stellwerk_rules.prepare import Ready, prepare
from stellwerk_rules.stage import STAGE_GONE, resume_stage, stage_steps

FRESH_SECONDS = 30.0
CALLS = 3  # clear, set, read back


class Cleared(Struct, frozen=True):
    """Written down before the clearing call: the stage that stood there."""

    before: str | None


async def move_stage(hub: Hub, desk: Desk, held: Lease, target: Target, job: Job) -> None:
    """Make one move, or take an interrupted one up where it stopped."""
    move = job.planned.change
    assert isinstance(move, MoveStage)
    try:
        job = await _fresh(hub, desk, job)
    except ReauthorizeError:
        raise
    except PauseError as asked:
        await behind(hub, held, [job.row], asked)
        raise
    except DeliveryError as failed:
        await retry_later(hub, held, [job.row], failed)
        return
    if has_stages(desk) and (move.reset or move.target not in job.case.known.stages):
        # It may be younger than the order we know, or gone since: nothing is cleared for one that is not there.
        job = _knowing(job, await stages_of_this_turn(hub, desk))
    steps = _steps(hub, job, move)
    if not isinstance(steps, tuple):
        await _put_aside(hub, held, desk, job, move, steps)
        await _interrupted_no_more(hub, held, job)
        return
    await desk.budget.room(CALLS)
    cleared = msgspec.json.encode(Cleared(job.target.stage)).decode() if isinstance(steps[0], ClearStage) else None
    going, _ = await sending(
        hub, desk, held, [Write(job=job, change=move)], first=not job.row.progress, progress=cleared
    )
    if not going:
        return
    job = msgspec.structs.replace(job, row=msgspec.structs.replace(job.row, progress=cleared or job.row.progress))
    for step in steps:
        receipt = await _apply(target, job, step)
        if receipt.outcome is Outcome.REJECTED and isinstance(step, SetStage) and not job.row.progress:
            await _not_taken(hub, desk, held, job, move, receipt)
            return
        if receipt.outcome is not Outcome.DONE:
            await _stopped(hub, held, job, step, receipt)
            return
    await _read_back(hub, desk, held, job, steps[-1])


def _steps(hub: Hub, job: Job, move: MoveStage) -> tuple[Change, ...] | Skip | Held:
    if job.row.progress:
        before = msgspec.json.decode(job.row.progress, type=Cleared).before
        return resume_stage(move, job.target.stage, before)
    ready = prepare(job.case.book.plan, job.planned, job.target, job.case.known, job.case.settings, hub.time())
    return ready.changes if isinstance(ready, Ready) else ready


def _knowing(job: Job, stages: tuple[str, ...]) -> Job:
    known = msgspec.structs.replace(job.case.known, stages=stages)
    return msgspec.structs.replace(job, case=msgspec.structs.replace(job.case, known=known))


async def _not_taken(hub: Hub, desk: Desk, held: Lease, job: Job, move: MoveStage, receipt: Receipt) -> None:
    """The set was refused, and nothing was cleared for it: because the stage was deleted, or for a reason of its own."""
    stages = await stages_now(hub, desk) if has_stages(desk) else ()
    steps = stage_steps(move, job.target, stages)
    if isinstance(steps, Skip):
        await _put_aside(hub, held, desk, _knowing(job, stages), move, steps)
    else:
        await refuse(hub, held, job, receipt.code, receipt.text, change=SetStage(stage=move.target), receipt=receipt)
    await _interrupted_no_more(hub, held, job)


async def _put_aside(hub: Hub, held: Lease, desk: Desk, job: Job, move: MoveStage, why: Skip | Held) -> None:
    if why.because.code == STAGE_GONE:
        await _gone(hub, held, desk, job, move)
    await put_aside(hub, held, job, why)


async def _gone(hub: Hub, held: Lease, desk: Desk, job: Job, move: MoveStage) -> None:
    connection, stages = job.case.connection, job.case.known.stages

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        not_moved(tx, connection.id, desk.system.name, move.target, job.row.contact, hub.now())
        show_stages_gone(tx, hub, connection, desk.system.name, stages)

    await hub.store.write(work)


async def _fresh(hub: Hub, desk: Desk, job: Job) -> Job:
    """The job with a stage read no longer ago than `FRESH_SECONDS`."""
    if (hub.time() - job.target.read_at).total_seconds() < FRESH_SECONDS or not isinstance(desk.connector, Reader):
        return job
    return msgspec.structs.replace(job, target=await _read(desk.connector, job))


async def _read(reader: Reader, job: Job) -> Contact:
    ref = Ref(by="id", value=job.target.id or "")
    return (await read_all(reader, [ref], job.case.book.plan.reads(job.planned.system)))[0]


async def _apply(target: Target, job: Job, step: Change) -> Receipt:
    made = Delivery(
        key=job.planned.key,
        id=job.target.id,
        email=job.target.email,
        change=step,
        created_at=datetime.fromtimestamp(job.row.created, UTC),
    )
    return (await applied(target, [made]))[0]


async def _stopped(hub: Hub, held: Lease, job: Job, step: Change, receipt: Receipt) -> None:
    if receipt.outcome is Outcome.REJECTED and isinstance(step, ClearStage):
        await refuse(hub, held, job, "stage-clear-refused", receipt.text, change=step, receipt=receipt)
        await _interrupted_no_more(hub, held, job)
        return
    move = job.planned.change
    assert isinstance(move, MoveStage)
    text = (
        f"contact {job.target.id}: stage was {job.target.stage or 'blank'}, is to become {move.target}; {receipt.code}"
    )
    if receipt.outcome is Outcome.PAUSE:
        await behind(hub, held, [job.row], asks_for_rest(receipt))
    else:
        waiting = RetryableError(receipt.code, receipt.text, answer=receipt.answer, retry_after=receipt.seconds)
        await retry_later(hub, held, [job.row], waiting)
    await hub.store.write(lambda tx: repairs.open_(tx, _subject(job), "stage-interrupted", text, hub.now()))
    if receipt.outcome is Outcome.REAUTHORIZE:
        raise ReauthorizeError(receipt.code, receipt.text, answer=receipt.answer)
    if receipt.outcome is Outcome.PAUSE:
        raise asks_for_rest(receipt)


async def _read_back(hub: Hub, desk: Desk, held: Lease, job: Job, step: Change) -> None:
    """A 2xx is not a proof: a stage may be refused in silence."""
    assert isinstance(step, SetStage)
    if isinstance(desk.connector, Reader):
        try:
            now = await _read(desk.connector, job)
        except (ReauthorizeError, PauseError):
            raise
        except DeliveryError as failed:
            await retry_later(hub, held, [job.row], failed)
            return
        if now.stage != step.stage:
            text = f"contact {job.target.id}: the stage was to become {step.stage} and reads {now.stage or 'blank'}"
            await refuse(hub, held, job, "stage-not-taken", text, change=step)
            await _interrupted_no_more(hub, held, job)
            return
    await finished(hub, held, job, step, Receipt(outcome=Outcome.DONE, id=job.target.id))
    await _interrupted_no_more(hub, held, job)


async def _interrupted_no_more(hub: Hub, held: Lease, job: Job) -> None:
    """However the move ended: that it stands half done is not true any more."""

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        repairs.close(tx, _subject(job), "stage-interrupted", hub.now())

    await hub.store.write(work)


def _subject(job: Job) -> str:
    return f"{job.case.connection.id}/{job.row.contact}"

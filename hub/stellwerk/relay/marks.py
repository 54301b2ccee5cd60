"""What was sent and never settled: looked up by its mark, or sent again where that is harmless."""

from __future__ import annotations

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError
from stellwerk.relay.deliver import delivery, look_up
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.job import Job, Write, tag
from stellwerk.relay.opened import UNREADABLE, opened
from stellwerk.relay.rests import behind
from stellwerk.relay.retry import MAX_ATTEMPTS
from stellwerk.relay.settle import MARK_UNREADABLE, finished, give_up, refuse
from stellwerk.sdk.connector import MarkState, Target
from stellwerk.store import lease, outbox
from stellwerk.store.lease import Lease
from stellwerk.store.outbox import OutboxRow
from stellwerk.store.store import Tx
from stellwerk_rules.model import Ask, AskTerms, Change, Enter, Planned


async def settle_in_flight(hub: Hub, desk: Desk, held: Lease) -> int:
    """Settle the deliveries whose outcome is unknown and whose time has come. Their number."""
    connector = desk.connector
    account = desk.account.id
    if not isinstance(connector, Target):
        return 0
    rows = await hub.store.read(lambda tx: outbox.in_flight(tx, account))
    wait = 2.0 * hub.timeout_seconds(desk.system)
    due: list[OutboxRow] = []
    for row in rows:
        planned = opened(hub.vault, account, row.body, Planned)
        if planned is None:
            await give_up(hub, held, [row], UNREADABLE, "it was on its way, and what is stored of it cannot be read")
        elif tag(marked_change(planned)) not in connector.marked:
            await _again(hub, held, row)
        elif (look := max((row.sent or 0.0) + wait, row.due)) <= hub.now():
            due.append(row)
        elif look > row.due:
            await _not_yet(hub, held, row, look)
    if not due:
        return 0
    for job in await look_up(hub, desk, held, due):
        await _look_for_mark(hub, desk, held, connector, job)
    return len(due)


def marked_change(planned: Planned) -> Change:
    """The change whose mark was in the call: an entering contact is asked under its wish."""
    change = planned.change
    if not isinstance(change, Enter):
        return change
    return Ask(
        email=change.email,
        peer_id=change.peer_id,
        mark=change.wish,
        terms=change.ask or AskTerms(),
        fields={},
        existing=False,
        way_back=change.way_back,
    )


async def _look_for_mark(hub: Hub, desk: Desk, held: Lease, target: Target, job: Job) -> None:
    change = marked_change(job.planned)
    try:
        state, receipt = await target.find_mark(delivery(hub, desk, Write(job=job, change=change)))
    except ReauthorizeError:
        raise
    except PauseError as asked:
        await behind(hub, held, [job.row], asked)
        raise
    except DeliveryError as failed:
        desk.pulse.fails(failed)
        await _not_yet(hub, held, job.row, hub.now() + 2.0 * hub.timeout_seconds(desk.system))
        return
    if state is MarkState.FOUND and receipt is not None:
        await finished(hub, held, job, change, receipt)
    elif state is MarkState.ABSENT and job.row.attempts >= MAX_ATTEMPTS:
        await refuse(hub, held, job, "no-answer", f"no answer to {job.row.attempts} attempts, and nothing was done")
    elif state is MarkState.ABSENT:
        await _again(hub, held, job.row)
    else:
        await refuse(
            hub, held, job, MARK_UNREADABLE, "whether it was sent cannot be read; it is not repeated", change=change
        )


async def _again(hub: Hub, held: Lease, row: OutboxRow) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        outbox.again(tx, row.id, hub.now(), code="once more", text="", answer=None)

    await hub.store.write(work)


async def _not_yet(hub: Hub, held: Lease, row: OutboxRow, due: float) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        outbox.look_at(tx, row.id, due)

    await hub.store.write(work)

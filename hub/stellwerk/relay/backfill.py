"""Back-fill: one page more of a sync, wherever nothing else of its account waits. A page and its cursor commit together.

A sync puts its contacts into the inbox, from where they go the ordinary way behind everything live; a dry run reads them,
asks the same rules, and keeps what they said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RejectedError, RetryableError
from stellwerk.relay import case as cases
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.page import read_page
from stellwerk.relay.reading import page_of
from stellwerk.relay.receive import new_event
from stellwerk.relay.retry import LONGEST_SECONDS, retry
from stellwerk.sdk.connector import Counter, Lister, Reader, Ref, Signal
from stellwerk.store import connections, counts, inbox, lease, meta, repairs, syncs
from stellwerk.store.connections import Connection
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk.store.syncs import DryRow, Run
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import Contact, Event, EventKind
from stellwerk_rules.outlook import What, outlook

MOST_WAITING = 200
"""So many events or deliveries of a sync wait at most: what is read long before its turn is old when it comes."""
LOOK_AGAIN_SECONDS = 1.0
LONGEST_LOOK_SECONDS = 6 * 3600.0
MOST_LOOKS = 30
"""What moves is looked at once a second, since every end says so; what waits for a person, ever more seldom."""
LEFT_TO_LIVE = 0.2
"""No page is taken in while less of the account's calls is left: what happens meanwhile is read at once."""
SYNC_FAILED = "sync-failed"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Said(Struct, frozen=True, kw_only=True):
    """What a dry run says of one contact, besides what stands beside it in the clear."""

    email: str
    text: str
    rule: str | None
    line: int | None
    new: bool


async def next_page(hub: Hub, desk: Desk, held: Lease) -> int:
    """Take one page of a sync of this account that is due. How many contacts were on it; 0 where nothing is to be taken now.

    Raises `ReauthorizeError` and `PauseError`, which concern the whole account.
    """
    run = await hub.store.read(lambda tx: syncs.next_of(tx, held.account, hub.now()))
    if run is None:
        return 0
    connection = await hub.store.read(lambda tx: connections.living(tx, run.connection))
    if connection is None or not isinstance(desk.connector, Lister) or not isinstance(desk.connector, Reader):
        await _end(hub, held, run, "failed", "cannot-be-listed", "the contacts of this system cannot be listed")
        return 0
    if run.kind == "sync" and connection.state != "runs":
        await _stand_still(hub, held, run)
        return 0
    if run.listed or desk.budget.left() < LEFT_TO_LIVE or await hub.store.read(lambda tx: _is_full(tx, run)):
        await _wait_or_end(hub, held, run)
        return 0
    try:
        refs, after = await page_of(desk.connector, run.cursor)
        if run.pages == 0:
            await _count_all(hub, desk, held, run)
        if run.kind == "dry":
            await _foresee(hub, desk, desk.connector, held, run, connection, refs, after)
        else:
            await _take_in(hub, held, run, refs, after)
    except (ReauthorizeError, PauseError):
        raise
    except RejectedError as refused:
        desk.pulse.answered += 1
        await _end(hub, held, run, "failed", refused.code, refused.text or refused.code)
        return 0
    except DeliveryError as failed:
        desk.pulse.fails(failed)
        await _put_off(hub, held, run, failed)
        return 0
    desk.pulse.answered += 1
    return len(refs)


def _is_full(tx: Tx, run: Run) -> bool:
    """Whether what was taken in before is to go out first."""
    return syncs.undone(tx, run.id) >= MOST_WAITING


async def _take_in(hub: Hub, held: Lease, run: Run, refs: Sequence[Ref], after: str | None) -> None:
    now = hub.now()
    signals = [
        Signal(kind=EventKind.CHANGED, ref=ref, key=f"sync/{run.id}/{ref.by}/{hub.vault.digest(ref.value)}")
        for ref in refs
    ]
    events = [new_event(hub, held.account, signal, now, run=run.id) for signal in signals]

    def work(tx: Tx) -> None:
        lease.fence(tx, held, now)
        stands = syncs.by_id(tx, run.id)
        if stands is None or stands.state != "running":
            return  # stopped since it was asked for: the page is asked for again when it goes on
        meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, events))
        syncs.turned(tx, run, after, len(refs), now)

    await hub.store.write(work)


async def _foresee(
    hub: Hub,
    desk: Desk,
    connector: Reader,
    held: Lease,
    run: Run,
    connection: Connection,
    refs: Sequence[Ref],
    after: str | None,
) -> None:
    """Read the page, decide each contact as the sync would, and keep nothing but what was said."""
    found = await read_page(hub, desk, connector, connection, refs, run.attempts if run.code else 0)

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        rows = [_said(tx, hub, desk, run, connection, ref, contact) for ref, contact in zip(refs, found, strict=True)]
        syncs.put_rows(tx, run.id, rows)
        syncs.count(tx, run.id, [row.what for row in rows])
        syncs.turned(tx, run, after, len(refs), now)
        if after is None:
            syncs.go(tx, run, "done", now)

    await hub.store.write(work)


def _said(
    tx: Tx, hub: Hub, desk: Desk, run: Run, connection: Connection, ref: Ref, contact: Contact | DeliveryError
) -> DryRow:
    if isinstance(contact, DeliveryError):
        said = Said(email="", text="it cannot be read, and others can", rule=None, line=None, new=False)
        return _row(hub, desk, ref, None, What.SKIPPED, contact.code, said)
    try:
        case = cases.load(tx, hub, connection, desk.system.name, contact)
    except msgspec.MsgspecError:
        said = Said(email="", text="what is stored of this contact cannot be read", rule=None, line=None, new=False)
        return _row(hub, desk, ref, None, What.SKIPPED, "unreadable", said)
    event = Event(
        id=f"dry run {run.id}",
        kind=EventKind.CHANGED,
        system=desk.system.name,
        contact=contact,
        at=hub.time(),
        backfill=run.terms(),
    )
    told = outlook(case.book.plan, evaluate(case.book.plan, event, case.known, case.settings), case.known)
    why = told.because
    said = Said(email=contact.email or "", text=why.text, rule=why.rule, line=why.line, new=told.new)
    return _row(hub, desk, ref, case.address, told.what, why.code, said)


def _row(hub: Hub, desk: Desk, ref: Ref, address: str | None, what: What, code: str, said: Said) -> DryRow:
    body = hub.vault.seal(desk.account.id, msgspec.json.encode(said))
    return DryRow(remote=ref.value, address=address, what=what.value, code=code, body=body)


async def _count_all(hub: Hub, desk: Desk, held: Lease, run: Run) -> None:
    """How many there are in all, for whoever watches; where that cannot be told now, nobody misses it."""
    if not isinstance(desk.connector, Counter):
        return
    try:
        total = await desk.connector.created_since(EPOCH)
    except DeliveryError as failed:
        log.info("account %s: its contacts cannot be counted: %s", held.account, failed.code)
        return

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        syncs.know_total(tx, run, total)

    await hub.store.write(work)


async def _wait_or_end(hub: Hub, held: Lease, run: Run) -> None:
    """Done once every contact was decided on and nothing of it is on its way any more."""

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        if run.listed and not syncs.undone(tx, run.id):
            syncs.go(tx, run, "done", now)
            repairs.close(tx, run.connection, SYNC_FAILED, now)
        else:
            wait = min(LOOK_AGAIN_SECONDS * 1.5**run.attempts, LONGEST_LOOK_SECONDS)
            syncs.put_off(tx, run, now + wait, attempts=min(run.attempts + 1, MOST_LOOKS))

    await hub.store.write(work)


async def _stand_still(hub: Hub, held: Lease, run: Run) -> None:
    """Whom it looked at now nobody would bring in, and no later page comes back to them."""

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        one = connections.living(tx, run.connection)
        if one is not None and one.state == "runs":
            return  # since it was read
        text = "its connection does not run; it goes on once that does"
        syncs.put_off(tx, run, now + syncs.STANDING_SECONDS, code=syncs.NOT_RUNNING, text=text)

    await hub.store.write(work)


async def _put_off(hub: Hub, held: Lease, run: Run, failed: DeliveryError) -> None:
    """Later again, from the same page on; nothing of it is given up."""
    asked = failed.retry_after if isinstance(failed, RetryableError) else None
    attempts = run.attempts + 1 if run.code else 1  # it may have waited before, and that was no failure
    due = hub.now() + (retry(attempts, asked, 0.5, alone=True).seconds or LONGEST_SECONDS)

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        syncs.put_off(tx, run, due, attempts=attempts, code=failed.code, text=failed.text)

    await hub.store.write(work)


async def _end(hub: Hub, held: Lease, run: Run, state: syncs.State, code: str, text: str) -> None:
    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        syncs.go(tx, run, state, now, code=code, text=text)
        repairs.open_(tx, run.connection, SYNC_FAILED, f"a sync ended early: {text} [{code}]", now)

    await hub.store.write(work)

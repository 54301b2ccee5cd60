"""An account that asks for a rest gets it. What met this goes behind the others afterwards; of rests without end a person is told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from stellwerk.errors import PauseError
from stellwerk.relay.hub import Hub
from stellwerk.relay.retry import LONGEST_SECONDS, retry
from stellwerk.sdk.connector import Receipt
from stellwerk.store import accounts, inbox, lease, meta, outbox, repairs
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import Lease
from stellwerk.store.outbox import OutboxRow
from stellwerk.store.store import Tx

ASKS_FOR_REST = "asks-for-rest"
UNTOLD_SECONDS = 60.0
LONGEST_REST_SECONDS = 86_400.0

MOST_COUNTED = 12
"""Rests, and looks for what is in flight, count as attempts up to here: nothing is given up for them alone."""

MANY_RESTS = 3
LONG_SECONDS = 1800.0
"""So many rests in a row, for so long, without a call answered in between: then a person is told."""


def rest_until(now: float, asked: PauseError) -> float:
    """When the account may be called again."""
    return now + min(asked.seconds, LONGEST_REST_SECONDS)


def asks_for_rest(receipt: Receipt) -> PauseError:
    return PauseError(receipt.code, receipt.text, answer=receipt.answer, seconds=receipt.seconds or UNTOLD_SECONDS)


def of_its_own(row: OutboxRow | InboxRow) -> int:
    """How often it failed for reasons of its own: that its account asked for a rest says nothing of the company it is asked for in."""
    return 0 if row.code == ASKS_FOR_REST else row.attempts


def counted_at_most(row: OutboxRow) -> int:
    """Its attempts and one more that says nothing of itself: nothing is given up for such alone."""
    return max(row.attempts, min(row.attempts + 1, MOST_COUNTED))


def _behind_seconds(attempts: int, number: int) -> float:
    """How long after the rest others go first, longer each time."""
    return retry(attempts + 1, None, (number % 100) / 100, alone=True).seconds or LONGEST_SECONDS


async def behind(hub: Hub, held: Lease, rows: Sequence[OutboxRow], asked: PauseError) -> None:
    """These deliveries met it, and surely were not made. One in flight stays so."""
    answer = None if asked.answer is None else hub.vault.seal(held.account, asked.answer.encode())

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        outbox.untried(tx, [row.id for row in rows if row.state != "sent"])
        for row in rows:
            outbox.again(
                tx,
                row.id,
                rest_until(now, asked) + _behind_seconds(row.attempts, row.id),
                code=ASKS_FOR_REST,
                text=f"{asked.code}: it was called too often; after its rest others go first",
                answer=answer,
                state=row.state,
                attempts=counted_at_most(row),
            )

    await hub.store.write(work)


async def events_behind(hub: Hub, held: Lease, rows: Sequence[InboxRow], asked: PauseError) -> None:
    """The contacts of these events could not be read."""

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        for attempts, same in groupby(sorted(rows, key=lambda row: row.attempts), key=lambda row: row.attempts):
            ids = [row.id for row in same]
            put_off = inbox.later if attempts < MOST_COUNTED else inbox.untried
            put_off(tx, ids, rest_until(now, asked) + _behind_seconds(attempts, ids[0]), ASKS_FOR_REST)

    await hub.store.write(work)


async def rest(hub: Hub, held: Lease, asked: PauseError) -> None:
    """Let go of the account until its rest is over."""

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        times, since = _in_a_row(tx, held.account, now)
        meta.set_cursor(tx, held.account, ASKS_FOR_REST, f"{times + 1} {since}")
        if times + 1 >= MANY_RESTS and now - since >= LONG_SECONDS:
            text = f"it answers nothing but that it is called too often ({asked.code}); what waits for it goes on after each rest"
            repairs.open_(tx, held.account, ASKS_FOR_REST, text, now)
        until = rest_until(now, asked)
        accounts.pause(tx, held.account, until, asked.code)
        lease.release(tx, held, until)

    await hub.store.write(work)


def _in_a_row(tx: Tx, account: str, now: float) -> tuple[int, float]:
    """Rests without a call answered in between, and since when."""
    stored = meta.cursor(tx, account, ASKS_FOR_REST)
    if stored is None:
        return 0, now
    times, _, since = stored.partition(" ")
    return int(times), float(since)


async def was_answered(hub: Hub, account: str) -> None:
    """A call was answered: rests are counted anew."""

    def work(tx: Tx) -> None:
        meta.drop_cursor(tx, account, ASKS_FOR_REST)
        repairs.close(tx, account, ASKS_FOR_REST, hub.now())

    if await hub.store.read(lambda tx: meta.cursor(tx, account, ASKS_FOR_REST)) is not None:
        await hub.store.write(work)

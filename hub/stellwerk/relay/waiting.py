"""Events that wait, by their contact; and what becomes of those that cannot be decided on now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec
from msgspec import Struct

from stellwerk.errors import DeliveryError, RetryableError
from stellwerk.relay.applied import BROKEN
from stellwerk.relay.bug import BUG
from stellwerk.relay.hub import Hub
from stellwerk.relay.opened import UNREADABLE, opened
from stellwerk.relay.retry import LATELY_SECONDS, retry
from stellwerk.sdk.connector import Ref, Signal
from stellwerk.store import inbox, lease, repairs
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk_rules.model import Contact

OURS = frozenset({BUG, BROKEN, "keeps-changing"})
"""Codes of failures that are no outage, whatever else goes through."""

DAY_SECONDS = 86_400.0
NOT_NOW_SECONDS = 1.0


class Waiting(Struct, frozen=True, kw_only=True):
    """All waiting events of one contact."""

    ref: Ref
    rows: tuple[InboxRow, ...]
    signals: tuple[Signal, ...]


def named(contact: Contact, ref: Ref) -> Contact:
    """The contact with what the signal named it by, which one that is anonymous or gone no longer shows."""
    if contact.email is None and ref.by == "email":
        return msgspec.structs.replace(contact, email=ref.value)
    if contact.id is None and ref.by == "id":
        return msgspec.structs.replace(contact, id=ref.value)
    return contact


async def by_contact(hub: Hub, held: Lease, rows: Sequence[InboxRow]) -> list[Waiting]:
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


async def later(hub: Hub, held: Lease, rows: Sequence[InboxRow], failed: DeliveryError) -> None:
    """Could not be read or settled: again after a while, or dead letters and a repair after too many attempts."""
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


async def not_now(hub: Hub, held: Lease, rows: Sequence[InboxRow]) -> None:
    """Others failed, so that these were not asked for: nothing is counted against them."""

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        inbox.untried(tx, [row.id for row in rows], hub.now() + NOT_NOW_SECONDS, "others failed")

    await hub.store.write(work)


async def end_unread(hub: Hub, held: Lease, rows: Sequence[InboxRow], code: str) -> None:
    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        inbox.end(tx, [row.id for row in rows], "skipped", code, hub.now())

    await hub.store.write(work)

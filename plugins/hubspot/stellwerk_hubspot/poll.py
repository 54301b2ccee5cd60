"""Asking for what changed (reference page, section 5, search): fields without an event, and events that were lost.

Search orders by `lastmodifieddate`, shows changes a few moments late and in no promised order, and never shows archived or
merged contacts. So each round begins some minutes before the one before it began, by HubSpot's clock; what it shows twice is
known by record and time of change. Every page is the first page of a query of its own, which begins where the last one
ended: numbered pages skip contacts that move to the end meanwhile, and end after 10,000.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct

from stellwerk.sdk import EventKind, Ref, RetryableError, Signal, Unread
from stellwerk_hubspot.answer import SearchAnswer
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.wire import ContactObject, clock

__all__ = ["OVERLAP", "PAGE", "Polling"]

PAGE = 200
OVERLAP = timedelta(minutes=5)
"""Longer than search lags ("a few moments"), and than our clock may be wrong before somebody is told."""
SPACE_SECONDS = 0.25
"""Between two searches: five a second are for all apps of the account together."""
MODIFIED = "lastmodifieddate"


class Cursor(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the next page begins, in milliseconds. `last` is a record id while one instant has more contacts than a page;
    `began` is when this round's first page was asked for, 0 between rounds."""

    since: int
    last: str = ""
    began: int = 0


class Polling:
    """The `Reporter` ability."""

    async def poll(self: Opened, cursor: str | None) -> tuple[Sequence[Signal | Unread], str, bool]:
        """A page of contacts that changed, the next cursor, and whether more wait. Raises `DeliveryError`."""
        now = self.services.now()
        here = _read(cursor) or Cursor(since=_ms(now.timestamp() - OVERLAP.total_seconds()))
        found = (await _searched(self, here)).results
        # The offset is known from this very answer at the latest.
        began = here.began or _ms(now.timestamp() + self.client.clock_offset)
        signals = [_signal(one, self.account.account) for one in found]
        after = _after(here, found, began)
        if after.began:
            await asyncio.sleep(SPACE_SECONDS)
        return signals, msgspec.json.encode(after).decode(), bool(after.began)


async def _searched(opened: Opened, here: Cursor) -> SearchAnswer:
    try:
        return await opened.client.changed_contacts(since_ms=here.since, after_id=here.last, limit=PAGE)
    except RetryableError as error:
        if error.code != "rate-limit" or (error.retry_after or 0) > 1:
            raise
        # Somebody else's searches: theirs and ours share five a second.
        await asyncio.sleep(1.0)
        return await opened.client.changed_contacts(since_ms=here.since, after_id=here.last, limit=PAGE)


def _after(here: Cursor, found: Sequence[ContactObject], began: int) -> Cursor:
    """Where to go on. A page that is not full ends the instant it was in, or the round."""
    full = len(found) >= PAGE
    if here.last:
        if full:
            return Cursor(since=here.since, last=found[-1].id, began=began)
        return Cursor(since=here.since + 1, began=began)
    if not full:
        return Cursor(since=began - int(OVERLAP.total_seconds() * 1000))
    newest = max(here.since, *(_changed_ms(one) for one in found))
    # More contacts of one instant than a page holds (an import): they are gone through by their ids.
    return Cursor(since=newest, last="0" if newest == here.since else "", began=began)


def _signal(found: ContactObject, portal: str) -> Signal:
    changed = _changed_ms(found)
    return Signal(
        kind=EventKind.CHANGED,
        ref=Ref(by="id", value=found.id),
        # A record at one time of change: search shows it again in every round that overlaps.
        key=f"search/{found.id}/{changed}",
        account=portal,
        occurred_at=clock(str(changed)),
    )


def _changed_ms(found: ContactObject) -> int:
    at = clock(found.properties.get(MODIFIED)) or clock(found.updated_at)
    if at is None:
        raise RetryableError("unreadable-answer", "search shows a contact without its time of change")
    return _ms(at.timestamp())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _read(cursor: str | None) -> Cursor | None:
    """None for none, and for one of another version."""
    try:
        return None if cursor is None else msgspec.json.decode(cursor, type=Cursor)
    except msgspec.MsgspecError:
        return None

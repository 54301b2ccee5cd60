"""Polling for contacts that changed, by Maileon's own clock (reference, section 6.5)."""

from __future__ import annotations

from datetime import UTC, timedelta

from msgspec.structs import replace

from stellwerk.sdk import EventKind, Signal
from stellwerk_maileon import clock, cursor
from stellwerk_maileon.cursor import Cursor, Stage
from stellwerk_maileon.refs import ref_of
from stellwerk_maileon.session import Session
from stellwerk_maileon.wire import Stored

DAY = timedelta(days=1)
"""How far `updated_after` reaches back: in which zone Maileon reads it is not documented (reference, section 6.5)."""

RECENT = timedelta(hours=2)
"""How far behind the newest `updated` a change may still turn up; longer than the hour a clock change repeats.

Once the zone is learnt, `updated_after` reaches no further back either. The newest contact of the last run must then come
again; when it does not, whoever else comes, Maileon reads the parameter in another zone than it prints, or the contact is gone or
has changed once more, and the same run asks a day back.
"""

SAME_MOMENT = timedelta(seconds=2)
"""Maileon's times have whole seconds: of what changed this shortly before the newest, the next run tells once more."""


FOLLOWING: Stage = "bounces"
"""The source that a run asks after the contacts."""


async def page(session: Session, at: Cursor) -> tuple[list[Signal], Cursor, bool]:
    """The signals of one page, the next cursor, and whether more wait. Raises `DeliveryError`."""
    after = clock.printed(at.high - cursor.milliseconds(DAY if at.wide else RECENT))
    contacts, more = await session.client.contacts_updated_after(after, at.page)
    moments = [_moment(stored) for stored in contacts]
    rising = max([at.rising, *(moment for moment in moments if moment is not None)])
    reached = at.reached or at.high in moments
    signals: list[Signal] = []
    met: list[str] = []
    for stored, known in zip(contacts, moments, strict=True):
        moment = rising if known is None else known
        if moment < at.high - cursor.milliseconds(RECENT):
            continue
        name, fresh = _names(stored)
        if name not in at.seen:
            may_change_unseen = known is not None and moment > rising - cursor.milliseconds(SAME_MOMENT)
            name = fresh if may_change_unseen and fresh not in at.seen else name
            ref = ref_of(stored, by_address=False)
            if ref is not None and not at.silent:
                updated = clock.read_time(stored.updated, session.zone)
                signals.append(Signal(kind=EventKind.CHANGED, ref=ref, key=f"changed/{name}", occurred_at=updated))
        met.append(name)
    onward = replace(at, rising=rising, reached=reached, met=cursor.keep((*at.met, *met)))
    if more:
        return signals, replace(onward, page=at.page + 1), True
    if not at.wide and not reached:
        # What this run has met is kept in mind twice: the wide one tells none of it again.
        return signals, replace(onward, page=1, wide=True, seen=cursor.keep((*at.seen, *onward.met))), True
    if at.silent and at.since == at.until:
        return signals, cursor.finished(replace(onward, silent=False), wide=session.services.zone is None), False
    left = {stage: first for stage, first in at.left.items() if stage != at.stage}
    return signals, replace(onward, stage=FOLLOWING, page=1, silent=False, left=left), True


def _moment(stored: Stored) -> int | None:
    at = clock.read_time(stored.updated, UTC)
    return None if at is None else clock.milliseconds(at)


def _names(stored: Stored) -> tuple[str, str]:
    """The name of a contact's state, and the name it has while Maileon's next change could bear the same time."""
    parts = (stored.id or stored.email or "", stored.updated or "")
    return cursor.name("contacts", *parts), cursor.name("fresh", *parts)

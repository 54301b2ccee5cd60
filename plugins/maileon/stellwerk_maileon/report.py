"""Polling: what no webhook tells (changed contacts, bounces, blocks), and what a lost webhook would have told.

One run asks, one page a call, for unsubscriptions, confirmed subscribers, changed contacts, bounces and blocks, in this
order: five requests when little happens. Windows overlap; what an earlier run has met is recognised by its hash.

A report that `may_lack` and fails is passed over, and asked by the next run from where it stood: the opt-outs of the runs to
come must not wait for it. Only a rate limit ends the run, since whatever follows would meet it too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, timedelta

from msgspec import Struct
from msgspec.structs import replace

from stellwerk.sdk import DeliveryError, EventKind, Signal
from stellwerk_maileon import changed, clock, cursor
from stellwerk_maileon.client import RATE_LIMITED, MaileonClient, Params
from stellwerk_maileon.cursor import Cursor, Stage
from stellwerk_maileon.refs import ref_of
from stellwerk_maileon.reportentry import Entry
from stellwerk_maileon.session import Session

OVERLAP = timedelta(hours=1)
"""How far reports are asked back: an entry may appear late, and Maileon's clock is not ours."""

Polled = tuple[Sequence[Signal], str, bool]
Page = tuple[tuple[Entry, ...], bool]


class Report(Struct, frozen=True, kw_only=True):
    """A report as a source of signals. `kind` is None for entries that say nothing worth a look.

    `by_address`: an opt-out and a confirmation belong to the address, whatever id it has now; the rest to the contact.
    `may_lack`: an account whose report fails is polled without it. `following` is None where a run ends.
    """

    ask: Callable[[MaileonClient, Params, int], Awaitable[Page]]
    kind: Callable[[Entry], EventKind | None]
    following: Stage | None
    by_address: bool = False
    may_lack: bool = False


def _bounced(entry: Entry) -> EventKind | None:
    # A mailbox that is full today is no event; when it stays so, Maileon blocks the contact.
    return None if (entry.type or "").lower() == "transient" else EventKind.BOUNCED


def _blocked(entry: Entry) -> EventKind | None:
    kinds = {"blocked": EventKind.BLOCKED, "allowed": EventKind.UNBLOCKED}
    return kinds.get((entry.new_status or "").lower(), EventKind.CHANGED)


REPORTS: Mapping[Stage, Report] = {
    "unsubscriptions": Report(
        ask=MaileonClient.unsubscriptions,
        kind=lambda entry: EventKind.UNSUBSCRIBED,
        following="subscribers",
        by_address=True,
    ),
    "subscribers": Report(
        ask=MaileonClient.subscribers,
        kind=lambda entry: EventKind.CONFIRMED,
        following="contacts",
        by_address=True,
        may_lack=True,
    ),
    "bounces": Report(ask=MaileonClient.bounces, kind=_bounced, following="blocks", may_lack=True),
    "blocks": Report(ask=MaileonClient.blocks, kind=_blocked, following=None, may_lack=True),
}


async def poll(session: Session, text: str | None) -> Polled:
    """The signals of one page, the next cursor, and whether more wait. Raises `DeliveryError`."""
    now = session.services.now()
    moment = clock.milliseconds(now)
    if text is None:
        # Of the newest change nothing is known yet: by any zone's clock, a day ago is long past.
        long_ago = clock.milliseconds(now.astimezone(session.zone).replace(tzinfo=UTC) - changed.DAY)
        at = Cursor(stage="contacts", since=moment, until=moment, high=long_ago, rising=long_ago, silent=True)
    else:
        at = cursor.read(text)
        if at.stage == "unsubscriptions" and at.page == 1:
            at = replace(at, until=moment)
    report = REPORTS.get(at.stage)
    if report is None:
        signals, after, more = await changed.page(session, at)
        return signals, cursor.write(after), more
    return await _entries(session, report, at)


async def _entries(session: Session, report: Report, at: Cursor) -> Polled:
    since = at.left.get(at.stage, at.since)
    start = max(0, since - cursor.milliseconds(OVERLAP))
    left = {stage: first for stage, first in at.left.items() if stage != at.stage}
    try:
        entries, more = await report.ask(
            session.client, (("from_date", str(start)), ("to_date", str(at.until))), at.page
        )
    except DeliveryError as error:
        if not report.may_lack or error.code == RATE_LIMITED:
            raise
        if at.stage not in at.left:
            session.services.log.warning(
                "the report on %s fails, the rest goes on without it: %s", at.stage, error.code
            )
        # What it told before is not met again in this run and must not be told again by the next.
        failed = replace(at, met=cursor.keep((*at.seen, *at.met)), left={**left, at.stage: since})
        return [], *_following(session, report, failed)
    named = {cursor.name(at.stage, entry.key): entry for entry in entries}
    signals = [
        signal
        for name, entry in named.items()
        if name not in at.seen and (signal := _signal(session, report, entry)) is not None
    ]
    onward = replace(at, met=cursor.keep((*at.met, *named)))
    if more:
        return signals, cursor.write(replace(onward, page=at.page + 1)), True
    return signals, *_following(session, report, replace(onward, left=left))


def _following(session: Session, report: Report, at: Cursor) -> tuple[str, bool]:
    """The cursor after a report, and whether more of the run waits."""
    if report.following is None:
        return cursor.write(cursor.finished(at, wide=session.services.zone is None)), False
    return cursor.write(replace(at, stage=report.following, page=1)), True


def _signal(session: Session, report: Report, entry: Entry) -> Signal | None:
    """Look at this contact again; `entry` among the details names the fact for ever."""
    kind = report.kind(entry)
    ref = ref_of(entry.contact, by_address=report.by_address)
    if kind is None or ref is None:
        return None
    return Signal(
        kind=kind,
        ref=ref,
        occurred_at=clock.read_time(entry.timestamp, session.zone),
        details={**entry.details, "entry": entry.key},
    )

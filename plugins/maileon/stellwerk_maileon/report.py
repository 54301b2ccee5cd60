"""Polling: what no webhook tells (changed contacts, bounces, blocks), and what a lost webhook would have told.

One run asks, one page a call, for unsubscriptions, confirmed subscribers, changed contacts, bounces and blocks, in this
order: five requests when little happens. Windows overlap; what an earlier run has met is recognised by its hash.

Each of these is a source with failures of its own: one that fails is passed over, and asked by the next run from where it
stood. Only a rate limit ends the run, since whatever follows would meet it too, and a run in which nothing answers is an
outage. Unsubscriptions are asked first in every run, and while they fail no run counts as made: what mails may wait for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stellwerk.sdk import DeliveryError, EventKind, PauseError, ReauthorizeError, Signal, Unread
from stellwerk_maileon import changed, clock, cursor
from stellwerk_maileon.client import RATE_LIMITED, MaileonClient, Params
from stellwerk_maileon.cursor import Cursor, Stage
from stellwerk_maileon.refs import ref_of
from stellwerk_maileon.reportentry import Entry
from stellwerk_maileon.session import Session

OVERLAP = timedelta(hours=1)
"""How far reports are asked back: an entry may appear late, and Maileon's clock is not ours."""

OTHERS_AGAIN = timedelta(minutes=5)
"""While unsubscriptions cannot be asked for, they are tried as often as the hub likes, and the rest this often."""

FIRST: Stage = "unsubscriptions"

Polled = tuple[Sequence[Signal | Unread], str, bool]
Page = tuple[tuple[Entry, ...], bool]


class Report(Struct, frozen=True, kw_only=True):
    """A report as a source of signals. `kind` is None for entries that say nothing worth a look.

    `by_address`: an opt-out and a confirmation belong to the address, whatever id it has now; the rest to the contact.
    `following` is None where a run ends.
    """

    ask: Callable[[MaileonClient, Params, int], Awaitable[Page]]
    kind: Callable[[Entry], EventKind | None]
    following: Stage | None
    by_address: bool = False


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
    ),
    "bounces": Report(ask=MaileonClient.bounces, kind=_bounced, following="blocks"),
    "blocks": Report(ask=MaileonClient.blocks, kind=_blocked, following=None),
}


async def poll(session: Session, text: str | None) -> Polled:
    """The signals of one page, the next cursor, and whether more wait. Raises `DeliveryError`."""
    moment = clock.milliseconds(session.services.now())
    if text is None:
        return await _first(session, moment)
    at = cursor.read(text)
    begins = at.stage == FIRST and at.page == 1
    at = replace(at, until=moment) if begins else at
    refused: DeliveryError | None = None
    while True:
        try:
            signals, after, more = await _page(session, at)
        except DeliveryError as error:
            if _ends_the_run(error, at.stage) or (at.stage == FIRST and _asked_lately(cursor.read(text), moment)):
                raise
            refused = refused or error
            after, more = _passed_over(session, at, error)
            if more:
                at = after
                continue
            if begins:
                raise refused from None  # nothing at all has answered
            signals = ()
        else:
            session.services.part_asked(at.stage, None)
        # Where the opt-outs are still owed, they are asked for once more before this counts as a run.
        return signals, cursor.write(after), more or FIRST in after.left


async def _first(session: Session, moment: int) -> Polled:
    """The first of all runs only learns which contacts there are."""
    # Of the newest change nothing is known yet: by any zone's clock, a day ago is long past.
    now = session.services.now().astimezone(session.zone).replace(tzinfo=UTC)
    long_ago = clock.milliseconds(now - changed.DAY)
    at = Cursor(stage="contacts", since=moment, until=moment, high=long_ago, rising=long_ago, silent=True)
    try:
        signals, after, more = await changed.page(session, at)
    except DeliveryError as error:
        if _ends_the_run(error, FIRST):
            raise
        return [], cursor.write(cursor.finished(at, wide=True)), True
    return signals, cursor.write(after), more


def _ends_the_run(error: DeliveryError, stage: Stage) -> bool:
    """Whether what follows would fail as well: the rate, the account; without a right other reports may still be read."""
    if isinstance(error, PauseError) or error.code == RATE_LIMITED:
        return True
    return stage == FIRST and isinstance(error, ReauthorizeError)


def _asked_lately(before: Cursor, moment: int) -> bool:
    """Whether the opt-outs are owed, and the others were asked so short a while ago that they need not be again."""
    return FIRST in before.left and moment - before.until < cursor.milliseconds(OTHERS_AGAIN)


async def _page(session: Session, at: Cursor) -> tuple[Sequence[Signal | Unread], Cursor, bool]:
    report = REPORTS.get(at.stage)
    if report is None:
        return await changed.page(session, at)
    # What was asked for up to a moment that has not come yet was so by a clock that has been put back since.
    first = min(at.left.get(at.stage, at.since), at.until)
    start = max(0, first - cursor.milliseconds(OVERLAP))
    entries, more = await report.ask(session.client, (("from_date", str(start)), ("to_date", str(at.until))), at.page)
    named = _named(at.stage, entries)
    signals = [
        signal
        for name, (number, entry) in named.items()
        if name not in at.seen
        and (signal := _signal(session, report, entry, f"{at.stage}, page {at.page}, entry {number}")) is not None
    ]
    onward = replace(at, met=cursor.keep((*at.met, *named)))
    if more:
        return signals, replace(onward, page=at.page + 1), True
    left = {stage: first for stage, first in at.left.items() if stage != at.stage}
    return signals, *_following(session, report.following, replace(onward, left=left))


def _named(stage: Stage, entries: Sequence[Entry]) -> Mapping[str, tuple[int, Entry]]:
    """The entries of a page, with their places from 1, by what they are known by."""
    named: dict[str, tuple[int, Entry]] = {}
    counted: Counter[str] = Counter()
    for number, entry in enumerate(entries, 1):
        name = cursor.name(stage, entry.key)
        if entry.who is None:
            # Two people who left in one second are one entry by everything that does not change later.
            counted[name] += 1
            name = name if counted[name] == 1 else cursor.name(stage, entry.key, str(counted[name]))
        named[name] = number, entry
    return named


def _passed_over(session: Session, at: Cursor, error: DeliveryError) -> tuple[Cursor, bool]:
    """The cursor behind a source that failed, and whether more of the run waits."""
    if at.stage not in at.left:
        session.services.log.warning("asking for %s fails, the rest goes on without it: %s", at.stage, error.code)
    session.services.part_asked(at.stage, error)
    # What it told before is not met again in this run and must not be told again by the next.
    met = cursor.keep((*at.seen, *at.met))
    failed = replace(at, met=met, left={**at.left, at.stage: at.left.get(at.stage, at.since)})
    if at.stage == "contacts":
        return _following(session, changed.FOLLOWING, replace(failed, rising=at.high))
    return _following(session, REPORTS[at.stage].following, failed)


def _following(session: Session, stage: Stage | None, at: Cursor) -> tuple[Cursor, bool]:
    """The cursor after a source, and whether more of the run waits."""
    if stage is None:
        return cursor.finished(at, wide=session.services.zone is None), False
    return replace(at, stage=stage, page=1), True


def _signal(session: Session, report: Report, entry: Entry, place: str) -> Signal | Unread | None:
    """Look at this contact again; `entry` among the details names the fact for ever. None for what is no event."""
    kind = report.kind(entry)
    if kind is None:
        return None
    ref = ref_of(entry.contact, by_address=report.by_address)
    if ref is None:
        raw = msgspec.json.encode({**entry.details, "timestamp": entry.timestamp})
        return Unread(raw=f"{place}: ".encode() + raw, because="names-nobody")
    return Signal(
        kind=kind,
        ref=ref,
        occurred_at=clock.read_time(entry.timestamp, session.zone),
        details={**entry.details, "entry": entry.key},
    )

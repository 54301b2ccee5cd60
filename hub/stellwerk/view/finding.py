"""Why something happened to a contact, or the first thing in the way: what a person is told before all the details."""

from __future__ import annotations

from collections.abc import Sequence, Set

import msgspec
from msgspec import Struct

from stellwerk.relay.hearing import NOT_HEARD, arrivals, heard_of
from stellwerk.relay.hub import Hub
from stellwerk.store import repairs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.view.activity import Activity, Reason, Step, activity
from stellwerk.view.asking_again import Asking, asking
from stellwerk.view.moment import moment
from stellwerk.view.overview import Side, on_hold_since, sides
from stellwerk.view.sync_now import PRESSED, SyncNow, last_sync_now
from stellwerk_rules.model import EventKind
from stellwerk_rules.unlinked import UNLINKED

RUNS = "runs"
STOPPED = "stopped"
SILENT = frozenset({"mirror", "changed"})
"""Reasons of everyday writes."""

SETTLED = frozenset({"unchanged", "echo", "already-handled"})
"""Reasons of what comes back after something was done: it is no answer to why nothing happened."""

DONE = frozenset({"done", "not_needed"})
EVENTS = frozenset(kind.value for kind in EventKind)
NOTED = ("override-", "field-", "stage-differs", "stage-backward", "stage-gone", "stage-chosen")
"""How reasons begin that are told wherever they stand: a part of what was wanted was left out."""

MOST_NOTED = 5


class Finding(Struct, frozen=True, kw_only=True):
    """`code` is stable; `about` is the code of the reason or of the remote, `detail` its own words with the value seen.

    `change` is what was not made, where that was one of several.
    """

    code: str
    system: str | None = None
    about: str = ""
    detail: str = ""
    at: str | None = None
    reason: Reason | None = None
    change: str = ""


class Explained(Struct, frozen=True, kw_only=True):
    """A contact of one connection: what stands in the way or was done last, and everything behind it.

    `sync_now` is what came of having it read again, where somebody did; `ask_again` whether a mail may go out for its yes.
    """

    findings: list[Finding]
    activity: Activity
    sync_now: SyncNow | None
    ask_again: Asking | None


async def explained(hub: Hub, connection: Connection, who: str) -> Explained:
    """What this connection knows of the contact named by its address or its id at a system; nothing of any other."""
    now = hub.now()

    def look(tx: Tx) -> Explained:
        known = activity(tx, hub.vault, who.strip(), connection)
        both = sides(tx, hub, connection, now)
        found = findings(connection, both, known, held_since=on_hold_since(tx), silent=_silent_systems(tx, connection))
        found = [_with_fields(tx, hub, connection, one) for one in found]
        again = asking(tx, hub, connection, who.strip())
        return Explained(findings=found, activity=known, sync_now=last_sync_now(tx, known.steps), ask_again=again)

    return await hub.store.read(look)


def findings(
    connection: Connection,
    both: Sequence[Side],
    known: Activity,
    *,
    held_since: str | None = None,
    silent: Sequence[str] = (),
) -> list[Finding]:
    """What stands in the way first, then what was decided last; never empty.

    `held_since`: of the hub's hold. `silent`: systems that do not tell us of what is written there.
    """
    found = [*_of_the_connection(connection, both)]
    if held_since is not None:
        found.append(Finding(code="on-hold", at=held_since))
    found += [Finding(code="not-deployed", system=one) for one in silent]
    apart = [one.unlinked for one in known.contacts if one.unlinked is not None]
    found += [Finding(code=UNLINKED, detail=one.by, at=one.at) for one in apart[:1]]
    found += _of_what_waits(known)
    found += [
        Finding(code="suppressed", system=_system(one.account), at=one.suppressed_since)
        for one in known.consent
        if one.suppressed_since is not None
    ]
    done = [step for step in known.steps if step.what not in PRESSED]
    found += _of_the_steps(done, {*(one.code for one in known.waiting), *(UNLINKED for _ in apart)})
    if not (done or known.events or known.waiting or known.consent):
        found.append(Finding(code="never-heard"))
    return found or [Finding(code="nothing-decided")]


def _of_the_connection(connection: Connection, both: Sequence[Side]) -> list[Finding]:
    found = []
    if connection.state != RUNS:
        found.append(Finding(code=connection.state))
    if connection.on_hold is not None:
        found.append(Finding(code=STOPPED, at=moment(connection.on_hold)))
    if connection.began is None:
        found.append(Finding(code="not-begun"))
    found += [
        Finding(code="side-paused" if side.state == "paused" else "side-stopped", system=side.system, about=side.code)
        for side in both
        if side.state != "ok"
    ]
    return found


def _of_what_waits(known: Activity) -> list[Finding]:
    codes = {"held": "held", "dead": "given-up", "parked": "parked", "sent": "on-its-way"}
    found = [
        Finding(
            code=codes.get(one.state, "tried-again" if one.code else "waits"),
            system=_system(one.account),
            about=one.code,
            detail=one.text,
            at=one.due if one.state == "waiting" else one.created,
        )
        for one in known.waiting
    ]
    found += [
        Finding(
            code="unread" if event.state == "waiting" else "never-read",
            system=_system(event.account),
            about=event.code,
            at=event.due if event.state == "waiting" else event.received,
        )
        for event in known.events
    ]
    return found


def _of_the_steps(steps: Sequence[Step], told_already: Set[str]) -> list[Finding]:
    """The last decision that says something, what was not made of it, what was left out, and what came back since."""
    last = _last(steps)
    if last is None:
        return []
    answer = _of_the_last(steps[last])
    # What waits, is held or unlinked has been told with its reason.
    found = [] if answer.about and answer.about in told_already else [answer]
    later = steps[last + 1 :]
    found += [_not_made(step) for step in later if not _silent(step)]
    told = {one.about for one in found} | set(told_already)
    found += _noted(steps, told)
    back = next((step for step in reversed(later) if step.reasons and _silent(step)), None)
    if back is not None:
        echo = next((step for step in reversed(later) for one in step.reasons if one.code == "echo"), back)
        found.append(_about("came-back", echo.at, echo.reasons[0]))
    return found


def _last(steps: Sequence[Step]) -> int | None:
    """The place of the last decision that is more than a state shown over there or our own write coming back."""
    telling = [place for place, step in enumerate(steps) if not _silent(step)]
    decisions = [place for place in telling if steps[place].what in EVENTS]
    return next((places[-1] for places in (decisions, telling, range(len(steps))) if places), None)


def _silent(step: Step) -> bool:
    codes = {change.because.code for change in step.changes} | {reason.code for reason in step.reasons}
    if step.what not in EVENTS and (not codes or (step.what == "set_fields" and codes <= SILENT)):
        return step.outcome in DONE or bool(codes)
    return not step.changes and bool(codes) and codes <= SETTLED


def _not_made(step: Step) -> Finding:
    reason = next(iter(step.reasons), None)
    if reason is None:
        return Finding(code="not-made", at=step.at, about=step.outcome, change=step.what)
    return msgspec.structs.replace(_about("not-made", step.at, reason), change=step.what)


def _noted(steps: Sequence[Step], told: Set[str]) -> list[Finding]:
    """Reasons for which a part was left out, each once, the newest first."""
    found: dict[tuple[str, str], Finding] = {}
    for step in reversed(steps):
        for reason in step.reasons:
            if reason.code.startswith(NOTED) and reason.code not in told:
                found.setdefault((reason.code, reason.text), _about("noted", step.at, reason))
    return list(found.values())[:MOST_NOTED]


def _about(code: str, at: str, reason: Reason) -> Finding:
    return Finding(code=code, at=at, about=reason.code, detail=reason.text, reason=reason)


def _of_the_last(step: Step) -> Finding:
    reason = next(iter(step.reasons), None)
    only_shown = all(change.because.code == "mirror" for change in step.changes)
    if step.changes and not (only_shown and reason is not None):
        why = step.changes[0].because
        return Finding(code="done-last", at=step.at, reason=why, about=why.code, detail=why.text)
    return Finding(
        code="nothing-to-do" if reason is None else "skipped-last",
        at=step.at,
        about="" if reason is None else reason.code,
        detail="" if reason is None else reason.text,
        reason=reason,
    )


def _silent_systems(tx: Tx, connection: Connection) -> list[str]:
    """Systems of which nothing that we write comes back as an event."""
    silent = {row["subject"] for row in repairs.still_open(tx) if row["code"] == NOT_HEARD}
    return [name for name, account in connection.accounts.items() if account in silent]


def _with_fields(tx: Tx, hub: Hub, connection: Connection, one: Finding) -> Finding:
    """Of somebody never heard of: the fields of whose changes nobody tells us, and nobody is asked."""
    plan = hub.book(connection).plan
    system = plan.wish_system
    account = connection.accounts.get(system or "")
    if one.code != "never-heard" or system is None or account is None:
        return one
    ways = arrivals(hub.systems[system], plan.reads(system), heard_of(tx, account))
    unheard = [arrival.field for arrival in ways if arrival.way == "none"]
    return msgspec.structs.replace(one, system=system, detail=", ".join(unheard))


def _system(account: str) -> str:
    return account.partition(":")[0]

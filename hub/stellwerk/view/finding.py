"""Why something happened to a contact, or the first thing in the way: what a person is told before all the details."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.view.activity import Activity, Reason, Step, activity
from stellwerk.view.moment import moment
from stellwerk.view.overview import Side, on_hold_since, sides

RUNS = "runs"
STOPPED = "stopped"
SILENT = frozenset({"mirror", "changed"})
"""Reasons of everyday writes."""


class Finding(Struct, frozen=True, kw_only=True):
    """`code` is stable; `about` is the code of the reason or of the remote, `detail` its own words with the value seen."""

    code: str
    system: str | None = None
    about: str = ""
    detail: str = ""
    at: str | None = None
    reason: Reason | None = None


class Explained(Struct, frozen=True, kw_only=True):
    """A contact of one connection: what stands in the way or was done last, and everything behind it."""

    findings: list[Finding]
    activity: Activity


async def explained(hub: Hub, connection: Connection, who: str) -> Explained:
    """What this connection knows of the contact named by its address or its id at a system; nothing of any other."""
    now = hub.now()

    def look(tx: Tx) -> Explained:
        known = activity(tx, hub.vault, who.strip(), connection)
        both = sides(tx, hub, connection, now)
        return Explained(findings=findings(connection, both, known, held_since=on_hold_since(tx)), activity=known)

    return await hub.store.read(look)


def findings(
    connection: Connection, both: Sequence[Side], known: Activity, *, held_since: str | None = None
) -> list[Finding]:
    """What stands in the way first, then what was decided last; never empty. `held_since`: of the hub's hold."""
    found = [*_of_the_connection(connection, both)]
    if held_since is not None:
        found.append(Finding(code="on-hold", at=held_since))
    found += _of_what_waits(known)
    found += [
        Finding(code="suppressed", system=_system(one.account), at=one.suppressed_since)
        for one in known.consent
        if one.suppressed_since is not None
    ]
    last = _last(known.steps)
    if last is not None:
        found.append(_of_the_last(last))
    if not known:
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


def _last(steps: Sequence[Step]) -> Step | None:
    """The last step that is more than a state shown over there."""
    return next((step for step in reversed(steps) if not _silent(step)), steps[-1] if steps else None)


def _silent(step: Step) -> bool:
    codes = {change.because.code for change in step.changes} | {reason.code for reason in step.reasons}
    return bool(codes) and codes <= SILENT and step.what == "set_fields"


def _of_the_last(step: Step) -> Finding:
    reason = next(iter(step.reasons), None)
    if step.changes:
        return Finding(code="done-last", at=step.at, reason=step.changes[0].because, about=step.changes[0].because.code)
    return Finding(
        code="nothing-to-do" if reason is None else "skipped-last",
        at=step.at,
        about="" if reason is None else reason.code,
        detail="" if reason is None else reason.text,
        reason=reason,
    )


def _system(account: str) -> str:
    return account.partition(":")[0]

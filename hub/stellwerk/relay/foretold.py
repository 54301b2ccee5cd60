"""How a preview tells what would become of something: `{connection, outcome, changes, reasons}`, with no value of a field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stellwerk.relay.decide import Decided
from stellwerk.relay.hub import Hub
from stellwerk.relay.job import Job, tag
from stellwerk.relay.putting import tag_of
from stellwerk.relay.trace import outcome_of
from stellwerk_rules.model import Because, Change, Held, Planned
from stellwerk_rules.prepare import Ready, prepare


def prepared(hub: Hub, job: Job) -> dict[str, Any]:
    """Of a change that goes out again: what the laws let through now."""
    case = job.case
    released = job.row.released is not None
    ready = prepare(case.book.plan, job.planned, job.target, case.known, case.settings, hub.time(), released=released)
    if isinstance(ready, Ready):
        changes = [_change(tag(one), job.planned.system, one, job.planned.because) for one in ready.changes]
        return _as_told(case.connection.id, "goes out again", changes, ready.notices)
    outcome = "held" if isinstance(ready, Held) else "skipped"
    return _as_told(case.connection.id, outcome, [], [ready.because])


def decided(one: Decided) -> dict[str, Any]:
    """Of what is decided again."""
    decision, connection = one.decision, one.case.connection
    outcome = "held" if decision.held and not decision.changes else outcome_of(decision, connection.state)
    changes = [_planned(planned) for planned in decision.changes]
    changes += [_planned(planned, held=why.because) for planned, why in decision.held]
    reasons = [*(skip.because for skip in decision.skips), *decision.notices]
    return _as_told(connection.id, outcome, changes, reasons)


def _planned(planned: Planned, held: Because | None = None) -> dict[str, Any]:
    change = _change(tag_of(planned), planned.system, planned.change, planned.because)
    return change if held is None else {**change, "held": _reason(held)}


def _change(name: str, system: str, change: Change, because: Because) -> dict[str, Any]:
    """Names of fields, never their values."""
    fields = sorted(getattr(change, "fields", {}))
    return {"change": name, "system": system, "fields": fields, "because": _reason(because)}


def _reason(one: Because) -> dict[str, Any]:
    return {"code": one.code, "text": one.text, "rule": one.rule, "line": one.line}


def unknown(code: str, text: str) -> dict[str, Any]:
    """Of what cannot be looked at now."""
    return _as_told(None, "cannot be told", [], [Because(code=code, text=text)])


def _as_told(
    connection: str | None, outcome: str, changes: Sequence[dict[str, Any]], reasons: Sequence[Because]
) -> dict[str, Any]:
    told = [_reason(one) for one in reasons]
    return {"connection": connection, "outcome": outcome, "changes": list(changes), "reasons": told}

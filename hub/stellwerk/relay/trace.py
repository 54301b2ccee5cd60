"""What `explain` tells of a decision or a delivery: kept sealed, in the transaction that carries it out."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stellwerk.relay.case import Case
from stellwerk.relay.hub import Hub
from stellwerk.store import traces
from stellwerk.store.store import Tx
from stellwerk_rules.model import Because, Decision, Planned


class Trace(Struct, frozen=True, kw_only=True):
    """What `explain` shows of one step. `answer` is what a remote said, redacted."""

    what: str
    changes: tuple[Planned, ...] = ()
    reasons: tuple[Because, ...] = ()
    outcome: str = ""
    answer: str | None = None


def keep(
    tx: Tx,
    hub: Hub,
    case: Case,
    decision: Decision,
    *,
    event: str,
    what: str,
    outcome: str,
    answer: str | None,
    now: float,
) -> None:
    """What `explain` tells of a decision, sealed."""
    made = Trace(
        what=what,
        changes=decision.changes,
        reasons=(
            *(planned.because for planned in decision.changes),
            *(skip.because for skip in decision.skips),
            *decision.notices,
            *(why.because for _, why in decision.held),
        ),
        outcome=outcome or outcome_of(decision, case.connection.state),
        answer=answer,
    )
    account = case.mail_account or next(iter(case.connection.accounts.values()))
    traces.add(
        tx,
        connection=case.connection.id,
        contact=case.state.id or None,
        address=case.address,
        event=event,
        kind=made.outcome,
        body=hub.vault.seal(account, msgspec.json.encode(made)),
        now=now,
    )


def outcome_of(decision: Decision, state: str) -> str:
    """What explain calls it: of a connection that does not run, what it would have done."""
    if not (decision.changes or decision.held):
        return "skipped"
    return {"watches": "watched", "rests": "rested"}.get(state, "decided")

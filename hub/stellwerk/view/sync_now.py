"""What came of having a contact read again: by system, as far as that is decided."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stellwerk.relay.sync_now import ASK_AGAIN, LINK_AGAIN, REQUESTED, SYNC_NOW, UNLINK
from stellwerk.store import inbox
from stellwerk.store.store import Tx
from stellwerk.view.activity import Reason, Step

ASKED_FOR = frozenset({SYNC_NOW, ASK_AGAIN, LINK_AGAIN})
PRESSED = ASKED_FOR | {UNLINK}
"""What a person did: no decision of the rules."""

UNDONE = frozenset({"waiting", "dead"})
NOBODY_THERE = "reads-absent"


class ReadAgain(Struct, frozen=True, kw_only=True):
    """One reading. `state` of its event: waiting, decided (something was changed), skipped, dead or erased.

    `changes` were decided on, `reasons` say why else nothing was; `code` is why it waits or was given up, or that nobody is
    there (`reads-absent`): other codes of an event that is over may be another connection's.
    """

    system: str
    event: str
    state: str
    code: str
    changes: list[str]
    reasons: list[Reason]


class SyncNow(Struct, frozen=True, kw_only=True):
    """The last time that somebody had the contact read again, be it to ask it once more."""

    at: str
    readings: list[ReadAgain]


def last_sync_now(tx: Tx, steps: Sequence[Step]) -> SyncNow | None:
    """Of a contact's `steps`, oldest first; None where nobody asked for it."""
    asked = [step for step in steps if step.what in ASKED_FOR and step.outcome == REQUESTED]
    if not asked:
        return None
    last = [step for step in asked if step.at == asked[-1].at]
    found = (_reading(tx, step, steps) for step in last)
    return SyncNow(at=asked[-1].at, readings=[one for one in found if one is not None])


def _reading(tx: Tx, asked: Step, steps: Sequence[Step]) -> ReadAgain | None:
    row = inbox.by_number(tx, int(asked.event))
    if row is None:
        return None
    # Events that were read together are decided on under the number of the first.
    numbers = {asked.event, str(row["together"])}
    came = [step for step in steps if step.event in numbers and step.what not in PRESSED and step.at >= asked.at]
    reasons = [reason for step in came if not step.changes for reason in step.reasons]
    return ReadAgain(
        system=row["account"].partition(":")[0],
        event=asked.event,
        state=row["state"],
        code=row["code"] if row["state"] in UNDONE or row["code"] == NOBODY_THERE else "",
        changes=[change.change for step in came for change in step.changes],
        reasons=list(dict.fromkeys(reasons)),
    )

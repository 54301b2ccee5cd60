"""What a contact would come to if it were created now and nobody knew it: for whoever chooses settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    Because,
    Contact,
    Enter,
    Event,
    EventKind,
    FactKind,
    Known,
    Permission,
    Remembered,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import SettingValue

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = frozenset({FactKind.OPTED_OUT, FactKind.OPT_OUT_DENIED})


class Fate(StrEnum):
    """Mailed: asked for a confirmation. Granted: a permission without being asked. Created: brought in with none."""

    MAILED = "mailed"
    GRANTED = "granted"
    CREATED = "created"
    LEFT_OUT = "left-out"


class Foreseen(Struct, frozen=True, kw_only=True):
    """`permission` is what is granted, none otherwise; `because` says why."""

    fate: Fate
    because: Because
    permission: Permission = Permission.NONE


def foresee(
    plan: Plan, contact: Contact, known: Known, settings: Mapping[str, SettingValue], at: datetime
) -> Foreseen | None:
    """None where no rule brings in contacts of the system that wishes are made at. Of what is known only opt-outs count."""
    if plan.wish_system is None:
        return None
    event = Event(
        id="foresight",
        kind=EventKind.CREATED,
        system=plan.wish_system,
        contact=replace(contact, created_at=contact.created_at or at),
        at=at,
        # However old the yes is: it would be told at once.
        released=True,
    )
    new = replace(
        known,
        began_at=ALWAYS,
        remembered=Remembered(),
        facts=tuple(fact for fact in known.facts if fact.kind in _KEPT),
    )
    decision = evaluate(plan, event, new, settings)
    for planned in decision.changes:
        if isinstance(planned.change, Enter):
            return _entered(planned.change, planned.because)
    return next((Foreseen(fate=Fate.LEFT_OUT, because=one.because) for one in decision.skips), None)


def _entered(change: Enter, because: Because) -> Foreseen:
    if change.ask is not None:
        return Foreseen(fate=Fate.MAILED, because=because)
    if change.grant is not Permission.NONE:
        return Foreseen(fate=Fate.GRANTED, because=because, permission=change.grant)
    return Foreseen(fate=Fate.CREATED, because=because)

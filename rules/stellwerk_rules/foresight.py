"""What a contact would come to if it were created now and nobody knew it: for whoever chooses settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    Contact,
    Event,
    EventKind,
    FactKind,
    Known,
    Remembered,
)
from stellwerk_rules.outlook import Outlook, What, outlook
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import SettingValue

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = frozenset({FactKind.OPTED_OUT, FactKind.OPT_OUT_DENIED})


def foresee(
    plan: Plan, contact: Contact, known: Known, settings: Mapping[str, SettingValue], at: datetime
) -> Outlook | None:
    """Brought in and how, or left out and why. None where no rule brings in contacts of the system that wishes are made at.

    Of what is known only opt-outs count.
    """
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
    over_there = tuple(one for one in decision.changes if one.system != plan.wish_system)
    seen = outlook(plan, replace(decision, changes=over_there), new)
    return None if seen.what is What.CHANGED else seen

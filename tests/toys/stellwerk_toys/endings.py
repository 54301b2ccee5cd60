"""Changes that have ended, and what follows from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.ending import Ending
from stellwerk_rules.model import (
    AskTerms,
    Because,
    Change,
    Contact,
    Decision,
    Enter,
    FieldValue,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    Skip,
)

WHY = Because(code="x", text="x", rule="subscribe", line=70)


def named(text: str | None, **more: Any) -> FieldValue:
    return FieldValue(value=text, **{"source_digest": f"crm:{text}", **more})


def coming_in(world: Any) -> Enter:
    """Of a contact that is known at the CRM, on its way into the mail system with two values."""
    world.remembered = Remembered(
        ids={"crm": "c1"},
        entered=True,
        going={"mail": {"FIRSTNAME": Seen(digest=world.known().digest("Ada"))}},
    )
    return Enter(
        email="ada@example.com",
        peer_id="c1",
        wish="w1",
        wished_at=world.now - timedelta(hours=1),
        explicit=True,
        ask=AskTerms(plus=True),
        grant=Permission.NONE,
        fields={"FIRSTNAME": named("Ada"), "CITY": named("Ulm")},
    )


def absent(world: Any, **more: Any) -> Contact:
    return Contact(presence=Presence.ABSENT, read_at=world.now, **more)


def ended(
    world: Any,
    change: Change,
    target: Contact,
    outcome: str = "done",
    *,
    of: Change | None = None,
    system: str = "mail",
    remote_id: str | None = None,
    remote_at: datetime | None = None,
) -> Decision:
    planned = Planned(system=system, change=of or change, key="k1", because=WHY)
    ending = Ending(
        planned=planned, change=change, outcome=outcome, target=target, remote_id=remote_id, remote_at=remote_at
    )
    return after(world.plan, ending, world.known(), world.now)


def put_aside(world: Any, change: Change, code: str, target: Contact, system: str = "mail") -> Decision:
    """Before it was made: what `prepare` was told says it is not needed, or not lawful."""
    planned = Planned(system=system, change=change, key="k1", because=WHY)
    why = Skip(because=Because(code=code, text=code))
    return dropped(world.plan, planned, why, target, world.known(), world.now)


def seen(world: Any, decision: Decision, system: str) -> dict[str, str]:
    """The digests that are remembered of the contact there, by field."""
    return {name: one.digest for name, one in decision.remembered.seen.get(system, {}).items()}

"""What tests of the rules read in a decision, and the facts that their ledgers begin with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stellwerk_rules.model import Change, Decision, Enter, Fact, FactKind, OptOutProof, SetFields

DAY = timedelta(days=1)


def fact(world: Any, kind: str, key: str = "k", age: timedelta = DAY, told_by: str = "mail", **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=world.now - age, event="e", told_by=told_by, **more)


def old(world: Any, **fields: Any) -> Any:
    """A contact that was there before the connection began."""
    return world.crm(created_at=world.now - 30 * DAY, **fields)


def left(world: Any, key: str = "out1") -> OptOutProof:
    """That somebody left, told by the mail system now."""
    return OptOutProof(key=key, at=world.now, final=True)


def codes(decision: Decision) -> list[str]:
    """Of what was left out."""
    return [skip.because.code for skip in decision.skips]


def kinds(decision: Decision) -> list[str]:
    """Of the changes, in their order."""
    return [type(one.change).__name__ for one in decision.changes]


def one(decision: Decision, kind: type[Change]) -> Any:
    """The only change of this kind."""
    (found,) = [planned.change for planned in decision.changes if isinstance(planned.change, kind)]
    return found


def mirrored(decision: Decision) -> dict[str, Any]:
    """The values that show the state at the other side."""
    return {
        name: value.value
        for planned in decision.changes
        if isinstance(planned.change, SetFields) and planned.change.mirror
        for name, value in planned.change.fields.items()
    }


def entered(decision: Decision) -> Enter | None:
    found = [one.change for one in decision.changes if isinstance(one.change, Enter)]
    assert len(found) <= 1
    return found[0] if found else None


def brought_in(decision: Decision) -> Enter:
    found = entered(decision)
    assert found is not None, codes(decision)
    return found

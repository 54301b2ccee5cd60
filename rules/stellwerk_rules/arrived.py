"""What is remembered of a contact once a change ended: its id there, and the values that now stand at both sides."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.ending import Ending
from stellwerk_rules.learned import answer_field
from stellwerk_rules.model import (
    Ask,
    Change,
    Contact,
    Create,
    DeleteContact,
    Enter,
    FieldValue,
    Known,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    SetPeer,
    Unsubscribe,
    Value,
)
from stellwerk_rules.moving import has_moved_on
from stellwerk_rules.plan import Plan


def arrived(plan: Plan, ending: Ending, known: Known) -> Remembered:
    """What is remembered after a change ended. Whatever was planned is no longer on its way.

    Of the fields that the target did not take, nothing is known to have been carried.
    """
    planned, change, target = ending.planned, ending.change, ending.target
    remembered, system = known.remembered, planned.system
    values = _planned_values(planned.change)
    on_the_way = {name: remember.digest_of(known.digest, one.value) for name, one in values.items()}
    remembered = remember.without_going(remembered, system, on_the_way)
    if not ending.well or is_of_another(plan, planned.change, known):
        return remembered
    if isinstance(change, DeleteContact) and ending.done:
        return replace(remember.unlinked(remembered, system), entered=False, by_wish=True)
    named = isinstance(planned.change, SetFields | SetPeer)
    unread = named and system == plan.mail_system and system not in remembered.ids
    if unread or (isinstance(planned.change, Enter) and not is_looked_for(plan, ending)):
        remembered = _linked(remembered, system, ending.remote_id, target)
    written = _written(change) if ending.done else {}
    written = {name: one for name, one in written.items() if name not in ending.left_out}
    values = {name: one for name, one in values.items() if name not in ending.left_out}
    stands = target.presence is Presence.PRESENT or (ending.done and isinstance(change, Ask | Create))
    here, there = _settled(plan, planned, values, written, target, known, stands=stands)
    for source in plan.others(system):
        remembered = remember.with_seen(remembered, source, here.get(source, {}))
    remembered = remember.with_seen(remembered, system, there)
    answer = answer_field(plan, system)
    if answer is None or answer not in written:
        return remembered
    said = Seen(digest=remember.digest_of(known.digest, written[answer]), at=ending.remote_at)
    return remember.with_answers(remembered, {answer: said})


def is_looked_for(plan: Plan, ending: Ending) -> bool:
    """Whether somebody else made the contact that was to be made where contacts wish: whose address it is, a look tells."""
    made = isinstance(ending.planned.change, Enter) and isinstance(ending.change, Create)
    return made and ending.outcome == "not_needed" and ending.system == plan.wish_system


def is_of_another(plan: Plan, change: Change, known: Known) -> bool:
    """Whether the change was of an address that is not the contact's own any more."""
    if isinstance(change, Enter):
        return has_moved_on(plan, change, known)
    return isinstance(change, SetPeer | Unsubscribe | DeleteContact) and change.of is not None


def _linked(remembered: Remembered, system: str, remote_id: str | None, target: Contact) -> Remembered:
    if target.presence is Presence.TWICE:
        return remembered
    return remember.with_id(remembered, system, remote_id or target.id)


def _planned_values(change: Change) -> Mapping[str, FieldValue]:
    return change.fields if isinstance(change, Enter | SetFields) else {}


def _written(change: Change) -> Mapping[str, Value]:
    """Values that the change wrote, by field."""
    if isinstance(change, SetFields):
        return {name: one.value for name, one in change.fields.items()}
    return change.fields if isinstance(change, Ask | Create) else {}


def _settled(
    plan: Plan,
    planned: Planned,
    values: Mapping[str, FieldValue],
    written: Mapping[str, Value],
    target: Contact,
    known: Known,
    *,
    stands: bool,
) -> tuple[dict[str, dict[str, Seen]], dict[str, Seen]]:
    """By source and field, and by field of the target, what both sides are known to have agreed on.

    A planned value that was not written was equal, or lost against what stands there: its source is dealt with. At the
    target it counts only where it is equal or was met for the first time, so that a younger one there still travels.
    """
    here: dict[str, dict[str, Seen]] = {}
    there: dict[str, Seen] = {}
    reads = target.presence is Presence.PRESENT
    for name, one in values.items():
        present = target.fields.get(name) or None
        if name in written:
            there[name] = Seen(digest=remember.digest_of(known.digest, written[name]), at=one.at)
        elif not reads or (present is None and isinstance(planned.change, Enter)):
            continue  # a blank that is still to be filled
        elif present == one.value or isinstance(planned.change, Enter) or one.basis is None:
            there[name] = Seen(digest=remember.digest_of(known.digest, present), at=one.at)
        _deal(plan, planned.system, name, one, here)
    if isinstance(planned.change, Enter) and stands:
        blank = {name for name in _both_ways(plan, planned.system) if not target.fields.get(name)}
        there.update((name, Seen(digest=remember.digest_of(known.digest, None))) for name in blank - there.keys())
    return here, there


def _both_ways(plan: Plan, system: str) -> set[str]:
    """Every field there that some row carries, this way or back."""
    here = {way.source for source in plan.others(system) for way in plan.ways.get((system, source), ())}
    return here | {way.target for source in plan.others(system) for way in plan.ways.get((source, system), ())}


def _deal(plan: Plan, system: str, name: str, value: FieldValue, here: dict[str, dict[str, Seen]]) -> None:
    if value.source_digest is None:
        return
    for source in plan.others(system):
        for way in plan.ways.get((source, system), ()):
            if way.target == name:
                here.setdefault(source, {})[way.source] = Seen(digest=value.source_digest, at=value.at)

"""A comparison: nothing happened, both sides are looked at, and what differs is drift.

A contact is decided on as for an event that says "look again", with two differences. What stands over there in place of what
was written counts as read. And a comparison asks nobody, grants nothing and moves no address: that is left to an event of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.mirror import time_text
from stellwerk_rules.model import (
    AddEntry,
    Because,
    Change,
    Contact,
    Decision,
    DeleteContact,
    Enter,
    Event,
    FactKind,
    Known,
    MoveAddress,
    MoveStage,
    OptOut,
    Permission,
    Presence,
    Remembered,
    Seen,
    SetFields,
    Skip,
    Unsubscribe,
    Value,
)
from stellwerk_rules.plan import Plan
from stellwerk_rules.unlinked import standing


class DriftKind(StrEnum):
    """How two sides differ, the gravest first."""

    OPT_OUT = "opt_out"
    CONFIRMATION = "confirmation"
    STATE = "state"
    FIELD = "field"
    LINK = "link"
    GONE = "gone"
    ADDRESS = "address"
    ENTRY = "entry"


BY_EVENT: Mapping[str, DriftKind] = {"left-to-its-event": DriftKind.ENTRY, "address-left": DriftKind.ADDRESS}
"""By the code of its reason: what a comparison finds and leaves to an event of the contact's own."""


class Stands(Struct, frozen=True, kw_only=True):
    """What is `known` once what stands at the event's system is taken for what was written there, and where to look next.

    `kinds` is how it differed.
    """

    known: Known
    look_again: tuple[str, ...] = ()
    kinds: frozenset[DriftKind] = frozenset()


def stands(plan: Plan, event: Event, known: Known) -> Stands:
    """Values that only we write, at the event's system: a state shown, and fields that the other side owns."""
    contact, remembered = event.contact, known.remembered
    if contact.presence is not Presence.PRESENT or remembered.within is not None:
        return Stands(known=known)
    shown = {
        name: of
        for name, of, as_shown in _shown(plan, event.system)
        if _is_other(known, event.system, name, contact, as_shown)
    }
    owned = [
        (name, other, source)
        for name, other, source in _owned(plan, event.system, remembered)
        if _is_other(known, event.system, name, contact) and _has_value(known, other, source)
    ]
    names = {*shown, *(name for name, _, _ in owned)}
    if not names:
        return Stands(known=known)
    read = {name: Seen(digest=remember.digest_of(known.digest, contact.fields.get(name))) for name in names}
    after = remember.with_seen(remembered, event.system, read)
    for _, other, source in owned:
        after = remember.unseen(after, other, source)
    again = {*shown.values(), *(other for _, other, _ in owned)}
    kinds = {DriftKind.STATE for _ in shown} | {DriftKind.FIELD for _ in owned}
    return Stands(
        known=replace(known, remembered=after),
        look_again=tuple(one for one in plan.systems if one in again and one in remembered.ids),
        kinds=frozenset(kinds),
    )


def left_to_its_event(decision: Decision) -> Because | None:
    """Why `decision` is not a comparison's to make; None where it may be made."""
    for change in (*(one.change for one in decision.changes), *(one.change for one, _ in decision.held)):
        if isinstance(change, Enter) and (change.ask is not None or change.grant is not Permission.NONE):
            text = "it would be asked or granted something, which only an event of its own or a sync does"
            return Because(code="left-to-its-event", text=text)
        if isinstance(change, MoveAddress):
            return address_left()
    return None


def address_left() -> Because:
    text = "its address changed, and what a new address may get only an event of its own decides"
    return Because(code="address-left", text=text)


def left_alone(known: Known, why: Because) -> Decision:
    """Nothing is done and nothing counts as handled."""
    return Decision(skips=(Skip(because=why),), remembered=known.remembered)


def drift(plan: Plan, event: Event, known: Known, decision: Decision) -> frozenset[DriftKind]:
    """How the sides differ, by the `decision` that was made on a comparison's event; nothing where they agree.

    An unlinked contact differs as it is meant to, but for what still goes on.
    """
    apart = standing(known) is not None
    left = set() if apart else {BY_EVENT[skip.because.code] for skip in decision.skips if skip.because.code in BY_EVENT}
    if left:
        return frozenset(left)
    facts = {_OF_FACT[fact.kind] for fact in (*decision.facts, *decision.former_facts) if fact.kind in _OF_FACT}
    if facts:
        return frozenset(facts)  # what else is decided follows from these
    kinds = set() if apart else set(stands(plan, event, known).kinds)
    changes = (*(one.change for one in decision.changes), *(one.change for one, _ in decision.held))
    kinds |= {kind for change in changes if (kind := _of(change)) is not None}
    return frozenset(kinds)


_OF_FACT = {FactKind.OPTED_OUT: DriftKind.OPT_OUT, FactKind.CONFIRMED: DriftKind.CONFIRMATION}


def _of(change: Change) -> DriftKind | None:
    match change:
        case SetFields():
            return DriftKind.STATE if change.mirror else DriftKind.FIELD
        case Unsubscribe() | OptOut():
            return DriftKind.OPT_OUT
        case DeleteContact():
            return DriftKind.GONE
        case MoveStage() | AddEntry():
            return None  # what follows from a fact
        case _:
            return DriftKind.LINK


def _as_it_is(value: Value) -> Value:
    return value


def _time_shown(value: Value) -> Value:
    """A time as a mirror writes it: a system may give the same one back in another spelling, with milliseconds say."""
    try:
        return value and time_text(datetime.fromisoformat(value))
    except ValueError:
        return value


def _shown(plan: Plan, system: str) -> Iterator[tuple[str, str, Callable[[Value], Value]]]:
    """Fields at `system` that show a state, each with the system whose state it is, and how what reads there is written."""
    for mirror in plan.mirrors:
        if mirror.on_ == system:
            for name in (mirror.status, mirror.permission):
                if name is not None:
                    yield name, mirror.of, _as_it_is
            if mirror.unsubscribed_at is not None:
                yield mirror.unsubscribed_at, mirror.of, _time_shown


def _owned(plan: Plan, system: str, remembered: Remembered) -> Iterator[tuple[str, str, str]]:
    """Fields at `system` that another one owns, each with that system and its field there."""
    for other in plan.others(system):
        for way in plan.ways.get((other, system), ()):
            if way.owned and other in remembered.ids:
                yield way.target, other, way.source


def _is_other(
    known: Known, system: str, name: str, contact: Contact, written: Callable[[Value], Value] = _as_it_is
) -> bool:
    """Whether the field reads other than it was last written; what is on its way there is not compared."""
    last = remember.seen(known.remembered, system, name)
    if last is None or name not in contact.fields or remember.going(known.remembered, system, name) is not None:
        return False
    return last.digest != remember.digest_of(known.digest, written(contact.fields[name]))


def _has_value(known: Known, system: str, name: str) -> bool:
    """Whether the field was last seen with a value there: what never was empties nothing."""
    last = remember.seen(known.remembered, system, name)
    return last is not None and last.digest != remember.digest_of(known.digest, None)

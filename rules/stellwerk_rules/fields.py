"""Field values on their way: which of them changed, and who wins where both sides did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from stellwerk_rules import remember
from stellwerk_rules.convert import Convert, compile_convert
from stellwerk_rules.model import Because, Contact, Digest, FieldValue, Known, Remembered, Seen, Value
from stellwerk_rules.spec import FieldRow
from stellwerk_rules.wishes import WISHING
from stellwerk_rules.zones import conflict_margin

CLOCK_MARGIN = timedelta(seconds=120)
"""Two clocks may differ by this much."""


class Way(Struct, frozen=True, kw_only=True):
    """One row of `fields:` in one direction: from the field `source` to the field `target`."""

    source: str
    target: str
    convert: Convert
    fill_only: bool
    owned: bool
    primary: bool


class Carried(Struct, frozen=True, kw_only=True):
    """What a contact's fields come to: `values` by target field, `dealt` source fields that need no write after all."""

    values: Mapping[str, FieldValue] = field(default_factory=dict)
    dealt: Mapping[str, Seen] = field(default_factory=dict)
    notices: tuple[Because, ...] = ()
    echo: bool = False


def compile_way(
    row: FieldRow, source: str, target: str, *, systems: tuple[str, ...], most: Mapping[str, Mapping[str, int]]
) -> Way | None:
    """`row` from `source` to `target`; None where it does not go that way. `most`: characters by system and field."""
    if source not in row.names or target not in row.names:
        return None
    if row.to not in (None, target) or row.owner not in (None, source):
        return None
    return Way(
        source=row.names[source],
        target=row.names[target],
        convert=compile_convert(row, forward=source == systems[0], most=most.get(target, {}).get(row.names[target])),
        fill_only=row.fill_only,
        owned=row.owner == source,
        primary=source == systems[0],
    )


def carry(
    ways: tuple[Way, ...], contact: Contact, remembered: Remembered, digest: Digest, source: str, target: str
) -> Carried:
    """The fields of `contact` that differ from what was last carried, converted for `target`.

    Our own write coming back differs from nothing. A value that never was empties nothing, nor does a field that could not
    be read: the system may not have it any more.
    """
    values: dict[str, FieldValue] = {}
    dealt: dict[str, Seen] = {}
    notices: list[Because] = []
    echo = False
    seen_here, seen_there = remembered.seen.get(source, {}), remembered.seen.get(target, {})
    going_here, going_there = remembered.going.get(source, {}), remembered.going.get(target, {})
    for way in ways:
        if way.source not in contact.fields:
            continue
        value = contact.fields[way.source] or None
        now = remember.digest_of(digest, value)
        before, under_way = seen_here.get(way.source), going_there.get(way.target)
        arriving = going_here.get(way.source)
        if arriving is not None and arriving.digest == now:
            echo = True
            continue
        if under_way is None and (value is None if before is None else before.digest == now):
            continue
        at = _written_at(contact, way.source)
        text, notice = _converted(way, value)
        if notice is not None:
            notices.append(notice)
        if value is not None and text is None:
            dealt[way.source] = Seen(digest=now, at=at)
            continue
        if under_way is not None and under_way.digest == remember.digest_of(digest, text):
            echo = True
            continue
        basis = under_way or seen_there.get(way.target)
        values[way.target] = FieldValue(
            value=text,
            at=at,
            basis=None if basis is None else basis.digest,
            source_digest=now,
            fill_only=way.fill_only,
            owned=way.owned,
            primary=way.primary,
            by_hand=_is_by_hand(contact, way.source),
        )
    return Carried(values=values, dealt=dealt, notices=tuple(notices), echo=echo)


def entering(ways: tuple[Way, ...], contact: Contact, digest: Digest) -> Carried:
    """All fields of `contact` that have a value, for a contact that comes in."""
    everything = carry(ways, contact, Remembered(), digest, "", "")
    return Carried(values=everything.values, notices=everything.notices)


def wins(name: str, new: FieldValue, target: Contact, known: Known, system: str) -> bool:
    """Whether `new` is to be written over what stands in the field `name` of `target` at `system` now."""
    present = target.fields.get(name) or None
    if present == (new.value or None):
        return False
    if new.owned:
        return True
    if new.fill_only or new.basis is None:
        return present is None
    now = remember.digest_of(known.digest, present)
    if now == new.basis:
        return True
    margin = conflict_margin(known.unzoned)
    carried = remember.seen(known.remembered, system, name)
    if carried is not None and carried.digest == now:
        return newer(new.at, carried.at, first_wins=new.primary, margin=margin)
    return newer(new.at, _written_at(target, name), first_wins=new.primary, margin=margin)


def newer(ours: datetime | None, theirs: datetime | None, *, first_wins: bool, margin: timedelta) -> bool:
    """Whether the value written at `ours` is the younger; `first_wins` decides within the margin or without times."""
    if ours is None or theirs is None or abs(ours - theirs) <= margin:
        return first_wins
    return ours > theirs


def blanks(values: Mapping[str, FieldValue], target: Contact) -> dict[str, FieldValue]:
    """Those of `values` whose field at `target` is empty."""
    return {name: one for name, one in values.items() if one.value and not target.fields.get(name)}


def texts(values: Mapping[str, FieldValue]) -> dict[str, Value]:
    """The bare values."""
    return {name: one.value for name, one in values.items()}


def _written_at(contact: Contact, name: str) -> datetime | None:
    """When the field was written by its system's clock: its own time, else the contact's last change, as far as known."""
    written = contact.history.get(name, ())
    return written[0].at if written else contact.changed_at.get(name, contact.updated_at)


def _is_by_hand(contact: Contact, name: str) -> bool:
    """Whether the field's history, where it was read, says that a form or a person set what stands there."""
    written = contact.history.get(name, ())
    return bool(written) and written[0].origin in WISHING and not written[0].ours


def _converted(way: Way, value: Value) -> tuple[Value, Because | None]:
    if value is None:
        return None, None
    result = way.convert(value)
    if result.code is None:
        return result.text, None
    what = "was cut" if result.text is not None else "was left out"
    text = f"the value of {way.source} {what} on the way to {way.target}: {result.code}"
    return result.text, Because(code=f"field-{result.code}", text=text)

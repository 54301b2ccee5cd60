"""The breaker: a field of one contact that keeps being written, though nobody sets it, is not written any more (law 7).

By the rules alone every change comes to rest. What an automation at a vendor changes again and again does not: two systems
that each correct the other would write for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from stellwerk_rules.fields import Way
from stellwerk_rules.model import Because, FieldValue, Held, Wrote

WINDOW = timedelta(minutes=10)
MOST = 5
KEEPS_CHANGING = "field-keeps-changing"
"""Code of the repair that shows what is held."""


class Sorted(Struct, frozen=True, kw_only=True):
    """Values by field: those that may be written, and those that the breaker stops."""

    going: Mapping[str, FieldValue]
    stopped: Mapping[str, FieldValue]


def is_one_too_many(written: Sequence[Wrote], value: FieldValue, at: datetime) -> bool:
    """Whether `value` is stopped: the field was written five times in ten minutes, never as a form or a person had set it.

    `written` are the writes of the field of this contact, oldest first. What a form or a person sets now is never stopped.
    """
    lately = [one for one in written if at - one.at < WINDOW][-MOST:]
    return len(lately) == MOST and not value.by_hand and not any(one.by_hand for one in lately)


def sorted_out(values: Mapping[str, FieldValue], written: Mapping[str, Sequence[Wrote]], at: datetime) -> Sorted:
    """`values` to be written at one system, by what was `written` there lately, by field."""
    stopped = {name: one for name, one in values.items() if is_one_too_many(written.get(name, ()), one, at)}
    return Sorted(going={name: one for name, one in values.items() if name not in stopped}, stopped=stopped)


def held(fields: Mapping[str, FieldValue], system: str) -> Held:
    """Why these wait for a person."""
    names = ", ".join(sorted(fields))
    text = f"{names} at {system}: written {MOST} times within ten minutes for one contact, and no form or person had set it"
    return Held(repair=KEEPS_CHANGING, because=Because(code=KEEPS_CHANGING, text=text))


def busy(ways: Sequence[Way], written: Mapping[str, Sequence[Wrote]]) -> frozenset[str]:
    """Fields of the source whose `ways` lead to what was `written` lately: who sets them is worth knowing."""
    return frozenset(way.source for way in ways if written.get(way.target))

"""Which field of a contact Maileon objects to (reference, section 6.4: codes 6 to 27), so that the rest goes on without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stellwerk.sdk import FieldSpec
from stellwerk_maileon.bulkreport import Fault
from stellwerk_maileon.wire import CUSTOM, kind_of

STANDARD: Mapping[int, str] = {
    6: "ADDRESS", 7: "CITY", 8: "FIRSTNAME", 9: "FULLNAME", 10: "HNR", 11: "LASTNAME", 12: "ORGANIZATION", 13: "REGION",
    14: "STATE", 15: "TITLE", 16: "ZIP", 17: "BIRTHDAY", 18: "NAMEDAY", 19: "GENDER", 20: "LOCALE",
}  # fmt: skip
_OF_KIND: Mapping[int, frozenset[str]] = {
    22: frozenset({"yes_no"}),
    23: frozenset({"number"}),
    24: frozenset({"number"}),
    25: frozenset({"integer"}),
    27: frozenset({"date", "time"}),
}
_OF_THE_CONTACT = range(1, 6)
UNDECLARED, TOO_LONG = 21, 26


def meant(fault: Fault, fields: Collection[str], specs: Mapping[str, FieldSpec]) -> tuple[str, ...]:
    """Those of `fields` that the fault can be about: one where Maileon names it or its code does, else all that fit the code.

    Empty where it is not about a field. How Maileon spells the name of a custom field there is not documented.
    """
    if (fault.code or 0) in _OF_THE_CONTACT:
        return ()
    named = (fault.field or "").strip().lower().removeprefix(CUSTOM)
    hit = tuple(name for name in fields if named and name.lower().removeprefix(CUSTOM) == named)
    if hit:
        return hit[:1]
    standard = STANDARD.get(fault.code or 0)
    if standard is not None:
        return (standard,) if standard in fields else ()
    custom = tuple(name for name in fields if name.startswith(CUSTOM))
    if fault.code in (UNDECLARED, TOO_LONG):
        return custom
    kinds = _OF_KIND.get(fault.code or 0, frozenset())
    return tuple(name for name in custom if kind_of(name, specs) in kinds)

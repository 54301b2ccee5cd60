"""Dates as people write them, and the one way the model has: YYYY-MM-DD."""

from __future__ import annotations

import re
from datetime import date

from stellwerk_rules.converted import Convert, Converted, left_out

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?", re.ASCII | re.DOTALL)
_DIGITS = {"DD": r"(?P<day>\d{1,2})", "MM": r"(?P<month>\d{1,2})", "YYYY": r"(?P<year>\d{4})"}
_PARTS = re.compile("(YYYY|DD|MM)")


def iso_date(text: str) -> Converted:
    """The day of an ISO date or time."""
    found = _ISO.fullmatch(text.strip())
    return left_out("not-a-date") if found is None else _date(*found.groups())


def is_complete(pattern: str) -> bool:
    """Whether a pattern names a day: `iso`, or each of DD, MM and YYYY once."""
    return pattern == "iso" or sorted(_PARTS.findall(pattern)) == ["DD", "MM", "YYYY"]


def reader(formats: tuple[str, ...]) -> Convert:
    """Text in the first of `formats` that fits, to an ISO date."""
    parsers = tuple(iso_date if one == "iso" else _patterned(one) for one in formats)

    def read(text: str) -> Converted:
        return next((found for found in (one(text) for one in parsers) if found.text), left_out("not-a-date"))

    return read


def writer(pattern: str) -> Convert:
    """An ISO date to text in `pattern`, which names a whole day."""

    def write(text: str) -> Converted:
        found = iso_date(text)
        if found.text is None or pattern == "iso":
            return found
        if not is_complete(pattern):
            return left_out("not-a-date")
        year, month, day = found.text.split("-")
        parts = {"YYYY": year, "MM": month, "DD": day}
        return Converted(text="".join(parts.get(one, one) for one in _PARTS.split(pattern)))

    return write


def _date(year: str, month: str, day: str) -> Converted:
    try:
        return Converted(text=date(int(year), int(month), int(day)).isoformat())
    except ValueError:
        return left_out("not-a-date")


def _patterned(pattern: str) -> Convert:
    if not is_complete(pattern):
        return lambda text: left_out("not-a-date")
    expression = re.compile("".join(_DIGITS.get(part, re.escape(part)) for part in _PARTS.split(pattern)), re.ASCII)

    def parse(text: str) -> Converted:
        found = expression.fullmatch(text.strip())
        return left_out("not-a-date") if found is None else _date(found["year"], found["month"], found["day"])

    return parse

"""Values changed on the way from one system to the other. Total: every input gives a value or a named reason.

Where a row goes both ways, a value that went there and came back goes there again as the same: so every change comes to rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stellwerk_rules import dates, numbers
from stellwerk_rules.choices import choices
from stellwerk_rules.converted import Convert, Converted, kept, left_out
from stellwerk_rules.converters import (
    CaseConverter,
    ChoicesConverter,
    Converter,
    CountryConverter,
    DateConverter,
    LocaleConverter,
    LookupConverter,
    NumberConverter,
    PhoneConverter,
    YesNoConverter,
)
from stellwerk_rules.countries import countries
from stellwerk_rules.phone import phone
from stellwerk_rules.spec import FieldRow

__all__ = ["Convert", "Converted", "compile_convert"]

_YES = frozenset({"yes", "true", "1", "on", "ja", "wahr"})
_NO = frozenset({"no", "false", "0", "off", "nein", "falsch"})
_LOCALE = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z]{4})?(?:[-_](?:([A-Za-z]{2})|\d{3}))?")


def compile_convert(row: FieldRow, *, forward: bool, most: int | None) -> Convert:
    """The row's change of a value, `forward` from the file's first system to its second.

    A text of more than `most` characters is cut where it is free text (code `cut`), else left out.
    """
    if isinstance(row.convert, ChoicesConverter):
        return _from_choices(row.convert, forward, most)
    if row.convert is None or (isinstance(row.convert, NumberConverter) and row.type == "integer"):
        change = _TYPES[row.type]
    else:
        change = _CONVERTERS[type(row.convert)](row.convert, forward)
    if most is None:
        return change
    free = row.type == "text" and (row.convert is None or isinstance(row.convert, CaseConverter))

    def fitting(text: str) -> Converted:
        changed = change(text)
        if changed.text is None or len(changed.text) <= most:
            return changed
        return Converted(text=changed.text[:most], code="cut") if free else left_out("too-long")

    return fitting


def _from_date(converter: DateConverter, forward: bool) -> Convert:
    return dates.reader(converter.formats) if forward else dates.writer(converter.formats[0])


def _from_lookup(converter: LookupConverter, forward: bool) -> Convert:
    return _look_up(converter.table, forward=forward, keep=converter.otherwise == "keep")


def _look_up(table: dict[str, str], *, forward: bool, keep: bool) -> Convert:
    back = {right: left for left, right in reversed(table.items())}
    told = table if forward else back

    def look_up(text: str) -> Converted:
        found = told.get(text)
        if found is not None:
            return Converted(text=found)
        # Kept on the way back, it would go there again as another value.
        if keep and (forward or text not in table):
            return kept(text)
        return left_out("not-in-table")

    return look_up


def _from_choices(converter: ChoicesConverter, forward: bool, most: int | None) -> Convert:
    one: Convert = kept
    if converter.table is not None:
        one = _look_up(converter.table, forward=forward, keep=converter.otherwise == "keep")
    split, join = converter.separators if forward else converter.separators[::-1]
    return choices(one, split=split, join=join, most=most)


def _from_locale(_: LocaleConverter, forward: bool) -> Convert:
    def to_locale(text: str) -> Converted:
        found = _LOCALE.fullmatch(text.strip())
        if found is None:
            return left_out("not-a-locale")
        language, country = found[1].lower(), found[2]
        if country is None:
            return Converted(text=language)
        return Converted(text=f"{language}_{country.upper()}" if forward else f"{language}-{country.lower()}")

    return to_locale


def _from_country(converter: CountryConverter, forward: bool) -> Convert:
    known = countries()
    names = known.names[converter.second if forward else converter.first]

    def to_country(text: str) -> Converted:
        code = known.code(text)
        return left_out("not-a-country") if code is None else Converted(text=names[code])

    return to_country


def _from_phone(converter: PhoneConverter, forward: bool) -> Convert:
    return phone(converter.country, converter.trunk)


def _from_case(converter: CaseConverter, forward: bool) -> Convert:
    if not forward:  # the former case cannot be known again
        return kept
    return lambda text: Converted(text=text.lower() if converter.to == "lower" else text.upper())


def _from_number(_: NumberConverter, forward: bool) -> Convert:
    return numbers.decimal


def _yes_no(text: str) -> str | None:
    word = text.strip().lower()
    return "yes" if word in _YES else "no" if word in _NO else None


def _from_yes_no(converter: YesNoConverter, forward: bool) -> Convert:
    words = {"yes": converter.yes, "no": converter.no_}
    meant = {converter.yes: "yes", converter.no_: "no"}

    def say(text: str) -> Converted:
        answer = _yes_no(text) if forward else meant.get(text) or _yes_no(text)
        if answer is None:
            return left_out("not-yes-or-no")
        return Converted(text=words[answer] if forward else answer)

    return say


def _answer(text: str) -> Converted:
    answer = _yes_no(text)
    return left_out("not-yes-or-no") if answer is None else Converted(text=answer)


_CONVERTERS: dict[type[Converter], Callable[..., Convert]] = {
    DateConverter: _from_date,
    LookupConverter: _from_lookup,
    LocaleConverter: _from_locale,
    CountryConverter: _from_country,
    PhoneConverter: _from_phone,
    CaseConverter: _from_case,
    NumberConverter: _from_number,
    YesNoConverter: _from_yes_no,
}
_TYPES: dict[str, Convert] = {
    "text": kept,
    "integer": numbers.whole,
    "number": numbers.decimal,
    "date": dates.iso_date,
    "yes_no": _answer,
}

"""Phone numbers in one spelling: `+` and digits (E.164), so that the same number is the same text at both systems.

No table of national plans: whether a number exists is for the phone company to say. `phonenumbers` (21 MB) may come as an
extra converter of its own.
"""

from __future__ import annotations

import re

from stellwerk_rules.converted import Convert, Converted, left_out

_BETWEEN = re.compile(r"[\s().\-/\u2010-\u2015\u00a0]+")
_TRUNK_IN_BRACKETS = re.compile(r"^(\s*(?:\+|00)\s*\d{1,3}\s*)\(\s*0\s*\)")
_INTERNATIONAL = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_DIGITS = re.compile(r"\d{4,15}", re.ASCII)


def phone(country: str | None, trunk: str) -> Convert:
    """Any usual spelling to `+` and digits.

    A number without a country's code gets `country`, less the `trunk` it begins with at home; without `country` it is left
    out. So is what has an extension: the one spelling has no room for it.
    """

    def convert(text: str) -> Converted:
        number = _BETWEEN.sub("", _TRUNK_IN_BRACKETS.sub(r"\1", text))
        if number.startswith("00"):
            number = "+" + number[2:]
        if not number.startswith("+"):
            if not _DIGITS.fullmatch(number):
                return left_out("not-a-phone-number")
            if country is None:
                return left_out("phone-without-country")
            number = f"+{country}{number.removeprefix(trunk)}"
        return Converted(text=number) if _INTERNATIONAL.fullmatch(number) else left_out("not-a-phone-number")

    return convert

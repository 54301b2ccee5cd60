"""Numbers as texts, in one spelling each: what a system stores as a number comes back as it was written."""

from __future__ import annotations

import re

from stellwerk_rules.converted import Converted, left_out

MOST_DIGITS = 15
"""Digits that a 64-bit float keeps; a longer number would come back as another one."""

_DECIMAL = re.compile(r"([+-]?)(\d+)(?:[.,](\d+))?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_WHOLE = re.compile(r"([+-]?)(\d+)(?:\.0+)?", re.ASCII)


def decimal(text: str) -> Converted:
    """A decimal number with a point and no zero too many. `1,500` may be one and a half or fifteen hundred: left out."""
    text = text.strip()
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return left_out("not-a-number")
    if _THOUSANDS.fullmatch(text):
        return left_out("ambiguous-number")
    sign, whole, part = found[1], found[2].lstrip("0") or "0", (found[3] or "").rstrip("0")
    if len((whole + part).lstrip("0")) > MOST_DIGITS:
        return left_out("number-too-long")
    return Converted(text=_signed(sign, f"{whole}.{part}" if part else whole))


def whole(text: str) -> Converted:
    """A whole number without zeros in front."""
    found = _WHOLE.fullmatch(text.strip())
    if found is None:
        return left_out("not-a-whole-number")
    digits = found[2].lstrip("0") or "0"
    return left_out("number-too-long") if len(digits) > MOST_DIGITS else Converted(text=_signed(found[1], digits))


def _signed(sign: str, digits: str) -> str:
    return f"-{digits}" if sign == "-" and digits != "0" else digits

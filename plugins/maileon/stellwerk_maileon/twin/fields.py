"""Contact fields: the standard ones, the types of custom ones, which values they take (sections 5.1, 5.2, 6.4)."""

from __future__ import annotations

import datetime
import math
import re

from .problem import Problem

STANDARD_CODES = {
    "SALUTATION": 26,
    "TITLE": 15,
    "FIRSTNAME": 8,
    "LASTNAME": 11,
    "FULLNAME": 9,
    "ORGANIZATION": 12,
    "ADDRESS": 6,
    "HNR": 10,
    "ZIP": 16,
    "CITY": 7,
    "STATE": 14,
    "REGION": 13,
    "COUNTRY": 26,
    "GENDER": 19,
    "LOCALE": 20,
    "BIRTHDAY": 17,
    "NAMEDAY": 18,
}
READ_ONLY = ("PERMISSION_STATUS", "SENDOUT_STATUS", "CUSTOM_SOURCE", "CHECKSUM")
RESERVED = (
    "id",
    "created",
    "updated",
    "external_id",
    "local_part",
    "permission_type",
    "permission_status",
    "sendout_status",
)
TYPES = ("string", "integer", "float", "date", "boolean")
BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}

MEANINGS = {
    1: "external id missing",
    2: "email missing",
    3: "email syntax",
    4: "external id already taken",
    5: "email already taken",
    17: "birthday must be yyyy-MM-dd or yyyy-MM-dd HH:mm:ss",
    18: "nameday must be yyyy-MM-dd or yyyy-MM-dd HH:mm:ss",
    19: "gender must be m, f or d",
    20: "locale must be xx or xx_XX",
    21: "custom field not declared",
    22: "boolean must be 0, 1, true or false",
    23: "float value",
    25: "integer must have 32 bits",
    26: "string must not exceed 255 characters",
    27: "date must be yyyy-MM-dd or yyyy-MM-dd HH:mm:ss",
}
ADDRESS = re.compile(r"[^@\s\x00-\x1f<>(),;:\"\[\]]+@[^@\s.]+(?:\.[^@\s.]+)+")
LOCALE = re.compile(r"[a-z]{2}(?:_[A-Z]{2})?")
INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
FLOAT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2})?", re.ASCII)


class Fault(Exception):
    """A value that its field does not take: the code of section 6.4 and the name of the field."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(code)
        self.code = code
        self.name = name

    def problem(self) -> Problem:
        """The same as a single call says it: 400 and a sentence."""
        return Problem(400, f"{self.name}: {MEANINGS.get(self.code, MEANINGS[26])}")


def is_address(text: str) -> bool:
    return len(text) <= 255 and ADDRESS.fullmatch(text) is not None


def is_date(text: str) -> bool:
    if DATE.fullmatch(text) is None:
        return False
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def standard_value(name: str, value: str) -> str:
    """The value as it is stored; `Fault` when the field does not take it."""
    match name:
        case "GENDER":
            good = value in ("m", "f", "d")
        case "LOCALE":
            good = LOCALE.fullmatch(value) is not None
        case "BIRTHDAY" | "NAMEDAY":
            good = is_date(value)
        case _:
            good = len(value) <= 255
    if not good:
        raise Fault(STANDARD_CODES[name], name)
    return value


def custom_value(name: str, kind: str, value: str) -> str:
    """The value as it is stored: booleans as words, dates without the time of day; `Fault` when the type refuses it."""
    match kind:
        case "boolean":
            if value not in BOOLEANS:
                raise Fault(22, name)
            return BOOLEANS[value]
        case "float":
            if FLOAT.fullmatch(value) is None or not math.isfinite(float(value)):
                raise Fault(23, name)
            return value
        case "integer":
            if INTEGER.fullmatch(value) is None or not -(2**31) <= int(value) < 2**31:
                raise Fault(25, name)
            return str(int(value))
        case "date":
            if not is_date(value):
                raise Fault(27, name)
            return value[:10]
        case _:
            if len(value) > 255:
                raise Fault(26, name)
            return value


def check_new_name(name: str, taken: dict[str, str]) -> None:
    """400 when a custom field must not be called so, or is already."""
    if not 3 <= len(name) <= 64:
        raise Problem(400, "the name of a custom field has 3 to 64 characters")
    if name.upper() in STANDARD_CODES or name.upper() in READ_ONLY or name.lower() in RESERVED:
        raise Problem(400, f"the name {name} is reserved")
    if name in taken:
        raise Problem(400, f"the custom field {name} exists already")

"""Checking and encoding of property values (section 6, encoding of values)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from .catalogue import Property
from .clock import iso, parse_iso_ms
from .errors import PropertyProblem
from .portal import Portal

__all__ = ["MAX_TEXT", "checked"]

MAX_TEXT = 65_536
DAY_MS = 86_400_000
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
ADDRESS = re.compile(r"[^@\s,;<>()\[\]\"]+@[^@\s,;<>()\[\]\".]+(\.[^@\s,;<>()\[\]\".]+)+")


class _Bad(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def checked(
    portal: Portal, raw: Mapping[str, str], current: Mapping[str, str]
) -> tuple[dict[str, str], list[PropertyProblem]]:
    """The values as they are stored (empty = clear), and every problem found.

    Unknown and read-only properties are problems, as is a value that its property does not take. `current` are the
    contact's values now: a leading `;` appends to them.
    """
    values: dict[str, str] = {}
    problems: list[PropertyProblem] = []
    for name, text in raw.items():
        definition = portal.properties.get(name)
        if definition is None or definition.archived_ms is not None:
            problems.append(PropertyProblem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
        elif definition.read_only or definition.calculated:
            problems.append(PropertyProblem(name, "READ_ONLY_VALUE", f'"{name}" is a read only property'))
        else:
            try:
                values[name] = _stored(definition, text, current.get(name, ""))
            except _Bad as problem:
                problems.append(PropertyProblem(name, problem.code, str(problem)))
    return values, problems


def _stored(definition: Property, text: str, current: str) -> str:
    if text == "":
        return ""
    if definition.name == "email":
        return _address(text)
    match definition.type:
        case "bool":
            return _option(text, ["true", "false"])
        case "enumeration" if definition.field_type == "checkbox":
            return _choices(definition, text, current)
        case "enumeration":
            return _option(text, [option.value for option in definition.options])
        case "date":
            return _date(text)
        case "datetime":
            return _datetime(text)
        case "number":
            return _number(text)
        case _:
            if len(text) > MAX_TEXT:
                raise _Bad("INVALID_LENGTH", f"{definition.name} is longer than {MAX_TEXT} characters")
            return text


def _address(text: str) -> str:
    trimmed = text.strip()
    if not ADDRESS.fullmatch(trimmed) or len(trimmed) > 254:
        raise _Bad("INVALID_EMAIL", f"Email address {text} is invalid")
    return trimmed.lower()


def _option(text: str, allowed: list[str]) -> str:
    if text not in allowed:
        raise _Bad("INVALID_OPTION", f"{text} was not one of the allowed options: [{', '.join(allowed)}]")
    return text


def _choices(definition: Property, text: str, current: str) -> str:
    allowed = [option.value for option in definition.options]
    wanted = [_option(part, allowed) for part in text.lstrip(";").split(";")]
    kept = [part for part in current.split(";") if part] if text.startswith(";") else []
    return ";".join(dict.fromkeys([*kept, *wanted]))


def _date(text: str) -> str:
    try:
        if len(text) == 10 and text[4] == text[7] == "-":
            return date.fromisoformat(text).isoformat()
        milliseconds = int(text)
        if milliseconds % DAY_MS:
            raise _Bad("INVALID_DATE", f"{text} was not a valid date: it is at a time other than midnight UTC")
        return iso(milliseconds)[:10]
    except (ValueError, OverflowError, OSError):
        raise _Bad("INVALID_DATE", f"{text} was not a valid date") from None


def _datetime(text: str) -> str:
    try:
        return iso(parse_iso_ms(text))
    except (ValueError, OverflowError, OSError):
        raise _Bad(
            "INVALID_DATE", f"{text} was not a valid datetime: ISO 8601 in UTC with Z, or milliseconds"
        ) from None


def _number(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise _Bad("INVALID_INTEGER", f"{text} was not a valid number")
    return text

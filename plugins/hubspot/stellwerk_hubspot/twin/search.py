"""Search: what it finds, how late, and how much of it (section 5, search)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from .call import Answer, Call, answer
from .catalogue import Property
from .clock import parse_iso_ms
from .contacts import as_object
from .errors import Refusal, invalid
from .portal import Contact, Portal

__all__ = ["search_contacts"]

MAX_BODY = 3_000
MAX_RESULTS = 10_000
MAX_PAGE = 200
QUERY_PROPERTIES = ("firstname", "lastname", "email", "hs_additional_emails", "phone", "mobilephone", "fax", "company")
ALONE = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
LISTED = frozenset({"IN", "NOT_IN"})
SINGLE = frozenset({"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"})

Test = Callable[[Mapping[str, str]], bool]


class Filter(Struct, rename="camel", forbid_unknown_fields=True):
    property_name: str
    operator: str
    value: str | None = None
    high_value: str | None = None
    values: list[str] | None = None


class FilterGroup(Struct, forbid_unknown_fields=True):
    filters: list[Filter]


class Sort(Struct, rename="camel", forbid_unknown_fields=True):
    property_name: str
    direction: str = "ASCENDING"


class Search(Struct, rename="camel", forbid_unknown_fields=True):
    filter_groups: list[FilterGroup] = []
    sorts: list[Sort] = []
    query: str | None = None
    properties: list[str] | None = None
    limit: int = 10
    after: str | None = None


def search_contacts(call: Call) -> Answer:
    """200 with `total`; 400 beyond 10,000 results, above 3,000 characters, for a property or operator not known."""
    if len(call.body.decode(errors="replace")) > MAX_BODY:
        raise invalid(f"The request body is longer than {MAX_BODY} characters")
    wanted, portal = call.json(Search), call.portal
    start = _start(wanted)
    tests = _groups(portal, wanted)
    needle = wanted.query.lower() if wanted.query else None
    found = [
        (contact, values)
        for contact, values in portal.searchable()
        if (not tests or any(all(test(values) for test in group) for group in tests))
        and (needle is None or any(needle in values.get(name, "").lower() for name in QUERY_PROPERTIES))
    ]
    _sort(portal, wanted, found)
    page = found[start : start + wanted.limit]
    body: dict[str, Any] = {"total": len(found)}
    body["results"] = [_seen(contact, values, wanted.properties) for contact, values in page]
    if start + wanted.limit < len(found):
        body["paging"] = {"next": {"after": str(start + wanted.limit)}}
    return answer(body)


def _seen(contact: Contact, values: Mapping[str, str], names: list[str] | None) -> dict[str, Any]:
    """The object as the index knows it, which may be older than the contact."""
    found = as_object(contact, names)
    found["properties"] = {name: values.get(name) for name in found["properties"]}
    found["updatedAt"] = values["lastmodifieddate"]
    return found


def _start(wanted: Search) -> int:
    if not 1 <= wanted.limit <= MAX_PAGE:
        raise invalid(f"limit is a number from 1 to {MAX_PAGE}")
    if len(wanted.sorts) > 1:
        raise invalid("Only one sort is supported")
    start = wanted.after or "0"
    if not start.isdecimal():
        raise invalid("after is an integer in a string")
    if int(start) + wanted.limit > MAX_RESULTS:
        raise invalid(f"The total number of results is limited to {MAX_RESULTS}")
    return int(start)


def _groups(portal: Portal, wanted: Search) -> list[list[Test]]:
    sizes = [len(group.filters) for group in wanted.filter_groups]
    if len(sizes) > 5 or any(size > 6 for size in sizes) or sum(sizes) > 18:
        raise invalid("At most 5 filter groups, 6 filters each, 18 in all")
    return [[_test(portal, one) for one in group.filters] for group in wanted.filter_groups]


def _known(portal: Portal, name: str) -> Property:
    definition = portal.properties.get(name)
    if definition is None or definition.archived_ms is not None:
        raise invalid(
            f'Property "{name}" does not exist', code="PROPERTY_DOESNT_EXIST", context={"propertyName": [name]}
        )
    return definition


def _test(portal: Portal, one: Filter) -> Test:
    definition, name, operator = _known(portal, one.property_name), one.property_name, one.operator
    _check_operands(one)
    if operator == "HAS_PROPERTY":
        return lambda values: bool(values.get(name))
    if operator == "NOT_HAS_PROPERTY":
        return lambda values: not values.get(name)
    if operator in LISTED:
        return _listed(definition, one)
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        token = re.compile(re.escape((one.value or "").lower()).replace(r"\*", ".*"))
        hit = operator == "CONTAINS_TOKEN"
        return lambda values: any(token.fullmatch(t) for t in _tokens(values.get(name, ""))) == hit
    if operator in ("EQ", "NEQ"):
        key, equal = _plain(definition, one.value or ""), operator == "EQ"
        return lambda values: (key in _parts(definition, values.get(name, ""))) == equal
    return _ordered(definition, one)


def _check_operands(one: Filter) -> None:
    right = (
        (one.operator in ALONE and one.value is None and one.values is None)
        or (one.operator in LISTED and one.values is not None)
        or (one.operator == "BETWEEN" and one.value is not None and one.high_value is not None)
        or (one.operator in SINGLE and one.value is not None)
    )
    if not right:
        raise invalid(f"Invalid operator or operands: {one.operator} on {one.property_name}")


def _listed(definition: Property, one: Filter) -> Test:
    """`IN` on a string property needs lower-case values: others simply find nothing."""
    wanted, hit, name = set(one.values or ()), one.operator == "IN", definition.name
    return lambda values: bool(wanted & _parts(definition, values.get(name, ""))) == hit


def _ordered(definition: Property, one: Filter) -> Test:
    low, name = _measure(definition, one.value or ""), definition.name
    high = _measure(definition, one.high_value) if one.high_value is not None else low
    if low is None or high is None:
        raise invalid(f"{one.value} cannot be compared with {name}")
    compare: dict[str, Callable[[Any], bool]] = {
        "LT": lambda value: value < low,
        "LTE": lambda value: value <= low,
        "GT": lambda value: value > low,
        "GTE": lambda value: value >= low,
        "BETWEEN": lambda value: low <= value <= high,
    }
    test = compare[one.operator]

    def inside(values: Mapping[str, str]) -> bool:
        value = values.get(name)
        measured = _measure(definition, value) if value else None
        return measured is not None and test(measured)

    return inside


def _measure(definition: Property, text: str) -> float | str | None:
    try:
        if definition.type in ("datetime", "date"):
            return float(parse_iso_ms(text if len(text) != 10 or "-" not in text else f"{text}T00:00:00Z"))
        return float(text) if definition.type == "number" else text.lower()
    except ValueError:
        return None


def _plain(definition: Property, text: str) -> str:
    """Enumerations are case-sensitive, texts are not; times compare as milliseconds."""
    if definition.type in ("enumeration", "bool"):
        return text
    if definition.type in ("datetime", "number"):
        return str(_measure(definition, text))
    return text.lower()


def _parts(definition: Property, text: str) -> set[str]:
    if not text:
        return set()
    if definition.field_type == "checkbox":
        return set(text.split(";"))
    return {_plain(definition, text)}


def _tokens(text: str) -> list[str]:
    lowered = text.lower()
    return [lowered, *re.split(r"[\s;,@.\-]+", lowered), *lowered.split(";")]


def _sort(portal: Portal, wanted: Search, found: list[tuple[Contact, dict[str, str]]]) -> None:
    """Contacts without the value come last; without a sort, in order of creation."""
    if not wanted.sorts:
        return
    sort = wanted.sorts[0]
    if sort.direction not in ("ASCENDING", "DESCENDING"):
        raise invalid("direction is ASCENDING or DESCENDING")
    definition = _known(portal, sort.property_name)
    down = sort.direction == "DESCENDING"

    def key(row: tuple[Contact, dict[str, str]]) -> Any:
        measured = _measure(definition, row[1].get(sort.property_name, "")) if row[1].get(sort.property_name) else None
        return (measured is not None) == down, measured if measured is not None else 0

    try:
        found.sort(key=key, reverse=down)
    except TypeError:
        raise Refusal(400, {"status": "error", "message": f"cannot sort by {sort.property_name}"}) from None

"""Event types that the developer project declares, validated as `hs project validate` would (sections 2 and 10)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["EventType", "EventTypeFile", "check_event_types"]

MOST_TYPES = 750
TIMELINE = "timeline"

Kind: TypeAlias = Literal["string", "number", "date", "enumeration"]


class _Strict(Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    pass


class Choice(_Strict, frozen=True):
    label: str
    value: str


class EventProperty(_Strict, frozen=True):
    name: str
    label: str
    type: Kind
    options: list[Choice] = []


class EventConfig(_Strict, frozen=True):
    name: str
    object_type: Literal["CONTACT"]
    header_template: str
    detail_template: str = ""
    properties: list[EventProperty] = []


class EventTypeFile(_Strict, frozen=True):
    uid: str
    type: Literal["app-event"]
    config: EventConfig


class EventType(Struct, frozen=True):
    """What occurrences of this type may carry."""

    symbol: str
    properties: dict[str, EventProperty]


def check_event_types(
    files: list[tuple[Path, EventTypeFile]], distribution: str, scopes: list[str]
) -> tuple[dict[str, EventType], str | None]:
    """The types by their developer symbol, and what is wrong with the first that may not be."""
    found: dict[str, EventType] = {}
    for path, one in files:
        names = [row.name for row in one.config.properties]
        problem = (
            "app events need distribution marketplace" if distribution != "marketplace"
            else f"requiredScopes must contain {TIMELINE}" if TIMELINE not in scopes
            else "two components have this uid" if one.uid in found
            else "a property stands twice" if len(set(names)) != len(names)
            else "an enumeration has options" if any(p.type == "enumeration" and not p.options for p in one.config.properties)
            else f"at most {MOST_TYPES} event types" if len(found) == MOST_TYPES
            else None
        )  # fmt: skip
        if problem is not None:
            return found, f"{path.name}: {problem}"
        found[one.uid] = EventType(one.uid, {row.name: row for row in one.config.properties})
    return found, None

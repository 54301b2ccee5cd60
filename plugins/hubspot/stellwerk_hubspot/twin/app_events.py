"""App events on a contact's timeline (section 10): for approved apps of the marketplace, by login, each id once."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .call import Answer, Call, answer
from .clock import iso, parse_iso_ms
from .errors import Refusal, conflict, invalid, not_found
from .event_types import EventProperty, EventType
from .portal import AppEvent, Contact, Portal

__all__ = ["event_shown", "events_of", "full_name", "send_event", "send_events"]

MOST_EVENTS = 500


class Wanted(Struct, rename="camel", forbid_unknown_fields=True):
    project_name: str
    developer_symbol: str


class Frame(Struct, rename="camel", forbid_unknown_fields=True):
    link_label: str
    header_label: str
    url: str
    width: int | None = None
    height: int | None = None


class Occurrence(Struct, rename="camel", forbid_unknown_fields=True):
    event_type_name: str
    id: str
    properties: dict[str, str]
    object_id: str | None = None
    email: str | None = None
    utk: str | None = None
    domain: str | None = None
    timestamp: str | None = None
    extra_data: dict[str, Any] | None = None
    timeline_i_frame: Frame | None = None


class Batch(Struct, forbid_unknown_fields=True):
    inputs: list[Occurrence]


def _forbidden(message: str) -> Refusal:
    return Refusal(403, {"status": "error", "message": message, "category": "FORBIDDEN"})


def _types(call: Call) -> dict[str, EventType]:
    """By full name. 403 for a static token, an app of private distribution, and one that HubSpot has not approved."""
    app = call.twin.app
    if app is None or call.granted.static or app.project.distribution != "marketplace" or not call.twin.approved:
        raise _forbidden("This app may not have app events")
    return {_full(app.app_id, symbol): one for symbol, one in app.project.event_types.items()}


def _full(app_id: str, symbol: str) -> str:
    return f"ae{app_id}_{symbol}"


def full_name(call: Call) -> Answer:
    """The full name of a type that the project declares; 404 if unknown."""
    wanted, types, app = call.json(Wanted), _types(call), call.twin.app
    if app is None or wanted.project_name != app.project.project_name:
        raise not_found("no such project")
    name = _full(app.app_id, wanted.developer_symbol)
    if name not in types:
        raise not_found("no such event type")
    return answer({"fullyQualifiedName": name})


def send_event(call: Call) -> Answer:
    """201; 400 for a type, property or contact that is not there, 409 when the id exists. Events cannot be changed."""
    wanted = call.json(Occurrence)
    event = _checked(call, _types(call), wanted)
    _store(call, wanted, event)
    return answer(_told(wanted, event), 201)


def send_events(call: Call) -> Answer:
    """200; one bad row rejects the whole batch."""
    types, rows = _types(call), call.json(Batch).inputs
    if not 1 <= len(rows) <= MOST_EVENTS:
        raise invalid(f"The maximum number of inputs is {MOST_EVENTS}, the minimum 1")
    names = [(row.event_type_name, row.id) for row in rows]
    if len(set(names)) != len(names):
        raise conflict("The same event id stands twice")
    events = [(row, _checked(call, types, row)) for row in rows]
    for row, event in events:
        _store(call, row, event)
    return answer({"status": "COMPLETE", "results": [_told(row, event) for row, event in events]})


def _checked(call: Call, types: dict[str, EventType], wanted: Occurrence) -> AppEvent:
    one = types.get(wanted.event_type_name)
    if one is None:
        raise invalid(f"There is no event type {wanted.event_type_name}")
    if not wanted.id:
        raise invalid("id is required")
    for name, value in wanted.properties.items():
        _check_value(name, value, one.properties.get(name))
    if (wanted.event_type_name, wanted.id) in call.portal.app_events:
        raise conflict(f"An event with the id {wanted.id} exists")
    try:
        at = call.portal.clock.ms() if wanted.timestamp is None else parse_iso_ms(wanted.timestamp)
    except (ValueError, OverflowError, OSError):
        raise invalid("timestamp is ISO 8601 in UTC with Z, or milliseconds") from None
    return AppEvent(wanted.event_type_name, wanted.id, _holder(call, wanted), dict(wanted.properties), at)


def _check_value(name: str, value: str, known: EventProperty | None) -> None:
    if known is None:
        raise invalid(f"The event type has no property {name}")
    if known.type == "enumeration" and value not in {one.value for one in known.options}:
        raise invalid(f"{value} is not an option of {name}")
    if known.type == "number":
        try:
            float(value)
        except ValueError:
            raise invalid(f"{name} is a number") from None


def _holder(call: Call, wanted: Occurrence) -> int:
    portal = call.portal
    number: int | None = None
    if wanted.object_id is not None and wanted.object_id.isdecimal():
        number = portal.survivor(int(wanted.object_id))
    elif wanted.object_id is None and wanted.email is not None:
        number = portal.holder(wanted.email)
    if number is None or portal.alive(number) is None:
        raise invalid("The event is of no contact of this account")
    return number


def _store(call: Call, wanted: Occurrence, event: AppEvent) -> None:
    call.portal.app_events[(wanted.event_type_name, wanted.id)] = event


def _told(wanted: Occurrence, event: AppEvent) -> dict[str, Any]:
    return {
        "id": wanted.id,
        "eventTypeName": wanted.event_type_name,
        "objectId": str(event.contact),
        "timestamp": iso(event.at_ms),
        "properties": event.properties,
    }


def events_of(portal: Portal, contact: Contact) -> list[AppEvent]:
    """Those on this contact's timeline, oldest first; a merge takes them along."""
    mine = [one for one in portal.app_events.values() if portal.survivor(one.contact) == contact.id]
    return sorted(mine, key=lambda one: one.at_ms)


def event_shown(event: AppEvent) -> dict[str, Any]:
    """What the timeline shows of it."""
    return {"type": event.type, "id": event.id, "at": iso(event.at_ms), "properties": event.properties}

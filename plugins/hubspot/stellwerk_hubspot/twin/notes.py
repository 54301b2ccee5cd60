"""Notes on a contact's timeline (sections 10 and 16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from .batch import ReadInput, completed
from .call import Answer, Call, answer, no_content
from .clock import iso, parse_iso_ms
from .contacts import Association
from .errors import invalid, not_found
from .portal import Note, Portal
from .values import MAX_TEXT
from .writing import touch

__all__ = ["add_note", "batch_read_notes", "create_note", "delete_note", "read_note"]

NOTE_TO_CONTACT = 202
WRITABLE = frozenset({"hs_timestamp", "hs_note_body", "hubspot_owner_id", "hs_attachment_ids"})
KNOWN = WRITABLE | {"hs_createdate", "hs_lastmodifieddate", "hs_object_id"}
DEFAULT = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")


class Creation(Struct, forbid_unknown_fields=True):
    properties: dict[str, str]
    associations: list[Association] = []


class Reading(Struct, rename="camel", forbid_unknown_fields=True):
    inputs: list[ReadInput]
    properties: list[str] | None = None
    properties_with_history: list[str] = []


def _as_object(note: Note, names: Sequence[str] | None, associations: Sequence[str] = ()) -> dict[str, Any]:
    wanted = dict.fromkeys((*(names or ()), *DEFAULT))
    stored = {
        **note.values,
        "hs_createdate": iso(note.created_ms),
        "hs_lastmodifieddate": iso(note.updated_ms),
        "hs_object_id": str(note.id),
    }
    found: dict[str, Any] = {
        "id": str(note.id),
        "properties": {name: stored.get(name) for name in wanted},
        "createdAt": iso(note.created_ms),
        "updatedAt": iso(note.updated_ms),
        "archived": note.archived_ms is not None,
    }
    if "contacts" in associations and note.contacts:
        results = [{"id": str(number), "type": "note_to_contact"} for number in note.contacts]
        found["associations"] = {"contacts": {"results": results}}
    return found


def create_note(call: Call) -> Answer:
    """201. `hs_timestamp` is needed; the association to a contact is type 202. No idempotency key exists."""
    wanted, portal = call.json(Creation), call.portal
    for name in wanted.properties.keys() - WRITABLE:
        code = "READ_ONLY_VALUE" if name in KNOWN else "PROPERTY_DOESNT_EXIST"
        message = f'Property "{name}" does not exist' if code != "READ_ONLY_VALUE" else f'"{name}" is read only'
        raise invalid(message, code=code, context={"propertyName": [name]})
    try:
        when = iso(parse_iso_ms(wanted.properties["hs_timestamp"]))
    except KeyError:
        raise invalid(
            "Error creating NOTE. Some required properties were not set.",
            code="REQUIRED_PROPERTIES_MISSING",
            context={"properties": ["hs_timestamp"]},
        ) from None
    except (ValueError, OverflowError, OSError):
        raise invalid("hs_timestamp is ISO 8601 in UTC with Z, or milliseconds") from None
    if len(wanted.properties.get("hs_note_body", "")) > MAX_TEXT:
        raise invalid(f"hs_note_body is longer than {MAX_TEXT} characters")
    note = add_note(portal, {**wanted.properties, "hs_timestamp": when}, _contacts(portal, wanted.associations))
    where = {"location": f"{call.twin.url}{call.path}/{note.id}"}
    return answer(_as_object(note, list(wanted.properties)), 201, where)


def _contacts(portal: Portal, associations: list[Association]) -> list[int]:
    found: list[int] = []
    for association in associations:
        types = {(one.association_category, one.association_type_id) for one in association.types}
        if types != {("HUBSPOT_DEFINED", NOTE_TO_CONTACT)}:
            raise invalid("A note is associated with a contact by HUBSPOT_DEFINED type 202")
        number = portal.survivor(int(association.to.id)) if association.to.id.isdecimal() else 0
        if portal.alive(number) is None:
            raise not_found("CONTACT object not found; one or more associations are not valid")
        found.append(number)
    return found


def add_note(portal: Portal, values: dict[str, str], contacts: list[int]) -> Note:
    """Store it. The contact's `lastmodifieddate` moves, since notes count as activity (section 5, search)."""
    now = portal.clock.ms()
    note = Note(portal.new_id(), values, contacts, now, now)
    portal.notes[note.id] = note
    for number in contacts:
        contact = portal.contacts[number]
        contact.notes.append(note.id)
        touch(portal, contact, {"num_notes": str(len(contact.notes)), "notes_last_updated": iso(now)})
    return note


def _alive(portal: Portal, text: str) -> Note:
    note = portal.notes.get(int(text)) if text.isdecimal() else None
    if note is None or note.archived_ms is not None:
        raise not_found()
    return note


def read_note(call: Call) -> Answer:
    note = _alive(call.portal, call.params["id"])
    return answer(_as_object(note, call.names("properties"), call.names("associations") or []))


def delete_note(call: Call) -> Answer:
    """204; the note leaves the timeline of its contacts."""
    note = _alive(call.portal, call.params["id"])
    note.archived_ms = call.portal.clock.ms()
    for number in note.contacts:
        call.portal.contacts[number].notes.remove(note.id)
    return no_content()


def batch_read_notes(call: Call) -> Answer:
    """200, or 207 with the missing ones; in no fixed order."""
    wanted = call.json(Reading)
    if not 1 <= len(wanted.inputs) <= 100:
        raise invalid("The maximum number of inputs supported in a batch request is 100, the minimum 1")
    found, missing = [], []
    for row in wanted.inputs:
        note = call.portal.notes.get(int(row.id)) if row.id.isdecimal() else None
        if note is None or note.archived_ms is not None:
            missing.append(row.id)
        else:
            found.append(_as_object(note, wanted.properties))
    call.twin.rng.shuffle(found)
    message = "Could not get some NOTE objects, they may be deleted or not exist. Check that ids are valid."
    return completed(call, found, [not_found(message).as_row_error({"ids": missing})] if missing else [])

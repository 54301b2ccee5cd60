"""Batch calls on contacts and their inconveniences (section 5, batches)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from .call import Answer, Call, answer, no_content
from .clock import iso
from .contacts import Association, as_object, readable
from .deletion import archive
from .errors import Refusal, invalid, not_found
from .history import check_history_cap
from .portal import Contact, Portal
from .writing import check_holders, create, prepared, update, verify

__all__ = ["MAX_INPUTS", "batch_archive", "batch_create", "batch_read", "batch_update", "batch_upsert", "completed"]

MAX_INPUTS = 100
T = TypeVar("T")


class ReadInput(Struct, forbid_unknown_fields=True):
    id: str


class Reading(Struct, rename="camel", forbid_unknown_fields=True):
    inputs: list[ReadInput]
    properties: list[str] | None = None
    properties_with_history: list[str] = []
    id_property: str | None = None


class CreateInput(Struct, rename="camel", forbid_unknown_fields=True):
    properties: dict[str, str]
    associations: list[Association] = []
    object_write_trace_id: str | None = None


class WriteInput(Struct, rename="camel", forbid_unknown_fields=True):
    id: str
    properties: dict[str, str]
    id_property: str | None = None
    object_write_trace_id: str | None = None


class Creations(Struct, forbid_unknown_fields=True):
    inputs: list[CreateInput]


class Writes(Struct, forbid_unknown_fields=True):
    inputs: list[WriteInput]


class Archival(Struct, forbid_unknown_fields=True):
    inputs: list[ReadInput]


def completed(call: Call, results: list[dict[str, Any]], errors: list[dict[str, Any]], status: int = 200) -> Answer:
    """The answer of a batch: `status`, or 207 when a part failed."""
    now = iso(call.twin.clock.ms())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return answer(body, 207 if errors else status)


def _capped(inputs: Sequence[T]) -> None:
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise invalid(f"The maximum number of inputs supported in a batch request is {MAX_INPUTS}, the minimum 1")


def _shuffled(call: Call, inputs: Sequence[T]) -> list[T]:
    """Another order than the caller's: rows are processed and answered in no fixed order."""
    order = list(inputs)
    call.twin.rng.shuffle(order)
    if len(order) > 1 and order[0] is inputs[0]:
        order.append(order.pop(0))
    return order


def _missing(ids: list[str]) -> dict[str, Any]:
    message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    return not_found(message).as_row_error({"ids": ids})


def _exact(portal: Portal, value: str, id_property: str | None) -> Contact | None:
    """Who a batch row names. Ids that a merge ended do not lead on here, as they do on single calls."""
    if id_property in (None, "hs_object_id"):
        return portal.contacts.get(int(value)) if value.isdecimal() else None
    if id_property == "email":
        number = portal.holder(value)
    elif id_property in portal.by_unique:
        number = portal.by_unique[id_property].get(value)
    else:
        raise invalid(f"Unable to read by non-unique 0-1 property {id_property}")
    return portal.contacts.get(number) if number is not None else None


def batch_read(call: Call) -> Answer:
    """200, or 207 with the missing ones; 400 above 100 inputs, with history above 50 (section 16)."""
    wanted, archived = call.json(Reading), call.flag("archived")
    _capped(wanted.inputs)
    if wanted.properties_with_history:
        check_history_cap(len(wanted.inputs))
    names = readable(call.portal, wanted.properties)
    results: dict[int, dict[str, Any]] = {}
    missing: list[str] = []
    for row in _shuffled(call, wanted.inputs):
        contact = _exact(call.portal, row.id, wanted.id_property)
        if contact is None or (contact.archived_ms is not None) != archived:
            missing.append(row.id)
        else:
            results[contact.id] = as_object(contact, names, wanted.properties_with_history)
    return completed(call, list(results.values()), [_missing(missing)] if missing else [])


def _with_trace(found: dict[str, Any], trace: str | None) -> dict[str, Any]:
    return found if trace is None else {**found, "objectWriteTraceId": trace}


def batch_create(call: Call) -> Answer:
    """201. One bad row fails the whole call, unless every input has a trace id of its own: then 207."""
    inputs = call.json(Creations).inputs
    _capped(inputs)
    if any(row.associations for row in inputs):
        raise invalid("This twin knows associations of notes only; create the note with its association")
    traces = [row.object_write_trace_id for row in inputs]
    apart = None not in traces and len(set(traces)) == len(traces)
    portal, source = call.portal, call.granted.source
    if not apart:
        _check_whole(portal, inputs)

    def one(row: CreateInput) -> dict[str, Any]:
        contact = create(portal, prepared(portal, row.properties, None), source)
        return _with_trace(as_object(contact, list(contact.values)), row.object_write_trace_id)

    results, errors = _rows(call, inputs, one)
    return completed(call, results, errors, 201)


def _check_whole(portal: Portal, inputs: Sequence[CreateInput]) -> None:
    """Raises for the first bad row, duplicates inside the batch included, before anything is written."""
    seen: set[str] = set()
    for row in inputs:
        values = prepared(portal, row.properties, None)
        check_holders(portal, values, None)
        email = values.get("email")
        if email and email in seen:
            raise invalid(f"Duplicate email in batch input: {email}")
        seen.add(email or "")


def _rows(
    call: Call, inputs: Sequence[T], one: Callable[[T], dict[str, Any] | None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for row in _shuffled(call, inputs):
        try:
            if (found := one(row)) is not None:
                results.append(found)
        except Refusal as refusal:
            trace = getattr(row, "object_write_trace_id", None)
            number = getattr(row, "id", None)
            context = {"objectWriteTraceId": [trace]} if trace is not None else {"ids": [str(number)]}
            errors.append(refusal.as_row_error(context))
    return results, errors


def batch_update(call: Call) -> Answer:
    """200 or 207, by record id only; an address as id is ignored without a word, `idProperty` fails the call.

    Values are checked for all rows first: one bad value fails the call. A row without a contact, or in conflict,
    fails alone.
    """
    inputs = call.json(Writes).inputs
    _capped(inputs)
    portal, source = call.portal, call.granted.source
    if any(row.id_property not in (None, "hs_object_id") for row in inputs):
        raise invalid("Unable to perform update/upsert by non-unique 0-1 property")
    for row in inputs:
        verify(portal, row.properties)

    def one(row: WriteInput) -> dict[str, Any] | None:
        if not row.id.isdecimal():
            return None
        contact = portal.alive(int(row.id))
        if contact is None:
            raise not_found("Could not get some CONTACT objects, they may be deleted or not exist.")
        update(portal, contact, prepared(portal, row.properties, contact), source)
        return _with_trace(as_object(contact, list(row.properties)), row.object_write_trace_id)

    return completed(call, *_rows(call, inputs, one))


def batch_upsert(call: Call) -> Answer:
    """200 or 207, by `email` or a unique property; each result says whether it is `new`."""
    inputs = call.json(Writes).inputs
    _capped(inputs)
    portal, source = call.portal, call.granted.source
    for row in inputs:
        if row.id_property is None or (row.id_property != "email" and row.id_property not in portal.by_unique):
            raise invalid("Unable to perform update/upsert by non-unique 0-1 property")
        prepared(portal, {row.id_property: row.id, **row.properties}, _exact(portal, row.id, row.id_property))

    def one(row: WriteInput) -> dict[str, Any]:
        contact = _exact(portal, row.id, row.id_property)
        new = contact is None
        if contact is None:
            values = prepared(portal, {str(row.id_property): row.id, **row.properties}, None)
            contact = create(portal, values, source)
        else:
            update(portal, contact, prepared(portal, row.properties, contact), source)
        found = as_object(contact, list(row.properties)) | {"new": new}
        return _with_trace(found, row.object_write_trace_id)

    return completed(call, *_rows(call, inputs, one))


def batch_archive(call: Call) -> Answer:
    """204; ids that are not there are passed over."""
    inputs = call.json(Archival).inputs
    _capped(inputs)
    for row in inputs:
        contact = call.portal.alive(int(row.id)) if row.id.isdecimal() else None
        if contact is not None:
            archive(call.portal, contact, call.granted.source)
    return no_content()

"""Single calls on contacts: list, read, create, update, archive (section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from .call import Answer, Call, answer, no_content
from .clock import iso
from .deletion import archive
from .errors import invalid, not_found
from .history import check_history_cap, history_of
from .portal import Contact, Portal
from .writing import create, prepared, update

__all__ = [
    "Association",
    "as_object",
    "create_contact",
    "delete_contact",
    "find",
    "list_contacts",
    "read_contact",
    "readable",
    "update_contact",
]

DEFAULT_PROPERTIES = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")
ASSOCIABLE = frozenset({"notes", "companies", "deals", "tickets", "calls", "emails", "meetings", "tasks"})


class AssociationType(Struct, rename="camel", forbid_unknown_fields=True):
    association_category: str
    association_type_id: int


class AssociationTarget(Struct, forbid_unknown_fields=True):
    id: str


class Association(Struct, forbid_unknown_fields=True):
    to: AssociationTarget
    types: list[AssociationType]


class Creation(Struct, forbid_unknown_fields=True):
    properties: dict[str, str]
    associations: list[Association] = []


class Update(Struct, forbid_unknown_fields=True):
    properties: dict[str, str]


def as_object(
    contact: Contact,
    names: Sequence[str] | None,
    history: Iterable[str] = (),
    associations: Sequence[str] = (),
) -> dict[str, Any]:
    """A contact on the wire. Without `names` the default set; a property without a value is null."""
    wanted = dict.fromkeys((*names, *ALWAYS) if names is not None else DEFAULT_PROPERTIES)
    found: dict[str, Any] = {
        "id": str(contact.id),
        "properties": {name: contact.values.get(name) for name in wanted},
        "createdAt": iso(contact.created_ms),
        "updatedAt": iso(contact.updated_ms),
        "archived": contact.archived_ms is not None,
    }
    if contact.archived_ms is not None:
        found["archivedAt"] = iso(contact.archived_ms)
    if history:
        found["propertiesWithHistory"] = history_of(contact, history)
    if "notes" in associations and contact.notes:
        results = [{"id": str(number), "type": "contact_to_note"} for number in contact.notes]
        found["associations"] = {"notes": {"results": results}}
    return found


def readable(portal: Portal, names: Sequence[str] | None) -> list[str] | None:
    """Those of `names` that are properties now: unknown and archived ones are passed over, with their values."""
    if names is None:
        return None
    return [name for name in names if name in portal.properties and portal.properties[name].archived_ms is None]


def find(portal: Portal, value: str, id_property: str | None, *, archived: bool = False) -> Contact:
    """The contact a path part names, by id or by `id_property`; 404 when there is none.

    An id that a merge ended leads to the survivor; an additional address leads to its contact.
    """
    number: int | None
    if id_property in (None, "hs_object_id"):
        number = portal.survivor(int(value)) if value.isdecimal() else None
    elif id_property == "email":
        number = portal.holder(value)
    elif id_property in portal.by_unique:
        number = portal.by_unique[id_property].get(value)
    else:
        raise invalid(f"Unable to find objects by non-unique 0-1 property {id_property}")
    contact = portal.contacts.get(number) if number is not None else None
    if contact is None or (contact.archived_ms is not None) != archived:
        raise not_found()
    return contact


def _associations(call: Call) -> list[str]:
    wanted = call.names("associations") or []
    if strange := sorted(set(wanted) - ASSOCIABLE):
        raise invalid(f"Unable to infer object type from: {strange[0]}")
    return wanted


def _properties(call: Call) -> list[str] | None:
    return readable(call.portal, call.names("properties"))


def list_contacts(call: Call) -> Answer:
    """A page in id order; `after` is the id of the last one seen."""
    history = call.names("propertiesWithHistory") or []
    limit = call.whole("limit", 10, top=100)
    if history:
        check_history_cap(limit)
    names, archived, wanted = _properties(call), call.flag("archived"), _associations(call)
    after = call.one("after", "0") or "0"
    if not after.isdecimal():
        raise invalid("after is the value of paging.next.after")
    page: list[Contact] = []
    body: dict[str, Any] = {}
    for contact in call.portal.after(int(after)):
        if (contact.archived_ms is not None) != archived:
            continue
        if len(page) == limit:
            last = str(page[-1].id)
            body["paging"] = {"next": {"after": last, "link": f"{call.twin.url}{call.path}?limit={limit}&after={last}"}}
            break
        page.append(contact)
    return answer({"results": [as_object(contact, names, history, wanted) for contact in page], **body})


def read_contact(call: Call) -> Answer:
    contact = find(call.portal, call.params["id"], call.one("idProperty"), archived=call.flag("archived"))
    history = call.names("propertiesWithHistory") or []
    return answer(as_object(contact, _properties(call), history, _associations(call)))


def create_contact(call: Call) -> Answer:
    """201 with `Location`; 409 with the holder's id when the address is taken."""
    wanted = call.json(Creation)
    if wanted.associations:
        raise invalid("This twin knows associations of notes only; create the note with its association")
    contact = create(call.portal, prepared(call.portal, wanted.properties, None), call.granted.source)
    where = f"{call.twin.url}{call.path}/{contact.id}"
    return answer(as_object(contact, list(contact.values)), 201, {"location": where})


def update_contact(call: Call) -> Answer:
    contact = find(call.portal, call.params["id"], call.one("idProperty"))
    wanted = call.json(Update)
    update(call.portal, contact, prepared(call.portal, wanted.properties, contact), call.granted.source)
    return answer(as_object(contact, list(wanted.properties)))


def delete_contact(call: Call) -> Answer:
    """204, also for a contact that is in the recycle bin already."""
    if not call.params["id"].isdecimal():
        raise not_found()
    contact = call.portal.contacts.get(call.portal.survivor(int(call.params["id"])))
    if contact is None:
        raise not_found()
    archive(call.portal, contact, call.granted.source)
    return no_content()

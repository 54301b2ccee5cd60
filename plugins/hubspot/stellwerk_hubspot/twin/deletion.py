"""Recycle bin, its way back, and the permanent deletion for privacy (section 5, deleting)."""

from __future__ import annotations

from msgspec import Struct

from .call import Answer, Call, no_content
from .errors import conflict, invalid, not_found
from .portal import Contact, Happening, Portal, Source, address_key

__all__ = ["archive", "erase", "gdpr_delete", "restore"]


class Erasure(Struct, rename="camel", forbid_unknown_fields=True):
    object_id: str
    id_property: str | None = None


def _tell(portal: Portal, kind: str, contact: Contact, source: Source, flag: str | None = None) -> None:
    portal.tell(Happening(kind, contact.id, portal.clock.ms(), portal.new_event_id(), source, flag=flag))


def archive(portal: Portal, contact: Contact, source: Source) -> None:
    """Into the recycle bin; its addresses are free again. Nothing happens when it is there already."""
    if contact.archived_ms is not None:
        return
    contact.archived_ms = portal.clock.ms()
    portal.drop_addresses(contact)
    _tell(portal, "deletion", contact, source, "DELETED")


def restore(portal: Portal, contact: Contact, source: Source) -> None:
    """Out of the recycle bin; 409 when an address has found another holder meanwhile."""
    if contact.archived_ms is None:
        return
    for address in contact.addresses():
        if (holder := portal.holder(address)) is not None:
            raise conflict(f"Contact already exists. Existing ID: {holder}")
    contact.archived_ms = None
    portal.take_addresses(contact)
    portal.reindex(contact)
    _tell(portal, "restore", contact, source)


def erase(portal: Portal, contact: Contact, source: Source) -> None:
    """For good. A deletion event comes with the privacy deletion, and either may come first (section 8)."""
    portal.forget(contact)
    for number in contact.notes:
        portal.notes.pop(number, None)
    for key in [key for key, event in portal.app_events.items() if portal.survivor(event.contact) == contact.id]:
        del portal.app_events[key]
    _tell(portal, "deletion", contact, source, "DELETED")
    _tell(portal, "privacyDeletion", contact, source, "DELETED")


def gdpr_delete(call: Call) -> Answer:
    """204. An unknown address given by `idProperty: email` is block-listed; an unknown id is 404."""
    wanted, portal = call.json(Erasure), call.portal
    if wanted.id_property not in (None, "email"):
        raise invalid("idProperty is email, or absent for an id")
    if wanted.id_property == "email":
        number = portal.holder(wanted.object_id)
        if number is None:
            portal.block_listed.add(address_key(wanted.object_id))
            return no_content()
    else:
        number = portal.survivor(int(wanted.object_id)) if wanted.object_id.isdecimal() else None
    contact = portal.contacts.get(number) if number is not None else None
    if contact is None:
        raise not_found()
    erase(portal, contact, call.granted.source)
    return no_content()

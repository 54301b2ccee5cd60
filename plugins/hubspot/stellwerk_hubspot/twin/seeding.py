"""Filling a portal as an import does, and dumping it whole, for the control API."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .app_events import event_shown, events_of
from .contacts import as_object
from .forms import FORM
from .pages import PERSON
from .portal import Portal, Source
from .writing import create, prepared, update

__all__ = ["Seed", "dump", "plant"]

SOURCES = {
    "IMPORT": Source("IMPORT", "import-1", "contacts.csv"),
    "CRM_UI": PERSON,
    "FORM": FORM,
}


class Seed(Struct, forbid_unknown_fields=True):
    """Properties per contact; `source`, a changeSource of section 8, is IMPORT unless said otherwise."""

    contacts: list[dict[str, str]]
    portal: int | None = None
    source: str = "IMPORT"


def plant(portal: Portal, seed: Seed) -> list[int]:
    """The ids, in order. An address that is there is updated, as an import does; raises 400 for bad values."""
    source = SOURCES.get(seed.source) or Source(seed.source, f"{seed.source.lower()}-1")
    found: list[int] = []
    for raw in seed.contacts:
        holder = portal.holder(raw.get("email", ""))
        if holder is None:
            found.append(create(portal, prepared(portal, raw, None), source).id)
        else:
            contact = portal.contacts[holder]
            update(portal, contact, prepared(portal, raw, contact), source)
            found.append(holder)
    return found


def dump(portal: Portal) -> list[dict[str, Any]]:
    """Every contact, archived ones too, with all values, all history, notes and app events."""
    return [
        as_object(contact, list(contact.values), list(contact.history))
        | {"notes": [portal.notes[number].values | {"id": str(number)} for number in contact.notes]}
        | {"app_events": [event_shown(one) for one in events_of(portal, contact)]}
        for contact in portal.contacts.values()
    ]

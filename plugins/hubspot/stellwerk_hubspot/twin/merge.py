"""Merging two contacts into one with a new id (sections 5 and 16)."""

from __future__ import annotations

from msgspec import Struct

from .call import Answer, Call, answer
from .contacts import as_object, find
from .errors import Refusal, invalid
from .lifecycle import STAGE, furthest
from .portal import Contact, Entry, Happening, Portal, Source
from .writing import touch

__all__ = ["MAX_IDENTITIES", "merge", "merge_contacts"]

MAX_IDENTITIES = 250
OWN = frozenset({"email", "hs_object_id", "createdate", "lastmodifieddate", "hs_additional_emails", STAGE})


class Merging(Struct, rename="camel", forbid_unknown_fields=True):
    primary_object_id: str
    object_id_to_merge: str


def merge_contacts(call: Call) -> Answer:
    """200 with the merged contact; 400 for a contact with itself, 404, 414 above 250 identities."""
    wanted, portal = call.json(Merging), call.portal
    primary, loser = find(portal, wanted.primary_object_id, None), find(portal, wanted.object_id_to_merge, None)
    if primary is loser:
        raise invalid("A contact cannot be merged with itself")
    return answer(as_object(merge(portal, primary, loser, call.granted.source), None))


def merge(portal: Portal, primary: Contact, loser: Contact, source: Source) -> Contact:
    """The survivor. It has a new id unless the portal keeps primary ids, the loser's address as an additional one,
    and the further stage. A deletion of the loser is told beside the merge; no propertyChange is (section 16).
    """
    ids = [*primary.merged, primary.id, *loser.merged, loser.id]
    if len(ids) > MAX_IDENTITIES:
        raise Refusal(
            414, {"status": "error", "message": f"More than {MAX_IDENTITIES} identities", "category": "LIMIT"}
        )
    now, primary_id = portal.clock.ms(), primary.id
    portal.drop_addresses(primary)
    portal.drop_addresses(loser)
    moved = _take_over(portal, primary, loser, source, now)
    survivor = _survivor(portal, primary, now)
    _end(portal, loser.id, survivor.id)
    portal.take_addresses(survivor)
    survivor.merged = [number for number in ids if number != survivor.id]
    survivor.values["hs_object_id"] = str(survivor.id)
    survivor.values["hs_merged_object_ids"] = ";".join(map(str, survivor.merged))
    for number in survivor.notes:
        portal.notes[number].contacts = [survivor.id]
    touch(portal, survivor, {})
    told = Happening(
        "merge", survivor.id, now, portal.new_event_id(), source,
        primary_id=primary_id, merged_ids=(loser.id,), new_id=survivor.id, moved=moved,
    )  # fmt: skip
    portal.tell(told)
    portal.tell(Happening("deletion", loser.id, now, portal.new_event_id(), source, flag="DELETED"))
    return survivor


def _survivor(portal: Portal, primary: Contact, now: int) -> Contact:
    """The primary itself where its id is kept, else a record that takes everything of it."""
    if portal.keeps_primary_id:
        return primary
    survivor = Contact(portal.new_id(), primary.created_ms, now, primary.values, primary.history, notes=primary.notes)
    portal.add(survivor)
    _end(portal, primary.id, survivor.id)
    return survivor


def _end(portal: Portal, number: int, survivor: int) -> None:
    """An id that no longer is a record, but leads to one on single calls."""
    del portal.contacts[number]
    portal.index.pop(number, None)
    portal.merged_into[number] = survivor


def _take_over(portal: Portal, primary: Contact, loser: Contact, source: Source, now: int) -> int:
    """Fill the primary's blanks from the loser; tells how many values moved."""
    extra = [*primary.addresses(), *loser.addresses()]
    before = dict(primary.values)
    for name, value in loser.values.items():
        if name not in OWN and not primary.values.get(name):
            primary.values[name] = value
    if not primary.values.get("email") and loser.values.get("email"):
        primary.values["email"] = loser.values["email"]
    others = [address for address in dict.fromkeys(extra) if address != primary.values.get("email")]
    if others:
        primary.values["hs_additional_emails"] = ";".join(others)
    stage = furthest(portal, primary.values.get(STAGE, ""), loser.values.get(STAGE, ""))
    if stage:
        primary.values[STAGE] = stage
    changed = {name: value for name, value in primary.values.items() if before.get(name) != value}
    for name, value in changed.items():
        primary.history.setdefault(name, []).append(Entry(value, now, Source("MERGE_OBJECTS", source.id)))
    primary.notes += loser.notes
    return len(changed)

"""Every write of contact values: stages, history, look-up tables, search index and what webhooks are told."""

from __future__ import annotations

from collections.abc import Mapping

from .clock import iso
from .errors import PropertyProblem, conflict, from_problems, invalid
from .lifecycle import STAGE, moves_backward
from .portal import Contact, Entry, Happening, Portal, Source, address_key
from .values import checked

__all__ = ["check_holders", "create", "prepared", "set_read_only", "touch", "update", "verify"]

NAMING = ("email", "firstname", "lastname")


def verify(portal: Portal, raw: Mapping[str, str]) -> None:
    """Raises the 400 of `from_problems` when any contact would refuse these values."""
    values, problems = checked(portal, raw, {})
    problems += _unmet(portal, values, new=False)
    if problems:
        raise from_problems(problems)


def prepared(portal: Portal, raw: Mapping[str, str], contact: Contact | None) -> dict[str, str]:
    """`raw` as it will be stored; raises the 400 of `from_problems`, or that a new contact lacks a name and an address."""
    values, problems = checked(portal, raw, contact.values if contact else {})
    problems += _unmet(portal, values, new=contact is None)
    if problems:
        raise from_problems(problems)
    if contact is None and not any(values.get(name) for name in NAMING):
        raise invalid("At least one of email, firstname, lastname is needed to create a contact")
    return values


def _unmet(portal: Portal, values: Mapping[str, str], *, new: bool) -> list[PropertyProblem]:
    """What the rules of the account's admins refuse: enforced on every write since 2026-09 (section 1)."""
    missing = {name for name in portal.required_on_create if new and not values.get(name)}
    cleared = {name for name in portal.required if values.get(name) == ""}
    return [
        *(PropertyProblem(name, "MISSING_REQUIRED_PROPERTY", f"{name} is required on creation") for name in missing),
        *(PropertyProblem(name, "MISSING_CONDITIONAL_REQUIRED_PROPERTY", f"{name} is required") for name in cleared),
    ]


def check_holders(portal: Portal, values: Mapping[str, str], contact: Contact | None) -> None:
    """409 when an address or a unique value belongs to somebody else; an additional address counts (section 13)."""
    own = contact.id if contact else None
    if email := values.get("email"):
        holder = portal.holder(email)
        if holder is not None and holder != own:
            raise conflict(f"Contact already exists. Existing ID: {holder}")
    for name, holders in portal.by_unique.items():
        holder = holders.get(values.get(name, ""))
        if holder is not None and holder != own:
            message = f"Property values were not valid: {holder} already has that value for property {name}."
            raise conflict(message + f" Existing ID: {holder}")


def create(portal: Portal, values: Mapping[str, str], source: Source, *, at_ms: int | None = None) -> Contact:
    """A new contact from prepared values; raises 409. Without a stage it gets the portal's default one (section 7)."""
    check_holders(portal, values, None)
    now = at_ms if at_ms is not None else portal.clock.ms()
    contact = Contact(id=portal.new_id(), created_ms=now, updated_ms=now)
    event = portal.new_event_id()
    label = source.kind
    contact.values.update(
        hs_object_id=str(contact.id),
        createdate=iso(now),
        hs_object_source=source.kind,
        hs_object_source_id=source.id,
        hs_object_source_label=label,
        hs_marketable_status="false",
        hs_pipeline="contacts-lifecycle-pipeline",
    )
    portal.tell(Happening("creation", contact.id, now, event, source, flag="CREATED"))
    given = {name: value for name, value in values.items() if value}
    if portal.default_stage and STAGE not in given:
        given[STAGE] = portal.default_stage
    if address_key(given.get("email", "")) in portal.opted_out:
        given["hs_email_optout"] = "true"
    _apply(portal, contact, given, source, now, event)
    portal.add(contact)
    _touched(portal, contact, now)
    return contact


def update(
    portal: Portal, contact: Contact, values: Mapping[str, str], source: Source, *, backward: bool = False
) -> bool:
    """Write prepared values; raises 409; tells whether anything changed.

    A stage that would move backward is left out without a word, unless `backward`, which is a person's right in the
    portal. A value that is there already is no change: no history, no event.
    """
    check_holders(portal, values, contact)
    wanted = dict(values)
    if STAGE in wanted and not backward and moves_backward(portal, contact, wanted[STAGE]):
        del wanted[STAGE]
    changes = {name: value for name, value in wanted.items() if contact.values.get(name, "") != value}
    if not changes:
        return False
    now = max(portal.clock.ms(), contact.updated_ms + 1)
    portal.drop_addresses(contact)
    _apply(portal, contact, changes, source, now, portal.new_event_id())
    portal.take_addresses(contact)
    _touched(portal, contact, now)
    return True


def set_read_only(portal: Portal, contact: Contact, values: Mapping[str, str], source: Source) -> bool:
    """Write values that HubSpot itself keeps, such as the opt-out; the same path, without the check of `prepared`."""
    return update(portal, contact, values, source, backward=True)


def touch(portal: Portal, contact: Contact, values: Mapping[str, str]) -> None:
    """Change hidden internal values: only `lastmodifieddate` moves, nothing is told (section 5, search)."""
    contact.values.update(values)
    _touched(portal, contact, max(portal.clock.ms(), contact.updated_ms + 1))


def _apply(portal: Portal, contact: Contact, changes: Mapping[str, str], source: Source, now: int, event: int) -> None:
    for name, value in changes.items():
        if value:
            contact.values[name] = value
        else:
            contact.values.pop(name, None)
        contact.history.setdefault(name, []).append(Entry(value, now, source))
        portal.tell(Happening("propertyChange", contact.id, now, event, source, name=name, value=value))
    if stage := changes.get(STAGE):
        entered = f"hs_lifecyclestage_{stage}_date"
        if entered in portal.properties:
            contact.values[entered] = iso(now)


def _touched(portal: Portal, contact: Contact, now: int) -> None:
    contact.updated_ms = now
    contact.values["lastmodifieddate"] = iso(now)
    portal.reindex(contact)

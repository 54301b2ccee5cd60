"""HubSpot's HTTP API: one method per endpoint. What becomes of a call is told by `session`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from stellwerk_hubspot.answer import (
    AccountDetails,
    BatchAnswer,
    EventType,
    PageAnswer,
    Property,
    PropertyGroup,
    PropertyList,
    SearchAnswer,
)
from stellwerk_hubspot.session import VERSION, Call, Session
from stellwerk_hubspot.wire import ContactObject

__all__ = ["Client", "RowCreate", "RowUpdate"]

CONTACTS = f"/crm/objects/{VERSION}/contacts"
NOTES = f"/crm/objects/{VERSION}/notes"
PROPERTIES = f"/crm/properties/{VERSION}/contacts"
PREFERENCES = f"/communication-preferences/{VERSION}"
TIMELINE = f"/integrators/timeline/{VERSION}"
EVENT_TYPES = "/integrators/timeline/2026-03/types/projects"
"""Known of this version alone (reference page, section 10)."""
NOTE_TO_CONTACT = 202


class RowUpdate(Struct, frozen=True, rename="camel"):
    """One row of a batch update; `object_write_trace_id` pairs it with its result."""

    id: str
    properties: dict[str, str]
    object_write_trace_id: str


class RowCreate(Struct, frozen=True, rename="camel"):
    """One row of a batch create; with a trace id in every row a bad one fails alone."""

    properties: dict[str, str]
    object_write_trace_id: str


class Client:
    """The calls of one portal. Every method spends one call of the budget first and raises only `DeliveryError`s."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # --- account -------------------------------------------------------------------------------------------------------

    async def account_details(self) -> AccountDetails:
        found = await self._session.ask(AccountDetails, Call(method="GET", path=f"/account-info/{VERSION}/details"))
        if found.utc_offset_milliseconds is not None:
            self._session.offset = timedelta(milliseconds=found.utc_offset_milliseconds)
        return found

    async def access_token(self) -> str:
        """The token now in use, for introspection."""
        return await self._session.token(None)

    @property
    def clock_offset(self) -> float:
        """Seconds that HubSpot's clock is ahead of ours, by its last good answer; 0 before there is one."""
        return self._session.clock_offset

    async def uninstall(self) -> None:
        """The app leaves the portal; with a login's token only."""
        path = f"/appinstalls/{VERSION}/external-install"
        await self._session.tell(Call(method="DELETE", path=path, one=True))

    # --- contacts ------------------------------------------------------------------------------------------------------

    async def contact(
        self,
        name: str,
        *,
        by: str | None = None,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
        archived: bool = False,
    ) -> ContactObject:
        """One contact by its id, or by the unique property `by`. An id that a merge ended leads to another id."""
        params = (
            ("properties", ",".join(properties)),
            ("propertiesWithHistory", ",".join(history)),
            ("associations", ",".join(associations)),
            ("archived", "true" if archived else ""),
            ("idProperty", by or ""),
        )
        path = f"{CONTACTS}/{quote(name, safe='')}"
        return await self._session.ask(ContactObject, Call(method="GET", path=path, params=params, one=True))

    async def list_contacts(self, *, after: str, limit: int) -> PageAnswer:
        """A page of all contacts but archived ones, in order of their ids; with next to nothing of each."""
        params = (("limit", str(limit)), ("after", after), ("properties", "hs_object_id"))
        return await self._session.ask(PageAnswer, Call(method="GET", path=CONTACTS, params=params))

    async def read_contacts(
        self, names: Sequence[str], *, by: str | None, properties: Sequence[str], history: Sequence[str]
    ) -> BatchAnswer:
        """Up to 100 contacts, 50 with history. What is missing stands in `errors`, or nowhere."""
        body: dict[str, Any] = {
            "inputs": [{"id": name} for name in names],
            "properties": list(properties),
            "propertiesWithHistory": list(history),
        }
        if by is not None:
            body["idProperty"] = by
        return await self._session.ask(BatchAnswer, Call(method="POST", path=f"{CONTACTS}/batch/read", body=body))

    async def update_contact(self, contact_id: str, properties: Mapping[str, str]) -> ContactObject:
        path = f"{CONTACTS}/{quote(contact_id, safe='')}"
        body = {"properties": dict(properties)}
        call = Call(method="PATCH", path=path, body=body, private=tuple(properties.values()), one=True)
        return await self._session.ask(ContactObject, call)

    async def update_contacts(self, rows: Sequence[RowUpdate]) -> BatchAnswer:
        """Up to 100 contacts by record id; 207 when part failed. Ids that a merge ended do not lead on here."""
        private = tuple({value for row in rows for value in row.properties.values()})
        call = Call(method="POST", path=f"{CONTACTS}/batch/update", body={"inputs": rows}, private=private)
        return await self._session.ask(BatchAnswer, call)

    async def create_contacts(self, rows: Sequence[RowCreate]) -> BatchAnswer:
        """Up to 100 new contacts; 207 when part failed. Repeating is harmless: who was made is then in conflict."""
        private = tuple({value for row in rows for value in row.properties.values()})
        call = Call(method="POST", path=f"{CONTACTS}/batch/create", body={"inputs": rows}, private=private)
        return await self._session.ask(BatchAnswer, call)

    async def contacts_with_other_address(self, email: str) -> SearchAnswer:
        """Contacts that have the address as an additional one: an enumeration, which search compares letter by letter."""
        wanted = {"propertyName": "hs_additional_emails", "operator": "EQ", "value": email}
        body = {"filterGroups": [{"filters": [wanted]}], "properties": ["hs_additional_emails"], "limit": 2}
        call = Call(method="POST", path=f"{CONTACTS}/search", body=body, private=(email,))
        return await self._session.ask(SearchAnswer, call)

    async def changed_contacts(self, *, since_ms: int, after_id: str, limit: int) -> SearchAnswer:
        """Contacts changed at `since_ms` or later, oldest first; with `after_id` those of that very moment, by id above it."""
        when = {"propertyName": "lastmodifieddate", "operator": "EQ" if after_id else "GTE", "value": str(since_ms)}
        filters, order = [when], "lastmodifieddate"
        if after_id:
            order = "hs_object_id"
            filters.append({"propertyName": order, "operator": "GT", "value": after_id})
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": ["lastmodifieddate"],
            "limit": limit,
        }
        return await self._session.ask(SearchAnswer, Call(method="POST", path=f"{CONTACTS}/search", body=body))

    async def count_contacts(self, *, created_from_ms: int) -> int:
        """How many contacts have been created since, as far as the search knows them yet."""
        created = {"propertyName": "createdate", "operator": "GTE", "value": str(created_from_ms)}
        body = {"filterGroups": [{"filters": [created]}], "properties": ["createdate"], "limit": 1}
        call = Call(method="POST", path=f"{CONTACTS}/search", body=body)
        return (await self._session.ask(SearchAnswer, call)).total

    async def newest_contacts(self, limit: int) -> SearchAnswer:
        """The contacts created last, the newest first, as far as the search knows them yet."""
        sorts = [{"propertyName": "createdate", "direction": "DESCENDING"}]
        body = {"filterGroups": [], "sorts": sorts, "properties": ["createdate"], "limit": limit}
        return await self._session.ask(SearchAnswer, Call(method="POST", path=f"{CONTACTS}/search", body=body))

    # --- notes ---------------------------------------------------------------------------------------------------------

    async def create_note(self, contact_id: str, *, body: str, timestamp: str) -> ContactObject:
        """A note at a contact. HubSpot knows no key for it: not to be repeated blindly."""
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_CONTACT}
        note = {
            "properties": {"hs_timestamp": timestamp, "hs_note_body": body},
            "associations": [{"to": {"id": contact_id}, "types": [kind]}],
        }
        call = Call(method="POST", path=NOTES, body=note, private=(body,), repeatable=False, one=True)
        return await self._session.ask(ContactObject, call)

    async def read_notes(self, ids: Sequence[str]) -> BatchAnswer:
        """Up to 100 notes with their text."""
        body = {"inputs": [{"id": one} for one in ids], "properties": ["hs_note_body"], "propertiesWithHistory": []}
        return await self._session.ask(BatchAnswer, Call(method="POST", path=f"{NOTES}/batch/read", body=body))

    # --- app events ----------------------------------------------------------------------------------------------------

    async def event_type(self, project: str, symbol: str) -> str:
        """The full name of an event type that the project declares. Raises `NotFound` while it is not deployed."""
        body = {"projectName": project, "developerSymbol": symbol}
        call = Call(method="POST", path=EVENT_TYPES, body=body, one=True)
        return (await self._session.ask(EventType, call)).fully_qualified_name

    async def send_event(
        self, event_type: str, event_id: str, contact_id: str, properties: Mapping[str, str], timestamp: str
    ) -> None:
        """One occurrence. Its id is one for ever: sent again it is a `Conflict`, so that repeating does no harm."""
        body = {
            "eventTypeName": event_type,
            "id": event_id,
            "objectId": contact_id,
            "properties": dict(properties),
            "timestamp": timestamp,
        }
        private = tuple(properties.values())
        await self._session.tell(Call(method="POST", path=f"{TIMELINE}/events", body=body, private=private))

    # --- properties ----------------------------------------------------------------------------------------------------

    async def properties(self) -> list[Property]:
        return (await self._session.ask(PropertyList, Call(method="GET", path=PROPERTIES))).results

    async def property_named(self, name: str) -> Property:
        path = f"{PROPERTIES}/{quote(name, safe='')}"
        return await self._session.ask(Property, Call(method="GET", path=path, one=True))

    async def create_property(self, definition: Mapping[str, Any]) -> Property:
        """What stands there then: an archived property of that name comes back as it was."""
        return await self._session.ask(Property, Call(method="POST", path=PROPERTIES, body=definition))

    async def change_property(self, name: str, changes: Mapping[str, Any]) -> None:
        """`options`, where given, replaces the whole list."""
        path = f"{PROPERTIES}/{quote(name, safe='')}"
        await self._session.tell(Call(method="PATCH", path=path, body=changes, one=True))

    async def property_group(self, name: str) -> PropertyGroup:
        path = f"{PROPERTIES}/groups/{quote(name, safe='')}"
        return await self._session.ask(PropertyGroup, Call(method="GET", path=path, one=True))

    async def create_property_group(self, name: str, label: str) -> None:
        body = {"name": name, "label": label}
        await self._session.tell(Call(method="POST", path=f"{PROPERTIES}/groups", body=body))

    # --- communication preferences -------------------------------------------------------------------------------------

    async def unsubscribe_from_all(self, email: str) -> None:
        """The global opt-out. Repeating it changes nothing."""
        path = f"{PREFERENCES}/statuses/{quote(email, safe='')}/unsubscribe-all"
        call = Call(method="POST", path=path, params=(("channel", "EMAIL"),), private=(email,))
        await self._session.tell(call)

"""HubSpot's answers besides contacts, as far as we read them. Everything else in them is passed over."""

from __future__ import annotations

from msgspec import Struct

from stellwerk_hubspot.lenient import OneOrMore
from stellwerk_hubspot.refusal import ErrorBody
from stellwerk_hubspot.wire import ContactObject

__all__ = [
    "AccountDetails",
    "BatchAnswer",
    "EventType",
    "Option",
    "PageAnswer",
    "Property",
    "PropertyGroup",
    "SearchAnswer",
    "TokenAnswer",
    "TokenInfo",
]


class BatchAnswer(Struct, frozen=True, rename="camel"):
    """A batch of contacts or notes: 200, 201 or 207. Results are in no fixed order."""

    results: list[ContactObject]
    errors: list[ErrorBody] | None = None


class Following(Struct, frozen=True):
    """Where the next page begins."""

    after: str


class Paging(Struct, frozen=True):
    """What follows a page."""

    next: Following | None = None


class PageAnswer(Struct, frozen=True):
    """A page of a list, in order of ids; the last one has no `paging`."""

    results: list[ContactObject]
    paging: Paging | None = None

    @property
    def after(self) -> str | None:
        return None if self.paging is None or self.paging.next is None else self.paging.next.after


class SearchAnswer(Struct, frozen=True):
    """A search: how many it finds, and a page of them as the index knows them."""

    total: int
    results: list[ContactObject] = []


class Option(Struct, frozen=True, rename="camel"):
    """An option of an enumeration; `value` is what the API uses."""

    value: str
    label: str | None = None
    display_order: int | None = None
    hidden: bool | None = None
    description: str | None = None

    @property
    def place(self) -> int:
        return -1 if self.display_order is None else self.display_order


class Modification(Struct, frozen=True, rename="camel"):
    """What may be done to a property."""

    read_only_value: bool | None = None


class Property(Struct, frozen=True, rename="camel"):
    """A property's definition. `form_field` is None where HubSpot does not tell."""

    name: str
    type: str
    field_type: str | None = None
    label: str | None = None
    options: list[Option] | None = None
    hidden: bool | None = None
    external_options: bool | None = None
    has_unique_value: bool | None = None
    data_sensitivity: str | None = None
    form_field: bool | None = None
    calculated: bool | None = None
    modification_metadata: Modification | None = None

    @property
    def choices(self) -> list[Option]:
        return self.options or []

    @property
    def writable(self) -> bool:
        locked = self.modification_metadata is not None and self.modification_metadata.read_only_value
        return not self.calculated and not locked


class PropertyList(Struct, frozen=True):
    """All properties; this call has no pages."""

    results: list[Property]


class PropertyGroup(Struct, frozen=True):
    """A group of properties."""

    name: str
    label: str | None = None


class AccountDetails(Struct, frozen=True, rename="camel"):
    """Whose portal this is."""

    portal_id: int
    time_zone: str | None = None
    utc_offset_milliseconds: int | None = None


class EventType(Struct, frozen=True, rename="camel"):
    """An event type that the app's project declares."""

    fully_qualified_name: str


class TokenAnswer(Struct, frozen=True):
    """The token endpoint's success. A refresh need not name the refresh token again: then it goes on counting."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float = 1800
    hub_id: int | None = None
    scopes: OneOrMore = None


class TokenInfo(Struct, frozen=True):
    """What introspection tells about a token; a dead one is only not active."""

    active: bool = True
    hub_id: int | None = None
    hub_domain: str | None = None
    user: str | None = None
    scopes: OneOrMore = None

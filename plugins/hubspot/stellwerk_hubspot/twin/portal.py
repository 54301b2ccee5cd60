"""A HubSpot account: its contacts, properties, groups and notes, in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from .catalogue import Group, Property, built_in_groups, built_in_properties
from .clock import Clock

__all__ = ["AppEvent", "Contact", "Entry", "Happening", "Note", "Portal", "Source", "Status", "address_key"]


class Source(Struct, frozen=True):
    """Who writes: `kind` is the sourceType of history and the changeSource of webhooks (sections 5 and 8)."""

    kind: str
    id: str
    label: str | None = None
    user_id: int | None = None


class Entry(Struct, frozen=True):
    """One value in a property's history; `value` is empty when it was cleared."""

    value: str
    at_ms: int
    source: Source


class Status(Struct, frozen=True):
    """What an address wants of one subscription type."""

    state: str
    at_ms: int
    source: Source


class Happening(Struct, frozen=True):
    """Something a webhook may tell: `kind` is the part after the dot of a subscription type."""

    kind: str
    object_id: int
    at_ms: int
    event_id: int
    source: Source
    name: str | None = None
    value: str | None = None
    flag: str | None = None
    primary_id: int | None = None
    merged_ids: tuple[int, ...] = ()
    new_id: int | None = None
    moved: int = 0


@dataclass(slots=True)
class Contact:
    id: int
    created_ms: int
    updated_ms: int
    values: dict[str, str] = field(default_factory=dict)
    history: dict[str, list[Entry]] = field(default_factory=dict)
    archived_ms: int | None = None
    notes: list[int] = field(default_factory=list)
    merged: list[int] = field(default_factory=list)

    def addresses(self) -> Iterator[str]:
        """The primary address and the additional ones, keyed for look-up."""
        if email := self.values.get("email"):
            yield address_key(email)
        for extra in self.values.get("hs_additional_emails", "").split(";"):
            if extra:
                yield address_key(extra)


@dataclass(slots=True)
class Note:
    id: int
    values: dict[str, str]
    contacts: list[int]
    created_ms: int
    updated_ms: int
    archived_ms: int | None = None


@dataclass(slots=True)
class AppEvent:
    """One occurrence on a timeline; it cannot be changed."""

    type: str
    id: str
    contact: int
    properties: dict[str, str]
    at_ms: int


def address_key(address: str) -> str:
    return address.strip().lower()


class Portal:
    """One account. Writes go through `writing.py`; this class keeps the look-up tables true."""

    def __init__(
        self, number: int, name: str, clock: Clock, *, search_lag_seconds: float, default_stage: str = "lead"
    ) -> None:
        self.id = number
        self.name = name
        self.clock = clock
        self.search_lag_seconds = search_lag_seconds
        self.default_stage = default_stage
        self.keeps_primary_id = False
        self.plan_lacks: set[str] = set()
        self.in_use: set[str] = set()
        self.required: set[str] = set()
        self.required_on_create: set[str] = set()
        self.properties: dict[str, Property] = built_in_properties(clock.ms())
        self.groups: dict[str, Group] = built_in_groups()
        self.contacts: dict[int, Contact] = {}
        self.ids: list[int] = []
        self.by_address: dict[str, int] = {}
        self.by_unique: dict[str, dict[str, int]] = {}
        self.merged_into: dict[int, int] = {}
        self.block_listed: set[str] = set()
        self.opted_out: dict[str, int] = {}
        self.statuses: dict[tuple[str, int], Status] = {}
        self.notes: dict[int, Note] = {}
        self.app_events: dict[tuple[str, str], AppEvent] = {}
        self.cookies: dict[str, int] = {}
        self.index: dict[int, dict[str, str]] = {}
        self._index_later: deque[tuple[int, int, dict[str, str]]] = deque()
        self.tell: Callable[[Happening], None] = lambda happening: None
        self._next_id = 50_000_000_000 + number % 1_000_000 * 1000
        self._next_event = 3_000_000_000 + number

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def new_event_id(self) -> int:
        """One per write, so that the events of one write share it: not unique, as section 8 says."""
        self._next_event += 1
        return self._next_event

    def add(self, contact: Contact) -> None:
        self.contacts[contact.id] = contact
        self.ids.append(contact.id)
        self.take_addresses(contact)

    def take_addresses(self, contact: Contact) -> None:
        for address in contact.addresses():
            self.by_address[address] = contact.id
        for name, holders in self.by_unique.items():
            if value := contact.values.get(name):
                holders[value] = contact.id

    def drop_addresses(self, contact: Contact) -> None:
        for address in contact.addresses():
            if self.by_address.get(address) == contact.id:
                del self.by_address[address]
        for name, holders in self.by_unique.items():
            value = contact.values.get(name)
            if value and holders.get(value) == contact.id:
                del holders[value]

    def forget(self, contact: Contact) -> None:
        """Remove for good; `ids` keeps the number, so that paging skips it."""
        self.drop_addresses(contact)
        del self.contacts[contact.id]
        self.index.pop(contact.id, None)

    def alive(self, number: int) -> Contact | None:
        """The contact with exactly this id, unless archived: what batches see."""
        contact = self.contacts.get(number)
        return contact if contact is not None and contact.archived_ms is None else None

    def survivor(self, number: int) -> int:
        """The id that a merged id leads to on single calls (section 5), or `number` itself."""
        while number in self.merged_into:
            number = self.merged_into[number]
        return number

    def holder(self, address: str) -> int | None:
        """Who has this address, as primary or additional one."""
        return self.by_address.get(address_key(address))

    def after(self, last_id: int) -> Iterator[Contact]:
        """Contacts in id order behind `last_id`, archived ones included."""
        for place in range(bisect_right(self.ids, last_id), len(self.ids)):
            contact = self.contacts.get(self.ids[place])
            if contact is not None:
                yield contact

    def reindex(self, contact: Contact) -> None:
        """Let search see this contact after the lag."""
        visible = self.clock.ms() + int(self.search_lag_seconds * 1000)
        self._index_later.append((visible, contact.id, dict(contact.values)))

    def searchable(self) -> Iterator[tuple[Contact, dict[str, str]]]:
        """Contacts that search can see now, each with the values that it sees; archived ones never."""
        now = self.clock.ms()
        while self._index_later and self._index_later[0][0] <= now:
            _, number, values = self._index_later.popleft()
            if number in self.contacts:
                self.index[number] = values
        for number, values in self.index.items():
            contact = self.alive(number)
            if contact is not None:
                yield contact, values

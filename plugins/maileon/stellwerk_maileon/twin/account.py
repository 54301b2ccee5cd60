"""The state of one newsletter account: plain records in memory, with look-ups by address and external id."""

from __future__ import annotations

from collections import deque
from typing import Any

from msgspec import Struct, field


class Contact(Struct, kw_only=True):
    """Times are seconds since 1970. `email` is None once anonymised; `unsubscribed` is set some seconds earlier."""

    id: int
    email: str | None
    external_id: str | None = None
    permission: int = 1
    created: float
    updated: float
    standard: dict[str, str] = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    source: str | None = None
    subscription_page: str | None = None
    checksum: str
    unsubscribed: float | None = None
    anonymous: bool = False
    blocked_reason: str | None = None
    blocked: float | None = None
    bounces: int = 0


class Mailing(Struct, kw_only=True):
    """`type` is `doi` or `regular`; `key` is the DOI key."""

    id: int
    name: str
    type: str
    key: str | None = None
    active: bool = True
    sent: int = 0


class Mail(Struct, kw_only=True):
    """One mail that left the account; the token stands in its links."""

    number: int
    account: int
    kind: str
    contact: int
    to: str
    subject: str
    mailing: int
    mailing_name: str
    mailing_key: str | None
    msg_id: str
    token: str
    sent: float
    plus: bool = False
    text: str = ""
    clicked: float | None = None


class Entry(Struct, kw_only=True):
    """One line of a report; `contact` is kept whole, since a deleted contact leaves its entries behind."""

    time: float
    contact: Contact
    mailing: int | None = None
    msg_id: str | None = None
    source: str | None = None
    reasons: tuple[str, ...] = ()
    type: str | None = None
    status_code: str | None = None
    old_status: str | None = None
    new_status: str | None = None
    reason: str | None = None


class Blacklist(Struct, kw_only=True):
    id: int
    name: str
    entries: list[str] = field(default_factory=list)


class Options(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is set per account, or UNKNOWN and therefore a choice; changed by the control API."""

    anonymise_seconds: float = 2.0
    doi_mail_despite_permission: bool = False
    doi_days: float = 30.0
    create_raises_permission: bool = False
    bulk_limit: int = 1000
    hard_bounces: int = 3
    blocked: bool = False
    webhooks_enabled: bool = True


class Account(Struct, kw_only=True):
    """One newsletter account with everything in it."""

    id: int
    name: str
    created: float
    options: Options
    contacts: dict[int, Contact] = field(default_factory=dict)
    by_address: dict[str, list[int]] = field(default_factory=dict)
    by_external_id: dict[str, list[int]] = field(default_factory=dict)
    markers: dict[str, float] = field(default_factory=dict)
    custom_fields: dict[str, str] = field(default_factory=dict)
    mailings: dict[int, Mailing] = field(default_factory=dict)
    default_doi_mailing: str | None = None
    mails: list[Mail] = field(default_factory=list)
    webhooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    blacklists: dict[int, Blacklist] = field(default_factory=dict)
    blacklisted: dict[str, int] = field(default_factory=dict)
    anonymising: deque[int] = field(default_factory=deque)
    unsubscriptions: list[Entry] = field(default_factory=list)
    subscribers: list[Entry] = field(default_factory=list)
    bounces: list[Entry] = field(default_factory=list)
    blocks: list[Entry] = field(default_factory=list)

    def readable(self, email: str) -> list[Contact]:
        """The contacts with this address, oldest first, those on their way to anonymity included.

        Addresses are compared without letter case; how Maileon does it is UNKNOWN (section 17).
        """
        return [self.contacts[number] for number in self.by_address.get(email.lower(), ())]

    def living(self, email: str) -> list[Contact]:
        return [contact for contact in self.readable(email) if contact.unsubscribed is None]

    def holders(self, external_id: str) -> list[Contact]:
        """The contacts with this external id that are not anonymised."""
        return [self.contacts[number] for number in self.by_external_id.get(external_id, ())]

    def put(self, contact: Contact) -> None:
        self.contacts[contact.id] = contact
        if contact.email is not None:
            self.by_address.setdefault(contact.email.lower(), []).append(contact.id)
        if contact.external_id is not None:
            self.by_external_id.setdefault(contact.external_id, []).append(contact.id)

    def readdress(self, contact: Contact, email: str | None) -> None:
        if contact.email is not None:
            drop(self.by_address, contact.email.lower(), contact.id)
        contact.email = email
        if email is not None:
            self.by_address.setdefault(email.lower(), []).append(contact.id)

    def rename(self, contact: Contact, external_id: str | None) -> None:
        if contact.external_id is not None:
            drop(self.by_external_id, contact.external_id, contact.id)
        contact.external_id = external_id
        if external_id is not None:
            self.by_external_id.setdefault(external_id, []).append(contact.id)

    def remove(self, contact: Contact) -> None:
        """Delete the contact; no marker, no webhook, no report entry (section 6.3)."""
        self.forget(contact)
        self.contacts.pop(contact.id, None)

    def anonymise(self, contact: Contact) -> None:
        """Only the Maileon id finds the contact from now on; its external id stays readable there."""
        self.forget(contact)
        contact.anonymous = True
        contact.permission = 1
        contact.standard.clear()
        contact.custom.clear()
        contact.source = contact.subscription_page = None

    def forget(self, contact: Contact) -> None:
        """Take the address away and the external id out of the look-up; report entries still show the latter."""
        self.readdress(contact, None)
        if contact.external_id is not None and not contact.anonymous:
            drop(self.by_external_id, contact.external_id, contact.id)

    def settle(self, now: float) -> None:
        """Finish the anonymisations that are due."""
        while self.anonymising:
            contact = self.contacts.get(self.anonymising[0])
            if contact is not None and contact.unsubscribed is not None and not contact.anonymous:
                if contact.unsubscribed + self.options.anonymise_seconds > now:
                    return
                self.anonymise(contact)
            self.anonymising.popleft()

    def sendout_status(self, contact: Contact) -> str:
        return "blocked" if self.blocking_reason(contact) is not None else "allowed"

    def blocking_reason(self, contact: Contact) -> str | None:
        """`blacklist` or `bounce_policy`; None when mails may go out (section 8)."""
        if contact.blocked_reason is not None:
            return contact.blocked_reason
        local, _, domain = (contact.email or "").lower().rpartition("@")
        hit = any(pattern in self.blacklisted for pattern in (f"{local}@{domain}", f"*@{domain}", f"{local}@*"))
        return "blacklist" if hit else None

    def mailing_by_key(self, key: str) -> Mailing | None:
        return next((mailing for mailing in self.mailings.values() if mailing.key == key), None)


def drop(index: dict[str, list[int]], key: str, number: int) -> None:
    numbers = index[key]
    numbers.remove(number)
    if not numbers:
        del index[key]

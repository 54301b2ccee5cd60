"""The connector: one open HubSpot portal, its abilities mixed in from modules by subject."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Literal, Self

from stellwerk.sdk import (
    Account,
    AddEntry,
    ClearStage,
    Command,
    Create,
    Delivery,
    FieldSpec,
    MarkState,
    OptOut,
    ReauthorizeError,
    Receipt,
    Scope,
    Services,
    SetFields,
    SetStage,
    Settings,
)
from stellwerk_hubspot import oauth, scopes
from stellwerk_hubspot.app_event import Telling
from stellwerk_hubspot.batch import BATCH, Reading, Writing
from stellwerk_hubspot.catalogue import Listing
from stellwerk_hubspot.client import Client
from stellwerk_hubspot.creating import Creating
from stellwerk_hubspot.finding import Finding
from stellwerk_hubspot.journal import Journaling
from stellwerk_hubspot.leaving import Leaving
from stellwerk_hubspot.note import Noting
from stellwerk_hubspot.opt_out import OptingOut
from stellwerk_hubspot.paging import Paging
from stellwerk_hubspot.project import write_project
from stellwerk_hubspot.provision import Providing
from stellwerk_hubspot.receipt import rejected
from stellwerk_hubspot.session import Session
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem
from stellwerk_hubspot.stage import Staging
from stellwerk_hubspot.webhook import Webhooks
from stellwerk_hubspot.wire import MOST_CHARACTERS, is_record_id

__all__ = ["HubspotConnector"]


class HubspotConnector(
    Reading,
    Finding,
    Writing,
    Creating,
    Staging,
    Noting,
    Telling,
    OptingOut,
    Providing,
    Leaving,
    Listing,
    Paging,
    Webhooks,
    Journaling,
    oauth.Login,
):
    """A portal. Reads, makes and writes contacts; hears webhooks and asks what changed; creates properties; can leave."""

    name: ClassVar[str] = "hubspot"
    title: ClassVar[str] = "HubSpot"
    system_type: ClassVar[type[Settings]] = HubspotSystem
    account_type: ClassVar[type[Settings]] = HubspotAccount
    rate: ClassVar[tuple[int, float]] = (100, 10.0)
    batch_sizes: ClassVar[Mapping[str, int]] = {
        "create": BATCH,
        "set_fields": BATCH,
        "clear_stage": 1,
        "set_stage": 1,
        "add_entry": 1,
        "opt_out": 1,
    }
    marked: ClassVar[frozenset[str]] = frozenset({"add_entry"})
    webhook_trust: ClassVar[Literal["signature", "path"]] = "signature"
    hook_topics: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[tuple[str, ...]] = ("stages",)
    twin_module: ClassVar[str] = "stellwerk_hubspot.twin"
    read_batch: ClassVar[int] = BATCH
    # Reference page, section 2: private OAuth distribution; 100 for Solutions Partners, 25 on the marketplace before listing.
    most_accounts: ClassVar[int] = 10

    def __init__(self, system: HubspotSystem, account: HubspotAccount, services: Services) -> None:
        self.system = system
        self.account = account
        self.services = services
        self.client = Client(Session(system, account, services))
        self.specs: Mapping[str, FieldSpec] = {spec.name: spec for spec in services.fields.values()}
        self.unknown: set[str] = set()
        self.sure: set[str] = set()
        self.event_type: str | None = None
        self.poll_seconds = system.poll_seconds

    @classmethod
    @asynccontextmanager
    async def open(cls, system: HubspotSystem, account: HubspotAccount, services: Services, /) -> AsyncIterator[Self]:
        """One portal. Nothing is asked before the first call, and nothing is left open."""
        yield cls(system, account, services)

    @classmethod
    def most_characters(cls, field: str) -> int | None:
        """A property of type string takes 65,536 characters (reference page, section 6)."""
        return MOST_CHARACTERS

    async def check(self) -> Account:
        """The portal, and the scopes it has not granted. Raises `ReauthorizeError`, also for another portal's token."""
        details = await self.client.account_details()
        if str(details.portal_id) != self.account.account:
            raise ReauthorizeError("other-account", f"the token is of portal {details.portal_id}")
        name = f"HubSpot {details.portal_id}"
        granted = None if self.account.access_token else await self._granted_scopes()
        # A static token's scopes cannot be asked for: then none was looked for, and none is said to be missing.
        rights = () if granted is None else oauth.scopes_of(self.system)
        missing = tuple(scope for scope in rights if scope not in (granted or ()))
        return Account(id=str(details.portal_id), name=name, missing=missing, zone=details.time_zone, rights=rights)

    @classmethod
    def lacking(cls, system: HubspotSystem, granted: Sequence[str], /) -> Sequence[Scope]:
        return scopes.lacking(system, granted)

    async def _granted_scopes(self) -> tuple[str, ...] | None:
        token = await self.client.access_token()
        # One call, or two where HubSpot wants the token in another field.
        await self.services.spend(2)
        return await oauth.granted_scopes(self.system, self.services.http, token)

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        """One receipt for each delivery, same order. Never raises for an answer of HubSpot's."""
        if deliveries and all(isinstance(delivery.change, SetFields) for delivery in deliveries):
            return await self.set_fields(deliveries)
        if deliveries and all(isinstance(delivery.change, Create) for delivery in deliveries):
            return await self.create_contacts(deliveries)
        return [await self._one(delivery) for delivery in deliveries]

    async def _one(self, delivery: Delivery) -> Receipt:
        if isinstance(delivery.change, Create):
            return (await self.create_contacts([delivery]))[0]
        if not is_record_id(delivery.id):
            return rejected("no-contact", "the contact has no record id")
        match delivery.change:
            case SetFields():
                return (await self.set_fields([delivery]))[0]
            case ClearStage():
                return await self.clear_stage(delivery.id)
            case SetStage(stage=stage):
                return await self.set_stage(delivery.id, stage)
            case AddEntry() as entry:
                return await self.add_entry(delivery.id, entry)
            case OptOut():
                return await self.opt_out(delivery.id, delivery.email)
        return rejected("not-possible", f"HubSpot takes no {type(delivery.change).__name__}")

    async def find_mark(self, delivery: Delivery, /) -> tuple[MarkState, Receipt | None]:
        """Whether the note of this delivery is there. Raises `DeliveryError`."""
        if not isinstance(delivery.change, AddEntry) or not is_record_id(delivery.id):
            return MarkState.UNREADABLE, None
        return await self.find_note(delivery.id, delivery.change)

    @classmethod
    def commands(cls) -> Mapping[str, tuple[str, Command]]:
        return {"project": ("write the developer project that HubSpot's CLI uploads", write_project)}

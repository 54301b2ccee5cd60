"""The connector: one open Maileon account and everything it can do. Each ability's work stands in its own module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import ClassVar, Literal, Self

from stellwerk.sdk import (
    Account,
    Ask,
    AskType,
    Contact,
    Create,
    DeleteContact,
    Delivery,
    Difference,
    FieldSpec,
    Hook,
    MarkState,
    MoveAddress,
    Option,
    OptOutEvidence,
    Receipt,
    Ref,
    Services,
    SetFields,
    SetPeer,
    Settings,
    Signal,
    Unread,
    Unsubscribe,
    Wanted,
    WebhookRequest,
)
from stellwerk_maileon import (
    ask,
    bulk,
    contact,
    evidence,
    key,
    mailings,
    provision,
    read,
    receipts,
    report,
    webhook,
    zone,
)
from stellwerk_maileon.client import MaileonClient
from stellwerk_maileon.session import Session
from stellwerk_maileon.settings import MaileonAccount, MaileonAsk, MaileonSystem

MOST_CHARACTERS = 255


def _rate(calls_per_second: float) -> tuple[int, float]:
    """Calls, and the seconds they may fall into: about one, since the calls of a longer window would go all at once."""
    calls = max(1, int(calls_per_second))
    return calls, calls / calls_per_second


class MaileonConnector:
    """Reads, writes, reports and sets up one newsletter account by Maileon's REST API 1.0."""

    name: ClassVar[str] = "maileon"
    title: ClassVar[str] = "Maileon"
    system_type: ClassVar[type[Settings]] = MaileonSystem
    account_type: ClassVar[type[Settings]] = MaileonAccount
    rate: ClassVar[tuple[int, float]] = (5, 1.0)
    ask_type: ClassVar[type[AskType]] = MaileonAsk
    ask_plus: ClassVar[bool] = True
    webhook_trust: ClassVar[Literal["signature", "path"]] = "path"
    hook_topics: ClassVar[tuple[str, ...]] = tuple(webhook.TOPICS)
    lists: ClassVar[tuple[str, ...]] = (mailings.DOI_MAILINGS,)
    twin_module: ClassVar[str] = "stellwerk_maileon.twin"
    read_batch: ClassVar[int] = 1
    creates_only_new: ClassVar[Literal[True]] = True
    batch_sizes: ClassVar[Mapping[str, int]] = {
        "set_fields": 500,
        "create": 500,
        "ask": 1,
        "set_peer": 1,
        "move_address": 1,
        "unsubscribe": 1,
        "delete_contact": 1,
    }
    marked: ClassVar[frozenset[str]] = frozenset({"ask"})
    prints_no_zone: ClassVar[bool] = True

    def __init__(self, session: Session, poll_seconds: float) -> None:
        self._session = session
        self.poll_seconds = poll_seconds

    @classmethod
    def most_characters(cls, field: str, /) -> int | None:
        """255 in every field of text, standard or custom (reference, sections 5.1 and 5.2)."""
        return MOST_CHARACTERS

    @classmethod
    @asynccontextmanager
    async def open(cls, system: MaileonSystem, account: MaileonAccount, services: Services, /) -> AsyncIterator[Self]:
        client = MaileonClient(
            services, api_url=system.api_url, api_key=account.api_key, timeout_seconds=system.timeout_seconds
        )
        session = Session(
            client=client, services=services, zone=zone.named(services.zone or system.zone), supposed=system.zone
        )
        services.rate_seen(*_rate(system.calls_per_second))
        yield cls(session, system.poll_seconds)

    async def check(self) -> Account:
        return await key.check(self._session.client)

    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        return await read.read_contacts(self._session, refs, fields)

    async def stands_twice(self, email: str, /) -> bool:
        return await read.stands_twice(self._session, email)

    async def opt_outs(self, *, email: str | None, contact_id: str | None, since: datetime | None) -> OptOutEvidence:
        return await evidence.opt_outs(self._session, email=email, contact_id=contact_id, since=since)

    async def poll(self, cursor: str | None, /) -> tuple[Sequence[Signal | Unread], str, bool]:
        return await report.poll(self._session, cursor)

    @classmethod
    def receive(cls, request: WebhookRequest, system: MaileonSystem, /) -> Sequence[Signal | Unread]:
        return webhook.receive(request, system)

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        bulky = [delivery for delivery in deliveries if isinstance(delivery.change, SetFields | Create)]
        written = iter(await bulk.synchronize(self._session, bulky)) if bulky else iter(())
        return [
            next(written) if isinstance(delivery.change, SetFields | Create) else await self._apply_one(delivery)
            for delivery in deliveries
        ]

    async def _apply_one(self, delivery: Delivery) -> Receipt:
        match delivery.change:
            case Ask() as change:
                return await ask.ask(self._session, change)
            case SetPeer() as change:
                return await contact.set_peer(self._session, delivery, change)
            case MoveAddress() as change:
                return await contact.move_address(self._session, delivery, change)
            case Unsubscribe():
                return await contact.unsubscribe(self._session, delivery)
            case DeleteContact():
                return await contact.delete(self._session, delivery)
            case _:
                return receipts.rejected("change-unknown", "Maileon has nothing that this change could be written to")

    async def find_mark(self, delivery: Delivery, /) -> tuple[MarkState, Receipt | None]:
        return await ask.find_mark(self._session, delivery)

    async def provide(self, wanted: Wanted, /) -> Sequence[Difference]:
        return await provision.provide(self._session, wanted)

    async def disconnect(self, wanted: Sequence[Hook], /) -> Sequence[Difference]:
        return await provision.disconnect(self._session, wanted)

    async def options(self, name: str, /) -> Sequence[Option]:
        return await mailings.options(self._session, name)

    async def fields(self) -> Sequence[FieldSpec]:
        return await mailings.fields(self._session)

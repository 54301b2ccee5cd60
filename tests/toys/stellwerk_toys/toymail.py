"""A connector to a mail system that exists only in the tests: written against the SDK alone, as a stranger would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self, TypeVar

import msgspec
from msgspec import Meta

from stellwerk.sdk import (
    UNREADABLE,
    Account,
    AmbiguousError,
    Ask,
    AskType,
    Contact,
    Create,
    DeleteContact,
    Delivery,
    DeliveryError,
    Difference,
    EventKind,
    FieldSpec,
    Hook,
    MarkState,
    MoveAddress,
    Option,
    OptOutEntry,
    OptOutEvidence,
    Outcome,
    Permission,
    Presence,
    ReauthorizeError,
    Receipt,
    Ref,
    RetryableError,
    Secret,
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
from stellwerk_toys.failed import failed
from stellwerk_toys.mail import FULL, FULL_PLUS, LETTERS, NOTHING, ONE, TWO, Address, Journal, ReportEntry
from stellwerk_toys.refused import Refused
from stellwerk_toys.world import World

T = TypeVar("T")
PAGE = 50
PERMISSIONS: Mapping[str, Permission] = {
    NOTHING: Permission.NONE,
    ONE: Permission.SINGLE,
    TWO: Permission.CONFIRMED,
    FULL: Permission.DOUBLE,
    FULL_PLUS: Permission.DOUBLE_PLUS,
}
WORDS: Mapping[Permission, str] = {permission: word for word, permission in PERMISSIONS.items()}
TOPICS: Mapping[str, EventKind] = {"yes": EventKind.CONFIRMED, "goodbye": EventKind.UNSUBSCRIBED}
DETAILS = frozenset({"letter", "how"})
JOURNAL: Mapping[str, EventKind] = {
    **TOPICS,
    "edited": EventKind.CHANGED,
    "returned": EventKind.BOUNCED,
    "shut": EventKind.BLOCKED,
    "opened": EventKind.UNBLOCKED,
}


class ToyMailSystem(Settings, frozen=True, kw_only=True):
    """The toy newsletter."""

    poll_seconds: Annotated[float, Meta(description="Seconds from one look into the journal to the next.")] = 600.0
    timeout_seconds: Annotated[float, Meta(description="Seconds to wait for an answer.")] = 2.0


class ToyMailAccount(Settings, frozen=True, kw_only=True):
    """One toy newsletter."""

    world: Annotated[str, Meta(description="Name of the world it is in.")]
    key: Annotated[Secret, Meta(description="Opens it.")]


class ToyAsk(AskType, frozen=True, kw_only=True):
    """What an ask takes."""

    letter: Annotated[str, Meta(description="The letter with the link.")] = ""


class ToyMail:
    """Asks, creates, writes fields, unsubscribes and deletes; proves opt-outs; hears webhooks by the secret in their path."""

    name: ClassVar[str] = "toymail"
    system_type: ClassVar[type[Settings]] = ToyMailSystem
    account_type: ClassVar[type[Settings]] = ToyMailAccount
    rate: ClassVar[tuple[int, float]] = (100_000, 1.0)
    ask_type: ClassVar[type[AskType]] = ToyAsk
    ask_plus: ClassVar[bool] = True
    webhook_trust: ClassVar[Literal["signature", "path"]] = "path"
    hook_topics: ClassVar[tuple[str, ...]] = tuple(TOPICS)
    lists: ClassVar[tuple[str, ...]] = ("letters",)
    batch_sizes: ClassVar[Mapping[str, int]] = {
        "ask": 1,
        "create": 5,
        "set_fields": 5,
        "set_peer": 1,
        "move_address": 1,
        "unsubscribe": 1,
        "delete_contact": 1,
    }
    marked: ClassVar[frozenset[str]] = frozenset({"ask"})
    read_batch: ClassVar[int] = 1
    creates_only_new: ClassVar[Literal[True]] = True

    def __init__(self, world: World, account: ToyMailAccount, services: Services, poll_seconds: float) -> None:
        self._world = world
        self._account = account
        self._services = services
        self.poll_seconds = poll_seconds

    @classmethod
    @asynccontextmanager
    async def open(cls, system: ToyMailSystem, account: ToyMailAccount, services: Services, /) -> AsyncIterator[Self]:
        yield cls(World.named(account.world), account, services, system.poll_seconds)

    async def check(self) -> Account:
        await self._call(lambda: None)
        return Account(id=f"{self._world.name}-news", name="The toy newsletter", zone="UTC")

    async def _call(self, step: Callable[[], T]) -> T:
        await self._services.spend(1)
        if self._account.key.reveal() != self._world.mail.key:
            raise ReauthorizeError("key-refused")
        return await self._world.call(step)

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        if not refs:
            return []
        try:
            return await self._call(lambda: [self._contact(self._find(ref), ref, fields) for ref in refs])
        except AmbiguousError as error:
            raise RetryableError(error.code) from None

    def _find(self, ref: Ref) -> Address | None:
        mail = self._world.mail
        match ref.by:
            case "id":
                return mail.records.get(ref.value)
            case "email":
                return mail.find(ref.value)
            case _:
                return next((one for one in mail.records.values() if one.extern == ref.value and one.email), None)

    def _contact(self, record: Address | None, ref: Ref, fields: Sequence[str]) -> Contact:
        mail, now = self._world.mail, self._services.now()
        if record is None:
            marked = ref.by == "email" and mail.marked(ref.value)
            times = [one.at for one in mail.report if marked and one.email.casefold() == ref.value.casefold()]
            return Contact(
                presence=Presence.ABSENT, opted_out=marked, opted_out_at=max(times, default=None), read_at=now
            )
        if record.email is None:
            return Contact(
                id=record.id,
                presence=Presence.ANONYMOUS,
                permission=Permission.NONE,
                peer_id=record.extern,
                read_at=now,
            )
        return Contact(
            id=record.id,
            email=record.email,
            fields={name: record.fields.get(name) for name in fields},
            permission=PERMISSIONS.get(record.permission, Permission.OTHER),
            opted_out=mail.marked(record.email),
            blocked=record.blocked,
            peer_id=record.extern,
            mark=record.mark,
            created_at=record.created,
            updated_at=record.updated,
            read_at=now,
        )

    async def opt_outs(self, *, email: str | None, contact_id: str | None, since: datetime | None) -> OptOutEvidence:
        try:
            return await self._call(lambda: self._evidence(email, contact_id, since))
        except AmbiguousError as error:
            raise RetryableError(error.code) from None

    def _evidence(self, email: str | None, contact_id: str | None, since: datetime | None) -> OptOutEvidence:
        mail = self._world.mail
        refs = [
            *([Ref(by="email", value=email)] if email else []),
            *([Ref(by="id", value=contact_id)] if contact_id else []),
        ]
        contacts = [self._contact(self._find(ref), ref, ()) for ref in refs]
        known = [contact for contact in contacts if contact.presence is not Presence.ABSENT]
        absent = Contact(presence=Presence.ABSENT, read_at=self._services.now())
        return OptOutEvidence(
            contact=(known or contacts or [absent])[0],
            marker=email is not None and mail.marked(email),
            entries=tuple(
                _entry(entry)
                for entry in mail.report
                if (entry.email == email or entry.contact == contact_id) and (since is None or entry.at >= since)
            ),
        )

    async def poll(self, cursor: str | None, /) -> tuple[Sequence[Signal], str, bool]:
        journal = self._world.mail.journal
        start = len(journal) if cursor is None else int(cursor)
        page = await self._call(lambda: journal[start : start + PAGE])
        signals = [
            Signal(
                kind=JOURNAL[one.what],
                ref=self._named(one),
                key=f"journal:{start + number}",
                details={"entry": one.name or f"journal:{start + number}"},
            )
            for number, one in enumerate(page)
        ]
        after = start + len(page)
        return signals, str(after), after < len(journal)

    def _named(self, told: Journal) -> Ref:
        """By address, as long as it is known: of whoever left, the number alone is told."""
        record = self._world.mail.records.get(told.contact)
        anonymous = record is not None and record.email is None
        return Ref(by="id", value=told.contact) if anonymous else Ref(by="email", value=told.email)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        if not deliveries:
            return []
        first = deliveries[0].change
        try:
            if isinstance(first, Ask):
                return [await self._ask(first)]
            return await self._call(lambda: [self._apply(delivery) for delivery in deliveries])
        except Refused as refused:
            return [Receipt(outcome=Outcome.REJECTED, code=refused.code, whole=len(deliveries) > 1)] * len(deliveries)
        except DeliveryError as error:
            return [failed(error, marked=isinstance(first, Ask))] * len(deliveries)

    async def _ask(self, change: Ask) -> Receipt:
        """The marker is looked up first: the start itself does not honour it."""
        mail = self._world.mail
        try:
            marked, known = await self._call(lambda: (mail.marked(change.email), mail.find(change.email)))
        except AmbiguousError as error:
            raise RetryableError(error.code) from None
        if marked and not change.way_back:
            return Receipt(outcome=Outcome.OPTED_OUT, code="marker")
        stands = known.fields if known is not None else {}
        record = await self._call(
            lambda: mail.start_doi(
                change.email,
                letter=change.terms.options.get("letter", ""),
                plus=change.terms.plus,
                mark=change.mark,
                extern=change.peer_id,
                fields={name: value for name, value in change.fields.items() if value and name not in stands},
            )
        )
        return Receipt(
            outcome=Outcome.DONE, id=record.id, at=record.updated, permission=PERMISSIONS.get(record.permission)
        )

    def _apply(self, delivery: Delivery) -> Receipt:
        mail, email = self._world.mail, delivery.email or ""
        match delivery.change:
            case Create() as change:
                fields = {name: value for name, value in change.fields.items() if value}
                what, record = mail.create(change.email, WORDS[change.permission], change.peer_id, fields)
                return _created(what, record)
            case SetFields() as change:
                record = mail.update(email, {name: value.value for name, value in change.fields.items()})
                return _done(record)
            case SetPeer() as change:
                record = mail.records.get(delivery.id or "")
                if record is not None and record.email is not None and record.extern in (None, change.replaces):
                    record.extern = change.peer_id
                return _done(record if record is not None and record.email is not None else None)
            case MoveAddress() as change:
                return _moved(mail.move(delivery.id or "", change.email), delivery.id)
            case Unsubscribe():
                record = mail.records.get(delivery.id or "")
                address = record.email if record is not None and record.email is not None else email
                return _gone() if not mail.unsubscribe(address, how="api") else Receipt(outcome=Outcome.DONE)
            case DeleteContact():
                record = mail.records.get(delivery.id or "") or mail.find(email)
                return _gone() if record is None or not mail.delete(record.id) else Receipt(outcome=Outcome.DONE)
            case _:
                return Receipt(outcome=Outcome.REJECTED, code="change-unknown")

    async def find_mark(self, delivery: Delivery, /) -> tuple[MarkState, Receipt | None]:
        change = delivery.change
        if not isinstance(change, Ask):
            return MarkState.UNREADABLE, None
        record = await self._call(lambda: self._world.mail.find(change.email))
        if record is None or record.mark != change.mark:
            return MarkState.ABSENT, None
        return MarkState.FOUND, Receipt(
            outcome=Outcome.DONE, id=record.id, at=record.updated, permission=PERMISSIONS.get(record.permission)
        )

    # --- setting up ---------------------------------------------------------------------------------------------------

    async def provide(self, wanted: Wanted, /) -> Sequence[Difference]:
        def step() -> None:
            self._world.mail.fields.update(spec.name for spec in (*wanted.created, *wanted.used))
            self._world.mail.hooks.update({hook.topic: hook.url for hook in wanted.hooks})

        await self._call(step)
        return []

    async def disconnect(self, hooks: Sequence[Hook], /) -> Sequence[Difference]:
        def step() -> None:
            known = self._world.mail.hooks
            for hook in hooks:
                if known.get(hook.topic) == hook.url:
                    del known[hook.topic]

        await self._call(step)
        return []

    async def options(self, name: str, /) -> Sequence[Option]:
        return await self._call(lambda: [Option(value=letter, label=letter) for letter in LETTERS])

    async def fields(self) -> Sequence[FieldSpec]:
        return await self._call(lambda: [FieldSpec(name=name) for name in sorted(self._world.mail.fields)])

    # --- hearing ------------------------------------------------------------------------------------------------------

    @classmethod
    def receive(cls, request: WebhookRequest, system: ToyMailSystem, /) -> Sequence[Signal | Unread]:
        kind = TOPICS.get("/".join(request.path))
        try:
            told = msgspec.json.decode(request.body, type=dict[str, str])
        except UNREADABLE:
            told = {}
        if kind is None or "who" not in told:
            return [Unread(raw=request.body, because="not-understood")]
        details = {name: text for name, text in told.items() if name in DETAILS}
        return [Signal(kind=kind, ref=Ref(by="email", value=told["who"]), details=details)]


def _entry(entry: ReportEntry) -> OptOutEntry:
    return OptOutEntry(
        key=entry.no,
        at=entry.at,
        contact_id=entry.contact,
        email=entry.email,
        peer_id=entry.extern,
        details=entry.details,
    )


def _created(what: str, record: Address | None) -> Receipt:
    if record is None:
        return Receipt(outcome=Outcome.OPTED_OUT, code="marker")
    permission = PERMISSIONS.get(record.permission, Permission.OTHER)
    if what == "exists":
        return Receipt(outcome=Outcome.NOT_NEEDED, code="exists", id=record.id, permission=permission)
    return Receipt(outcome=Outcome.DONE, id=record.id, at=record.created, permission=permission)


def _moved(what: str, one: str | None) -> Receipt:
    match what:
        case "moved":
            return Receipt(outcome=Outcome.DONE, id=one)
        case "marked":
            return Receipt(outcome=Outcome.OPTED_OUT, code="marker")
        case "taken":
            return Receipt(outcome=Outcome.REJECTED, code="address-taken")
        case _:
            return _gone()


def _done(record: Address | None) -> Receipt:
    return _gone() if record is None else Receipt(outcome=Outcome.DONE, id=record.id, at=record.updated)


def _gone() -> Receipt:
    return Receipt(outcome=Outcome.NOT_NEEDED, code="contact-gone")

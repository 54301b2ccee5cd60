"""A connector to a shop that exists only in the tests: written against the SDK alone, as a stranger would."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self, TypeVar

import msgspec
from msgspec import Meta, Struct

from stellwerk.sdk import (
    ADDRESS,
    UNREADABLE,
    Account,
    AddEntry,
    AmbiguousError,
    ClearStage,
    Contact,
    Create,
    Delivery,
    DeliveryError,
    Difference,
    EventKind,
    FieldSpec,
    Hook,
    LeftOut,
    MarkState,
    Option,
    OptOut,
    Origin,
    Outcome,
    Presence,
    Receipt,
    Ref,
    RejectedError,
    RetryableError,
    Secret,
    Services,
    SetFields,
    SetStage,
    Settings,
    Signal,
    Unread,
    Wanted,
    WebhookError,
    WebhookRequest,
    Written,
)
from stellwerk_toys.crm import API_SOURCE, MERGE_SOURCE, STAGES, Crm, Record, sign
from stellwerk_toys.failed import failed
from stellwerk_toys.refused import Refused
from stellwerk_toys.world import World

T = TypeVar("T")
PAGE = 5
OLDEST_SECONDS = 300.0
ORIGINS: Mapping[str, Origin] = {
    "form": Origin.FORM,
    "clerk": Origin.PERSON,
    "upload": Origin.IMPORT,
    "robot": Origin.WORKFLOW,
    API_SOURCE: Origin.INTEGRATION,
    MERGE_SOURCE: Origin.MERGE,
}
KINDS: Mapping[str, EventKind] = {
    "made": EventKind.CREATED,
    "edited": EventKind.CHANGED,
    "gone": EventKind.DELETED,
    "back": EventKind.RESTORED,
    "merged": EventKind.MERGED,
    "erased": EventKind.ERASED,
}


class ToyCrmSystem(Settings, frozen=True, kw_only=True):
    """The toy shop."""

    hook_key: Annotated[Secret, Meta(description="Signs what the shop sends.")]
    timeout_seconds: Annotated[float, Meta(description="Seconds to wait for an answer.")] = 2.0


class ToyCrmAccount(Settings, frozen=True, kw_only=True):
    """One toy shop."""

    world: Annotated[str, Meta(description="Name of the world it is in.")]


class Told(Struct, frozen=True, kw_only=True):
    """One event as the shop tells it."""

    no: int
    what: str
    contact: str
    source: str = ""
    field: str | None = None
    at: datetime | None = None


class Posted(Struct, frozen=True, kw_only=True):
    """The body of a webhook."""

    shop: str
    events: list[msgspec.Raw]


class ToyCrm:
    """Reads contacts with history, writes fields, stages, the diary and the opt-out; hears signed webhooks."""

    name: ClassVar[str] = "toycrm"
    system_type: ClassVar[type[Settings]] = ToyCrmSystem
    account_type: ClassVar[type[Settings]] = ToyCrmAccount
    rate: ClassVar[tuple[int, float]] = (100_000, 1.0)
    webhook_trust: ClassVar[Literal["signature", "path"]] = "signature"
    hook_topics: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[tuple[str, ...]] = ("stages",)
    batch_sizes: ClassVar[Mapping[str, int]] = {
        "create": 10,
        "set_fields": 10,
        "clear_stage": 1,
        "set_stage": 1,
        "add_entry": 1,
        "opt_out": 1,
    }
    marked: ClassVar[frozenset[str]] = frozenset({"add_entry"})

    def __init__(self, world: World, services: Services) -> None:
        self._world = world
        self._services = services

    @classmethod
    @asynccontextmanager
    async def open(cls, system: ToyCrmSystem, account: ToyCrmAccount, services: Services, /) -> AsyncIterator[Self]:
        world = World.named(account.world)
        if world.crm.rate is not None:
            services.rate_seen(*world.crm.rate)
        yield cls(world, services)

    async def check(self) -> Account:
        name = await self._call(lambda: self._world.crm.account)
        return Account(id=name, name="The toy shop", zone="UTC")

    async def _call(self, step: Callable[[], T]) -> T:
        await self._services.spend(1)
        return await self._world.call(step)

    # --- reading ------------------------------------------------------------------------------------------------------

    async def page(self, cursor: str | None, /) -> tuple[Sequence[Ref], str | None]:
        """In order of numbers; the cursor is the last one that was named."""
        if self._world.crm.list_closed:
            raise RejectedError("list-closed", "nobody may list all contacts")
        after = int((cursor or "c0")[1:])
        try:
            numbers = await self._call(
                lambda: sorted(int(one.id[1:]) for one in self._world.crm.records.values() if not one.gone)
            )
        except AmbiguousError as error:
            raise RetryableError(error.code) from None
        here = [number for number in numbers if number > after]
        refs = [Ref(by="id", value=f"c{number}") for number in here[:PAGE]]
        return refs, refs[-1].value if len(here) > PAGE else None

    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        if not refs:
            return []
        try:
            records = await self._call(lambda: [self._find(ref) for ref in refs])
        except AmbiguousError as error:
            raise RetryableError(error.code) from None
        return [self._contact(record, fields, history) for record in records]

    def _find(self, ref: Ref) -> Record | None:
        match ref.by:
            case "id":
                return self._world.crm.find(ref.value)
            case "email":
                return self._world.crm.get(lambda one: (one.value("email") or "").casefold() == ref.value.casefold())
            case _:
                return None

    async def find(self, email: str, /) -> str | None:
        try:
            record = await self._call(lambda: self._world.crm.holder(email))
        except AmbiguousError as error:
            raise RetryableError(error.code) from None
        return None if record is None or record.gone else record.id

    def _contact(self, record: Record | None, fields: Sequence[str], history: Sequence[str]) -> Contact:
        now = self._services.now()
        if record is None:
            return Contact(presence=Presence.ABSENT, read_at=now)
        return Contact(
            id=record.id,
            email=record.value("email"),
            presence=Presence.ARCHIVED if record.gone else Presence.PRESENT,
            also_ids=tuple(record.took_in),
            also_emails=tuple(record.other_emails),
            fields={name: record.value(name) for name in fields},
            history={name: _history(record, "email" if name == ADDRESS else name) for name in history},
            stage=record.value("stage"),
            opted_out=record.value("no_mail") == "yes",
            origin=ORIGINS.get(record.source, Origin.OTHER),
            created_at=record.created,
            updated_at=record.updated,
            read_at=now,
        )

    # --- writing ------------------------------------------------------------------------------------------------------

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        if not deliveries:
            return []
        try:
            return await self._call(lambda: [self._apply(delivery) for delivery in deliveries])
        except DeliveryError as error:
            marked = isinstance(deliveries[0].change, AddEntry)
            return [failed(error, marked=marked)] * len(deliveries)

    def _apply(self, delivery: Delivery) -> Receipt:
        crm, one = self._world.crm, delivery.id or ""
        try:
            match delivery.change:
                case Create() as change:
                    return _made(crm, change)
                case SetFields() as change:
                    return _without(crm, one, {name: value.value for name, value in change.fields.items()})
                case ClearStage():
                    at = crm.clear_stage(one)
                case SetStage() as change:
                    at = crm.set_stage(one, change.stage)
                case AddEntry() as change:
                    at = crm.note(one, _text(change), change.mark)
                case OptOut():
                    at = crm.write(one, {"no_mail": "yes"})
                case _:
                    return Receipt(outcome=Outcome.REJECTED, code="change-unknown")
        except Refused as refused:
            return Receipt(outcome=Outcome.REJECTED, code=refused.code)
        return Receipt(outcome=Outcome.DONE, id=one, at=at)

    async def find_mark(self, delivery: Delivery, /) -> tuple[MarkState, Receipt | None]:
        change = delivery.change
        record = await self._call(lambda: self._world.crm.find(delivery.id or ""))
        if record is None or not isinstance(change, AddEntry):
            return MarkState.UNREADABLE, None
        found = next((note for note in record.notes if note.reference == change.mark), None)
        if found is None:
            return MarkState.ABSENT, None
        return MarkState.FOUND, Receipt(outcome=Outcome.DONE, id=record.id, at=found.at)

    # --- setting up ---------------------------------------------------------------------------------------------------

    async def provide(self, wanted: Wanted, /) -> Sequence[Difference]:
        await self._call(lambda: self._world.crm.fields.update(spec.name for spec in wanted.created))
        missing = [spec.name for spec in wanted.used if spec.name not in self._world.crm.fields]
        return [Difference(code="field-missing", subject=name, text="the shop has no such field") for name in missing]

    async def disconnect(self, hooks: Sequence[Hook], /) -> Sequence[Difference]:
        await self._call(self._world.crm.uninstall)
        return []

    async def options(self, name: str, /) -> Sequence[Option]:
        return await self._call(lambda: [Option(value=stage, label=stage.title()) for stage in STAGES])

    async def fields(self) -> Sequence[FieldSpec]:
        return await self._call(lambda: [FieldSpec(name=name) for name in sorted(self._world.crm.fields)])

    # --- hearing ------------------------------------------------------------------------------------------------------

    @classmethod
    def receive(cls, request: WebhookRequest, system: ToyCrmSystem, /) -> Sequence[Signal | Unread]:
        at = request.headers.get("x-toy-time", "")
        expected = sign(system.hook_key.reveal(), at, request.body)
        if not hmac.compare_digest(expected, request.headers.get("x-toy-signature", "")):
            raise WebhookError(401, "wrong signature")
        if abs((request.received_at - datetime.fromisoformat(at)).total_seconds()) > OLDEST_SECONDS:
            raise WebhookError(401, "from another time")
        try:
            posted = msgspec.json.decode(request.body, type=Posted)
        except UNREADABLE:
            return [Unread(raw=request.body, because="not-understood")]
        return [_signal(raw, posted.shop) for raw in posted.events]


def _signal(raw: msgspec.Raw, shop: str) -> Signal | Unread:
    try:
        told = msgspec.json.decode(raw, type=Told)
        kind = KINDS[told.what]
    except (*UNREADABLE, KeyError):
        return Unread(raw=bytes(raw), because="not-understood", account=shop)
    return Signal(
        kind=kind,
        ref=Ref(by="id", value=told.contact),
        key=str(told.no),
        account=shop,
        field_name=told.field,
        occurred_at=told.at,
        origin=ORIGINS.get(told.source, Origin.OTHER),
    )


def _made(crm: Crm, change: Create) -> Receipt:
    holder = crm.holder(change.email)
    if holder is not None and not holder.gone:
        return Receipt(outcome=Outcome.NOT_NEEDED, code="exists", id=holder.id)
    given = {name: value for name, value in change.fields.items() if not crm.objects_to(name, value)}
    one = crm.create({"email": change.email, **given}, API_SOURCE)
    return Receipt(outcome=Outcome.DONE, id=one, at=crm.records[one].created)


def _without(crm: Crm, one: str, values: Mapping[str, str | None]) -> Receipt:
    """What the shop does not take is left out of the write, and nothing else is."""
    objections = {name: crm.objects_to(name, value) for name, value in values.items()}
    left_out = tuple(LeftOut(field=name, code=code) for name, code in objections.items() if code)
    taken = {name: value for name, value in values.items() if not objections[name]}
    if not taken and left_out:
        crm.living(one)
        return Receipt(outcome=Outcome.NOT_NEEDED, code="fields-left-out", id=one, left_out=left_out)
    return Receipt(outcome=Outcome.DONE, id=one, at=crm.write(one, taken), left_out=left_out)


def _history(record: Record, name: str) -> tuple[Written, ...]:
    return tuple(
        Written(
            value=entry.value,
            at=entry.at,
            origin=ORIGINS.get(entry.source, Origin.OTHER),
            ours=entry.source == API_SOURCE,
        )
        for entry in reversed(record.history.get(name, []))
    )


def _text(change: AddEntry) -> str:
    return "\n".join([change.text["en"], *(f"{name}: {value}" for name, value in change.shown)])

"""A shop where people log in and a post that asks, with remotes that can be played with; the file and keys that go with them."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from stellwerk.sdk import (
    Account,
    Contact,
    Difference,
    FieldSpec,
    Grant,
    Hook,
    Http,
    Option,
    Outcome,
    Presence,
    ReauthorizeError,
    Receipt,
    Ref,
    RejectedError,
    RetryableError,
    Secret,
    Services,
    Settings,
    Signal,
    Unread,
    Wanted,
    WebhookRequest,
)

PUBLIC = "http://hub.test"
SECRET_KEY = "k" * 40
CLIENT_SECRET = "very-hidden-client-secret"
FILE_KEY = "very-hidden-file-key"
GOOD_KEY = "very-hidden-good-key"
OTHER_KEY = "very-hidden-other-key"
WEAK_KEY = "very-hidden-weak-key"

FILE = """\
version: 1
title: Letters for the shop
hub:
  public_url: env:URL
  secret_key: env:KEY
systems:
  shop: {connector: toyshop, client_secret: env:CLIENT_SECRET}
  post: {connector: toypost}
login: shop
provide:
  shop:
    group: {name: letters, label: Letters}
    properties:
      wants: {name: wants_letters, kind: yes_no, label: Wants letters}
settings:
  - section: {en: Letter settings, de: Brief-Einstellungen}
    fields:
      - {id: ask, kind: switch, default: false, label: {en: Ask first, de: Erst fragen}}
      - {id: template, kind: pick, of: post.templates, or_typed: true, label: {en: Template, de: Vorlage}, only_if: {setting: ask, is: true}}
      - {id: grant, kind: permission, label: {en: Right, de: Recht}, only_if: {setting: ask, is: false}}
      - {id: silence, kind: choice, options: ["yes", "no"], default: "yes", label: {en: Silence means, de: Schweigen heißt},
         help: {en: What no answer means., de: Was keine Angabe heißt.}}
      - {id: per_day, kind: number, default: 10, least: 1, most: 50, label: {en: Letters a day, de: Briefe am Tag}}
      - {id: sender, kind: text, default: Shop, label: {en: Sender, de: Absender}}
  - section: {en: Shop settings, de: Laden-Einstellungen}
    fields:
      - {id: on_left, kind: stage_move, system: shop, label: {en: When they leave, de: Beim Gehen}}
fields:
  - {shop: first, post: FIRST}
rules:
  - id: enter
    from: shop
    to: post
    events: [created, changed]
    enter: {who: new, answer: wants, without_answer: settings.silence}
    consent: {ask: settings.ask, with: {template: settings.template}, grant: settings.grant}
    fields: all
  - {id: left, from: post, to: shop, events: [unsubscribed], stage: settings.on_left, set: {wants: "no"}}
"""


@dataclass
class World:
    """What the toy remotes know and how they behave."""

    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    keys: dict[str, Account] = field(default_factory=dict)
    tokens: int = 0
    shop_down: bool = False
    post_down: bool = False
    app_refused: bool = False
    created: int = 1234
    provided: list[Wanted] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    undone: list[tuple[str, int]] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    tried: dict[str, dict[str, Any]] = field(default_factory=dict)
    templates: list[Option] = field(default_factory=list)
    stages: list[Option] = field(default_factory=list)


class ShopSystem(Settings, frozen=True, kw_only=True):
    """An app at the shop."""

    client_secret: Annotated[Secret, Meta(description="Secret of the app.")]


class ShopAccount(Settings, frozen=True, kw_only=True):
    """One shop."""

    account: Annotated[str, Meta(description="Number of the shop.")]
    token: Annotated[Secret | None, Meta(description="Fixed token.")] = None


class PostSystem(Settings, frozen=True, kw_only=True):
    """The letters service."""


class PostAccount(Settings, frozen=True, kw_only=True):
    """One account of the letters service."""

    api_key: Annotated[Secret, Meta(description="Key as the service shows it.")]


class PostAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the letters service asks."""

    template: Annotated[str, Meta(description="Template.")] = ""


def shop_and_post(world: World) -> dict[str, type[Any]]:
    class Toy:
        name: ClassVar[str]
        rate: ClassVar[tuple[int, float]] = (1000, 1.0)

        def __init__(self, account: Any, services: Services) -> None:
            self.account = account
            self.services = services

        @classmethod
        @asynccontextmanager
        async def open(cls, system: Any, account: Any, services: Services, /) -> AsyncIterator[Self]:
            yield cls(account, services)

        async def provide(self, wanted: Wanted, /) -> Sequence[Difference]:
            world.provided.append(wanted)
            return world.differences

        async def disconnect(self, hooks: Sequence[Hook], /) -> Sequence[Difference]:
            world.undone.append((self.name, len(hooks)))
            return []

        async def fields(self) -> Sequence[FieldSpec]:
            return []

        async def read(self, refs: Any, fields: Any, history: Any = (), /) -> Sequence[Any]:
            return []

        batch_sizes: ClassVar[Mapping[str, int]] = {
            "set_fields": 10, "ask": 1, "create": 10, "set_peer": 1, "clear_stage": 1, "set_stage": 1, "unsubscribe": 1,
        }  # fmt: skip
        marked: ClassVar[frozenset[str]] = frozenset()

        async def apply(self, deliveries: Any, /) -> Sequence[Any]:
            return []

        async def find_mark(self, delivery: Any, /) -> Any:
            return None

    class Shop(Toy):
        name: ClassVar[str] = "toyshop"
        title: ClassVar[str] = "ToyShop"
        system_type: ClassVar[type[Settings]] = ShopSystem
        account_type: ClassVar[type[Settings]] = ShopAccount
        lists: ClassVar[tuple[str, ...]] = ("stages",)
        hook_topics: ClassVar[tuple[str, ...]] = ()
        webhook_trust: ClassVar[Literal["signature", "path"]] = "signature"
        most_accounts: ClassVar[int] = 10

        @classmethod
        def receive(cls, request: WebhookRequest, system: Any, /) -> Sequence[Signal | Unread]:
            return []

        async def check(self) -> Account:
            return Account(id=self.account.account, name=f"Shop {self.account.account}")

        async def options(self, name: str, /) -> Sequence[Option]:
            if world.shop_down:
                raise RetryableError("unreachable")
            return world.stages

        async def apply(self, deliveries: Any, /) -> Sequence[Receipt]:
            if world.shop_down:
                raise RetryableError("unreachable")
            made = []
            for delivery in deliveries:
                known = delivery.email in world.tried
                world.tried.setdefault(delivery.email, dict(delivery.change.fields))
                made.append(Receipt(outcome=Outcome.NOT_NEEDED if known else Outcome.DONE, id="4711"))
            return made

        async def newest(self, count: int, /) -> Sequence[str]:
            if world.shop_down:
                raise RetryableError("unreachable")
            return [contact.id or "" for contact in reversed(world.contacts)][:count]

        async def page(self, cursor: str | None, /) -> tuple[Sequence[Ref], str | None]:
            return [Ref(by="id", value=contact.id or "") for contact in world.contacts], None

        async def read(self, refs: Sequence[Any], fields: Any, history: Any = (), /) -> Sequence[Contact]:
            known = {contact.id: contact for contact in world.contacts}
            absent = Contact(presence=Presence.ABSENT, read_at=self.services.now())
            return [known.get(ref.value, absent) for ref in refs]

        async def created_since(self, since: datetime, /) -> int:
            if world.shop_down:
                raise RetryableError("unreachable")
            return world.created

        @classmethod
        def authorize_url(cls, system: Any, *, redirect_uri: str, state: str, challenge: str) -> str:
            query = {"redirect_uri": redirect_uri, "state": state, "code_challenge": challenge}
            return "https://shop.test/authorize?" + urllib.parse.urlencode(query)

        @classmethod
        async def exchange(cls, system: Any, http: Http, *, code: str, redirect_uri: str, verifier: str) -> Grant:
            if world.shop_down:
                raise RetryableError("unreachable")
            if world.app_refused:
                raise ReauthorizeError("bad-client-secret", "the app is refused")
            account, challenge = world.codes.pop(code, ("", ""))
            digest = hashlib.sha256(verifier.encode()).digest()
            if not account or base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
                raise RejectedError("bad-auth-code", "log in once more")
            world.tokens += 1
            return Grant(
                access_token=f"very-hidden-access-{world.tokens}",
                refresh_token=f"very-hidden-refresh-{world.tokens}",
                expires_in=1800,
                account=account,
                account_name=f"Shop {account}",
                user=f"jo@shop{account}.example",
            )

        @classmethod
        async def refresh(cls, system: Any, http: Http, *, refresh_token: str, account: str) -> Grant:
            raise RetryableError("unreachable")

    class Post(Toy):
        name: ClassVar[str] = "toypost"
        system_type: ClassVar[type[Settings]] = PostSystem
        account_type: ClassVar[type[Settings]] = PostAccount
        lists: ClassVar[tuple[str, ...]] = ("templates",)
        hook_topics: ClassVar[tuple[str, ...]] = ("doi", "unsubscription", "bounce")
        webhook_trust: ClassVar[Literal["signature", "path"]] = "path"
        ask_type: ClassVar[type[msgspec.Struct]] = PostAsk
        ask_plus: ClassVar[bool] = False

        async def check(self) -> Account:
            if world.post_down:
                raise RetryableError("unreachable")
            key = self.account.api_key.reveal()
            if key not in world.keys:
                raise ReauthorizeError("key-pre-encoded" if key.endswith("==") else "key-refused", "no such key")
            return world.keys[key]

        async def options(self, name: str, /) -> Sequence[Option]:
            if world.post_down:
                raise RetryableError("unreachable")
            return world.templates

        async def opt_outs(self, *, email: str | None, contact_id: str | None, since: datetime | None) -> Any:
            raise RetryableError("unreachable")

        @classmethod
        def receive(cls, request: WebhookRequest, system: Any, /) -> Sequence[Signal | Unread]:
            return []

    return {"toyshop": Shop, "toypost": Post}

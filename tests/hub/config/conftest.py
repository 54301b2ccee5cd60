"""Two toy connectors, a file that uses all parts, and ways to load a file from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, ClassVar, Self

import pytest
from msgspec import Meta

from stellwerk.config.load import Loaded, load_bytes
from stellwerk.registry import Registry
from stellwerk.sdk import (
    Account,
    AskType,
    Contact,
    Delivery,
    Difference,
    FieldSpec,
    Grant,
    Http,
    MarkState,
    Option,
    OptOutEvidence,
    Receipt,
    Ref,
    Secret,
    Services,
    Settings,
    Signal,
    Unread,
    Wanted,
    WebhookRequest,
)

FILE = """\
version: 1
title: Shop to letters

hub:
  public_url: https://hub.example
  secret_key: env:KEY

systems:
  shop: {connector: toyshop, client_id: env:CLIENT_ID, client_secret: env:CLIENT_SECRET}
  post: {connector: toypost}
login: shop

provide:
  shop:
    group: {name: letters, label: Letters}
    properties:
      wants:      {name: wants_letters, kind: yes_no, label: Wants letters}
      ask_first:  {name: ask_first, kind: yes_no, label: Ask first}
      shown:      {name: letter_status, kind: status, label: Status}
      permission: {name: letter_permission, kind: permission, label: Permission}

settings:
  - section: {en: Letters, de: Briefe}
    fields:
      - {id: ask, kind: switch, default: true, label: {en: Ask, de: Fragen}, per_contact: ask_first}
      - {id: template, kind: pick, of: post.templates, label: {en: Template, de: Vorlage}, only_if: {setting: ask, is: true}}
      - {id: grant, kind: permission, label: {en: Grant, de: Recht}, only_if: {setting: ask, is: false}}
      - {id: silence, kind: choice, options: ["yes", "no"], default: "no", label: {en: Silence, de: Schweigen}}
      - {id: on_left, kind: stage_move, system: shop, label: {en: When they leave, de: Beim Gehen}}
      - {id: gone, kind: choice, options: [keep, delete], default: keep, label: {en: Gone, de: Weg}}

fields:
  - {shop: first, post: FIRST}
  - {shop: born, post: BORN, to: post, convert: {kind: date, formats: [iso]}}

rules:
  - id: enter
    from: shop
    to: post
    events: [created, changed]
    enter: {who: new, answer: wants, without_answer: settings.silence}
    consent: {ask: settings.ask, with: {template: settings.template}, grant: settings.grant}
    fields: all
  - {id: gone, from: shop, to: post, events: [deleted], contact: settings.gone}
  - id: left
    from: post
    to: shop
    events: [unsubscribed]
    stage: settings.on_left
    set: {wants: "no"}
    timeline: {text: {en: Left, de: Gegangen}, as: note}

mirror:
  - {of: post, on: shop, status: shown, permission: permission}

connections:
  - id: acme
    shop: {token: env:TOKEN}
    post: {key: env:POST_KEY}
    settings: {ask: true, template: T1}
    agreed: {by: Jo Doe, at: 2026-11-23}

tests:
  - name: somebody new is asked
    rule: enter
    given: {fields: {wants: "yes"}}
    expect: {changes: [{kind: ask}]}
"""

ENVIRON = {
    "KEY": "k" * 40,
    "CLIENT_ID": "client-7",
    "CLIENT_SECRET": "very-hidden-client-secret",
    "TOKEN": "very-hidden-token",
    "POST_KEY": "very-hidden-key",
}


class ShopSystem(Settings, frozen=True, kw_only=True):
    """An app at the shop."""

    client_id: Annotated[str, Meta(description="Id of the app.")]
    client_secret: Annotated[Secret, Meta(description="Secret of the app.")]
    timeout_seconds: Annotated[float, Meta(gt=0, description="Longest wait for an answer.")] = 30.0


class ShopAccount(Settings, frozen=True, kw_only=True):
    """A shop."""

    token: Annotated[Secret | None, Meta(description="A fixed token.")] = None


class PostSystem(Settings, frozen=True, kw_only=True):
    """The post."""


class PostAccount(Settings, frozen=True, kw_only=True):
    """A sender."""

    key: Annotated[Secret, Meta(description="Key of the sender.")]


class PostAsk(AskType, frozen=True, kw_only=True):
    """How the post asks."""

    template: Annotated[str, Meta(description="The letter to send.")] = ""


class ToyBoth:
    """What both toys can do; nothing here is ever called, only asked for."""

    rate: ClassVar[tuple[int, float]] = (10, 1.0)
    webhook_trust: ClassVar[str] = "path"
    marked: ClassVar[frozenset[str]] = frozenset()
    hook_topics: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def open(cls, system: Any, account: Any, services: Services, /) -> AbstractAsyncContextManager[Self]:
        raise NotImplementedError

    async def check(self) -> Account:
        raise NotImplementedError

    async def read(
        self, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        raise NotImplementedError

    @classmethod
    def receive(cls, request: WebhookRequest, system: Any, /) -> Sequence[Signal | Unread]:
        raise NotImplementedError

    async def apply(self, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        raise NotImplementedError

    async def find_mark(self, delivery: Delivery, /) -> tuple[MarkState, Receipt | None]:
        raise NotImplementedError

    async def options(self, name: str, /) -> Sequence[Option]:
        raise NotImplementedError

    async def fields(self) -> Sequence[FieldSpec]:
        raise NotImplementedError


class ToyShop(ToyBoth):
    """A shop with stages and a login."""

    name: ClassVar[str] = "toyshop"
    system_type: ClassVar[type[Settings]] = ShopSystem
    account_type: ClassVar[type[Settings]] = ShopAccount
    lists: ClassVar[tuple[str, ...]] = ("stages",)
    batch_sizes: ClassVar[Mapping[str, int]] = {
        "set_fields": 10, "set_peer": 10, "clear_stage": 1, "set_stage": 1, "add_entry": 1, "opt_out": 1
    }  # fmt: skip

    async def provide(self, wanted: Wanted, /) -> Sequence[Difference]:
        raise NotImplementedError

    @classmethod
    def authorize_url(cls, system: Any, *, redirect_uri: str, state: str, challenge: str) -> str:
        raise NotImplementedError

    @classmethod
    async def exchange(cls, system: Any, http: Http, *, code: str, redirect_uri: str, verifier: str) -> Grant:
        raise NotImplementedError

    @classmethod
    async def refresh(cls, system: Any, http: Http, *, refresh_token: str, account: str) -> Grant:
        raise NotImplementedError


class ToyPost(ToyBoth):
    """A post that can ask, but not for tracking."""

    name: ClassVar[str] = "toypost"
    system_type: ClassVar[type[Settings]] = PostSystem
    account_type: ClassVar[type[Settings]] = PostAccount
    lists: ClassVar[tuple[str, ...]] = ("templates",)
    ask_type: ClassVar[type[AskType]] = PostAsk
    ask_plus: ClassVar[bool] = False
    batch_sizes: ClassVar[Mapping[str, int]] = {
        "ask": 1, "create": 10, "set_fields": 10, "set_peer": 1, "unsubscribe": 1, "delete_contact": 1
    }  # fmt: skip

    async def opt_outs(self, *, email: str | None, contact_id: str | None, since: Any) -> OptOutEvidence:
        raise NotImplementedError


@pytest.fixture(scope="session")
def toys() -> Registry:
    return Registry(connectors={"toyshop": ToyShop, "toypost": ToyPost})


@pytest.fixture(scope="session")
def toy_file() -> str:
    return FILE


@pytest.fixture(scope="session")
def environ() -> dict[str, str]:
    return dict(ENVIRON)


@pytest.fixture(scope="session")
def read(toys: Registry) -> Callable[[str], Loaded]:
    """Loads a file from its text, with the toys installed and all secrets set."""
    return lambda text: load_bytes(text.encode(), ENVIRON, toys)


@pytest.fixture(scope="session")
def changed(read: Callable[[str], Loaded]) -> Callable[..., Loaded]:
    """Loads the toy file with pieces replaced: `changed((old, new), …)`; every old piece must stand there once."""

    def load(*pieces: tuple[str, str]) -> Loaded:
        text = FILE
        for old, new in pieces:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the toy file"
            text = text.replace(old, new)
        return read(text)

    return load

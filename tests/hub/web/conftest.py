"""Two toy systems with remotes that can be played with, a hub between them, and a person with a browser."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import logging
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import httpx
import msgspec
import pytest
from litestar.testing import AsyncTestClient
from msgspec import Meta

from stellwerk.app import create_app, create_hub
from stellwerk.config.load import load_bytes
from stellwerk.registry import Registry
from stellwerk.relay.hub import Hub
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
IN_FILE = """\
connections:
  - id: acme
    shop: {account: "7", token: env:SHOP_TOKEN}
    post: {api_key: env:FILE_KEY}
    settings: {sender: Acme from the file}
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


def _toys(world: World) -> dict[str, type[Any]]:
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


@dataclass
class Form:
    """A form as it stands on a page; `values` is what it would send untouched, buttons apart."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)


class Reading(html.parser.HTMLParser):
    """Forms, labels, ids and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.labels: dict[str, str] = {}
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._texts: list[str] = []
        self._label: str | None = None
        self._button: list[str] | None = None
        self._select: str | None = None
        self.feed(text)
        self.text = " ".join("".join(self._texts).split())

    @property
    def form(self) -> Form:
        return self.forms[-1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag == "label":
            self._label = given["for"]
            self.labels[self._label] = ""
        elif tag == "button":
            self._button = [given.get("name", ""), given.get("value", ""), ""]
        elif tag == "select":
            self._select = given["name"]
            self.form.options[self._select] = []
        elif tag == "option" and self._select is not None:
            self.form.options[self._select].append(given["value"])
            if "selected" in given or len(self.form.options[self._select]) == 1:
                self.form.values[self._select] = given["value"]
        elif tag == "input" and "name" in given and "disabled" not in given:
            ticked = given.get("type") != "checkbox" or "checked" in given
            if ticked:
                self.form.values[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._label = None
        elif tag == "button" and self._button is not None:
            if self.forms:
                self.forms[-1].buttons.append((self._button[0], self._button[1], " ".join(self._button[2].split())))
            self._button = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        self._texts.append(data + " ")
        if self._label is not None:
            self.labels[self._label] = (self.labels[self._label] + " " + data).strip()
        if self._button is not None:
            self._button[2] += data


@dataclass
class Page:
    """An answer, read."""

    answer: httpx.Response
    read: Reading

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        return self.read.text

    @property
    def form(self) -> Form:
        return self.read.form

    @property
    def where(self) -> str:
        return str(self.answer.headers.get("location", ""))


class Person:
    """Somebody with a browser of their own. Keeps every answer, to look for what must not be in it."""

    def __init__(self, client: AsyncTestClient[Any], world: World) -> None:
        self.client = client
        self.world = world
        self.seen: list[str] = []

    async def open(self, path: str, **headers: str) -> Page:
        return self._page(await self.client.get(path, headers=headers, follow_redirects=False))

    async def post(self, path: str, values: Mapping[str, str], **headers: str) -> Page:
        return self._page(await self.client.post(path, data=dict(values), headers=headers, follow_redirects=False))

    async def submit(self, page: Page, *, action: str | None = None, **values: str) -> Page:
        """The page's last form with `values` typed (`setting.ask` as `setting_ask`) and a button pressed."""
        typed = {name.replace("__", "."): value for name, value in values.items()}
        sent = {**page.form.values, **typed, **({} if action is None else {"action": action})}
        return await self.post(page.form.action, sent)

    async def goes_to_shop(self) -> dict[str, str]:
        """Press the login button; what the shop's page is told."""
        page = await self.open("/login/shop")
        assert page.status == 303
        return dict(urllib.parse.parse_qsl(page.where.partition("?")[2]))

    async def comes_back(self, asked: Mapping[str, str], account: str = "7") -> Page:
        """Access granted for `account`."""
        code = f"code-{len(self.seen)}-{account}"
        self.world.codes[code] = (account, asked["code_challenge"])
        return await self.open(f"/oauth/shop/callback?code={code}&state={asked['state']}")

    async def logs_in(self, account: str = "7") -> Page:
        """The whole way to the settings, or to the choice where there are several connections."""
        back = await self.comes_back(await self.goes_to_shop(), account)
        assert back.status == 303, back.text
        return await self.open(back.where.replace("/overview", "/settings"))

    async def sets_up(self, key: str = "very-hidden-good-key") -> None:
        """Log in and save, so that the connection runs."""
        page = await self.logs_in()
        saved = await self.submit(page, action="save", account__post__api_key=key, setting__silence="no")
        assert saved.status == 303, saved.text
        await self.open("/settings")

    def cookie(self) -> str:
        return str(self.client.cookies.get("stellwerk") or "")

    def _page(self, answer: httpx.Response) -> Page:
        self.seen.append(answer.text + repr(answer.headers))
        return Page(answer=answer, read=Reading(answer.text))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _world() -> World:
    account = Account(id="900", name="Acme Letters", rights=("GET", "POST", "PUT", "DELETE"))
    return World(
        keys={
            GOOD_KEY: account,
            FILE_KEY: msgspec.structs.replace(account, id="800", name="File Letters"),
            OTHER_KEY: msgspec.structs.replace(account, id="901", name="Other Letters"),
            WEAK_KEY: msgspec.structs.replace(account, id="902", name="Weak Letters", missing=("PUT", "DELETE")),
        },
        templates=[Option(value="T1", label="Welcome"), Option(value="T2", label="Old one", active=False)],
        stages=[Option(value="guest", label="Guest"), Option(value="buyer", label="Buyer")],
    )


@pytest.fixture
def world() -> World:
    return _world()


@asynccontextmanager
async def _opened(world: World, text: str, public_url: str, folder: Path) -> AsyncIterator[Hub]:
    environ = {
        "URL": public_url, "KEY": SECRET_KEY, "CLIENT_SECRET": CLIENT_SECRET, "FILE_KEY": FILE_KEY,
        "SHOP_TOKEN": "very-hidden-shop-token",
    }  # fmt: skip
    registry = Registry(connectors=_toys(world))
    loaded = load_bytes(text.encode(), environ, registry)
    assert loaded.errors == ()
    made = await create_hub(loaded, registry, folder=folder)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def open_a_hub() -> Callable[[str, Path], tuple[World, Any]]:
    """For a module that shares one hub among its tests: the remotes, and what opens a hub between them."""

    def make(public_url: str, folder: Path) -> tuple[World, Any]:
        world = _world()
        return world, _opened(world, FILE, public_url, folder)

    return make


@pytest.fixture
def text() -> str:
    """The file; a test module may give another."""
    return FILE


@pytest.fixture
def public_url() -> str:
    return PUBLIC


@pytest.fixture
async def hub(world: World, text: str, public_url: str, tmp_path: Path) -> AsyncIterator[Hub]:
    async with _opened(world, text, public_url, tmp_path) as made:
        yield made


@pytest.fixture
async def site(hub: Hub, public_url: str) -> AsyncIterator[AsyncTestClient[Any]]:
    """The running hub, as its first visitor reaches it."""
    async with AsyncTestClient(app=create_app(hub), base_url=public_url, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
async def person(site: AsyncTestClient[Any], world: World) -> Person:
    return Person(site, world)


@pytest.fixture
def somebody(site: AsyncTestClient[Any], world: World, public_url: str) -> Callable[[], Person]:
    """Makes further people, each with cookies of their own, at the same hub."""

    def make() -> Person:
        client = AsyncTestClient(app=site.app, base_url=public_url, raise_server_exceptions=False)
        return Person(client, world)

    return make


@pytest.fixture
def all_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every log line down to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield caplog

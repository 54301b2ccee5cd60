"""A person with a browser: pages as they are read, and what a visitor does with them."""

from __future__ import annotations

import html.parser
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar.testing import AsyncTestClient

from stellwerk_toys.shop_and_post import World


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
        self._after_moment = False
        """A moment is an element inside a sentence: what comes after it may stand close by."""
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
        if tag == "time" and self._texts and self._texts[-1].endswith("( "):
            self._texts[-1] = self._texts[-1].rstrip()
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
        self._after_moment = tag == "time"
        if tag == "label":
            self._label = None
        elif tag == "button" and self._button is not None:
            if self.forms:
                self.forms[-1].buttons.append((self._button[0], self._button[1], " ".join(self._button[2].split())))
            self._button = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._after_moment and data[:1] in ".,;:)":
            self._texts[-1] = self._texts[-1].rstrip()
        self._after_moment = False
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

"""Maileon twice: canned answers for what the real one does rarely, and the twin as a process of its own."""

from __future__ import annotations

import itertools
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from stellwerk.sdk import Ask, AskTerms, Delivery, DeliveryError, FieldSpec, Http, Secret, Services
from stellwerk_maileon.connector import MaileonConnector
from stellwerk_maileon.settings import MaileonAccount, MaileonSystem

XML = "application/vnd.maileon.api+xml"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = "a+Key/with=Signs:42"
FIELDS = {
    "FIRSTNAME": FieldSpec(name="FIRSTNAME"),
    "custom:Position": FieldSpec(name="custom:Position"),
    "custom:Is Customer": FieldSpec(name="custom:Is Customer", kind="yes_no"),
    "custom:Since": FieldSpec(name="custom:Since", kind="date"),
    "custom:Score": FieldSpec(name="custom:Score", kind="number"),
}

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Canned:
    """Answers by method and path; the last answer given for a call stays. What was asked is kept, in order."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.replies: dict[tuple[str, str], list[Reply]] = {}
        self.spent = 0
        self.now = NOW
        self.zones: list[str] = []
        self.parts: dict[str, str | None] = {}

    def on(
        self,
        method: str,
        path: str,
        status: int = 200,
        body: str | bytes = "",
        *,
        media: str = XML,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        content = body.encode() if isinstance(body, str) else body
        response = httpx.Response(status, content=content, headers={"content-type": media, **(headers or {})})
        self.reply(method, path, response)

    def reply(self, method: str, path: str, reply: Reply) -> None:
        self.replies.setdefault((method, path), []).append(reply)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        assert self.spent >= len(self.asked), "a request that was not spent for"
        raw = request.url.raw_path.decode().partition("?")[0].removeprefix("/1.0")
        waiting = self.replies.get((request.method, raw))
        assert waiting, f"unexpected call {request.method} {raw}"
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, Exception):
            raise reply
        if not isinstance(reply, httpx.Response):
            return reply(request)
        return httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)

    def calls(self) -> list[str]:
        return [f"{request.method} {request.url.path.removeprefix('/1.0')}" for request in self.asked]

    def query(self, index: int = -1) -> list[tuple[str, str]]:
        return list(self.asked[index].url.params.multi_items())

    async def spend(self, calls: int) -> None:
        self.spent += calls

    def _part_asked(self, part: str, failed: DeliveryError | None) -> None:
        self.parts[part] = None if failed is None else failed.code

    @asynccontextmanager
    async def open(self, key: str = KEY, learnt: str | None = None, **system: Any) -> AsyncIterator[MaileonConnector]:
        async with Http(transport=httpx.MockTransport(self.handle)) as http:
            services = _services(http, lambda: self.now, self.spend)
            services = replace(services, zone=learnt, zone_seen=self.zones.append, part_asked=self._part_asked)
            account = MaileonAccount(api_key=Secret(key))
            async with MaileonConnector.open(MaileonSystem(**system), account, services) as connector:
                yield connector


def _services(http: Http, now: Callable[[], datetime], spend: Any) -> Services:
    async def token(stale: str | None) -> str:
        raise AssertionError("Maileon has no tokens")

    return Services(
        http=http, now=now, log=logging.getLogger("stellwerk.test"), token=token, spend=spend, fields=FIELDS
    )


class Twin:
    """An account of its own at the twin's process."""

    numbers = itertools.count(8001)

    def __init__(self, ready: dict[str, str], control: httpx.Client) -> None:
        self.api_url = ready["api_url"]
        self.url = ready["url"]
        self._control = control
        self.id = next(self.numbers)
        self.key = f"key-of-account-{self.id}"
        self.control(
            "POST",
            "/accounts",
            {
                "id": self.id,
                "name": f"Account {self.id}",
                "key": self.key,
                "mailings": [
                    {"key": "K1", "name": "Double opt-in"},
                    {"key": "OFF", "name": "Switched off", "active": False},
                ],
                "custom_fields": {
                    "Position": "string",
                    "Is Customer": "boolean",
                    "Since": "date",
                    "Score": "float",
                    "Stellwerk Ask": "string",
                },
            },
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._control.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def dump(self) -> Any:
        return self.control("GET", f"/accounts/{self.id}/contacts")

    def contact(self, email: str) -> Any:
        return next(one for one in self.dump()["contacts"] if one["email"] == email)

    def seed(self, *contacts: dict[str, Any], markers: tuple[str, ...] = ()) -> list[str]:
        body = {"account": self.id, "contacts": list(contacts), "markers": list(markers)}
        return [str(number) for number in self.control("POST", "/seed", body)["ids"]]

    def option(self, **options: Any) -> None:
        self.control("POST", f"/options/{self.id}", options)

    def click(self, mail: Any) -> None:
        assert httpx.get(f"{self.url}/confirm/{mail['token']}", trust_env=False).is_success

    def requests(self, since: int = 0) -> list[Any]:
        return list(self.control("GET", f"/requests?since={since}")["requests"])

    def last_number(self) -> int:
        asked = self.requests()
        return int(asked[-1]["number"]) if asked else 0

    def system(self, zone: str = "Europe/Berlin") -> MaileonSystem:
        return MaileonSystem(api_url=self.api_url, timeout_seconds=5, zone=zone)

    @asynccontextmanager
    async def open(
        self, zone: str = "Europe/Berlin", zones: list[str] | None = None
    ) -> AsyncIterator[MaileonConnector]:
        """`zone` is what the file supposes; what was learnt of it goes into `zones`."""

        async def spend(calls: int) -> None:
            assert calls == 1

        async with Http() as http:
            services = _services(http, lambda: datetime.now(UTC), spend)
            services = replace(services, zone_seen=(zones if zones is not None else []).append)
            account = MaileonAccount(api_key=Secret(self.key))
            async with MaileonConnector.open(self.system(zone), account, services) as connector:
                yield connector


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def canned() -> Canned:
    return Canned()


@pytest.fixture(scope="session")
def twin_process() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "stellwerk_maileon.twin", "--port", "0", "--anonymise-seconds", "0.2"]
    with subprocess.Popen(
        [*command, "--exit-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def twin(twin_process: dict[str, str]) -> Iterator[Twin]:
    headers = {"x-control-token": twin_process["control_token"]}
    with httpx.Client(base_url=twin_process["control_url"], headers=headers, trust_env=False) as control:
        found = Twin(twin_process, control)
        yield found
        found.control("DELETE", "/faults")


@pytest.fixture
def delivery() -> Callable[..., Delivery]:
    """Makes deliveries with keys of their own."""
    keys = itertools.count(1)

    def make(change: Any, *, id: str | None = None, email: str | None = None) -> Delivery:  # noqa: A002
        return Delivery(key=f"effect-{next(keys)}", id=id, email=email, change=change, created_at=NOW)

    return make


@pytest.fixture
def asking() -> Callable[..., Ask]:
    """Makes asks for Ada; keyword arguments replace what is named."""

    def make(**given: Any) -> Ask:
        options = {"mailing": given.pop("mailing")} if "mailing" in given else {"mailing": "K1"}
        defaults: dict[str, Any] = {
            "email": "ada+news@example.com",
            "peer_id": "hs-1001",
            "mark": "wish-7",
            "terms": AskTerms(plus=given.pop("plus", False), options=options),
            "fields": {"FIRSTNAME": "Ada"},
            "existing": False,
        }
        return Ask(**{**defaults, **given})

    return make

"""A HubSpot twin in a process of its own, and a connector that is opened against it or against scripted answers."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from stellwerk.sdk import FieldSpec, Http, Secret, Services
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

CLIENT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
TOKEN = "pat-eu1-11111111-2222-3333-4444-555555555555"
PORTAL = "4711"
APP = "1234567"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Twin:
    """A running twin, as its operator sees it: the vendor's URL, the control API, and what one may log in with."""

    url: str
    control_url: str
    control_token: str
    client_secret: str = CLIENT_SECRET
    token: str = TOKEN
    app_id: str = APP
    numbers: Iterator[int] = field(default_factory=count)

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-control-token": self.control_token, "content-type": "application/json"}
        request = urllib.request.Request(self.control_url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A documented call with a static token of another app of the same portal."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def address(self) -> str:
        return f"ada{next(self.numbers)}.{uuid4().hex[:12]}@example.com"

    def plant(self, *contacts: Mapping[str, str], source: str = "IMPORT") -> list[str]:
        """Ids of contacts that came in by `source`."""
        found: list[str] = self.control("/seed", {"contacts": list(contacts), "source": source})["ids"]
        return found

    def new(self, **properties: str) -> str:
        return self.plant({"email": self.address(), **properties})[0]

    def contacts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control(f"/portals/{PORTAL}/contacts")["contacts"]
        return found

    def contact(self, contact_id: str) -> dict[str, Any]:
        return next(one for one in self.contacts() if one["id"] == contact_id)

    def merge(self, primary: str, loser: str) -> str:
        body = {"primaryObjectId": primary, "objectIdToMerge": loser}
        return str(self.call("POST", "/crm/objects/2026-09/contacts/merge", body)["id"])

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control(f"/requests?since={since}")
        return found


@pytest.fixture(scope="session")
def start_twin() -> Iterator[Callable[..., Twin]]:
    """Starts twins with more arguments of the command line; all end with the session."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Twin:
        command = [sys.executable, "-m", "stellwerk_hubspot.twin", "--exit-with-stdin", "--seed", "1"]
        command += ["--limit", "100000/10", "--search-lag-seconds", "0", "--client-secret", CLIENT_SECRET]
        command += ["--client-id", "client-1", "--app-id", APP, "--static-token", f"{TOKEN}={PORTAL}", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return Twin(**json.loads(process.stdout.readline()))

    yield start
    for process in started:
        process.communicate(timeout=20)


@pytest.fixture(scope="session")
def shared_twin(start_twin: Callable[..., Twin]) -> Twin:
    return start_twin()


@pytest.fixture
def twin(shared_twin: Twin) -> Iterator[Twin]:
    """One twin for all tests; each test makes contacts of its own and leaves no fault behind."""
    yield shared_twin
    shared_twin.control("/faults", method="DELETE")


@pytest.fixture
def system() -> HubspotSystem:
    return HubspotSystem(client_id="client-1", client_secret=Secret(CLIENT_SECRET), app_id=APP)


@pytest.fixture
def fields() -> dict[str, FieldSpec]:
    return {}


Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]


@dataclass
class Hub:
    """What a hub hands in, and what it saw of it."""

    spent: int = 0
    rates: list[tuple[int, float]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    now: datetime = NOW

    async def spend(self, calls: int) -> None:
        self.spent += calls

    async def token(self, stale: str | None) -> str:
        self.tokens.append(stale)
        return "fresh-token" if stale else "first-token"

    def services(self, http: Http, fields: Mapping[str, FieldSpec]) -> Services:
        return Services(
            http=http,
            now=lambda: self.now,
            log=logging.getLogger("stellwerk.test"),
            token=self.token,
            spend=self.spend,
            fields=fields,
            rate_seen=lambda calls, seconds: self.rates.append((calls, seconds)),
        )


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def at_twin(twin: Twin, hub: Hub) -> Opener:
    """Opens the connector against the twin, with the static token."""

    @asynccontextmanager
    async def opened(fields: Sequence[FieldSpec] = (), language: str = "en") -> AsyncIterator[HubspotConnector]:
        # The static token belongs to the twin's second app.
        system = HubspotSystem(
            client_id="client-1",
            client_secret=Secret(CLIENT_SECRET),
            app_id=str(int(APP) + 1),
            api_url=twin.url,
            timeout_seconds=5,
            language="de" if language == "de" else "en",
        )
        account = HubspotAccount(account=PORTAL, access_token=Secret(TOKEN))
        async with Http() as http:
            services = hub.services(http, {spec.name: spec for spec in fields})
            async with HubspotConnector.open(system, account, services) as connector:
                yield connector

    return opened


@dataclass
class Script:
    """Answers one after the other, the last one again and again; keeps what was asked."""

    answers: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)

    def add(self, status: int = 200, body: Any = None, **headers: str) -> Script:
        """`headers` with underscores for dashes; `body` as JSON, or as it is when it is bytes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        self.answers.append(httpx.Response(status, content=content, headers=named))
        return self

    def fail(self, error: Exception) -> Script:
        self.answers.append(error)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) if request.content else None for request in self.asked]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def scripted(script: Script, hub: Hub, system: HubspotSystem) -> Opener:
    """Opens the connector against the script; by OAuth unless a token is given."""

    @asynccontextmanager
    async def opened(
        fields: Sequence[FieldSpec] = (), access_token: str | None = None
    ) -> AsyncIterator[HubspotConnector]:
        account = HubspotAccount(account=PORTAL, access_token=Secret(access_token) if access_token else None)
        async with Http(transport=httpx.MockTransport(script)) as http:
            services = hub.services(http, {spec.name: spec for spec in fields})
            async with HubspotConnector.open(system, account, services) as connector:
                yield connector

    return opened

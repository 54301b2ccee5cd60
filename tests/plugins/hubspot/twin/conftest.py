"""A twin on real sockets, a browser and an app that talk to it, and an inbox for its webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from stellwerk_hubspot.twin.limits import Limit
from stellwerk_hubspot.twin.project import load
from stellwerk_hubspot.twin.server import Running, running
from stellwerk_hubspot.twin.twin import Options

CALLBACK = "http://localhost:8000/oauth/crm/callback"
TARGET = "https://hub.demo/webhooks/hubspot"
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
SCOPES = (
    "oauth crm.objects.contacts.read crm.objects.contacts.write crm.schemas.contacts.read crm.schemas.contacts.write"
)
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Arrived:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)
        return found


@dataclass
class Inbox:
    """The app's webhook address: keeps what arrives, answers with the next of `statuses` (200 when there is none).

    A status of 0 closes the connection; `gate`, when cleared, holds every answer back.
    """

    arrived: list[Arrived] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await self._one(line.split()[1].decode(), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers: dict[str, str] = {}
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        self.arrived.append(Arrived(path, headers, await reader.readexactly(int(headers["content-length"]))))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise ConnectionError
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for one in self.arrived for event in one.events]

    def of_type(self, subscription_type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["subscriptionType"] == subscription_type]


@dataclass
class World:
    """A running twin with everybody who talks to it."""

    running: Running
    browser: httpx.AsyncClient
    api: httpx.AsyncClient
    control: httpx.AsyncClient
    inbox: Inbox
    client_id: str = "client-1"
    secret: str = SECRET
    app_id: str = "1234567"
    contacts: str = "/crm/objects/2026-09/contacts"
    properties: str = "/crm/properties/2026-09/contacts"
    notes: str = "/crm/objects/2026-09/notes"
    callback: str = CALLBACK
    scopes: str = SCOPES
    verifier: str = VERIFIER
    challenge: str = CHALLENGE
    target: str = TARGET

    def asked(self, **changes: str | None) -> dict[str, str]:
        """The authorize query of a well-behaved app, with changes; None leaves a parameter out."""
        query = {"client_id": self.client_id, "redirect_uri": CALLBACK, "scope": SCOPES, "state": "s1", **changes}
        return {name: value for name, value in query.items() if value is not None}

    async def code(self, portal: int = 4711, **changes: str | None) -> str:
        """The code after a click on Grant access."""
        fields = {**self.asked(**changes), "decision": "grant"}
        answer = await self.browser.post(f"/oauth/{portal}/authorize", data=fields, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    async def token(self, **fields: str) -> httpx.Response:
        base = {"client_id": self.client_id, "client_secret": self.secret}
        url = "/oauth/2026-09/token"
        return await self.api.post(url, data={**base, **fields}, headers={"authorization": ""})

    async def redeem(self, code: str, **fields: str) -> httpx.Response:
        return await self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, **fields)

    async def connect(self, portal: int = 4711) -> dict[str, Any]:
        """Install the app and use its token from now on."""
        granted: dict[str, Any] = (await self.redeem(await self.code(portal))).json()
        self.api.headers["authorization"] = f"Bearer {granted['access_token']}"
        return granted

    async def create(self, **properties: str) -> str:
        answer = await self.api.post(self.contacts, json={"properties": properties})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def read(self, number: str, *names: str) -> dict[str, Any]:
        answer = await self.api.get(f"{self.contacts}/{number}", params={"properties": ",".join(names)})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["properties"]
        return found

    async def update(self, number: str, **properties: str) -> httpx.Response:
        return await self.api.patch(f"{self.contacts}/{number}", json={"properties": properties})

    async def define(self, name: str, kind: str = "string", field_type: str = "text", **more: Any) -> httpx.Response:
        wanted = {"name": name, "label": name, "type": kind, "fieldType": field_type, "groupName": "contactinformation"}
        return await self.api.post(self.properties, json={**wanted, **more})

    async def settled(self) -> None:
        """Until no delivery is waiting."""

        async def quiet() -> bool:
            return bool((await self.control.get("/idle")).json()["pending"] == 0)

        await self.until(quiet)

    async def until(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Asks again and again, ten seconds at most."""
        async with asyncio.timeout(10):
            while True:
                if await check():
                    return
                await asyncio.sleep(0.005)

    async def arrivals(self, count: int) -> None:
        """Until the inbox has seen this many deliveries."""

        async def enough() -> bool:
            return len(self.inbox.arrived) >= count

        await self.until(enough)

    async def held(self, count: int) -> list[dict[str, Any]]:
        """The calls held, once there are this many."""

        async def right() -> bool:
            return len((await self.control.get("/holds")).json()) == count

        await self.until(right)
        found: list[dict[str, Any]] = (await self.control.get("/holds")).json()
        return found

    async def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.control.get("/requests")).json()
        return found


def project_files() -> dict[str, Any]:
    subscriptions = [
        *(
            {"subscriptionType": f"contact.{kind}", "active": True}
            for kind in ("creation", "deletion", "merge", "restore")
        ),
        *(
            {"subscriptionType": "contact.propertyChange", "propertyName": name, "active": True}
            for name in ("email", "firstname", "lifecyclestage", "company")
        ),
    ]
    return {
        "hsproject.json": {"name": "stellwerk", "srcDir": "src", "platformVersion": "2026.09"},
        "src/app/app-hsmeta.json": {
            "uid": "stellwerk_app",
            "type": "app",
            "config": {
                "name": "Stellwerk",
                "description": "A signal box for contact data",
                "distribution": "private",
                "auth": {
                    "type": "oauth",
                    "redirectUrls": [CALLBACK, "https://hub.example/oauth/crm/callback"],
                    "requiredScopes": SCOPES.split(),
                    "optionalScopes": ["communication_preferences.read_write"],
                    "conditionallyRequiredScopes": [],
                },
                "permittedUrls": {"fetch": [], "iframe": [], "img": []},
                "support": {"supportEmail": "support@hub.example"},
            },
        },
        "src/app/webhooks/webhooks-hsmeta.json": {
            "uid": "stellwerk_webhooks",
            "type": "webhooks",
            "config": {
                "settings": {"targetUrl": TARGET, "maxConcurrentRequests": 6},
                "subscriptions": {
                    "crmObjects": [],
                    "legacyCrmObjects": subscriptions,
                    "hubEvents": [{"subscriptionType": "contact.privacyDeletion", "active": True}],
                },
            },
        },
    }


@pytest.fixture
def files() -> dict[str, Any]:
    """The developer project of the tests, to be changed before `folder` writes it."""
    return project_files()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes project files into a folder."""

    def run(files: dict[str, Any]) -> Path:
        for name, body in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(json.dumps(body))
        return tmp_path

    return run


@pytest.fixture
async def start(
    files: dict[str, Any], write: Callable[[dict[str, Any]], Path]
) -> AsyncIterator[Callable[..., Awaitable[World]]]:
    """Starts a twin with options of the command line changed; without `connected=False` the app is installed."""
    async with AsyncExitStack() as stack:

        async def run(*, connected: bool = True, **options: Any) -> World:
            inbox = Inbox()
            inbox.gate.set()
            server = await asyncio.start_server(inbox.serve, "127.0.0.1", 0)
            stack.push_async_callback(_close, server)
            inbox.port = server.sockets[0].getsockname()[1]
            plain: dict[str, Any] = {
                "project": load(write(files)),
                "client_id": "client-1",
                "client_secret": SECRET,
                "reach": {"https://hub.demo": f"http://127.0.0.1:{inbox.port}"},
                "limit": Limit(10_000, 10.0),
                "retry_seconds": 0.05,
                "search_lag_seconds": 0.0,
                "seed": 1,
            }
            twin = await stack.enter_async_context(running(Options(**{**plain, **options})))

            async def client(url: str, **headers: str) -> httpx.AsyncClient:
                made = httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=10, verify=False)
                return await stack.enter_async_context(made)

            world = World(
                twin,
                await client(twin.url),
                await client(twin.url),
                await client(twin.control_url, **{"X-Control-Token": twin.control_token}),
                inbox,
            )
            world.browser.follow_redirects = True
            if connected:
                await world.connect()
            return world

        yield run


async def _close(server: asyncio.Server) -> None:
    server.close()


@pytest.fixture
async def world(start: Callable[..., Awaitable[World]]) -> World:
    """A twin with the app installed in portal 4711."""
    return await start()

"""One twin and one receiver of webhooks for the whole run, both in threads over real HTTP; one account per test."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stellwerk_maileon.twin.account import Options
from stellwerk_maileon.twin.serving import Plan, Ready, serve

XML = "application/vnd.maileon.api+xml"
JSON = "application/vnd.maileon.api+json"
ORIGIN = "https://hub.test"
accounts = itertools.count(7001)


class Receiver:
    """Keeps what the webhook calls brought. A path with `slow` answers late, one with `refuse` answers 500."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                path, _, query = self.path.partition("?")
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.calls.append({"path": path, "query": query, "headers": headers, "body": body})
                if "slow" in path:
                    time.sleep(6)
                self.send_response(500 if "refuse" in path else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Client:
    """A base address and headers of its own on the shared connections: a client of httpx per test costs 0.1 s."""

    def __init__(self, shared: httpx.Client, base: str, headers: dict[str, str]) -> None:
        self.shared = shared
        self.base = base
        self.headers = headers

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any) -> httpx.Response:
        self.shared.cookies.clear()
        return self.shared.request(method, self.base + path, headers={**self.headers, **(headers or {})}, **rest)

    def get(self, path: str, **rest: Any) -> httpx.Response:
        return self.request("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        return self.request("POST", path, **rest)


class Caller:
    """An account of its own at the twin, with a client that holds its key."""

    def __init__(self, ready: Ready, receiver: Receiver, client: httpx.Client) -> None:
        self.ready = ready
        self.receiver = receiver
        self.id = next(accounts)
        self.key = f"key-of-account-{self.id}"
        self.client = Client(client, ready.api_url, self.authorization(self.key))
        self.browser = Client(client, ready.url, {})
        self.controls = Client(client, ready.control_url, {"X-Control-Token": ready.control_token})
        mailings = [
            {"key": "K1", "name": "Double opt-in"},
            {"key": "K2", "name": "Plus"},
            {"key": "OFF", "name": "Switched off", "active": False},
        ]
        fields = {
            "Position": "string",
            "Score": "integer",
            "Ratio": "float",
            "Since": "date",
            "Is Customer": "boolean",
        }
        self.control(
            "POST",
            "/accounts",
            {
                "id": self.id,
                "name": f"Account {self.id}",
                "key": self.key,
                "mailings": mailings,
                "custom_fields": fields,
            },
        )

    @staticmethod
    def authorization(key: str, colon: str = "") -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{key}{colon}".encode()).decode()}

    def close(self) -> None:
        self.control("DELETE", "/faults")
        self.control("POST", "/holds/release")
        self.control("POST", "/webhooks", {"duplicates": 0, "lose": 0, "pause": False, "reorder_seconds": [0, 0]})
        self.control("POST", "/clock", {"offset_seconds": 0})

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.controls.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def call(self, method: str, path: str, body: str | None = None, kind: str = XML, **params: Any) -> httpx.Response:
        headers = {} if body is None else {"Content-Type": kind}
        return self.client.request(method, path, content=body, headers=headers, params=params or None)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.call("GET", path, **params)

    def create(self, email: str, body: Any = None, **params: Any) -> httpx.Response:
        return self.call("POST", f"/contacts/email/{email}", json.dumps(body or {}), JSON, **params)

    def update(self, email: str, body: Any = None, **params: Any) -> httpx.Response:
        return self.call("PUT", f"/contacts/email/{email}", json.dumps(body or {}), JSON, **params)

    def unsubscribe(self, email: str, **params: Any) -> httpx.Response:
        return self.call("DELETE", f"/contacts/email/{email}/unsubscribe", **params)

    def bulk(self, *contacts: str, **params: Any) -> httpx.Response:
        inner = "".join(f"<contact>{contact}</contact>" for contact in contacts)
        return self.call("POST", "/contacts", f"<contacts>{inner}</contacts>", **params)

    def xml(self, answer: httpx.Response, status: int = 200) -> ElementTree.Element:
        assert answer.status_code == status, answer.text
        return ElementTree.fromstring(answer.content)

    def read(self, email: str, **params: Any) -> ElementTree.Element:
        return self.xml(self.get(f"/contacts/email/{email}", **params))

    def permission(self, email: str) -> str | None:
        return self.read(email).findtext("permission")

    def number(self, answer: httpx.Response) -> int:
        return int(ElementTree.fromstring(answer.content).text or "")

    def dump(self) -> Any:
        return self.control("GET", f"/accounts/{self.id}/contacts")

    def mails(self) -> list[Any]:
        return list(self.dump()["mails"])

    def option(self, **options: Any) -> None:
        self.control("POST", f"/options/{self.id}", options)

    def click(self, mail: Any) -> httpx.Response:
        return self.browser.get(f"/confirm/{mail['token']}")

    def newsletter(self, **form: str) -> Any:
        """Send one; the mails of it."""
        before = len(self.mails())
        answer = self.browser.post("/newsletter", data={"account": str(self.id), "subject": "News", **form})
        assert answer.status_code == 200
        return self.mails()[before:]

    def hook(self, event: str, path: str = "", **spec: Any) -> int:
        body = {"url": f"{ORIGIN}/{self.id}/{event}{path}", "event": event, **spec}
        answer = self.call("POST", "/webhooks", json.dumps(body), "application/json")
        assert answer.status_code == 201, answer.text
        return self.number(answer)

    def quiet(self) -> None:
        """Wait until no webhook is under way."""
        self.until(lambda: self.control("GET", "/idle")["webhooks_pending"] == 0)

    def received(self) -> list[dict[str, Any]]:
        self.quiet()
        return [call for call in self.receiver.calls if call["path"].startswith(f"/{self.id}/")]

    def until(self, condition: Any, seconds: float = 8.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)

    def last_request(self) -> Any:
        return self.control("GET", "/requests")["requests"][-1]


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture(scope="session")
def ready(receiver: Receiver) -> Iterator[Ready]:
    target = f"http://127.0.0.1:{receiver.server.server_port}"
    plan = Plan(reach={ORIGIN: target}, options=Options(anonymise_seconds=0.3))
    said: queue.Queue[Any] = queue.Queue()

    def run() -> None:
        async def main() -> None:
            stop = asyncio.Event()
            said.put((asyncio.get_running_loop(), stop))
            await serve(plan, said.put, stop)

        asyncio.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    loop, stop = said.get(timeout=10)
    yield said.get(timeout=10)
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, follow_redirects=True, verify=False) as shared:
        yield shared


@pytest.fixture
def maileon(ready: Ready, receiver: Receiver, client: httpx.Client) -> Iterator[Caller]:
    caller = Caller(ready, receiver, client)
    yield caller
    caller.close()

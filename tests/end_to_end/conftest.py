"""Hub and both twins as processes of their own, and a marketer who has connected them: nothing here runs inside a test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from ruamel.yaml import YAML

from stellwerk.cli.beside import beside
from stellwerk.cli.explain import known_of
from stellwerk_demo.browser import Browser, Page
from stellwerk_demo.people import Marketer, Visitor
from stellwerk_demo.scene import HOOK_HOST, KEY, STATIC_TOKEN, Cast, Scene, Twin
from stellwerk_demo.vendors import HubSpotApi, MaileonApi, Unsure

T = TypeVar("T")
PATIENCE_SECONDS = 120.0
CALM_SECONDS = 0.4
HUBSPOT_HOOK = "/webhooks/hubspot"


class Changed(Scene):
    """A scene whose integration.yaml and developer project are not quite the sample's.

    `change` gets the file as loaded, `project` the folder before the twin reads it. `twins` has more of what they are told.
    """

    def __init__(
        self,
        change: Callable[[Any], None],
        *,
        project: Callable[[Path], None] | None = None,
        environment: Mapping[str, str] | None = None,
        twins: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(Cast())
        self._change = change
        self._project = project
        self._more = twins or {}
        self.environment.update(environment or {})

    def _write_config(self) -> None:
        super()._write_config()
        yaml = YAML()
        document = yaml.load(self.config)
        self._change(document)
        yaml.dump(document, self.config)

    def _start_twin(self, name: str, arguments: list[str]) -> Twin:
        if name == "hubspot" and self._project is not None:
            self._project(self.folder / "project")
        return super()._start_twin(name, [*arguments, *self._more.get(name, ())])


class Town:
    """A scene, its people and its vendors, and what the hub shows of itself."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.marketer = Marketer(scene)
        self.crm = HubSpotApi(scene.hubspot.url, STATIC_TOKEN)
        self.mail = MaileonApi(scene.maileon.url, KEY)
        self.numbers = count(1)

    # --- people

    def connect(self) -> None:
        """The marketer logs in, stores the key, and saves the settings of the story."""
        page = self.pressing(lambda: self.marketer.tests_key(self.marketer.logs_in()), "Acme Newsletter")
        page = self.marketer.saves(page)
        assert self.marketer.says_saved(page), page.text

    @staticmethod
    def pressing(press: Callable[[], Page], words: str) -> Page:
        page = press()
        assert words in page.text, page.text
        return page

    def visitor(self, first: str = "Nora") -> Visitor:
        """Somebody nobody has seen before."""
        number = next(self.numbers)
        return Visitor(self.scene, f"{first.lower()}.{number}@visitors.example", first, f"Number{number}")

    def subscriber(self, first: str = "Nora") -> Visitor:
        """Somebody who has signed up and confirmed."""
        who = self.visitor(first)
        who.submits_form(ticks=True)
        self.until("the confirmation mail", lambda: who.mails("doi"))
        who.confirms()
        self.until("status subscribed", lambda: self.status(who) == "subscribed")
        return who

    # --- what vendors and hub show

    def record(self, who: Visitor) -> dict[str, str] | None:
        return self.crm.contact(who.email, ["lifecyclestage", "lastname", "company", "maileon_status"])

    def record_id(self, who: Visitor) -> str:
        found = self.until("the record at HubSpot", lambda: self.record(who))
        return str(found["id"])

    def status(self, who: Visitor) -> str:
        found = self.record(who)
        return "" if found is None else found["maileon_status"]

    def metrics(self) -> dict[str, float]:
        """Every number of /metrics by its name and labels."""
        lines = fetch(f"{self.scene.url}/metrics").splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def moved(self, before: Mapping[str, float]) -> dict[str, float]:
        """The numbers that differ from `before`, with their difference; /health writes one of its own."""
        after = self.metrics()
        names = {*before, *after} - {"stellwerk_health_checks_total"}
        differences = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in sorted(names)}
        return {name: difference for name, difference in differences.items() if difference}

    def waiting_for_a_person(self) -> int:
        told = json.loads(fetch(f"{self.scene.url}/health/ready"))
        return int(told["accounts_waiting_for_a_person"])

    def requests(self, twin: Twin, since: int = 0) -> list[dict[str, Any]]:
        """The vendor calls a twin has seen; number, method, path, query, body, status."""
        told = twin.control("GET", f"/requests?since={since}")
        return list(told["requests"] if isinstance(told, dict) else told)

    def last_request(self, twin: Twin) -> int:
        return max((int(seen["number"]) for seen in self.requests(twin)), default=0)

    def holds(self, twin: Twin) -> list[Any]:
        told = twin.control("GET", "/holds")
        return list(told["holds"] if isinstance(told, dict) else told)

    def database(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the hub's database, read beside it; for the figures that no page shows."""
        path = self.scene.folder / "demo.db"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    def explained(self, who: str) -> dict[str, list[dict[str, Any]]]:
        """What `stellwerk explain --json` prints, read beside the running hub without the cost of a process."""
        with pytest.MonkeyPatch.context() as patched:
            for name, value in self.scene.environment.items():
                patched.setenv(name, value)
            with beside(self.scene.config) as view:
                return known_of(view, who)

    # --- waiting

    def until(self, what: str, look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
        """Look until something is there; a twin's planted fault only costs another look."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                found = look()
            except (Unsure, urllib.error.URLError, ConnectionError):
                found = None
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not seen within {seconds:.0f} s: {what}\n--- hub log\n{self.scene.hub_log[-3000:]}")

    def quiet(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Until the vendors have sent their webhooks and the hub has nothing left to do."""
        end = time.monotonic() + seconds
        calm_since: float | None = None
        while time.monotonic() < end:
            now = time.monotonic()
            calm_since = None if self._busy() else calm_since or now
            if calm_since is not None and now - calm_since >= CALM_SECONDS:
                return
            time.sleep(0.05)
        raise AssertionError(f"still busy after {seconds:.0f} s: {self.metrics()}\n{self.scene.hub_log[-3000:]}")

    def _busy(self) -> bool:
        crm = self.scene.hubspot.control("GET", "/idle")
        mail = self.scene.maileon.control("GET", "/idle")
        rows = self.metrics().items()
        undone = any(n for name, n in rows if 'state="waiting"' in name or 'state="sent"' in name)
        return bool(crm["pending"] or mail["webhooks_pending"] or mail["anonymising"] or undone)

    # --- calls that no vendor makes

    def signed(self, body: bytes, *, age_seconds: float = 0.0, path: str = HUBSPOT_HOOK) -> dict[str, str]:
        """Headers as HubSpot would sign `body`, sent `age_seconds` ago (reference page, section 8)."""
        stamp = str(int((time.time() - age_seconds) * 1000))
        secret = self.scene.environment["HUBSPOT_CLIENT_SECRET"].encode()
        text = b"POST" + (HOOK_HOST + path).encode() + body + stamp.encode()
        signature = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
        return {
            "content-type": "application/json",
            "x-hubspot-signature-v3": signature,
            "x-hubspot-request-timestamp": stamp,
        }

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        """The status of a POST to the hub."""
        request = urllib.request.Request(self.scene.url + path, body, dict(headers or {}), method="POST")
        try:
            with opener().open(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    def maileon_hook(self, topic: str) -> str:
        """The path that Maileon was told to call, as its API lists it."""
        urls = [hook["url"] for hook in self.mail.webhooks() if hook["event"] == topic]
        return str(urls[0]).removeprefix(HOOK_HOST)


def opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str) -> str:
    return Browser().open(url).html


@pytest.fixture
def town() -> Iterator[Callable[..., Town]]:
    """Opens a town of the test's own: `town()` with a connected hub, `town(connected=False)` before anybody logs in.

    `town(change, project=…, environment=…)` is one with another file.
    """
    with ExitStack() as stack:

        def found(change: Callable[[Any], None] | None = None, *, connected: bool = True, **more: Any) -> Town:
            scene = Scene(Cast()) if change is None else Changed(change, **more)
            one = Town(stack.enter_context(scene))
            if connected:
                one.connect()
            return one

        yield found


@pytest.fixture(scope="module")
def shared_town() -> Iterator[Town]:
    """One connected town for all tests of a module; each has visitors of its own."""
    with Scene(Cast()) as scene:
        one = Town(scene)
        one.connect()
        yield one


@pytest.fixture(scope="module")
def changed_town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """One connected town for all tests of a module, with the file that its `change` makes, after its `before` was done."""
    with Changed(request.module.change) as scene:
        one = Town(scene)
        request.module.before(one)
        one.connect()
        yield one
        assert "Traceback" not in scene.hub_log


@pytest.fixture
def here(shared_town: Town) -> Iterator[Town]:
    """The shared town, quiet; planted faults are gone after each test."""
    shared_town.quiet()
    yield shared_town
    for twin in (shared_town.scene.hubspot, shared_town.scene.maileon):
        twin.control("DELETE", "/faults")
        twin.control("POST", "/holds/release")
    assert "Traceback" not in shared_town.scene.hub_log

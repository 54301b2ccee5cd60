"""Login by OAuth, with the app that our own command deployed (section 3)."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from stellwerk.sdk import (
    CommandContext,
    DeliveryError,
    FieldSpec,
    Http,
    ReauthorizeError,
    RejectedError,
    RetryableError,
    Secret,
    Signal,
    WebhookRequest,
)
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.project import write_project
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
CALLBACK = "https://hub.example/oauth/crm/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Hooks(BaseHTTPRequestHandler):
    """Takes what the twin delivers."""

    arrived: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.arrived.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def hooks() -> Iterator[HTTPServer]:
    Hooks.arrived = []
    server = HTTPServer(("127.0.0.1", 0), Hooks)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def app_twin(start_twin: Callable[..., Any], hooks: HTTPServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A twin where the project of our command is deployed."""
    folder = tmp_path_factory.mktemp("project")
    context = CommandContext(
        system=HubspotSystem(client_id="client-1", client_secret=Secret("s"), app_id="1"),
        title="Maileon for HubSpot",
        public_url="https://hub.example",
        webhook_url="https://hub.demo",
        redirect_url=CALLBACK,
        fields=(FieldSpec(name="firstname"),),
    )
    assert write_project(context, [str(folder)]) == 0
    reach = f"https://hub.demo=http://127.0.0.1:{hooks.server_port}"
    return start_twin("--project", str(folder), "--reach", reach)


@pytest.fixture
def app(app_twin: Any, system: HubspotSystem) -> HubspotSystem:
    return replace(system, api_url=app_twin.url, app_url=app_twin.url)


def code_for(app: HubspotSystem, portal: int = 4711) -> str:
    """What the person's browser brings back after Grant access."""
    url = HubspotConnector.authorize_url(app, redirect_uri=CALLBACK, state="s1", challenge=CHALLENGE)
    parts = urlsplit(url)
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(url).status_code == 200
        answer = browser.post(f"{app.app_url}/oauth/{portal}/authorize", data=fields | {"decision": "grant"})
    assert answer.status_code == 302, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["s1"]
    return back["code"][0]


async def logged_in(app: HubspotSystem, http: Http, portal: int = 4711) -> Any:
    code = code_for(app, portal)
    return await HubspotConnector.exchange(app, http, code=code, redirect_uri=CALLBACK, verifier=VERIFIER)


def test_the_page_is_hubspots_with_blanks_as_hubspot_wants_them(system: HubspotSystem) -> None:
    url = HubspotConnector.authorize_url(system, redirect_uri=CALLBACK, state="s", challenge="c")
    assert url.startswith(
        "https://app.hubspot.com/oauth/authorize?client_id=client-1&redirect_uri=https%3A%2F%2Fhub.example"
    )
    assert "&scope=oauth%20crm.objects.contacts.read%20" in url
    assert url.endswith("&state=s&code_challenge=c&code_challenge_method=S256")
    assert "secret" not in url


async def test_a_login_brings_tokens_portal_name_person_and_scopes(app: HubspotSystem) -> None:
    async with Http() as http:
        grant = await logged_in(app, http)
    assert (grant.account, grant.account_name, grant.expires_in) == ("4711", "portal-4711.example", 1800)
    assert grant.user == "admin@portal-4711.example"
    assert "crm.objects.contacts.write" in grant.scopes
    assert grant.access_token != grant.refresh_token


async def test_a_refresh_brings_another_access_token(app: HubspotSystem) -> None:
    async with Http() as http:
        grant = await logged_in(app, http)
        fresh = await HubspotConnector.refresh(app, http, refresh_token=grant.refresh_token, account="4711")
    assert fresh.access_token != grant.access_token
    assert (fresh.refresh_token, fresh.account) == (grant.refresh_token, "4711")


async def test_a_code_counts_once(app: HubspotSystem) -> None:
    async with Http() as http:
        code = code_for(app)
        await HubspotConnector.exchange(app, http, code=code, redirect_uri=CALLBACK, verifier=VERIFIER)
        with pytest.raises(RejectedError, match="bad-auth-code"):
            await HubspotConnector.exchange(app, http, code=code, redirect_uri=CALLBACK, verifier=VERIFIER)


async def test_a_code_without_its_verifier_is_refused(app: HubspotSystem) -> None:
    async with Http() as http:
        with pytest.raises(RejectedError, match="bad-code-verifier"):
            await HubspotConnector.exchange(app, http, code=code_for(app), redirect_uri=CALLBACK, verifier="w" * 64)


async def test_a_wrong_client_secret_is_our_own_fault(app: HubspotSystem) -> None:
    wrong = replace(app, client_secret=Secret("wrong"))
    async with Http() as http:
        with pytest.raises(ReauthorizeError, match="bad-client-secret"):
            await HubspotConnector.exchange(wrong, http, code="c", redirect_uri=CALLBACK, verifier=VERIFIER)
        with pytest.raises(ReauthorizeError, match="bad-client-secret"):
            await HubspotConnector.refresh(wrong, http, refresh_token="r", account="4711")


@pytest.mark.behaviour("trouble-uninstalled")
async def test_after_an_uninstall_the_customer_is_asked_to_connect_again(app: HubspotSystem, app_twin: Any) -> None:
    async with Http() as http:
        grant = await logged_in(app, http, 4712)
        app_twin.control("/portals/4712/uninstall", {})
        with pytest.raises(ReauthorizeError, match="bad-refresh-token") as caught:
            await HubspotConnector.refresh(app, http, refresh_token=grant.refresh_token, account="4712")
    assert grant.refresh_token not in str(caught.value.answer)


async def test_a_token_of_another_portal_is_refused(app: HubspotSystem) -> None:
    async with Http() as http:
        grant = await logged_in(app, http)
        with pytest.raises(ReauthorizeError, match="other-account"):
            await HubspotConnector.refresh(app, http, refresh_token=grant.refresh_token, account="4712")


async def test_a_check_names_portal_and_zone_and_misses_nothing(app: HubspotSystem, hub: Any) -> None:
    async with Http() as http:
        grant = await logged_in(app, http)

        async def token(stale: str | None) -> str:
            return str(grant.access_token)

        services = replace(hub.services(http, {}), token=token)
        async with HubspotConnector.open(app, HubspotAccount(account="4711"), services) as connector:
            account = await connector.check()
    assert (account.id, account.name, account.zone, account.missing) == ("4711", "HubSpot 4711", "Europe/Berlin", ())


async def test_a_webhook_of_the_deployed_app_is_authentic_and_our_own_write_is_known(
    app: HubspotSystem, app_twin: Any, hub: Any
) -> None:
    Hooks.arrived.clear()
    async with Http() as http:
        grant = await logged_in(app, http)
        headers = {"authorization": f"Bearer {grant.access_token}", "content-type": "application/json"}
        body = json.dumps({"properties": {"email": app_twin.address(), "firstname": "Ada"}}).encode()
        url = f"{app.api_url}/crm/objects/2026-09/contacts"
        answer = await http.request("POST", url, headers=headers, content=body)
        contact_id = json.loads(answer.body)["id"]
    settled(app_twin)
    signals: list[Any] = []
    for headers, raw in Hooks.arrived:
        request = WebhookRequest(
            method="POST",
            url="https://hub.demo/webhooks/hubspot",
            path=(),
            query={},
            headers=headers,
            body=raw,
            received_at=datetime.now(UTC),
        )
        signals += HubspotConnector.receive(request, app)
    assert all(isinstance(one, Signal) for one in signals)
    told = {(one.kind.value, one.field_name) for one in signals if one.ref.value == contact_id}
    assert told == {("created", None), ("moved", "email"), ("changed", "firstname")}
    assert all(one.details == {"ours": "yes"} for one in signals)
    assert {one.account for one in signals} == {"4711"}


def settled(app_twin: Any) -> None:
    """Until the twin has delivered all it has to tell; it does so in a process of its own."""
    deadline = time.monotonic() + 20
    while app_twin.control("/idle")["pending"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- scripted ----------------------------------------------------------------------------------------------------------

TOKENS = {"access_token": "a" * 300, "refresh_token": "r" * 300, "expires_in": 1800}


async def scripted_exchange(script: Any, system: HubspotSystem) -> Any:
    async with Http(transport=httpx.MockTransport(script)) as http:
        return await HubspotConnector.exchange(system, http, code="c", redirect_uri=CALLBACK, verifier="v")


async def scripted_refresh(script: Any, system: HubspotSystem) -> Any:
    async with Http(transport=httpx.MockTransport(script)) as http:
        return await HubspotConnector.refresh(system, http, refresh_token="rt-1", account="4711")


async def test_nothing_secret_stands_in_the_url(script: Any, system: HubspotSystem) -> None:
    script.add(200, TOKENS)
    await scripted_refresh(script, system)
    (asked,) = script.asked
    assert str(asked.url) == "https://api.hubapi.com/oauth/2026-09/token"
    assert parse_qs(asked.content.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["rt-1"],
        "client_id": ["client-1"],
        "client_secret": [system.client_secret.reveal()],
    }


async def test_the_portal_is_asked_for_where_the_answer_does_not_name_it(script: Any, system: HubspotSystem) -> None:
    script.add(200, TOKENS).add(200, {"active": True, "hub_id": 4711, "scopes": ["oauth"]})
    grant = await scripted_exchange(script, system)
    assert (grant.account, grant.account_name, grant.scopes) == ("4711", "HubSpot 4711", ("oauth",))


async def test_the_name_is_an_ornament_and_the_portal_is_not(script: Any, system: HubspotSystem) -> None:
    script.add(200, TOKENS | {"hub_id": 4711}).add(503)
    assert (await scripted_exchange(script, system)).account_name == "HubSpot 4711"


@pytest.mark.parametrize(("status", "body"), [(503, {}), (200, {"active": False})])
async def test_a_login_without_a_portal_is_tried_again(
    script: Any, system: HubspotSystem, status: int, body: dict[str, Any]
) -> None:
    script.add(200, TOKENS).add(status, body)
    with pytest.raises(RetryableError):
        await scripted_exchange(script, system)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"status": "BAD_REFRESH_TOKEN"}, ReauthorizeError, "bad-refresh-token"),
        (400, {"status": "BAD_HUB", "error": "access_denied"}, ReauthorizeError, "bad-hub"),
        (400, {"error": "invalid_grant"}, ReauthorizeError, "invalid-grant"),
        (400, {"status": "error", "error": "invalid_client"}, ReauthorizeError, "invalid-client"),
        (400, {"status": "BAD_SCOPES"}, ReauthorizeError, "bad-scopes"),
        (401, b"<html>", ReauthorizeError, "refused"),
        (400, {"status": "Ada Lovelace, 1815"}, ReauthorizeError, "refused"),
        (429, {}, RetryableError, "rate-limit"),
        (503, {}, RetryableError, "outage"),
        (404, {}, RetryableError, "unexpected-answer"),
        (200, b"{", RetryableError, "unreadable-answer"),
        (200, {"access_token": 7}, RetryableError, "unreadable-answer"),
    ],
)
async def test_each_refusal_of_a_refresh_has_its_name(
    script: Any, system: HubspotSystem, status: int, body: Any, kind: type[DeliveryError], code: str
) -> None:
    script.add(status, body)
    with pytest.raises(kind) as caught:
        await scripted_refresh(script, system)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("status", "for_good"),
    [
        ("BAD_REFRESH_TOKEN", True),
        ("BAD_HUB", True),
        ("BAD_CLIENT_SECRET", False),
        ("BAD_CLIENT_ID", False),
        ("BAD_SCOPES", False),
    ],
)
async def test_only_what_another_login_mends_is_refused_for_good(
    script: Any, system: HubspotSystem, status: str, for_good: bool
) -> None:
    script.add(400, {"status": status})
    with pytest.raises(ReauthorizeError) as caught:
        await scripted_refresh(script, system)
    assert caught.value.for_good is for_good


async def test_the_token_endpoint_may_say_when(script: Any, system: HubspotSystem) -> None:
    script.add(429, {}, retry_after="4")
    with pytest.raises(RetryableError) as caught:
        await scripted_refresh(script, system)
    assert caught.value.retry_after == 4


async def test_a_lost_answer_is_for_later(script: Any, system: HubspotSystem) -> None:
    script.fail(httpx.ReadTimeout("late"))
    with pytest.raises(RetryableError, match="no-answer"):
        await scripted_refresh(script, system)


async def test_an_answer_that_holds_tokens_is_not_kept(script: Any, system: HubspotSystem) -> None:
    script.add(200, {"access_token": "short-token", "refresh_token": 7})
    with pytest.raises(RetryableError) as caught:
        await scripted_refresh(script, system)
    assert "short-token" not in f"{caught.value} {caught.value.answer}"


async def test_what_is_kept_of_a_refusal_shows_no_secret(script: Any, system: HubspotSystem) -> None:
    secret = system.client_secret.reveal()
    script.add(400, {"message": f"rt-1 {secret}"})
    with pytest.raises(ReauthorizeError) as caught:
        await scripted_refresh(script, system)
    assert caught.value.answer == '400 {"message": "[value] [value]"}'

"""Timeline entries as app events, with their id as mark; a note where the app may have none (section 10)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from stellwerk.sdk import AddEntry, CommandContext, Delivery, Http, MarkState, Outcome, Secret
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.project import write_project
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
REDIRECT = "http://localhost:8000/oauth/crm/callback"
PORTAL = "4711"
UNAVAILABLE = "app-event-unavailable"


def entry(mark: str = "mark-1", **more: Any) -> AddEntry:
    text = {"en": "Unsubscribed", "de": "Abgemeldet"}
    shown = (("msg_id", "17"), ("method", "link"))
    return AddEntry(**{"text": text, "shown": shown, "at": AT, "mark": mark, "form": "app_event", "fact": "f", **more})


def adding(contact_id: str, change: AddEntry) -> Delivery:
    return Delivery(key="k", id=contact_id, email=None, change=change, created_at=AT)


# --- against the twin: the project as the command writes it, installed by a login


@pytest.fixture(scope="session")
def listed_system() -> HubspotSystem:
    secret = Secret("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy")
    return HubspotSystem(client_id="client-1", client_secret=secret, app_id="1234567", app_events="our_project")


@pytest.fixture(scope="session")
def listed_twin(
    listed_system: HubspotSystem, start_twin: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder: Path = tmp_path_factory.mktemp("project")
    context = CommandContext(
        system=listed_system,
        title="Maileon for HubSpot",
        public_url="http://localhost:8000",
        webhook_url="https://hooks.example",
        redirect_url=REDIRECT,
        fields=(),
    )
    assert write_project(context, [str(folder)]) == 0
    return start_twin("--project", str(folder))


@pytest.fixture
def granted(listed_twin: Any, listed_system: HubspotSystem) -> str:
    """The access token of an installation by the login that the connector asks for."""
    there = replace(listed_system, app_url=listed_twin.url)
    url = HubspotConnector.authorize_url(there, redirect_uri=REDIRECT, state="s", challenge="c" * 43)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    del asked["code_challenge"], asked["code_challenge_method"]
    with httpx.Client(base_url=listed_twin.url, trust_env=False) as browser:
        answer = browser.post(f"/oauth/{PORTAL}/authorize", data={**asked, "decision": "grant"})
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        client = {"client_id": "client-1", "client_secret": listed_system.client_secret.reveal()}
        token: str = browser.post("/oauth/2026-09/token", data={**form, **client}).json()["access_token"]
    return token


@pytest.fixture
def listed(listed_twin: Any, listed_system: HubspotSystem, granted: str, hub: Any) -> Opener:
    async def token(stale: str | None) -> str:
        return granted

    @asynccontextmanager
    async def opened() -> AsyncIterator[HubspotConnector]:
        system = replace(listed_system, api_url=listed_twin.url, timeout_seconds=5)
        async with Http() as http:
            services = replace(hub.services(http, {}), token=token)
            async with HubspotConnector.open(system, HubspotAccount(account=PORTAL), services) as connector:
                yield connector

    return opened


@pytest.mark.behaviour("timeline")
async def test_an_entry_is_an_app_event_with_the_mark_as_its_id_and_sent_again_it_is_one(
    listed_twin: Any, listed: Opener
) -> None:
    contact_id = listed_twin.new()
    async with listed() as connector:
        (first,) = await connector.apply([adding(contact_id, entry())])
        (again,) = await connector.apply([adding(contact_id, entry())])
    assert (first.outcome, first.code, first.instead, first.id) == (Outcome.DONE, "done", "", contact_id)
    assert again == first
    shown = listed_twin.contact(contact_id)
    (event,) = shown["app_events"]
    assert (event["id"], event["at"]) == ("mark-1", "2026-11-24T10:30:00.000Z")
    assert event["properties"] == {"text": "Unsubscribed", "details": "msg_id: 17, method: link"}
    assert shown["notes"] == []


async def test_an_event_of_a_contact_that_a_merge_ended_goes_to_the_one_that_is_left(
    listed_twin: Any, listed: Opener
) -> None:
    primary, loser = listed_twin.new(), listed_twin.new()
    survivor = listed_twin.merge(primary, loser)
    async with listed() as connector:
        (receipt,) = await connector.apply([adding(loser, entry("mark-2"))])
    assert receipt.outcome is Outcome.DONE
    assert [event["id"] for event in listed_twin.contact(survivor)["app_events"]] == ["mark-2"]


@pytest.mark.behaviour("timeline")
async def test_without_approval_the_entry_is_a_note_and_its_receipt_asks_for_a_repair(
    listed_twin: Any, listed: Opener
) -> None:
    contact_id = listed_twin.new()
    listed_twin.control("/settings", {"app_events_approved": False})
    try:
        async with listed() as connector:
            (receipt,) = await connector.apply([adding(contact_id, entry("mark-3"))])
            mark, _ = await connector.find_mark(adding(contact_id, entry("mark-3")))
    finally:
        listed_twin.control("/settings", {"app_events_approved": True})
    assert (receipt.outcome, receipt.code, receipt.instead) == (Outcome.DONE, UNAVAILABLE, UNAVAILABLE)
    assert "written as notes: forbidden" in receipt.text
    assert mark is MarkState.FOUND
    shown = listed_twin.contact(contact_id)
    assert (len(shown["notes"]), shown["app_events"]) == (1, [])


async def test_the_login_asks_for_the_scope_and_the_check_tells_it(listed: Opener) -> None:
    async with listed() as connector:
        account = await connector.check()
    assert ("timeline" in account.rights, account.missing) == (True, ())


@pytest.mark.behaviour("timeline")
async def test_with_a_static_token_the_entry_is_a_note(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    async with at_twin() as connector:
        (receipt,) = await connector.apply([adding(contact_id, entry())])
        (plain,) = await connector.apply([adding(contact_id, entry("mark-9", form="note"))])
    assert (receipt.outcome, receipt.instead, plain.instead) == (Outcome.DONE, UNAVAILABLE, "")
    assert len(twin.contact(contact_id)["notes"]) == 2


# --- scripted

NAMED = {"fullyQualifiedName": "ae1_stellwerk_entry"}


@pytest.fixture
def system(system: HubspotSystem) -> HubspotSystem:
    return replace(system, app_events="our_project")


async def test_the_types_full_name_is_asked_for_once(script: Any, scripted: Opener) -> None:
    script.add(200, NAMED).add(201, {})
    async with scripted() as connector:
        for number in range(3):
            await connector.apply([adding("7", entry(f"mark-{number}"))])
    paths = [request.url.path.rpartition("/timeline/")[2] for request in script.asked]
    assert paths == ["2026-03/types/projects", *["2026-09/events"] * 3]
    assert script.bodies()[0] == {"projectName": "our_project", "developerSymbol": "stellwerk_entry"}


async def test_an_id_that_is_there_was_sent_by_a_try_whose_answer_was_lost(script: Any, scripted: Opener) -> None:
    script.add(200, NAMED).fail(httpx.ReadTimeout("late"))
    async with scripted() as connector:
        (lost,) = await connector.apply([adding("7", entry())])
        script.answers[:] = []
        script.add(409, {"category": "CONFLICT"})
        (again,) = await connector.apply([adding("7", entry())])
    assert (lost.outcome, again.outcome) == (Outcome.RETRY, Outcome.DONE)
    assert not any(request.url.path.endswith("/notes") for request in script.asked)


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (403, {"category": "MISSING_SCOPES"}, "missing-scopes"),
        (404, {"category": "OBJECT_NOT_FOUND"}, "not deployed"),
        (400, {"category": "VALIDATION_ERROR"}, "refuses the event"),
    ],
)
async def test_what_the_app_may_not_becomes_a_note_that_says_why(
    script: Any, scripted: Opener, status: int, body: dict[str, str], word: str
) -> None:
    script.add(status, body).add(201, {"id": "70"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([adding("7", entry())])
    assert (receipt.outcome, receipt.instead) == (Outcome.DONE, UNAVAILABLE)
    assert word in receipt.text


@pytest.mark.parametrize(("status", "outcome"), [(401, Outcome.RETRY), (503, Outcome.RETRY), (429, Outcome.PAUSE)])
async def test_what_may_pass_makes_no_note(script: Any, scripted: Opener, status: int, outcome: Outcome) -> None:
    script.add(status, {})
    async with scripted(access_token=None) as connector:
        (receipt,) = await connector.apply([adding("7", entry())])
    assert receipt.outcome is outcome
    assert not any(request.url.path.endswith("/notes") for request in script.asked)


async def test_a_note_that_is_refused_too_is_refused_as_a_note(script: Any, scripted: Opener) -> None:
    script.add(404, {"category": "OBJECT_NOT_FOUND"}).add(400, {}).add(200, {"id": "7"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([adding("7", entry())])
    assert (receipt.outcome, receipt.instead) == (Outcome.REJECTED, "")

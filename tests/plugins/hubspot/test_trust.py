"""What may be relied on: HubSpot's clock, a weaker signature, two client secrets, and why a login ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from stellwerk.sdk import Http, ReauthorizeError, Secret, WebhookError, WebhookRequest
from stellwerk_hubspot.clock import clock_offset
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATIC = HubspotAccount(account="4711", access_token=Secret("pat-eu1-static"))
BY_LOGIN = HubspotAccount(account="4711")
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
V1_BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":'
    b'"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)
V1_OF_THE_REFERENCE = "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"


# --- the clock


@pytest.mark.parametrize(
    ("seconds", "took", "offset"),
    [(0, 0, 0), (90, 0, 90), (-90, 0, -89), (10, 30, 0), (40, 30, 10), (-1, 30, 0)],
)
def test_only_what_lies_outside_of_the_call_counts_as_an_offset(seconds: int, took: int, offset: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert clock_offset(date, NOW, NOW + timedelta(seconds=took)) == offset


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 24 Nov 2026 12:00:00 -0000"])
def test_a_date_that_does_not_tell_is_no_offset(date: str) -> None:
    assert clock_offset(date, NOW, NOW) is None


async def test_every_good_answer_tells_the_clock_and_a_bad_one_does_not(scripted: Opener, script: Any) -> None:
    late = format_datetime(NOW + timedelta(seconds=400), usegmt=True)
    script.add(200, {"portalId": 4711}, date=late).add(502, None, date=format_datetime(NOW, usegmt=True))
    seen: list[float] = []
    async with scripted(access_token="pat") as connector:
        services = replace(connector.services, clock_seen=seen.append)
        async with HubspotConnector.open(connector.system, connector.account, services) as told:
            await told.client.account_details()
            with pytest.raises(Exception, match="outage"):
                await told.client.account_details()
    assert seen == [400.0]


# --- signature, version 1


def request(body: bytes, **headers: str) -> WebhookRequest:
    return WebhookRequest(
        method="POST",
        url="https://hub.example/webhooks/hubspot",
        path=(),
        query={},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body,
        received_at=NOW,
    )


def v1(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hashlib.sha256(secret.encode() + body).hexdigest()
    return {"x_hubspot_signature": digest, "x_hubspot_signature_version": "v1"}


def test_version_1_is_computed_as_the_reference_does(system: HubspotSystem) -> None:
    assert v1(V1_BODY)["x_hubspot_signature"] == V1_OF_THE_REFERENCE
    (signal,) = HubspotConnector.receive_weak(request(V1_BODY, **v1(V1_BODY)), system, STATIC)
    assert signal.account == "62515"


def test_version_1_counts_for_a_static_token_alone(system: HubspotSystem) -> None:
    with pytest.raises(WebhookError) as refused:
        HubspotConnector.receive_weak(request(V1_BODY, **v1(V1_BODY)), system, BY_LOGIN)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**v1(V1_BODY), "x_hubspot_signature_version": "v2"},
        {**v1(V1_BODY), "x_hubspot_signature": "0" * 64},
        {**v1(V1_BODY), "x_hubspot_signature": "ä"},
        {**v1(V1_BODY), "x_hubspot_signature_v3": "forged"},
        v1(V1_BODY, "another secret"),
    ],
)
def test_version_1_that_does_not_fit_is_refused(system: HubspotSystem, headers: dict[str, str]) -> None:
    with pytest.raises(WebhookError) as refused:
        HubspotConnector.receive_weak(request(V1_BODY, **headers), system, STATIC)
    assert refused.value.status == 401


def test_version_1_with_the_secret_before_counts_while_it_is_rotated(system: HubspotSystem) -> None:
    rotated = replace(system, client_secret=Secret("new"), previous_client_secret=Secret(SECRET))
    assert HubspotConnector.receive_weak(request(V1_BODY, **v1(V1_BODY)), rotated, STATIC)


def test_fields_without_a_subscription_are_not_announced() -> None:
    names = ["city", "hs_lastmodifieddate", "num_unique_conversion_events", "hs_email_optout", "hs_email_optout_7"]
    assert HubspotConnector.announced(names) == {"city"}


# --- two client secrets at the token endpoint


def tokens(good: str) -> tuple[list[str], httpx.MockTransport]:
    """A token endpoint that knows one secret; which ones were sent."""
    sent: list[str] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(asked.content.decode()))
        sent.append(form["client_secret"])
        if form["client_secret"] != good:
            return httpx.Response(400, json={"status": "BAD_CLIENT_SECRET", "error": "invalid_client"})
        return httpx.Response(200, json={"access_token": "a", "refresh_token": "r", "expires_in": 1800, "hub_id": 4711})

    return sent, httpx.MockTransport(answer)


@pytest.mark.parametrize(("good", "tries"), [("new", ["new"]), ("old", ["new", "old"])])
async def test_the_secret_before_is_used_where_the_new_one_does_not_count_yet(
    system: HubspotSystem, good: str, tries: list[str]
) -> None:
    rotated = replace(system, client_secret=Secret("new"), previous_client_secret=Secret("old"))
    sent, transport = tokens(good)
    async with Http(transport=transport) as http:
        grant = await HubspotConnector.refresh(rotated, http, refresh_token="r", account="4711")
    assert grant.access_token == "a"
    assert sent == tries


async def test_where_neither_secret_counts_the_app_is_refused(system: HubspotSystem) -> None:
    rotated = replace(system, client_secret=Secret("new"), previous_client_secret=Secret("old"))
    sent, transport = tokens("another")
    async with Http(transport=transport) as http:
        with pytest.raises(ReauthorizeError, match="bad-client-secret"):
            await HubspotConnector.refresh(rotated, http, refresh_token="r", account="4711")
    assert sent == ["new", "old"]


# --- why a login ended


@pytest.mark.behaviour("trouble-uninstalled")
@pytest.mark.parametrize(
    ("refused", "status", "category", "code"),
    [
        ("bad-refresh-token", 200, "", "token-revoked"),
        ("bad-refresh-token", 401, "INVALID_AUTHENTICATION", "app-uninstalled"),
        ("bad-refresh-token", 401, "EXPIRED_AUTHENTICATION", "bad-refresh-token"),
        ("bad-refresh-token", 502, "", "bad-refresh-token"),
        ("bad-client-secret", 200, "", "bad-client-secret"),
    ],
)
async def test_the_last_access_token_tells_why_a_refresh_is_refused(
    system: HubspotSystem, script: Any, refused: str, status: int, category: str, code: str
) -> None:
    script.add(status, {"portalId": 4711, "category": category})
    async with Http(transport=httpx.MockTransport(script)) as http:
        told = await HubspotConnector.why_refused(
            system, http, access_token="last", refused=ReauthorizeError(refused, "HubSpot's word")
        )
    assert told.code == code
    assert told.for_good is (code != refused), "what has a name of its own is mended by another login alone"


async def test_where_nobody_answers_the_refusal_stays_as_it_was(system: HubspotSystem, script: Any) -> None:
    script.fail(httpx.ConnectError("no way"))
    refused = ReauthorizeError("bad-refresh-token")
    async with Http(transport=httpx.MockTransport(script)) as http:
        assert await HubspotConnector.why_refused(system, http, access_token="last", refused=refused) is refused


# --- leaving


async def test_the_app_uninstalls_itself_by_hubspots_endpoint(scripted: Opener, script: Any) -> None:
    script.add(204)
    async with scripted() as connector:
        assert list(await connector.disconnect(())) == []
    (asked,) = script.asked
    assert (asked.method, asked.url.path) == ("DELETE", "/appinstalls/2026-09/external-install")


async def test_an_app_that_is_gone_already_is_left(scripted: Opener, script: Any) -> None:
    script.add(404, {"category": "OBJECT_NOT_FOUND"})
    async with scripted() as connector:
        assert list(await connector.disconnect(())) == []


async def test_where_the_login_is_refused_a_person_is_told_to_look(scripted: Opener, script: Any) -> None:
    script.add(403)
    async with scripted() as connector:
        (difference,) = await connector.disconnect(())
    assert (difference.code, difference.subject) == ("app-stays-installed", "4711")


async def test_the_app_of_a_static_token_is_removed_by_a_person(scripted: Opener, script: Any) -> None:
    async with scripted(access_token="pat") as connector:
        (difference,) = await connector.disconnect(())
    assert difference.code == "app-stays-installed"
    assert script.asked == []
    assert json.dumps(difference.text).isascii()

"""Section 3: OAuth."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

BASE = "/oauth/2026-09/token"


async def test_section_3_authorize_lets_the_person_choose_an_account(start: Any) -> None:
    world = await start(connected=False)
    page = await world.browser.get("/oauth/authorize", params=world.asked())
    assert page.status_code == 200
    assert "Acme GmbH" in page.text
    assert "/oauth/4712/authorize?" in page.text


async def test_section_3_authorize_with_the_account_preselected_shows_scopes_and_grant_access(start: Any) -> None:
    world = await start(connected=False)
    page = await world.browser.get("/oauth/4711/authorize", params=world.asked())
    assert "crm.objects.contacts.write" in page.text
    assert "Grant access" in page.text
    assert "HubSpot twin" in page.text


async def test_section_3_grant_access_goes_back_with_code_and_state(start: Any) -> None:
    world = await start(connected=False)
    answer = await world.browser.post(
        "/oauth/4711/authorize", data={**world.asked(), "decision": "grant"}, follow_redirects=False
    )
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{world.callback}?code=eu1-")
    assert answer.headers["location"].endswith("&state=s1")


OPTIONAL = "communication_preferences.read_write"


async def test_section_3_an_optional_scope_may_be_refused_and_the_token_says_what_was_granted(start: Any) -> None:
    world = await start(connected=False)
    asked = world.asked(optional_scope=OPTIONAL)
    page = await world.browser.get("/oauth/4711/authorize", params=asked)
    assert f'name="refuse" value="{OPTIONAL}"' in page.text
    assert 'name="refuse" value="crm' not in page.text
    for refused, granted in (({"refuse": OPTIONAL}, False), ({}, True)):
        data = {**asked, **refused, "decision": "grant"}
        answer = await world.browser.post("/oauth/4711/authorize", data=data, follow_redirects=False)
        code = answer.headers["location"].partition("code=")[2].partition("&")[0]
        told = (await world.redeem(code)).json()
        assert (OPTIONAL in told["scopes"]) is granted
        assert set(world.scopes.split()) <= set(told["scopes"])


async def test_section_3_a_required_scope_cannot_be_refused(start: Any) -> None:
    world = await start(connected=False)
    data = {**world.asked(), "refuse": "crm.objects.contacts.read", "decision": "grant"}
    answer = await world.browser.post("/oauth/4711/authorize", data=data, follow_redirects=False)
    assert answer.status_code == 400


async def test_section_3_an_optional_scope_that_the_plan_lacks_is_dropped_without_a_word(start: Any) -> None:
    world = await start(connected=False)
    assert (await world.control.post("/portals/4711", json={"plan_lacks": [OPTIONAL]})).status_code == 200
    page = await world.browser.get("/oauth/4711/authorize", params=world.asked(optional_scope=OPTIONAL))
    assert f"<code>{OPTIONAL}</code>" not in page.text
    told = (await world.redeem(await world.code(optional_scope=OPTIONAL))).json()
    assert OPTIONAL not in told["scopes"]


async def test_section_3_cancel_goes_back_with_access_denied(start: Any) -> None:
    world = await start(connected=False)
    answer = await world.browser.post(
        "/oauth/4711/authorize", data={**world.asked(), "decision": "deny"}, follow_redirects=False
    )
    assert "error=access_denied" in answer.headers["location"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "nope"}, "client_id"),
        ({"redirect_uri": "http://localhost:8000/elsewhere"}, "redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:8000/oauth/crm/callback"}, "redirect_uri"),
        ({"scope": "oauth crm.objects.contacts.read"}, "required"),
        ({"scope": None}, "required"),
        ({"optional_scope": "tickets"}, "optional"),
        ({"prompt": "none"}, "Unknown parameter"),
        ({"code_challenge": "x"}, "S256"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "S256"),
    ],
)
async def test_section_3_authorize_stops_at_what_the_app_does_not_have(start: Any, changes: Any, words: str) -> None:
    world = await start(connected=False)
    page = await world.browser.get("/oauth/4711/authorize", params=world.asked(**changes))
    assert page.status_code == 400
    assert words in page.text


async def test_section_3_a_scope_the_app_does_not_have_stops_the_install(start: Any) -> None:
    world = await start(connected=False)
    page = await world.browser.get("/oauth/authorize", params=world.asked(scope=f"{world.scopes} tickets"))
    assert page.status_code == 400


async def test_section_3_an_optional_scope_is_granted_when_asked_for(start: Any) -> None:
    world = await start(connected=False)
    code = await world.code(optional_scope="communication_preferences.read_write")
    assert "communication_preferences.read_write" in (await world.redeem(code)).json()["scopes"]


async def test_section_3_private_distribution_ends_at_ten_accounts(start: Any) -> None:
    world = await start(connected=False, portals=tuple((number, f"P{number}") for number in range(1, 12)))
    for number in range(1, 11):
        await world.redeem(await world.code(number))
    answer = await world.browser.post("/oauth/11/authorize", data={**world.asked(), "decision": "grant"})
    assert answer.status_code == 400


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v3"])
async def test_section_3_a_code_becomes_tokens_at_each_dated_endpoint(start: Any, version: str) -> None:
    world = await start(connected=False)
    fields = {
        "grant_type": "authorization_code", "code": await world.code(), "redirect_uri": world.callback,
        "client_id": world.client_id, "client_secret": world.secret,
    }  # fmt: skip
    answer = await world.api.post(f"/oauth/{version}/token", data=fields)
    assert answer.status_code == 200
    body = answer.json()
    assert body["expires_in"] == 1800
    assert body["token_type"] == "bearer"
    assert body["token_use"] == "access_token"
    assert body["hub_id"] == 4711
    assert set(body["scopes"]) == set(world.scopes.split())
    assert body["refresh_token"].startswith("eu1-")
    assert len(body["access_token"]) > 400


async def test_section_3_a_code_works_once(start: Any) -> None:
    world = await start(connected=False)
    code = await world.code()
    assert (await world.redeem(code)).status_code == 200
    again = await world.redeem(code)
    assert again.status_code == 400
    assert again.json()["status"] == "BAD_AUTH_CODE"
    assert again.json()["error"] == "invalid_grant"
    assert again.json()["message"] == again.json()["error_description"]


async def test_section_3_a_code_lives_shortly(start: Any) -> None:
    world = await start(connected=False, code_seconds=0.05)
    code = await world.code()
    await asyncio.sleep(0.06)
    assert (await world.redeem(code)).json()["status"] == "BAD_AUTH_CODE"


async def test_section_3_a_code_needs_the_same_redirect_uri(start: Any) -> None:
    world = await start(connected=False)
    code = await world.code()
    answer = await world.token(
        grant_type="authorization_code", code=code, redirect_uri="https://hub.example/oauth/crm/callback"
    )
    assert answer.json()["status"] == "BAD_REDIRECT_URI"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"client_id": "nope"}, "BAD_CLIENT_ID"),
        ({"client_secret": "nope"}, "BAD_CLIENT_SECRET"),
        ({"refresh_token": "nope"}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"scope": "tickets"}, "BAD_SCOPES"),
    ],
)
async def test_section_3_the_token_endpoint_names_what_is_wrong(start: Any, fields: Any, status: str) -> None:
    world = await start(connected=False)
    granted = await world.connect()
    answer = await world.token(**{"grant_type": "refresh_token", "refresh_token": granted["refresh_token"], **fields})
    assert answer.status_code == 400
    assert answer.json()["status"] == status
    assert answer.json()["error"]


async def test_section_3_pkce_is_verified(start: Any) -> None:
    world = await start(connected=False)
    pkce = {"code_challenge": world.challenge, "code_challenge_method": "S256"}
    wrong = await world.redeem(await world.code(**pkce), code_verifier="w" * 64)
    missing = await world.redeem(await world.code(**pkce))
    unasked = await world.redeem(await world.code(), code_verifier=world.verifier)
    right = await world.redeem(await world.code(**pkce), code_verifier=world.verifier)
    assert [one.json().get("status") for one in (wrong, missing, unasked)] == ["BAD_CODE_VERIFIER"] * 3
    assert right.status_code == 200


async def test_section_3_nothing_secret_stands_in_the_query_of_the_token_endpoint(start: Any) -> None:
    world = await start(connected=False)
    answer = await world.api.post(f"{BASE}?client_secret={world.secret}", data={"grant_type": "refresh_token"})
    assert answer.status_code == 400
    assert (await world.requests())[-1]["refused"]


async def test_section_3_the_token_endpoint_takes_forms_only(start: Any) -> None:
    world = await start(connected=False)
    assert (await world.api.post(BASE, json={"grant_type": "refresh_token"})).status_code == 415


async def test_section_3_a_field_the_token_endpoint_does_not_know_is_refused(start: Any) -> None:
    world = await start(connected=False)
    answer = await world.token(grant_type="refresh_token", refresh_token="x", audience="y")
    assert answer.status_code == 400
    assert (await world.requests())[-1]["refused"]


async def test_section_3_a_refresh_returns_the_same_refresh_token(world: Any) -> None:
    granted = await world.connect()
    fresh = (await world.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])).json()
    assert fresh["refresh_token"] == granted["refresh_token"]
    assert fresh["access_token"] != granted["access_token"]


async def test_section_3_a_refresh_may_return_another_refresh_token(start: Any) -> None:
    world = await start(rotate_refresh_tokens=True)
    granted = await world.connect()
    first = (await world.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])).json()
    assert first["refresh_token"] != granted["refresh_token"]
    second = (await world.token(grant_type="refresh_token", refresh_token=first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    old = await world.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert old.json()["status"] == "BAD_REFRESH_TOKEN"


async def test_section_3_an_access_token_expires(start: Any) -> None:
    world = await start(token_seconds=0.05)
    await asyncio.sleep(0.06)
    answer = await world.api.get(world.contacts)
    assert answer.status_code == 401
    assert answer.json()["category"] == "EXPIRED_AUTHENTICATION"


@pytest.mark.parametrize("header", ["", "Bearer nope", "Basic eDp5"])
async def test_section_12_a_token_that_never_was_is_invalid(world: Any, header: str) -> None:
    answer = await world.api.get(world.contacts, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["category"] == "INVALID_AUTHENTICATION"


async def test_section_3_introspection_of_an_access_token(world: Any) -> None:
    granted = await world.connect()
    fields = {"client_id": world.client_id, "client_secret": world.secret, "token": granted["access_token"]}
    body = (await world.api.post(f"{BASE}/introspect", data=fields)).json()
    assert body["active"] is True
    assert body["hub_id"] == 4711
    assert body["app_id"] == int(world.app_id)
    assert body["token_use"] == "access_token"
    assert body["is_private_distribution"] is True
    assert 1700 < body["expires_in"] <= 1800
    assert body["signed_access_token"]["hubId"] == 4711


async def test_section_3_introspection_of_a_refresh_token_has_no_expiry(world: Any) -> None:
    granted = await world.connect()
    fields = {"client_id": world.client_id, "client_secret": world.secret, "token": granted["refresh_token"]}
    body = (await world.api.post(f"{BASE}/introspect", data=fields)).json()
    assert body["active"] is True
    assert body.keys().isdisjoint({"expires_in", "is_private_distribution", "signed_access_token"})


async def test_section_3_introspection_of_a_dead_token(world: Any) -> None:
    fields = {"client_id": world.client_id, "client_secret": world.secret, "token": "nope"}
    assert (await world.api.post(f"{BASE}/introspect", data=fields)).json() == {"active": False}


async def test_section_3_after_a_revocation_the_access_token_lives_and_the_app_stays_installed(world: Any) -> None:
    granted = await world.connect()
    fields = {"client_id": world.client_id, "client_secret": world.secret, "token": granted["refresh_token"]}
    assert (await world.api.post(f"{BASE}/revoke", data=fields)).status_code == 200
    refused = await world.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert refused.json()["status"] == "BAD_REFRESH_TOKEN"
    assert (await world.api.get(world.contacts)).status_code == 200
    assert "Uninstall" in (await world.browser.get("/")).text


async def test_section_3_account_details(world: Any) -> None:
    body = (await world.api.get("/account-info/2026-09/details")).json()
    assert body["portalId"] == 4711
    assert body["accountType"] == "STANDARD"
    assert body["dataHostingLocation"] == "eu1"
    assert body["uiDomain"]


async def test_section_3_uninstalling_kills_refresh_and_access_tokens(world: Any) -> None:
    granted = await world.connect()
    assert (await world.api.delete("/appinstalls/2026-09/external-install")).status_code == 204
    refused = await world.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert refused.json()["status"] == "BAD_REFRESH_TOKEN"
    assert (await world.api.get(world.contacts)).status_code == 401


async def test_section_3_a_customers_uninstall_shows_in_a_failing_refresh_and_nowhere_else(world: Any) -> None:
    granted = await world.connect()
    await world.browser.post("/integrations/4711/uninstall")
    refused = await world.token(grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert refused.json()["status"] == "BAD_REFRESH_TOKEN"
    await world.settled()
    assert world.inbox.arrived == []


async def test_section_3_uninstalling_needs_an_oauth_token(start: Any) -> None:
    world = await start(static_tokens={"pat-1": 4711}, connected=False)
    answer = await world.api.delete("/appinstalls/2026-09/external-install", headers={"authorization": "Bearer pat-1"})
    assert answer.status_code == 403


async def test_section_2_a_static_token_of_another_app_writes_under_another_source(start: Any) -> None:
    world = await start(static_tokens={"pat-1": 4711})
    world.api.headers["authorization"] = "Bearer pat-1"
    await world.create(email="ada@example.com")
    await world.settled()
    assert world.inbox.of_type("contact.creation")[0]["sourceId"] != world.app_id


async def test_section_2_a_static_auth_app_gets_webhooks_of_its_one_account(start: Any, files: Any) -> None:
    files["src/app/app-hsmeta.json"]["config"]["auth"] |= {"type": "static", "redirectUrls": []}
    world = await start(static_tokens={"pat-1": 4711}, connected=False)
    world.api.headers["authorization"] = "Bearer pat-1"
    await world.create(email="ada@example.com")
    await world.settled()
    assert world.inbox.of_type("contact.creation")[0]["sourceId"] == world.app_id


async def test_section_12_a_missing_scope_is_403_with_the_scopes_that_would_do(start: Any, files: Any) -> None:
    files["src/app/app-hsmeta.json"]["config"]["auth"]["requiredScopes"] = ["oauth", "crm.objects.contacts.read"]
    world = await start(connected=False)
    granted = (await world.redeem(await world.code(scope="oauth crm.objects.contacts.read"))).json()
    answer = await world.api.post(
        world.contacts,
        json={"properties": {"email": "a@b.de"}},
        headers={"authorization": f"Bearer {granted['access_token']}"},
    )
    assert answer.status_code == 403
    body = answer.json()
    assert body["category"] == "MISSING_SCOPES"
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]
    assert body["links"]["scopes"]

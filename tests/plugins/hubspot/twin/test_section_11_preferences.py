"""Section 11: communication preferences."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

BASE = "/communication-preferences/2026-09"
ADA = f"{BASE}/statuses/ada@example.com"
EMAIL = {"channel": "EMAIL"}


@pytest.fixture
async def allowed(start: Any) -> Any:
    """A twin with the app installed, the optional scope included."""
    world = await start(connected=False)
    code = await world.code(optional_scope="communication_preferences.read_write")
    world.api.headers["authorization"] = f"Bearer {(await world.redeem(code)).json()['access_token']}"
    return world


async def set_status(world: Any, state: str) -> Any:
    number = int((await world.api.get(f"{BASE}/definitions")).json()["results"][0]["id"])
    body = {"subscriptionId": number, "statusState": state, "channel": "EMAIL"}
    return await world.api.post(ADA, json=body)


async def test_section_4_preferences_need_their_scope(world: Any) -> None:
    assert (await world.api.get(f"{BASE}/definitions")).status_code == 403


async def test_section_11_definitions_and_statuses(allowed: Any) -> None:
    rows = (await allowed.api.get(ADA, params=EMAIL)).json()["results"]
    assert {one["status"] for one in rows} == {"NOT_SPECIFIED"}
    assert (await allowed.api.get(ADA)).status_code == 400


async def test_section_11_a_status_is_set_and_says_what_happened(allowed: Any) -> None:
    first = (await set_status(allowed, "UNSUBSCRIBED")).json()
    again = (await set_status(allowed, "UNSUBSCRIBED")).json()
    back = (await set_status(allowed, "SUBSCRIBED")).json()
    reasons = [one["setStatusSuccessReason"] for one in (first, again, back)]
    assert reasons == ["REQUESTED_CHANGE_OCCURRED", "NO_STATUS_CHANGE", "RESUBSCRIBE_OCCURRED"]


async def test_section_11_the_global_opt_out_shows_at_the_contact(allowed: Any) -> None:
    number = await allowed.create(email="ada@example.com")
    assert (await allowed.api.get(f"{ADA}/unsubscribe-all", params=EMAIL)).json()["results"] == []
    assert (await allowed.api.post(f"{ADA}/unsubscribe-all", params=EMAIL)).status_code == 200
    assert len((await allowed.api.get(f"{ADA}/unsubscribe-all", params=EMAIL)).json()["results"]) == 1
    assert (await allowed.read(number, "hs_email_optout"))["hs_email_optout"] == "true"


async def test_section_11_the_opt_out_belongs_to_the_address_and_waits_for_its_contact(allowed: Any) -> None:
    await allowed.api.post(f"{ADA}/unsubscribe-all", params=EMAIL)
    number = await allowed.create(email="ada@example.com")
    assert (await allowed.read(number, "hs_email_optout"))["hs_email_optout"] == "true"


async def test_section_11_an_unknown_subscription_or_state_is_400(allowed: Any) -> None:
    body = {"subscriptionId": 1, "statusState": "SUBSCRIBED", "channel": "EMAIL"}
    assert (await allowed.api.post(ADA, json=body)).status_code == 400
    assert (await set_status(allowed, "MAYBE")).status_code == 400

"""The control API: log, faults, holds, clock, seeds, dumps."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio


async def plant(world: Any, kind: str, **more: Any) -> int:
    answer = await world.control.post("/faults", json={"name": kind, "kind": kind, **more})
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


async def count(world: Any) -> int:
    return len((await world.control.get("/portals/4711/contacts")).json()["contacts"])


def ada(n: int = 0) -> dict[str, Any]:
    return {"properties": {"email": f"ada{n}@example.com"}}


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_control_needs_its_token(world: Any, token: str) -> None:
    assert (await world.control.get("/requests", headers={"X-Control-Token": token})).status_code == 401


async def test_control_is_not_on_the_vendors_port(world: Any) -> None:
    answer = await world.api.get("/requests", headers={"X-Control-Token": world.running.control_token})
    assert answer.status_code == 404


async def test_control_logs_vendor_calls_with_the_bearer_redacted(world: Any) -> None:
    last = (await world.requests())[-1]["number"]
    await world.api.post(world.contacts, json=ada())
    await world.api.get(world.contacts, params={"limit": "5"})
    created, listed = (await world.control.get("/requests", params={"since": last})).json()
    assert (created["method"], created["path"], created["status"], created["applied"]) == (
        "POST",
        world.contacts,
        201,
        True,
    )
    assert "ada0@example.com" in created["body"]
    assert created["headers"]["authorization"] == "redacted"
    assert listed["query"] == "limit=5"
    assert listed["portal"] == 4711


async def test_control_latency_delays(world: Any) -> None:
    await plant(world, "latency", seconds=[0.1, 0.12])
    began = time.monotonic()
    await world.api.get(world.contacts)
    assert time.monotonic() - began >= 0.1


async def test_control_fail_before_applies_nothing(world: Any) -> None:
    await plant(world, "fail_before", times=1)
    assert (await world.api.post(world.contacts, json=ada())).status_code == 500
    assert await count(world) == 0
    assert (await world.requests())[-1]["applied"] is False


async def test_control_fail_after_applies_and_answers_500(world: Any) -> None:
    await plant(world, "fail_after", times=1)
    assert (await world.api.post(world.contacts, json=ada())).status_code == 500
    assert await count(world) == 1
    assert (await world.requests())[-1]["applied"] is True


@pytest.mark.parametrize(("kind", "applied"), [("fail_before", 0), ("fail_after", 1)])
async def test_control_a_failure_may_close_without_an_answer(world: Any, kind: str, applied: int) -> None:
    await plant(world, kind, times=1, close=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await world.api.post(world.contacts, json=ada())
    assert await count(world) == applied
    assert (await world.requests())[-1]["status"] is None


async def test_control_cut_applies_and_sends_half_the_body(world: Any) -> None:
    await plant(world, "cut", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await world.api.post(world.contacts, json=ada())
    assert await count(world) == 1
    assert (await world.api.post(world.contacts, json=ada(1))).status_code == 201


async def test_control_hold_applies_and_answers_when_released(world: Any) -> None:
    await plant(world, "hold", times=1, match={"path": "contacts$"})
    waiting = asyncio.create_task(world.api.post(world.contacts, json=ada()))
    held = await world.held(1)
    assert (held[0]["method"], held[0]["path"]) == ("POST", world.contacts)
    assert "ada0@example.com" in held[0]["body"]
    assert await count(world) == 1
    assert not waiting.done()
    assert (await world.control.post("/holds/release")).json() == {"released": 1}
    assert (await waiting).status_code == 201
    assert (await world.control.get("/holds")).json() == []


async def test_control_a_hold_waits_for_its_call_whatever_else_would_hit_it(world: Any) -> None:
    await plant(world, "fail_before")
    await plant(world, "hold", times=1, match={"path": "contacts$"})
    waiting = asyncio.create_task(world.api.post(world.contacts, json=ada()))
    await world.held(1)
    await world.control.post("/holds/release")
    assert (await waiting).status_code == 201
    assert (await world.api.post(world.contacts, json=ada(1))).status_code == 500


async def test_control_a_held_caller_that_goes_away_is_no_longer_held(world: Any) -> None:
    await plant(world, "hold", times=1)
    with pytest.raises(httpx.ReadTimeout):
        await world.api.post(world.contacts, json=ada(), timeout=0.1)
    await world.held(0)
    assert await count(world) == 1


@pytest.mark.parametrize("status", [423, 429, 477, 502, 503, 504, 521, 522, 523, 524, 525, 526])
async def test_section_12_any_status_can_be_answered_without_applying(world: Any, status: int) -> None:
    await plant(world, "status", status=status, headers={"Retry-After": "7"}, body="<html>no JSON</html>", times=1)
    answer = await world.api.post(world.contacts, json=ada())
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (status, "7", "<html>no JSON</html>")
    assert await count(world) == 0


async def test_control_every_nth_matching_call(world: Any) -> None:
    await plant(world, "status", status=503, every=3, match={"method": "GET", "path": "/contacts$"})
    statuses = [(await world.api.get(world.contacts)).status_code for _ in range(6)]
    assert statuses == [200, 200, 503, 200, 200, 503]
    assert (await world.api.get(world.properties.replace("/contacts", "/0-1"))).status_code == 200


async def test_control_a_fault_can_match_the_body_and_be_removed(world: Any) -> None:
    number = await plant(world, "status", status=503, match={"body": "ada1@"})
    assert (await world.api.post(world.contacts, json=ada(0))).status_code == 201
    assert (await world.api.post(world.contacts, json=ada(1))).status_code == 503
    assert (await world.control.get("/faults")).json()[0]["fired"] == 1
    assert (await world.control.delete(f"/faults/{number}")).status_code == 200
    assert (await world.api.post(world.contacts, json=ada(1))).status_code == 201
    await plant(world, "status", status=503)
    await world.control.delete("/faults")
    assert (await world.api.get(world.contacts)).status_code == 200


@pytest.mark.parametrize("body", [{"name": "x"}, {"name": "x", "kind": "rain"}, {"name": "x", "kind": "cut", "nope": 1},
                                  {"name": "x", "kind": "cut", "match": {"path": "("}}])  # fmt: skip
async def test_control_a_fault_that_is_none_is_400(world: Any, body: Any) -> None:
    assert (await world.control.post("/faults", json=body)).status_code == 400


async def test_control_the_clock_shifts_date_header_and_timestamps(world: Any) -> None:
    await world.control.post("/clock", json={"offset_seconds": 3600})
    answer = await world.api.post(world.contacts, json=ada())
    date = parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert 3590 < date - time.time() < 3610
    assert answer.json()["createdAt"][:13] == parsedate_to_datetime(answer.headers["date"]).strftime("%Y-%m-%dT%H")


async def test_control_thousands_are_seeded_quickly(world: Any) -> None:
    await world.control.post("/webhooks", json={"lose": 1.0})
    began = time.monotonic()
    contacts = [{"email": f"c{n}@example.com", "firstname": f"C{n}"} for n in range(3000)]
    assert len((await world.control.post("/seed", json={"contacts": contacts})).json()["ids"]) == 3000
    assert time.monotonic() - began < 10
    assert await count(world) == 3000


async def test_control_dumps_contacts_with_history_and_notes(world: Any) -> None:
    number = await world.create(email="ada@example.com", firstname="Ada")
    note = {"properties": {"hs_timestamp": "2026-11-24T10:00:00Z", "hs_note_body": "Hello"}, "associations": [
        {"to": {"id": number}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]}  # fmt: skip
    await world.api.post(world.notes, json=note)
    (found,) = (await world.control.get("/portals/4711/contacts")).json()["contacts"]
    assert found["properties"]["firstname"] == "Ada"
    assert found["propertiesWithHistory"]["firstname"][0]["value"] == "Ada"
    assert found["notes"][0]["hs_note_body"] == "Hello"


async def test_control_settings_can_change_while_it_runs(world: Any) -> None:
    body = {"limit": "1/10", "token_seconds": 60, "rotate_refresh_tokens": True, "search_lag_seconds": 2}
    assert (await world.control.post("/settings", json=body)).status_code == 200
    granted = await world.connect()
    assert granted["expires_in"] == 60
    statuses = [(await world.api.get(world.contacts)).status_code for _ in range(2)]
    assert statuses == [200, 429]

"""Section 12: rate limits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stellwerk_hubspot.twin.limits import Limit
from stellwerk_hubspot.twin.twin import Options

pytestmark = pytest.mark.anyio


async def test_section_12_the_default_is_190_in_ten_seconds() -> None:
    assert Options().limit == Limit(190, 10.0)


async def test_section_12_answers_carry_the_rate_headers(start: Any) -> None:
    world = await start(limit=Limit(5, 10.0))
    answer = await world.api.get(world.contacts)
    assert answer.headers["X-HubSpot-RateLimit-Max"] == "5"
    assert answer.headers["X-HubSpot-RateLimit-Remaining"] == "4"
    assert answer.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert "X-HubSpot-RateLimit-Daily" not in answer.headers


async def test_section_12_above_the_limit_429_in_its_own_shape(start: Any) -> None:
    world = await start(limit=Limit(2, 10.0))
    answers = [await world.api.get(world.contacts) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    body = answers[-1].json()
    assert body["status"] == "error"
    assert body["errorType"] == "RATE_LIMIT"
    assert body["policyName"] == "TEN_SECONDLY_ROLLING"
    assert body["correlationId"]
    assert answers[-1].headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in answers[-1].headers


async def test_section_12_the_window_rolls(start: Any) -> None:
    world = await start(limit=Limit(1, 0.1))
    assert (await world.api.get(world.contacts)).status_code == 200
    assert (await world.api.get(world.contacts)).status_code == 429
    await asyncio.sleep(0.11)
    assert (await world.api.get(world.contacts)).status_code == 200


async def test_section_12_each_account_has_its_own_budget(start: Any) -> None:
    world = await start(limit=Limit(1, 10.0))
    assert (await world.api.get(world.contacts)).status_code == 200
    await world.connect(4712)
    assert (await world.api.get(world.contacts)).status_code == 200


async def test_section_12_search_does_not_count_in_the_ten_seconds(start: Any) -> None:
    world = await start(limit=Limit(1, 10.0))
    assert (await world.api.post(f"{world.contacts}/search", json={})).status_code == 200
    assert (await world.api.get(world.contacts)).status_code == 200
    assert (await world.api.post(f"{world.contacts}/search", json={})).status_code == 200


async def test_section_12_daily_headers_are_not_on_oauth_calls_but_on_those_of_static_tokens(start: Any) -> None:
    world = await start(static_tokens={"pat-1": 4711})
    answer = await world.api.get(world.contacts, headers={"authorization": "Bearer pat-1"})
    assert (
        int(answer.headers["X-HubSpot-RateLimit-Daily-Remaining"])
        == int(answer.headers["X-HubSpot-RateLimit-Daily"]) - 1
    )

"""Asking for what changed: by search, late, overlapping, beyond 10,000 and through instants of many (section 5, search)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from stellwerk.sdk import PauseError, RetryableError, Signal
from stellwerk_hubspot import poll
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@pytest.fixture(autouse=True)
def no_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll, "SPACE_SECONDS", 0.0)


def row(number: int, at: datetime) -> dict[str, Any]:
    return {"id": str(number), "properties": {"lastmodifieddate": at.isoformat().replace("+00:00", "Z")}}


def page(*rows: dict[str, Any], at: datetime = NOW) -> tuple[dict[str, Any], dict[str, str]]:
    return {"total": len(rows), "results": list(rows)}, {"date": format_datetime(at, usegmt=True)}


async def rounds(connector: HubspotConnector, cursor: str | None) -> tuple[list[Signal], str, int]:
    """Poll until nothing more waits: all signals, the cursor, and how many pages that took."""
    signals: list[Signal] = []
    for pages in range(1, 200):
        found, cursor, more = await connector.poll(cursor)
        signals += found
        if not more:
            return signals, cursor, pages
    raise AssertionError("polling does not end")


async def test_what_changes_at_the_portal_is_found_in_the_next_round_and_known_again(
    twin: Any, at_twin: Opener, hub: Any
) -> None:
    hub.now = datetime.now(UTC)
    async with at_twin() as connector:
        _, cursor, _ = await rounds(connector, None)
        ada = twin.new()
        signals, cursor, _ = await rounds(connector, cursor)
        again, _, _ = await rounds(connector, cursor)
    (first,) = [one for one in signals if one.ref.value == ada]
    (second,) = [one for one in again if one.ref.value == ada]
    assert first.key == second.key
    assert first.account == "4711"


async def test_a_second_change_is_another_one(twin: Any, at_twin: Opener, hub: Any) -> None:
    hub.now = datetime.now(UTC)
    ada = twin.new()
    async with at_twin() as connector:
        before, cursor, _ = await rounds(connector, None)
        twin.call("PATCH", f"/crm/objects/2026-09/contacts/{ada}", {"properties": {"city": "Ulm"}})
        after, _, _ = await rounds(connector, cursor)
    keys = [one.key for one in (*before, *after) if one.ref.value == ada]
    assert len(set(keys)) == 2


async def test_search_that_lags_hides_nothing_for_good(start_twin: Any, hub: Any, at_twin: Opener, twin: Any) -> None:
    hub.now = datetime.now(UTC)
    twin.control("/settings", {"search_lag_seconds": 600.0})
    try:
        async with at_twin() as connector:
            _, cursor, _ = await rounds(connector, None)
            late = twin.new()
            twin.control("/settings", {"search_lag_seconds": 0.0})
            soon = twin.new()
            first, cursor, _ = await rounds(connector, cursor)
            hub.now += timedelta(seconds=601)
            twin.control("/clock", {"offset_seconds": 601.0})
            twin.new()
            second, _, _ = await rounds(connector, cursor)
    finally:
        twin.control("/settings", {"search_lag_seconds": 0.0})
        twin.control("/clock", {"offset_seconds": 0.0})
    # The twin's index is a queue: what lags holds back what came after it, as HubSpot promises no order either.
    assert late not in {one.ref.value for one in first}
    assert {late, soon} <= {one.ref.value for one in second}


async def test_a_round_begins_before_the_last_one_began_by_hubspots_clock(scripted: Opener, script: Any) -> None:
    theirs = NOW + timedelta(seconds=90)
    body, headers = page(at=theirs)
    script.add(200, body, **headers)
    async with scripted() as connector:
        _, cursor, more = await connector.poll(None)
        await connector.poll(cursor)
    first, second = (asked["filterGroups"][0]["filters"][0]["value"] for asked in script.bodies())
    assert not more
    assert int(first) == ms(NOW - poll.OVERLAP)
    assert int(second) == ms(theirs - poll.OVERLAP)


async def test_a_full_page_is_followed_by_a_query_that_begins_where_it_ended(scripted: Opener, script: Any) -> None:
    full = [row(number, NOW + timedelta(milliseconds=number)) for number in range(poll.PAGE)]
    for body, headers in (page(*full), page(full[-1])):
        script.add(200, body, **headers)
    async with scripted() as connector:
        signals, _, pages = await rounds(connector, None)
    asked = script.bodies()[1]
    assert pages == 2
    assert "after" not in asked
    assert asked["filterGroups"][0]["filters"][0]["value"] == str(ms(NOW) + poll.PAGE - 1)
    assert len({one.key for one in signals}) == poll.PAGE


async def test_an_instant_with_more_contacts_than_a_page_is_gone_through_by_id(scripted: Opener, script: Any) -> None:
    at = NOW - poll.OVERLAP
    everybody = [row(1000 + number, at) for number in range(2 * poll.PAGE + 10)]
    first = everybody[5 : 5 + poll.PAGE]
    later = row(9999, at + timedelta(milliseconds=1))
    parts = [everybody[: poll.PAGE], everybody[poll.PAGE : 2 * poll.PAGE], everybody[2 * poll.PAGE :]]
    for rows in (first, *parts, [later]):
        body, headers = page(*rows)
        script.add(200, body, **headers)
    async with scripted() as connector:
        signals, _, pages = await rounds(connector, None)
    assert {one.ref.value for one in signals} == {one["id"] for one in (*everybody, later)}
    assert pages == 5
    filters = [asked["filterGroups"][0]["filters"] for asked in script.bodies()]
    assert [one[0]["operator"] for one in filters] == ["GTE", "EQ", "EQ", "EQ", "GTE"]
    assert [one[1]["value"] for one in filters[1:4]] == ["0", "1199", "1399"]
    assert filters[4][0]["value"] == str(ms(at) + 1)


async def test_more_than_ten_thousand_changes_are_all_found(twin: Any, at_twin: Opener, hub: Any) -> None:
    many = 10_300
    hub.now = datetime.now(UTC)
    async with at_twin() as connector:
        _, cursor, _ = await rounds(connector, None)
        ids: set[str] = set()
        for start in range(0, many, 2_575):
            ids |= set(twin.plant(*({"email": f"m{start + n}@many.example"} for n in range(2_575))))
        signals, _, _ = await rounds(connector, cursor)
    assert ids <= {one.ref.value for one in signals}


async def test_a_search_above_the_rate_is_made_once_more_after_a_second(
    scripted: Opener, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(poll.asyncio, "sleep", sleep)  # type: ignore[attr-defined]
    limited = {"policyName": "SECONDLY", "errorType": "RATE_LIMIT"}
    body, headers = page()
    script.add(429, limited).add(200, body, **headers)
    async with scripted() as connector:
        await connector.poll(None)
    assert slept == [1.0]
    script.answers[:] = []
    script.add(429, limited)
    async with scripted() as connector:
        with pytest.raises(RetryableError, match="rate-limit"):
            await connector.poll(None)
    script.answers[:] = []
    script.add(429, limited | {"policyName": "TEN_SECONDLY_ROLLING"})
    async with scripted() as connector:
        with pytest.raises(PauseError, match="rate-limit"):
            await connector.poll(None)


async def test_a_contact_without_its_time_is_an_unreadable_answer(scripted: Opener, script: Any) -> None:
    script.add(200, {"total": 1, "results": [{"id": "7", "properties": {}}]})
    async with scripted() as connector:
        with pytest.raises(RetryableError, match="unreadable-answer"):
            await connector.poll(None)


async def test_a_cursor_of_another_version_begins_anew(scripted: Opener, script: Any) -> None:
    script.add(200, {"total": 0, "results": []})
    async with scripted() as connector:
        await connector.poll(json.dumps({"from": "elsewhere"}))
    assert script.bodies()[0]["filterGroups"][0]["filters"][0]["value"] == str(ms(NOW - poll.OVERLAP))

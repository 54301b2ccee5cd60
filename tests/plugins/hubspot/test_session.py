"""Every answer has a name: statuses, limits, tokens, and what is kept of an answer (section 12)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from stellwerk.sdk import (
    AddEntry,
    Delivery,
    DeliveryError,
    Outcome,
    PauseError,
    ReauthorizeError,
    Ref,
    RejectedError,
    RetryableError,
)
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio

LIMIT = {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
DETAILS = {"portalId": 4711, "utcOffsetMilliseconds": 3_600_000, "timeZone": "Europe/Berlin"}


async def failed(scripted: Opener, **options: Any) -> DeliveryError:
    """The error of one read."""
    async with scripted(**options) as connector:
        with pytest.raises(DeliveryError) as caught:
            await connector.read([Ref(by="id", value="7")], ())
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (302, RetryableError, "unexpected-answer"),
        (400, RejectedError, "refused"),
        (403, ReauthorizeError, "forbidden"),
        (404, RetryableError, "no-such-call"),
        (405, RejectedError, "refused"),
        (408, RetryableError, "no-answer"),
        (409, RejectedError, "conflict"),
        (414, RejectedError, "too-long"),
        (423, RetryableError, "locked"),
        (429, PauseError, "rate-limit"),
        (477, PauseError, "moving"),
        (500, RetryableError, "outage"),
        (502, RetryableError, "outage"),
        (503, RetryableError, "outage"),
        (504, RetryableError, "outage"),
        (521, RetryableError, "unreachable"),
        (522, RetryableError, "unreachable"),
        (523, RetryableError, "unreachable"),
        (524, RetryableError, "outage"),
        (525, RetryableError, "unreachable"),
        (526, RetryableError, "unreachable"),
    ],
)
async def test_each_status_has_its_name(
    script: Any, scripted: Opener, status: int, kind: type[DeliveryError], code: str
) -> None:
    script.add(status, b"<html>")
    error = await failed(scripted)
    assert (type(error) is kind or isinstance(error, kind), error.code) == (True, code)
    assert error.answer == f"{status} <html>"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (500, Outcome.AMBIGUOUS),
        (502, Outcome.AMBIGUOUS),
        (408, Outcome.AMBIGUOUS),
        (524, Outcome.AMBIGUOUS),
        (521, Outcome.RETRY),
        (429, Outcome.PAUSE),
        (423, Outcome.RETRY),
        (477, Outcome.PAUSE),
        (403, Outcome.REAUTHORIZE),
    ],
)
async def test_a_note_is_ambiguous_only_where_it_may_have_been_made(
    script: Any, scripted: Opener, status: int, outcome: Outcome
) -> None:
    script.add(status)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    entry = AddEntry(text={"en": "x"}, shown=(), at=now, mark="m", form="note", fact="f")
    async with scripted() as connector:
        (receipt,) = await connector.apply([Delivery(key="k", id="7", email=None, change=entry, created_at=now)])
    assert receipt.outcome is outcome


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (LIMIT, {}, 10.0),
        (LIMIT | {"policyName": "SECONDLY"}, {}, 1.0),
        (LIMIT | {"policyName": "NEW_ONE"}, {}, 10.0),
        ({}, {}, 10.0),
        (LIMIT, {"retry_after": "3"}, 3.0),
        (LIMIT, {"retry_after": "soon"}, 10.0),
        (LIMIT, {"retry_after": "-1"}, 10.0),
        (LIMIT, {"retry_after": "inf"}, 10.0),
    ],
)
async def test_a_rate_limit_says_when(
    script: Any, scripted: Opener, body: dict[str, str], headers: dict[str, str], seconds: float
) -> None:
    script.add(429, body, **headers)
    error = await failed(scripted)
    assert isinstance(error, PauseError), "the limit is the account's, whichever call met it"
    assert error.seconds == seconds


async def test_the_daily_limit_rests_the_account_until_its_own_midnight(
    script: Any, scripted: Opener, hub: Any
) -> None:
    hub.now = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)
    script.add(200, DETAILS).add(200, {"active": True}).add(429, {"policyName": "DAILY"})
    async with scripted() as connector:
        await connector.check()
        with pytest.raises(PauseError) as caught:
            await connector.read([Ref(by="id", value="7")], ())
    assert caught.value.seconds == 1.5 * 3600


async def test_the_daily_limit_is_tried_hourly_while_the_zone_is_not_known(script: Any, scripted: Opener) -> None:
    script.add(429, {"policyName": "DAILY"})
    error = await failed(scripted)
    assert isinstance(error, PauseError)
    assert error.seconds == 3600


@pytest.mark.parametrize(("given", "seconds"), [("1", 2.0), ("9", 9.0), ("", 2.0)])
async def test_a_lock_is_left_alone_for_two_seconds_at_least(
    script: Any, scripted: Opener, given: str, seconds: float
) -> None:
    script.add(423, retry_after=given)
    error = await failed(scripted)
    assert isinstance(error, RetryableError)
    assert error.retry_after == seconds


async def test_a_moving_account_rests_as_long_as_it_says(script: Any, scripted: Opener) -> None:
    script.add(477, retry_after="7200")
    error = await failed(scripted)
    assert isinstance(error, PauseError)
    assert error.seconds == 7200


async def test_missing_scopes_are_named(script: Any, scripted: Opener) -> None:
    context = {"requiredGranularScopes": ["crm.objects.contacts.read"]}
    script.add(403, {"category": "MISSING_SCOPES", "errors": [{"message": "m", "context": context}]})
    error = await failed(scripted)
    assert (type(error), error.code, error.text) == (ReauthorizeError, "missing-scopes", "crm.objects.contacts.read")


async def test_scopes_that_are_missing_without_a_name_are_still_told(script: Any, scripted: Opener) -> None:
    script.add(403, {"category": "MISSING_SCOPES"})
    assert (await failed(scripted)).code == "missing-scopes"


async def test_a_refused_token_is_renewed_once_and_the_call_repeated(script: Any, scripted: Opener, hub: Any) -> None:
    script.add(401, {"category": "EXPIRED_AUTHENTICATION"}).add(200, {"results": [{"id": "7"}]})
    async with scripted() as connector:
        (found,) = await connector.read([Ref(by="id", value="7")], ())
    assert found.id == "7"
    assert hub.tokens == [None, "first-token"]
    assert [request.headers["authorization"] for request in script.asked] == [
        "Bearer first-token",
        "Bearer fresh-token",
    ]
    assert hub.spent == 2


async def test_a_token_that_ends_right_after_it_was_renewed_disturbs_nobody(script: Any, scripted: Opener) -> None:
    """Only a refresh that is refused does, and that one the hub sees itself."""
    script.add(401)
    error = await failed(scripted)
    assert (type(error), error.code) == (RetryableError, "token-refused")
    assert len(script.asked) == 2


async def test_a_token_that_is_refused_and_not_renewed_asks_for_a_person(
    script: Any, scripted: Opener, hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def the_same(stale: str | None) -> str:
        return "first-token"

    monkeypatch.setattr(hub, "token", the_same)
    script.add(401)
    error = await failed(scripted)
    assert (type(error), error.code) == (ReauthorizeError, "unauthorized")


async def test_a_static_token_is_not_tried_twice(script: Any, scripted: Opener) -> None:
    script.add(401)
    error = await failed(scripted, access_token="static-token")
    assert (type(error), len(script.asked)) == (ReauthorizeError, 1)


async def test_the_portals_own_rate_is_passed_on_when_it_changes(script: Any, scripted: Opener, hub: Any) -> None:
    good = {"results": [{"id": "7"}]}
    headers = {"x_hubspot_ratelimit_max": "190", "x_hubspot_ratelimit_interval_milliseconds": "10000"}
    script.add(200, good).add(200, good, **headers).add(200, good, **headers)
    script.add(200, good, **headers | {"x_hubspot_ratelimit_max": "0"})
    async with scripted() as connector:
        for _ in range(4):
            await connector.read([Ref(by="id", value="7")], ())
    assert hub.rates == [(190, 10.0)]


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), httpx.ReadError("x")])
async def test_nothing_of_the_http_client_escapes(script: Any, scripted: Opener, error: Exception) -> None:
    script.fail(error)
    found = await failed(scripted)
    assert (type(found), found.code) == (RetryableError, "no-answer")


async def test_an_unreadable_answer_is_kept_without_its_values(script: Any, scripted: Opener) -> None:
    script.add(200, b'{"results": [{"id": 7, "properties": {"firstname": "Ada \\"x\\"", "email": "ada@example.com"}')
    error = await failed(scripted)
    assert error.code == "unreadable-answer"
    assert error.answer == '200 {"results": [{"id": 7, "properties": {"firstname": "…", "email": "…"}'


async def test_what_is_kept_of_a_refusal_shows_no_address_no_token_and_not_what_we_sent(
    script: Any, scripted: Opener
) -> None:
    script.add(400, {"message": "first-token, pat-na1-abc-def, Ada@Example.com, ada%40example.com: bad"})
    error = await failed(scripted)
    assert error.answer == '400 {"message": "[value], [token], [address], [address]: bad"}'


async def test_what_is_kept_is_cut(script: Any, scripted: Opener) -> None:
    script.add(500, b"no " * 10_000)
    answer = (await failed(scripted)).answer
    assert answer is not None
    assert (len(answer), answer[-1]) == (500, "…")

"""The portal's own opt-out from all mail (section 11)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.sdk import Delivery, FieldValue, OptOut, Outcome, Ref, SetFields
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio


def opting_out(email: str | None) -> Delivery:
    return Delivery(key="k", id="7", email=email, change=OptOut(), created_at=datetime(2026, 11, 24, tzinfo=UTC))


@pytest.mark.behaviour("crm-out-back")
async def test_an_opt_out_goes_by_address_and_to_all_mail(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": []})
    async with scripted() as connector:
        (receipt,) = await connector.apply([opting_out("ada/b@example.com")])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "7")
    (asked,) = script.asked
    path = "/communication-preferences/2026-09/statuses/ada%2Fb%40example.com/unsubscribe-all?channel=EMAIL"
    assert (asked.method, asked.url.raw_path.decode()) == ("POST", path)


async def test_a_contact_without_an_address_cannot_opt_out(script: Any, scripted: Opener) -> None:
    async with scripted() as connector:
        (receipt,) = await connector.apply([opting_out(None)])
    assert (receipt.outcome, receipt.code, script.asked) == (Outcome.REJECTED, "no-address", [])


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (403, {"category": "MISSING_SCOPES"}, Outcome.REJECTED, "missing-scopes"),
        (403, {}, Outcome.REAUTHORIZE, "forbidden"),
        (503, {}, Outcome.RETRY, "outage"),
        (400, {}, Outcome.REJECTED, "refused"),
    ],
)
async def test_a_scope_that_was_optional_stops_this_write_alone(
    script: Any, scripted: Opener, status: int, body: dict[str, str], outcome: Outcome, code: str
) -> None:
    script.add(status, body)
    async with scripted() as connector:
        (receipt,) = await connector.apply([opting_out("ada@example.com")])
    assert (receipt.outcome, receipt.code) == (outcome, code)


async def test_an_opt_out_reads_at_the_contact_and_setting_it_again_changes_nothing(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new(firstname="Ada")
    address = twin.contact(contact_id)["properties"]["email"]
    change = replace(opting_out(address), id=contact_id)
    ref = [Ref(by="id", value=contact_id)]
    async with at_twin() as connector:
        (before,) = await connector.read(ref, ("firstname",))
        receipts = [*await connector.apply([change]), *await connector.apply([change])]
        (after,) = await connector.read(ref, ("firstname",))
        await connector.apply([replace(change, change=SetFields(fields={"firstname": FieldValue(value="Eve")}))])
        (later,) = await connector.read(ref, ("firstname",))
    assert [one.outcome for one in receipts] == [Outcome.DONE, Outcome.DONE]
    assert [one.opted_out for one in (before, after, later)] == [False, True, True]
    assert later.fields == {"firstname": "Eve"}


@pytest.mark.parametrize("page", [b"<html>busy</html>", b"\n<!DOCTYPE html><title>Sign in</title>"])
async def test_a_web_page_in_place_of_an_answer_opts_nobody_out(script: Any, scripted: Opener, page: bytes) -> None:
    script.add(200, page, content_type="text/html")
    async with scripted() as connector:
        (receipt,) = await connector.apply([opting_out("ada@example.com")])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "unreadable-answer")

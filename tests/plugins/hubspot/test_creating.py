"""New contacts in batches with trace ids; who was there already is linked (sections 5 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from stellwerk.sdk import Create, Delivery, Outcome, Permission
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def making(email: str, **fields: str | None) -> Delivery:
    change = Create(email=email, peer_id="17", permission=Permission.NONE, fields=fields)
    return Delivery(key=email, id=None, email=email, change=change, created_at=NOW)


def searches(twin: Any, since: int) -> int:
    return sum(seen["path"].endswith("/search") for seen in twin.requests(since))


def last(twin: Any) -> int:
    return max((seen["number"] for seen in twin.requests()), default=0)


async def test_a_hundred_are_made_in_one_call_and_answered_in_the_callers_order(
    twin: Any, at_twin: Opener, hub: Any
) -> None:
    addresses = [twin.address() for _ in range(100)]
    async with at_twin() as connector:
        receipts = await connector.apply([making(one, firstname="Ada") for one in addresses])
    assert hub.spent == 1
    assert {receipt.outcome for receipt in receipts} == {Outcome.DONE}
    made = {one["id"]: one["properties"]["email"] for one in twin.contacts()}
    assert [made[str(receipt.id)] for receipt in receipts] == addresses


async def test_an_address_that_is_there_is_linked_and_nothing_is_searched_for(twin: Any, at_twin: Opener) -> None:
    there = twin.address()
    (known,) = twin.plant({"email": there, "firstname": "Eve"})
    before = last(twin)
    async with at_twin() as connector:
        linked, made = await connector.apply([making(there, firstname="Ada"), making(twin.address())])
        (alone,) = await connector.apply([making(there)])
    assert [(one.outcome, one.code, one.id) for one in (linked, alone)] == [(Outcome.NOT_NEEDED, "exists", known)] * 2
    assert made.outcome is Outcome.DONE
    assert searches(twin, before) == 0
    assert twin.contact(known)["properties"]["firstname"] == "Eve"


async def test_an_address_that_no_read_shows_is_searched_for_among_the_additional_ones(
    script: Any, scripted: Opener
) -> None:
    conflict = {"category": "CONFLICT", "message": "x", "context": {"objectWriteTraceId": ["0"]}}
    script.add(207, {"status": "COMPLETE", "results": [], "errors": [conflict]}).add(404)
    script.add(200, {"total": 1, "results": [{"id": "7", "properties": {"hs_additional_emails": "ada@example.com"}}]})
    async with scripted() as connector:
        (linked,) = await connector.apply([making("ada@example.com")])
    assert (linked.outcome, linked.id) == (Outcome.NOT_NEEDED, "7")
    assert script.asked[-1].url.path.endswith("/contacts/search")


async def test_a_secondary_address_is_linked_to_whom_it_belongs(twin: Any, at_twin: Opener) -> None:
    second = twin.address()
    (loser,) = twin.plant({"email": second})
    survivor = twin.merge(twin.new(), loser)
    async with at_twin() as connector:
        (linked,) = await connector.apply([making(second)])
    assert (linked.outcome, linked.id) == (Outcome.NOT_NEEDED, survivor)


async def test_making_again_what_was_made_links_it(twin: Any, at_twin: Opener) -> None:
    delivery = making(twin.address())
    async with at_twin() as connector:
        (first,) = await connector.apply([delivery])
        (again,) = await connector.apply([delivery])
    assert (again.outcome, again.id) == (Outcome.NOT_NEEDED, first.id)


async def test_a_bad_row_fails_alone_and_a_bad_field_is_left_out(twin: Any, at_twin: Opener) -> None:
    async with at_twin() as connector:
        bad, odd, unknown, good = await connector.apply(
            [
                making("no address"),
                making(twin.address(), hs_language="klingon", lastname="L"),
                making(twin.address(), never_made="x", lastname="M"),
                making(twin.address()),
            ]
        )
    assert (bad.outcome, bad.code, bad.whole) == (Outcome.REJECTED, "invalid-email", False)
    assert (odd.outcome, odd.text) == (Outcome.DONE, "left out: hs_language")
    assert (unknown.outcome, unknown.text) == (Outcome.DONE, "left out: never_made")
    assert good.outcome is Outcome.DONE
    assert [twin.contact(str(one.id))["properties"]["lastname"] for one in (odd, unknown)] == ["L", "M"]


async def test_two_rows_of_one_address_make_one_contact(twin: Any, at_twin: Opener) -> None:
    address = twin.address()
    async with at_twin() as connector:
        receipts = await connector.apply([making(address), making(address)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.DONE, Outcome.NOT_NEEDED}
    assert len({receipt.id for receipt in receipts}) == 1


async def test_a_batch_refused_as_one_is_handed_back_whole(scripted: Opener, script: Any) -> None:
    script.add(409, {"category": "CONFLICT", "message": "Contact already exists. Existing ID: 7"})
    async with scripted() as connector:
        receipts = await connector.apply([making("a@x.example"), making("b@x.example")])
    assert [(one.outcome, one.whole) for one in receipts] == [(Outcome.REJECTED, True)] * 2


async def test_results_without_their_trace_ids_are_known_by_the_address(scripted: Opener, script: Any) -> None:
    made = [
        {"id": number, "properties": {"email": email}} for number, email in (("8", "b@x.example"), ("7", "a@x.example"))
    ]
    script.add(201, {"status": "COMPLETE", "results": made})
    async with scripted() as connector:
        receipts = await connector.apply([making("A@x.example"), making("b@x.example")])
    assert [(one.outcome, one.id) for one in receipts] == [(Outcome.DONE, "7"), (Outcome.DONE, "8")]


async def test_a_row_that_was_not_answered_is_tried_again(scripted: Opener, script: Any) -> None:
    script.add(207, {"status": "COMPLETE", "results": [], "errors": []})
    async with scripted() as connector:
        (receipt,) = await connector.apply([making("a@x.example")])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "row-not-done")


async def test_a_conflict_with_nobody_is_refused(scripted: Opener, script: Any) -> None:
    script.add(409, {"category": "CONFLICT", "message": "Contact already exists."})
    script.add(404, {"category": "OBJECT_NOT_FOUND"}).add(200, {"total": 0, "results": []})
    async with scripted() as connector:
        (receipt,) = await connector.apply([making("a@x.example")])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "conflict")


async def test_a_lost_answer_is_tried_again_without_harm(scripted: Opener, script: Any) -> None:
    script.fail(httpx.ReadTimeout("slow"))
    async with scripted() as connector:
        (receipt,) = await connector.apply([making("a@x.example")])
    assert receipt.outcome is Outcome.RETRY

"""The lifecycle stage: clear, set, and what a portal refuses (section 7)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.sdk import ClearStage, Delivery, Outcome, Ref, SetStage
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio


def step(contact_id: str, change: ClearStage | SetStage) -> Delivery:
    return Delivery(key="k", id=contact_id, email=None, change=change, created_at=datetime(2026, 11, 24, tzinfo=UTC))


async def stage_of(connector: HubspotConnector, contact_id: str) -> str | None:
    (found,) = await connector.read([Ref(by="id", value=contact_id)], ())
    return found.stage


@pytest.mark.behaviour("stage-source")
async def test_a_stage_goes_back_only_after_it_was_cleared(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new(lifecyclestage="customer")
    async with at_twin() as connector:
        await connector.apply([step(contact_id, SetStage(stage="lead"))])
        assert await stage_of(connector, contact_id) == "customer"
        (cleared,) = await connector.apply([step(contact_id, ClearStage())])
        assert await stage_of(connector, contact_id) is None
        (done,) = await connector.apply([step(contact_id, SetStage(stage="lead"))])
        assert await stage_of(connector, contact_id) == "lead"
    assert (cleared.outcome, done.outcome) == (Outcome.DONE, Outcome.DONE)
    assert cleared.at is not None


async def test_clearing_and_setting_take_one_call_each(twin: Any, at_twin: Opener, hub: Any) -> None:
    contact_id = twin.new(lifecyclestage="customer")
    async with at_twin() as connector:
        await connector.apply([step(contact_id, ClearStage())])
        assert hub.spent == 1
        await connector.apply([step(contact_id, SetStage(stage="lead"))])
    assert hub.spent == 2


async def test_a_merged_contacts_stage_is_set_and_its_present_id_told(twin: Any, at_twin: Opener) -> None:
    primary, loser = twin.new(lifecyclestage="lead"), twin.new()
    survivor = twin.merge(primary, loser)
    async with at_twin() as connector:
        (receipt,) = await connector.apply([step(primary, SetStage(stage="customer"))])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, survivor)


async def test_a_stage_the_portal_does_not_have_is_rejected(twin: Any, at_twin: Opener) -> None:
    async with at_twin() as connector:
        (receipt,) = await connector.apply([step(twin.new(), SetStage(stage="fan"))])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "no-such-stage")


async def test_a_contact_that_is_gone_is_rejected(at_twin: Opener) -> None:
    async with at_twin() as connector:
        receipts = [
            (await connector.apply([step("999999999", one)]))[0] for one in (ClearStage(), SetStage(stage="lead"))
        ]
    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [(Outcome.REJECTED, "no-contact")] * 2


@pytest.mark.behaviour("stage-required")
async def test_a_portal_that_requires_a_stage_refuses_the_clearing(script: Any, scripted: Opener) -> None:
    script.add(
        400, {"errors": [{"code": "MISSING_REQUIRED_PROPERTY", "context": {"propertyName": ["lifecyclestage"]}}]}
    )
    async with scripted() as connector:
        (receipt,) = await connector.apply([step("7", ClearStage())])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "stage-required")


async def test_an_outage_between_the_two_is_for_later(script: Any, scripted: Opener) -> None:
    script.add(200, {"id": "7"}).add(503)
    async with scripted() as connector:
        cleared, waiting = [
            (await connector.apply([step("7", one)]))[0] for one in (ClearStage(), SetStage(stage="lead"))
        ]
    assert (cleared.outcome, waiting.outcome) == (Outcome.DONE, Outcome.RETRY)

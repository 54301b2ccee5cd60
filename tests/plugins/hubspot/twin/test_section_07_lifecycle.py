"""Section 7: the lifecycle stage."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def stage_of(world: Any, number: str) -> str | None:
    found: str | None = (await world.read(number, "lifecyclestage"))["lifecyclestage"]
    return found


async def test_section_7_a_contact_made_by_api_without_a_stage_comes_back_as_lead(world: Any) -> None:
    answer = await world.api.post(world.contacts, json={"properties": {"email": "ada@example.com"}})
    found = answer.json()["properties"]
    assert found["lifecyclestage"] == "lead"
    assert found["hs_lifecyclestage_lead_date"] == found["createdate"]
    assert found["hs_pipeline"] == "contacts-lifecycle-pipeline"


async def test_section_7_the_default_stage_is_a_setting_of_the_portal(world: Any) -> None:
    await world.control.post("/portals/4711", json={"default_stage": ""})
    assert await stage_of(world, await world.create(email="ada@example.com")) is None


async def test_section_7_forward_works(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    await world.update(number, lifecyclestage="marketingqualifiedlead")
    assert await stage_of(world, number) == "marketingqualifiedlead"


async def test_section_7_a_direct_backward_stage_write_answers_2xx_and_changes_nothing(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    answer = await world.update(number, lifecyclestage="lead")
    assert answer.status_code == 200
    assert await stage_of(world, number) == "customer"


async def test_section_7_the_other_values_of_a_backward_write_are_written(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    await world.update(number, lifecyclestage="lead", city="Ulm")
    assert (await world.read(number, "city"))["city"] == "Ulm"


async def test_section_7_cleared_first_and_set_in_a_separate_request_it_goes_backward(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    await world.update(number, lifecyclestage="")
    assert await stage_of(world, number) is None
    await world.update(number, lifecyclestage="lead")
    assert await stage_of(world, number) == "lead"


async def test_section_7_the_clearing_write_fires_its_own_webhook(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    await world.settled()
    world.inbox.arrived.clear()
    await world.update(number, lifecyclestage="")
    await world.settled()
    (told,) = world.inbox.events
    assert (told["propertyName"], told["propertyValue"]) == ("lifecyclestage", "")


async def test_section_7_a_backward_write_by_batch_changes_nothing_either(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    inputs = [{"id": number, "properties": {"lifecyclestage": "lead"}}]
    answer = await world.api.post(f"{world.contacts}/batch/update", json={"inputs": inputs})
    assert answer.status_code == 200
    assert await stage_of(world, number) == "customer"


async def test_section_7_an_unknown_stage_is_400(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    answer = await world.update(number, lifecyclestage="Lead")
    assert answer.status_code == 400
    assert "INVALID_OPTION" in answer.json()["message"]


async def test_section_7_the_order_is_read_from_the_property(world: Any) -> None:
    body = (await world.api.get("/crm/properties/2026-09/0-1/lifecyclestage")).json()
    order = [one["value"] for one in sorted(body["options"], key=lambda one: one["displayOrder"])]
    assert order[:3] == ["subscriber", "lead", "marketingqualifiedlead"]
    assert order[-1] == "other"


async def test_section_7_stages_can_be_reordered_and_added_with_a_numeric_id(world: Any) -> None:
    stages = [("198765", "Fan", 0), ("customer", "Customer", 1), ("lead", "Lead", 2)]
    rows = [{"value": value, "label": label, "displayOrder": place} for value, label, place in stages]
    await world.control.post("/portals/4711", json={"stages": rows})
    number = await world.create(email="ada@example.com", lifecyclestage="198765")
    await world.update(number, lifecyclestage="lead")
    await world.update(number, lifecyclestage="customer")
    assert await stage_of(world, number) == "lead"


async def test_section_7_a_person_may_move_the_stage_backward(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    await world.browser.post(f"/contacts/4711/record/0-1/{number}", data={"lifecyclestage": "lead"})
    assert await stage_of(world, number) == "lead"

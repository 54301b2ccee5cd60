"""Section 1: rules of an account's admins, enforced on every write since 2026-09."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_section_1_a_property_required_on_creation(world: Any) -> None:
    await world.control.post("/portals/4711", json={"required_on_create": ["lastname"]})
    answer = await world.api.post(world.contacts, json={"properties": {"email": "ada@example.com"}})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"
    assert answer.json()["errors"][0]["context"]["propertyName"] == ["lastname"]
    assert await world.create(email="ada@example.com", lastname="L")


async def test_section_1_an_account_that_requires_the_stage_refuses_to_clear_it(world: Any) -> None:
    number = await world.create(email="ada@example.com", lifecyclestage="customer")
    await world.control.post("/portals/4711", json={"required": ["lifecyclestage"]})
    single = await world.update(number, lifecyclestage="", city="Ulm")
    inputs = [{"id": number, "properties": {"lifecyclestage": ""}}]
    batch = await world.api.post(f"{world.contacts}/batch/update", json={"inputs": inputs})
    for answer in (single, batch):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "MISSING_CONDITIONAL_REQUIRED_PROPERTY"
    found = await world.read(number, "lifecyclestage", "city")
    assert (found["lifecyclestage"], found["city"]) == ("customer", None)

"""Sections 5, 10 and 16: property history, and notes on the timeline."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

TYPE_202 = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]


async def history(world: Any, number: str, name: str) -> list[dict[str, Any]]:
    answer = await world.api.get(f"{world.contacts}/{number}", params={"propertiesWithHistory": name})
    found: list[dict[str, Any]] = answer.json()["propertiesWithHistory"][name]
    return found


def note(number: str, **properties: str) -> dict[str, Any]:
    values = {"hs_timestamp": "2026-11-24T10:00:00Z", "hs_note_body": "Hello", **properties}
    return {"properties": values, "associations": [{"to": {"id": number}, "types": TYPE_202}]}


async def test_section_5_history_tells_newest_first_who_wrote_what_when(world: Any) -> None:
    number = await world.create(email="ada@example.com", firstname="A")
    await world.browser.post(f"/contacts/4711/record/0-1/{number}", data={"firstname": "Ada"})
    newest, oldest = await history(world, number, "firstname")
    assert (newest["value"], newest["sourceType"], newest["sourceId"]) == ("Ada", "CRM_UI", "userId:1")
    assert newest["updatedByUserId"] == 1
    assert (oldest["value"], oldest["sourceType"], oldest["sourceId"]) == ("A", "INTEGRATION", world.app_id)
    assert newest["timestamp"] > oldest["timestamp"]
    assert newest["timestamp"].endswith("Z")


async def test_section_5_history_keeps_the_clearing(world: Any) -> None:
    number = await world.create(email="ada@example.com", firstname="A")
    await world.update(number, firstname="")
    assert [one["value"] for one in await history(world, number, "firstname")] == ["", "A"]


async def test_section_5_a_value_written_again_makes_no_history(world: Any) -> None:
    number = await world.create(email="ada@example.com", firstname="A")
    await world.update(number, firstname="A")
    assert len(await history(world, number, "firstname")) == 1


async def test_section_5_history_by_batch_read(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    body = {"inputs": [{"id": number}], "propertiesWithHistory": ["email"]}
    answer = await world.api.post(f"{world.contacts}/batch/read", json=body)
    assert answer.json()["results"][0]["propertiesWithHistory"]["email"][0]["value"] == "ada@example.com"


async def test_section_10_a_note_is_created_with_association_type_202(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    answer = await world.api.post(world.notes, json=note(number))
    assert answer.status_code == 201
    assert answer.json()["properties"]["hs_note_body"] == "Hello"


async def test_section_16_notes_are_read_by_the_contact_and_then_by_batch(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    await world.api.post(world.notes, json=note(number))
    contact = (await world.api.get(f"{world.contacts}/{number}", params={"associations": "notes"})).json()
    inputs = [{"id": one["id"]} for one in contact["associations"]["notes"]["results"]]
    body = {"inputs": inputs, "properties": ["hs_note_body"]}
    answer = await world.api.post(f"{world.notes}/batch/read", json=body)
    assert [one["properties"]["hs_note_body"] for one in answer.json()["results"]] == ["Hello"]


async def test_section_10_a_note_has_no_idempotency_key(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    await world.api.post(world.notes, json=note(number))
    await world.api.post(world.notes, json=note(number))
    contact = (await world.api.get(f"{world.contacts}/{number}", params={"associations": "notes"})).json()
    assert len(contact["associations"]["notes"]["results"]) == 2


async def test_section_10_a_note_needs_a_timestamp_and_a_body_of_65536_at_most(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    bare = note(number)
    del bare["properties"]["hs_timestamp"]
    assert (await world.api.post(world.notes, json=bare)).status_code == 400
    assert (await world.api.post(world.notes, json=note(number, hs_note_body="x" * 65_537))).status_code == 400
    assert (await world.api.post(world.notes, json=note(number, hs_note_body="x" * 65_536))).status_code == 201


async def test_section_10_an_unknown_property_or_association_type_of_a_note_is_400(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    assert (await world.api.post(world.notes, json=note(number, mark="x"))).status_code == 400
    wrong = note(number)
    wrong["associations"][0]["types"] = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 201}]
    assert (await world.api.post(world.notes, json=wrong)).status_code == 400


async def test_section_10_a_note_on_an_unknown_contact_is_404(world: Any) -> None:
    assert (await world.api.post(world.notes, json=note("1"))).status_code == 404


async def test_section_16_a_missing_note_makes_the_batch_207(world: Any) -> None:
    answer = await world.api.post(f"{world.notes}/batch/read", json={"inputs": [{"id": "1"}]})
    assert answer.status_code == 207


async def test_section_10_a_deleted_note_leaves_the_timeline(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    made = (await world.api.post(world.notes, json=note(number))).json()["id"]
    assert (await world.api.delete(f"{world.notes}/{made}")).status_code == 204
    assert (await world.api.get(f"{world.notes}/{made}")).status_code == 404
    contact = (await world.api.get(f"{world.contacts}/{number}", params={"associations": "notes"})).json()
    assert "associations" not in contact

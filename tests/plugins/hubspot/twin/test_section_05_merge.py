"""Sections 5 and 16: merging."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def merged(world: Any) -> tuple[str, str, dict[str, Any]]:
    """Ada and Eve, merged into one: both old ids and the answer."""
    ada = await world.create(email="ada@example.com", firstname="Ada")
    eve = await world.create(email="eve@example.com", firstname="Eve", city="Ulm", lifecyclestage="customer")
    await world.settled()
    world.inbox.arrived.clear()
    answer = await world.api.post(f"{world.contacts}/merge", json={"primaryObjectId": ada, "objectIdToMerge": eve})
    assert answer.status_code == 200
    await world.settled()
    return ada, eve, answer.json()


async def test_section_5_the_merged_record_has_a_new_id(world: Any) -> None:
    ada, eve, body = await merged(world)
    assert body["id"] not in (ada, eve)


async def test_section_5_a_portal_may_keep_the_primary_id(world: Any) -> None:
    await world.control.post("/portals/4711", json={"keeps_primary_id": True})
    ada, _, body = await merged(world)
    assert body["id"] == ada


async def test_section_5_the_losers_address_becomes_an_additional_one(world: Any) -> None:
    _, _, body = await merged(world)
    found = await world.read(body["id"], "email", "hs_additional_emails")
    assert found["email"] == "ada@example.com"
    assert found["hs_additional_emails"] == "eve@example.com"


async def test_section_5_the_primarys_values_stay_blanks_are_filled_and_the_furthest_stage_stays(world: Any) -> None:
    _, _, body = await merged(world)
    found = await world.read(body["id"], "firstname", "city", "lifecyclestage")
    assert (found["firstname"], found["city"], found["lifecyclestage"]) == ("Ada", "Ulm", "customer")


async def test_section_5_old_ids_stand_in_hs_merged_object_ids(world: Any) -> None:
    ada, eve, body = await merged(world)
    found = await world.read(body["id"], "hs_merged_object_ids")
    assert set(found["hs_merged_object_ids"].split(";")) == {ada, eve}


async def test_section_5_old_ids_lead_to_the_merged_record_on_single_calls(world: Any) -> None:
    ada, eve, body = await merged(world)
    for old in (ada, eve):
        assert (await world.api.get(f"{world.contacts}/{old}")).json()["id"] == body["id"]
        assert (await world.update(old, city="Bonn")).json()["id"] == body["id"]


async def test_section_5_old_ids_do_not_work_in_batches(world: Any) -> None:
    ada, eve, _ = await merged(world)
    read = await world.api.post(f"{world.contacts}/batch/read", json={"inputs": [{"id": ada}, {"id": eve}]})
    assert read.status_code == 207
    assert read.json()["results"] == []
    inputs = [{"id": eve, "properties": {"city": "Kiel"}}]
    written = await world.api.post(f"{world.contacts}/batch/update", json={"inputs": inputs})
    assert written.status_code == 207
    assert written.json()["results"] == []


async def test_section_16_a_merge_tells_the_merge_and_the_losers_deletion_and_no_property_change(world: Any) -> None:
    ada, eve, body = await merged(world)
    (told,) = world.inbox.of_type("contact.merge")
    assert told["primaryObjectId"] == int(ada)
    assert told["mergedObjectIds"] == [int(eve)]
    assert told["newObjectId"] == int(body["id"])
    assert told["numberOfPropertiesMoved"] > 0
    assert [one["objectId"] for one in world.inbox.of_type("contact.deletion")] == [int(eve)]
    assert world.inbox.of_type("contact.propertyChange") == []
    assert world.inbox.of_type("contact.creation") == []


async def test_section_5_a_contact_cannot_be_merged_with_itself(world: Any) -> None:
    ada = await world.create(email="ada@example.com")
    answer = await world.api.post(f"{world.contacts}/merge", json={"primaryObjectId": ada, "objectIdToMerge": ada})
    assert answer.status_code == 400


async def test_section_5_a_record_has_250_identities_at_most(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from stellwerk_hubspot.twin import merge

    assert merge.MAX_IDENTITIES == 250
    monkeypatch.setattr(merge, "MAX_IDENTITIES", 4)
    seeded = await world.control.post("/seed", json={"contacts": [{"email": f"c{n}@b.de"} for n in range(5)]})
    first, *others = seeded.json()["ids"]
    answers = [
        await world.api.post(f"{world.contacts}/merge", json={"primaryObjectId": first, "objectIdToMerge": other})
        for other in others
    ]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 414)


async def test_section_16_notes_move_with_a_merge(world: Any) -> None:
    ada, eve = await world.create(email="ada@example.com"), await world.create(email="eve@example.com")
    note = {"properties": {"hs_timestamp": "2026-11-24T10:00:00Z", "hs_note_body": "x"}, "associations": [
        {"to": {"id": eve}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]}  # fmt: skip
    made = (await world.api.post(world.notes, json=note)).json()["id"]
    await world.api.post(f"{world.contacts}/merge", json={"primaryObjectId": ada, "objectIdToMerge": eve})
    answer = await world.api.get(f"{world.contacts}/{ada}", params={"associations": "notes"})
    assert [one["id"] for one in answer.json()["associations"]["notes"]["results"]] == [made]

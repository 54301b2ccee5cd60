"""Section 5: batches."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def batch(world: Any, what: str, inputs: list[dict[str, Any]], **more: Any) -> Any:
    return await world.api.post(f"{world.contacts}/batch/{what}", json={"inputs": inputs, **more})


def rows(count: int, *, trace: bool = False) -> list[dict[str, Any]]:
    return [
        {"properties": {"email": f"c{n}@example.com"}, **({"objectWriteTraceId": f"t{n}"} if trace else {})}
        for n in range(count)
    ]


async def ids(world: Any, count: int) -> list[str]:
    seeded = await world.control.post("/seed", json={"contacts": [row["properties"] for row in rows(count)]})
    found: list[str] = seeded.json()["ids"]
    return found


@pytest.mark.parametrize("what", ["read", "create", "update", "upsert", "archive"])
async def test_section_5_a_batch_takes_a_hundred_inputs_at_most(world: Any, what: str) -> None:
    rows_of: dict[str, dict[str, Any]] = {
        "read": {"id": "1"}, "archive": {"id": "1"}, "create": {"properties": {"lastname": "x"}},
        "update": {"id": "1", "properties": {}}, "upsert": {"id": "a@b.de", "idProperty": "email", "properties": {}},
    }  # fmt: skip
    row = rows_of[what]
    assert (await batch(world, what, [row] * 101)).status_code == 400
    assert (await batch(world, what, [])).status_code == 400


async def test_section_5_batch_read_answers_200_and_not_in_input_order(world: Any) -> None:
    wanted = await ids(world, 20)
    answer = await batch(world, "read", [{"id": one} for one in wanted], properties=["email"])
    assert answer.status_code == 200
    found = [one["id"] for one in answer.json()["results"]]
    assert sorted(found) == sorted(wanted)
    assert found != wanted


async def test_section_5_batch_read_answers_207_when_some_are_missing(world: Any) -> None:
    wanted = await ids(world, 2)
    answer = await batch(world, "read", [{"id": wanted[0]}, {"id": "1"}])
    assert answer.status_code == 207
    body = answer.json()
    assert body["status"] == "COMPLETE"
    assert body["numErrors"] == 1
    assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert body["errors"][0]["context"]["ids"] == ["1"]
    assert [one["id"] for one in body["results"]] == wanted[:1]


async def test_section_5_batch_read_by_address(world: Any) -> None:
    wanted = await ids(world, 1)
    answer = await batch(world, "read", [{"id": "c0@example.com"}], idProperty="email")
    assert answer.json()["results"][0]["id"] == wanted[0]


async def test_section_16_with_history_a_batch_read_takes_fifty_inputs_at_most(world: Any) -> None:
    wanted = [{"id": one} for one in await ids(world, 51)]
    answer = await batch(world, "read", wanted, propertiesWithHistory=["email"])
    assert answer.status_code == 400
    words = "The maximum number of inputs supported in a batch request for property histories is 50"
    assert words in answer.json()["message"]
    assert (await batch(world, "read", wanted[:50], propertiesWithHistory=["email"])).status_code == 200


async def test_section_16_the_list_call_is_capped_likewise(world: Any) -> None:
    params = {"limit": 51, "propertiesWithHistory": "email"}
    assert (await world.api.get(world.contacts, params=params)).status_code == 400
    assert (await world.api.get(world.contacts, params={**params, "limit": 50})).status_code == 200


async def test_section_5_batch_create_answers_201(world: Any) -> None:
    answer = await batch(world, "create", rows(3))
    assert answer.status_code == 201
    assert len(answer.json()["results"]) == 3


async def test_section_5_batch_create_without_trace_ids_is_all_or_nothing(world: Any) -> None:
    inputs = [*rows(3), {"properties": {"email": "nope"}}]
    answer = await batch(world, "create", inputs)
    assert answer.status_code == 400
    assert "INVALID_EMAIL" in answer.json()["message"]
    assert (await world.api.get(world.contacts)).json()["results"] == []


async def test_section_13_without_trace_ids_the_409_names_the_first_duplicate_only(world: Any) -> None:
    known = await ids(world, 2)
    answer = await batch(world, "create", rows(3))
    assert answer.status_code == 409
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {known[0]}"


async def test_section_5_batch_create_with_trace_ids_answers_207_paired_by_them(world: Any) -> None:
    known = await ids(world, 1)
    inputs = [*rows(3, trace=True), {"properties": {"email": "nope"}, "objectWriteTraceId": "bad"}]
    answer = await batch(world, "create", inputs)
    assert answer.status_code == 207
    body = answer.json()
    assert {one["objectWriteTraceId"] for one in body["results"]} == {"t1", "t2"}
    errors = {one["context"]["objectWriteTraceId"][0]: one for one in body["errors"]}
    assert errors.keys() == {"t0", "bad"}
    assert errors["t0"]["category"] == "CONFLICT"
    assert errors["t0"]["message"].endswith(f"Existing ID: {known[0]}")
    assert body["numErrors"] == 2


async def test_section_5_a_trace_id_used_twice_does_not_set_rows_apart(world: Any) -> None:
    inputs = [*rows(2, trace=True), {"properties": {"email": "nope"}, "objectWriteTraceId": "t1"}]
    assert (await batch(world, "create", inputs)).status_code == 400
    assert (await world.api.get(world.contacts)).json()["results"] == []


async def test_section_5_one_input_without_a_trace_id_makes_the_batch_all_or_nothing(world: Any) -> None:
    inputs = [*rows(2, trace=True), {"properties": {"email": "nope"}}]
    assert (await batch(world, "create", inputs)).status_code == 400


async def test_section_5_batch_update_answers_200_when_all_went_well_and_207_when_part_failed(world: Any) -> None:
    one, two = await ids(world, 2)
    good = [{"id": one, "properties": {"city": "Ulm"}}, {"id": two, "properties": {"city": "Bonn"}}]
    assert (await batch(world, "update", good)).status_code == 200
    part = [good[0], {"id": "1", "properties": {"city": "Kiel"}, "objectWriteTraceId": "t9"}]
    answer = await batch(world, "update", part)
    assert answer.status_code == 207
    assert answer.json()["errors"][0]["context"]["objectWriteTraceId"] == ["t9"]


async def test_section_5_batch_update_by_address_fails(world: Any) -> None:
    await ids(world, 1)
    inputs = [{"id": "c0@example.com", "idProperty": "email", "properties": {"city": "Ulm"}}]
    answer = await batch(world, "update", inputs)
    assert answer.status_code == 400
    assert "Unable to perform update/upsert by non-unique 0-1 property" in answer.json()["message"]


async def test_section_5_an_address_as_id_is_ignored_silently(world: Any) -> None:
    one = (await ids(world, 1))[0]
    inputs = [{"id": "c0@example.com", "properties": {"city": "Ulm"}}]
    answer = await batch(world, "update", inputs)
    assert answer.status_code == 200
    assert answer.json()["results"] == []
    assert (await world.read(one, "city"))["city"] is None


async def test_section_13_one_invalid_address_fails_the_whole_update(world: Any) -> None:
    one, two = await ids(world, 2)
    inputs = [{"id": one, "properties": {"city": "Ulm"}}, {"id": two, "properties": {"email": "nope"}}]
    assert (await batch(world, "update", inputs)).status_code == 400
    assert (await world.read(one, "city"))["city"] is None


async def test_section_5_batch_upsert_tells_what_is_new(world: Any) -> None:
    await ids(world, 1)
    inputs = [
        {"id": f"c{n}@example.com", "idProperty": "email", "properties": {"city": "Ulm"}, "objectWriteTraceId": f"t{n}"}
        for n in range(2)
    ]
    answer = await batch(world, "upsert", inputs)
    assert answer.status_code == 200
    assert {one["objectWriteTraceId"]: one["new"] for one in answer.json()["results"]} == {"t0": False, "t1": True}
    by_address = await world.api.get(f"{world.contacts}/c1@example.com", params={"idProperty": "email"})
    assert by_address.status_code == 200


async def test_section_5_batch_upsert_needs_a_unique_property(world: Any) -> None:
    inputs = [{"id": "Ulm", "idProperty": "city", "properties": {}}]
    answer = await batch(world, "upsert", inputs)
    assert answer.status_code == 400
    assert "non-unique 0-1 property" in answer.json()["message"]


async def test_section_5_batch_archive_answers_204(world: Any) -> None:
    wanted = await ids(world, 2)
    assert (await batch(world, "archive", [{"id": one} for one in wanted])).status_code == 204
    assert (await world.api.get(world.contacts)).json()["results"] == []


async def test_section_7_clearing_and_setting_in_one_batch_is_unreliable(world: Any) -> None:
    wanted = await ids(world, 5)
    for one in wanted:
        await world.update(one, lifecyclestage="customer")
        steps = [{"id": one, "properties": {"lifecyclestage": stage}} for stage in ("", "lead")]
        assert (await batch(world, "update", steps)).status_code == 200
    stages = {(await world.read(one, "lifecyclestage"))["lifecyclestage"] for one in wanted}
    assert stages - {"lead"}

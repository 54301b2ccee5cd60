"""Section 6: properties, groups, and how values are encoded."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_section_6_the_list_has_no_paging(world: Any) -> None:
    body = (await world.api.get(world.properties)).json()
    assert body.keys() == {"results"}
    assert len(body["results"]) > 50


async def test_section_6_the_default_set_is_as_the_dump_says(world: Any) -> None:
    found = {one["name"]: one for one in (await world.api.get(world.properties)).json()["results"]}
    assert "birthday" not in found
    assert (found["date_of_birth"]["type"], found["date_of_birth"]["fieldType"]) == ("string", "text")
    assert (found["gender"]["type"], found["gender"]["groupName"]) == ("string", "facebook_ads_properties")
    assert (found["salutation"]["type"], found["country"]["type"]) == ("string", "string")
    assert found["hs_email_optout"]["modificationMetadata"]["readOnlyValue"] is True
    assert found["hs_additional_emails"]["calculated"] is True
    assert found["lifecyclestage"]["externalOptions"] is True


async def test_section_6_create_answers_201_and_a_taken_name_409(world: Any) -> None:
    assert (await world.define("maileon_status")).status_code == 201
    again = await world.define("maileon_status")
    assert again.status_code == 409
    assert again.json()["category"] == "OBJECT_ALREADY_EXISTS"
    assert again.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"


async def test_section_6_an_archived_name_is_restored_with_201(world: Any) -> None:
    await world.define("maileon_status", description="first")
    assert (await world.api.delete(f"{world.properties}/maileon_status")).status_code == 204
    assert (await world.api.get(f"{world.properties}/maileon_status")).status_code == 404
    answer = await world.define("maileon_status", description="second")
    assert answer.status_code == 201
    assert answer.json()["description"] == "first"


async def test_section_6_an_archived_property_cannot_be_written(world: Any) -> None:
    await world.define("maileon_status")
    await world.api.delete(f"{world.properties}/maileon_status")
    answer = await world.api.post(world.contacts, json={"properties": {"email": "a@b.de", "maileon_status": "x"}})
    assert answer.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


@pytest.mark.parametrize("missing", ["name", "label", "type", "fieldType", "groupName"])
async def test_section_6_create_needs_five_keys(world: Any, missing: str) -> None:
    body = {"name": "x", "label": "X", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    del body[missing]
    assert (await world.api.post(world.properties, json=body)).status_code == 400


@pytest.mark.parametrize(
    ("kind", "field_type"), [("bool", "text"), ("string", "select"), ("date", "text"), ("object", "text")]
)
async def test_section_6_type_and_field_type_go_together(world: Any, kind: str, field_type: str) -> None:
    assert (await world.define("x", kind, field_type)).status_code == 400


@pytest.mark.parametrize("name", ["Maileon", "1st", "with space", "x" * 100])
async def test_section_6_names_are_lower_case_and_under_100_characters(world: Any, name: str) -> None:
    answer = await world.define(name)
    assert answer.status_code == 400
    assert "Names for properties should be lowercase" in answer.json()["message"]


async def test_section_6_patching_options_replaces_the_whole_list(world: Any) -> None:
    options = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
    await world.define("pick", "enumeration", "select", options=options)
    answer = await world.api.patch(f"{world.properties}/pick", json={"options": [{"label": "C", "value": "c"}]})
    assert [one["value"] for one in answer.json()["options"]] == ["c"]


async def test_section_6_unique_is_for_creation_only(world: Any) -> None:
    await world.define("member_no")
    assert (await world.api.patch(f"{world.properties}/member_no", json={"hasUniqueValue": True})).status_code == 400


async def test_section_6_ten_unique_properties_at_most(world: Any) -> None:
    answers = [await world.define(f"u{n}", hasUniqueValue=True) for n in range(11)]
    assert [one.status_code for one in answers] == [201] * 10 + [400]


async def test_section_6_an_unknown_property_is_404(world: Any) -> None:
    answer = await world.api.get(f"{world.properties}/nope")
    assert answer.status_code == 404
    assert answer.json()["category"] == "OBJECT_NOT_FOUND"


async def test_section_6_a_property_in_use_cannot_be_archived(world: Any) -> None:
    await world.define("pick")
    await world.control.post("/portals/4711", json={"properties_in_use": ["pick"]})
    answer = await world.api.delete(f"{world.properties}/pick")
    assert answer.status_code == 400
    assert answer.json()["subCategory"] == "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE"


async def test_section_6_hubspots_own_properties_cannot_be_changed_or_archived(world: Any) -> None:
    assert (await world.api.delete(f"{world.properties}/firstname")).status_code == 400
    assert (await world.api.patch(f"{world.properties}/firstname", json={"label": "X"})).status_code == 400
    assert (await world.api.patch(f"{world.properties}/lifecyclestage", json={"options": []})).status_code == 400


async def test_section_6_groups(world: Any) -> None:
    groups = f"{world.properties}/groups"
    assert (await world.api.post(groups, json={"name": "maileon", "label": "Maileon"})).status_code == 201
    assert (await world.api.post(groups, json={"name": "maileon", "label": "Maileon"})).status_code == 409
    assert (await world.api.get(f"{groups}/maileon")).json()["label"] == "Maileon"
    assert (await world.api.patch(f"{groups}/maileon", json={"label": "M"})).json()["label"] == "M"
    assert "maileon" in [one["name"] for one in (await world.api.get(groups)).json()["results"]]
    assert (await world.api.get(f"{groups}/nope")).status_code == 404


async def test_section_6_a_group_with_active_properties_cannot_be_deleted(world: Any) -> None:
    groups = f"{world.properties}/groups"
    await world.api.post(groups, json={"name": "maileon", "label": "Maileon"})
    await world.define("maileon_status", groupName="maileon")
    assert (await world.api.delete(f"{groups}/maileon")).status_code == 400
    await world.api.delete(f"{world.properties}/maileon_status")
    assert (await world.api.delete(f"{groups}/maileon")).status_code == 204


async def test_section_6_a_property_needs_a_group_that_exists(world: Any) -> None:
    assert (await world.define("x", groupName="nope")).status_code == 400


async def test_section_6_batches_of_definitions(world: Any) -> None:
    one = {"name": "a1", "label": "A", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    made = await world.api.post(f"{world.properties}/batch/create", json={"inputs": [one, {**one, "name": "email"}]})
    assert made.status_code == 207
    assert [row["name"] for row in made.json()["results"]] == ["a1"]
    read = await world.api.post(f"{world.properties}/batch/read", json={"inputs": [{"name": "a1"}, {"name": "nope"}]})
    assert read.status_code == 207
    gone = await world.api.post(f"{world.properties}/batch/archive", json={"inputs": [{"name": "a1"}]})
    assert gone.status_code == 204
    assert (await world.api.get(f"{world.properties}/a1", params={"archived": "true"})).json()["archived"] is True


BOXES = [{"label": value.upper(), "value": value} for value in "abcde"]


@pytest.mark.parametrize(
    ("kind", "field_type", "written", "read"),
    [
        ("date", "date", "2026-11-24", "2026-11-24"),
        ("date", "date", "1795478400000", "2026-11-24"),
        ("datetime", "date", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000Z"),
        ("datetime", "date", "1795514400000", "2026-11-24T10:00:00.000Z"),
        ("bool", "booleancheckbox", "true", "true"),
        ("bool", "booleancheckbox", "", None),
        ("number", "number", "1.5", "1.5"),
        ("enumeration", "select", "a", "a"),
        ("enumeration", "checkbox", "a;c", "a;c"),
    ],
)
async def test_section_6_encoding(world: Any, kind: str, field_type: str, written: str, read: str | None) -> None:
    options = {"options": BOXES} if kind == "enumeration" else {}
    await world.define("x", kind, field_type, **options)
    number = await world.create(email="a@b.de", x=written)
    assert (await world.read(number, "x"))["x"] == read


@pytest.mark.parametrize(
    ("kind", "field_type", "written", "code"),
    [
        ("date", "date", "24.11.2026", "INVALID_DATE"),
        ("date", "date", "1795478400001", "INVALID_DATE"),
        ("datetime", "date", "2026-11-24T10:00:00+01:00", "INVALID_DATE"),
        ("bool", "booleancheckbox", "yes", "INVALID_OPTION"),
        ("date", "date", "9" * 30, "INVALID_DATE"),
        ("datetime", "date", "9" * 30, "INVALID_DATE"),
        ("number", "number", "1,5", "INVALID_INTEGER"),
        ("number", "number", "NaN", "INVALID_INTEGER"),
        ("enumeration", "select", "A", "INVALID_OPTION"),
        ("enumeration", "checkbox", "a;z", "INVALID_OPTION"),
        ("string", "text", "x" * 65_537, "INVALID_LENGTH"),
    ],
)
async def test_section_6_a_value_its_property_does_not_take_is_400(
    world: Any, kind: str, field_type: str, written: str, code: str
) -> None:
    await world.define("x", kind, field_type, **({"options": BOXES} if kind == "enumeration" else {}))
    answer = await world.api.post(world.contacts, json={"properties": {"email": "a@b.de", "x": written}})
    assert answer.status_code == 400
    assert f'"error": "{code}"' in answer.json()["message"]


async def test_section_6_a_leading_semicolon_appends(world: Any) -> None:
    await world.define("x", "enumeration", "checkbox", options=BOXES)
    number = await world.create(email="a@b.de", x="a;b")
    await world.update(number, x=";d;e")
    assert (await world.read(number, "x"))["x"] == "a;b;d;e"
    await world.update(number, x="c")
    assert (await world.read(number, "x"))["x"] == "c"

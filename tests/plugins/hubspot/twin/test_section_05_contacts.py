"""Section 5: single calls on contacts."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_section_5_create_answers_201_with_location(world: Any) -> None:
    answer = await world.api.post(world.contacts, json={"properties": {"email": "ada@example.com"}})
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(answer.json()["id"])


async def test_section_5_create_may_carry_empty_associations(world: Any) -> None:
    answer = await world.api.post(world.contacts, json={"properties": {"email": "a@b.de"}, "associations": []})
    assert answer.status_code == 201


async def test_section_5_create_needs_an_address_or_a_name(world: Any) -> None:
    assert (await world.api.post(world.contacts, json={"properties": {"city": "Ulm"}})).status_code == 400
    assert (await world.api.post(world.contacts, json={"properties": {"lastname": "Ada"}})).status_code == 201


async def test_section_5_the_type_id_works_in_place_of_contacts(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    assert (await world.api.get(f"/crm/objects/2026-09/0-1/{number}")).json()["id"] == number


async def test_section_5_values_are_strings_on_the_wire(world: Any) -> None:
    answer = await world.api.post(world.contacts, json={"properties": {"email": "a@b.de", "hs_email_bounce": 1}})
    assert answer.status_code == 400
    found = await world.read(await world.create(email="b@b.de"), "hs_object_id")
    assert isinstance(found["hs_object_id"], str)


async def test_section_5_without_properties_a_read_returns_the_default_set(world: Any) -> None:
    number = await world.create(email="ada@example.com", city="Ulm")
    found = (await world.api.get(f"{world.contacts}/{number}")).json()["properties"]
    assert set(found) == {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}


async def test_section_5_a_property_without_a_value_is_null(world: Any) -> None:
    found = await world.read(await world.create(email="ada@example.com"), "city")
    assert found["city"] is None


async def test_section_5_list_parameters_may_be_repeated_or_separated_by_commas(world: Any) -> None:
    number = await world.create(email="ada@example.com", city="Ulm", zip="89073")
    url = f"{world.contacts}/{number}"
    repeated = await world.api.get(url, params=[("properties", "city"), ("properties", "zip")])
    joined = await world.api.get(url, params={"properties": "city,zip"})
    assert repeated.json()["properties"] == joined.json()["properties"]
    assert joined.json()["properties"]["zip"] == "89073"


async def test_section_5_the_list_has_ten_by_default_and_a_hundred_at_most(world: Any) -> None:
    await world.control.post("/seed", json={"contacts": [{"email": f"c{n}@b.de"} for n in range(120)]})
    first = (await world.api.get(world.contacts)).json()
    assert len(first["results"]) == 10
    assert (await world.api.get(world.contacts, params={"limit": 101})).status_code == 400
    page = (await world.api.get(world.contacts, params={"limit": 100})).json()
    rest = (await world.api.get(world.contacts, params={"limit": 100, "after": page["paging"]["next"]["after"]})).json()
    assert len({one["id"] for one in page["results"] + rest["results"]}) == 120
    assert "paging" not in rest


async def test_section_5_reading_by_address_ignores_letter_case(world: Any) -> None:
    number = await world.create(email="Ada@Example.com")
    answer = await world.api.get(f"{world.contacts}/ADA@example.com", params={"idProperty": "email"})
    assert answer.json()["id"] == number


async def test_section_5_reading_by_a_property_that_is_not_unique_is_400(world: Any) -> None:
    answer = await world.api.get(f"{world.contacts}/Ulm", params={"idProperty": "city"})
    assert answer.status_code == 400


async def test_section_5_reading_by_a_custom_unique_property(world: Any) -> None:
    await world.define("member_no", hasUniqueValue=True)
    number = await world.create(email="ada@example.com", member_no="M1")
    answer = await world.api.get(f"{world.contacts}/M1", params={"idProperty": "member_no"})
    assert answer.json()["id"] == number
    taken = await world.api.post(world.contacts, json={"properties": {"email": "b@b.de", "member_no": "M1"}})
    assert taken.status_code == 409


@pytest.mark.parametrize("number", ["1", "abc", "%C2%B2", "9" * 40])
async def test_section_5_an_unknown_contact_is_404(world: Any, number: str) -> None:
    answer = await world.api.get(f"{world.contacts}/{number}")
    assert answer.status_code == 404
    assert answer.json()["category"] == "OBJECT_NOT_FOUND"


async def test_section_5_an_unknown_property_fails_the_request(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    answer = await world.update(number, city="Ulm", Firstname="Ada")
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert error["code"] == "PROPERTY_DOESNT_EXIST"
    assert error["context"]["propertyName"] == ["Firstname"]
    assert (await world.read(number, "city"))["city"] is None


async def test_section_5_a_read_passes_over_what_is_no_property(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    found = await world.read(number, "city,Firstname,never_made")
    assert ("city" in found, "Firstname" in found, "never_made" in found) == (True, False, False)


@pytest.mark.parametrize(
    "name", ["hs_object_id", "createdate", "hs_email_optout", "hs_additional_emails", "hs_marketable_status"]
)
async def test_section_5_a_read_only_property_fails_the_request(world: Any, name: str) -> None:
    answer = await world.update(await world.create(email="ada@example.com"), **{name: "1"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "READ_ONLY_VALUE"
    assert answer.json()["errors"][0]["context"]["propertyName"] == [name]


async def test_section_12_an_invalid_address_comes_as_json_inside_the_message(world: Any) -> None:
    answer = await world.api.post(world.contacts, json={"properties": {"email": "x"}})
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert "errors" not in answer.json()
    _, _, inner = answer.json()["message"].partition("Property values were not valid: ")
    problem = json.loads(inner)[0]
    assert problem["error"] == "INVALID_EMAIL"
    assert problem["name"] == "email"
    assert problem["message"] == "Email address x is invalid"


async def test_section_6_an_empty_string_clears(world: Any) -> None:
    number = await world.create(email="ada@example.com", city="Ulm")
    await world.update(number, city="")
    assert (await world.read(number, "city"))["city"] is None


async def test_section_13_an_address_that_is_taken_is_409_with_the_existing_id(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    answer = await world.api.post(world.contacts, json={"properties": {"email": "ADA@example.com"}})
    assert answer.status_code == 409
    assert answer.json()["category"] == "CONFLICT"
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {number}"


async def test_section_13_an_additional_address_is_taken_too(world: Any) -> None:
    ada, eve = await world.create(email="ada@example.com"), await world.create(email="eve@example.com")
    merged = await world.api.post(f"{world.contacts}/merge", json={"primaryObjectId": ada, "objectIdToMerge": eve})
    answer = await world.api.post(world.contacts, json={"properties": {"email": "eve@example.com"}})
    assert answer.status_code == 409
    assert answer.json()["message"].endswith(f"Existing ID: {merged.json()['id']}")


async def test_section_13_an_update_to_an_address_that_is_taken_is_409(world: Any) -> None:
    await world.create(email="ada@example.com")
    answer = await world.update(await world.create(email="eve@example.com"), email="ada@example.com")
    assert answer.status_code == 409


async def test_section_5_an_update_by_address(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    answer = await world.api.patch(
        f"{world.contacts}/ada@example.com", params={"idProperty": "email"}, json={"properties": {"city": "Ulm"}}
    )
    assert answer.status_code == 200
    assert answer.json()["id"] == number


async def test_section_5_lastmodifieddate_moves_with_our_own_writes(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    before = (await world.read(number))["lastmodifieddate"]
    await world.update(number, city="Ulm")
    assert (await world.read(number))["lastmodifieddate"] > before


async def test_section_5_lastmodifieddate_moves_with_internal_changes(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    before = (await world.read(number))["lastmodifieddate"]
    note = {"properties": {"hs_timestamp": "2026-11-24T10:00:00Z"}, "associations": [
        {"to": {"id": number}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]}  # fmt: skip
    assert (await world.api.post(world.notes, json=note)).status_code == 201
    assert (await world.read(number))["lastmodifieddate"] > before


async def test_section_6_who_created_the_record_is_told(world: Any) -> None:
    found = await world.read(
        await world.create(email="a@b.de"), "hs_object_source", "hs_object_source_id", "hs_marketable_status"
    )
    assert found["hs_object_source"] == "INTEGRATION"
    assert found["hs_object_source_id"] == world.app_id
    assert found["hs_marketable_status"] == "false"


async def test_section_5_an_archived_contact_is_read_only_with_archived_true(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    assert (await world.api.delete(f"{world.contacts}/{number}")).status_code == 204
    assert (await world.api.get(f"{world.contacts}/{number}")).status_code == 404
    found = await world.api.get(f"{world.contacts}/{number}", params={"archived": "true"})
    assert found.json()["archived"] is True
    assert found.json()["archivedAt"]
    assert (await world.api.get(world.contacts)).json()["results"] == []
    listed = await world.api.get(world.contacts, params={"archived": "true"})
    assert [one["id"] for one in listed.json()["results"]] == [number]


async def test_section_5_an_archived_address_is_free_again(world: Any) -> None:
    first = await world.create(email="ada@example.com")
    await world.api.delete(f"{world.contacts}/{first}")
    assert await world.create(email="ada@example.com") != first


async def test_section_5_a_restore_by_a_person_brings_the_contact_back(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    await world.api.delete(f"{world.contacts}/{number}")
    page = await world.browser.post(f"/contacts/4711/archived/{number}/restore")
    assert page.status_code == 200
    assert (await world.read(number))["hs_object_id"] == number
    await world.settled()
    assert [event["objectId"] for event in world.inbox.of_type("contact.restore")] == [int(number)]


async def test_section_5_gdpr_delete_is_for_good_and_told_twice(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    answer = await world.api.post(f"{world.contacts}/gdpr-delete", json={"objectId": number})
    assert answer.status_code == 204
    assert (await world.api.get(f"{world.contacts}/{number}", params={"archived": "true"})).status_code == 404
    await world.settled()
    assert len(world.inbox.of_type("contact.privacyDeletion")) == 1
    assert len(world.inbox.of_type("contact.deletion")) == 1


async def test_section_5_gdpr_delete_of_an_unknown_address_block_lists_it_but_the_api_may_bring_it_back(
    world: Any,
) -> None:
    wanted = {"objectId": "gus@example.com", "idProperty": "email"}
    assert (await world.api.post(f"{world.contacts}/gdpr-delete", json=wanted)).status_code == 204
    assert await world.create(email="gus@example.com")
    assert (await world.api.post(f"{world.contacts}/gdpr-delete", json={"objectId": "1"})).status_code == 404


async def test_section_1_an_unknown_path_is_404_and_recorded_as_refused(world: Any) -> None:
    assert (await world.api.get("/crm/objects/2026-09/unicorns")).status_code == 404
    assert (await world.api.get("/crm/v2/objects/contacts")).status_code == 404
    assert [one["refused"] for one in (await world.requests())[-2:]] == [True, True]


async def test_section_1_an_unknown_method_is_405_and_recorded_as_refused(world: Any) -> None:
    assert (await world.api.put(world.contacts, json={})).status_code == 405
    assert (await world.requests())[-1]["refused"] is True


async def test_section_5_an_unknown_query_parameter_is_refused(world: Any) -> None:
    assert (await world.api.get(world.contacts, params={"sort": "email"})).status_code == 400
    assert (await world.requests())[-1]["refused"] is True


async def test_section_5_an_unknown_body_key_is_refused(world: Any) -> None:
    answer = await world.api.post(world.contacts, json={"properties": {"email": "a@b.de"}, "idProperty": "email"})
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert (await world.requests())[-1]["refused"] is True


async def test_section_5_an_unknown_x_header_is_refused(world: Any) -> None:
    answer = await world.api.get(world.contacts, headers={"X-Idempotency-Key": "1"})
    assert answer.status_code == 400
    assert (await world.requests())[-1]["refused"] is True


async def test_section_5_a_missing_contact_is_no_refusal(world: Any) -> None:
    await world.api.get(f"{world.contacts}/1")
    assert (await world.requests())[-1]["refused"] is False


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"properties":{"email":"\xff"}}', b'{"properties":null}'])
async def test_section_5_a_body_that_is_no_json_object_is_400(world: Any, body: bytes) -> None:
    answer = await world.api.post(world.contacts, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


async def test_section_5_a_body_of_another_type_is_415(world: Any) -> None:
    answer = await world.api.post(world.contacts, data={"email": "a@b.de"})
    assert answer.status_code == 415
    assert (await world.requests())[-1]["refused"] is True

"""Section 5: search."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def search(world: Any, *filters: dict[str, Any], **more: Any) -> Any:
    body = {"filterGroups": [{"filters": list(filters)}] if filters else [], **more}
    return await world.api.post(f"{world.contacts}/search", json=body)


def equals(name: str, value: str, operator: str = "EQ") -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, "value": value}


async def addresses(world: Any, *filters: dict[str, Any], **more: Any) -> list[str]:
    answer = await search(world, *filters, **more)
    assert answer.status_code == 200, answer.text
    return [one["properties"]["email"] for one in answer.json()["results"]]


async def seed(world: Any, *contacts: dict[str, str]) -> list[str]:
    found: list[str] = (await world.control.post("/seed", json={"contacts": list(contacts)})).json()["ids"]
    return found


async def test_section_5_a_new_contact_appears_in_search_after_a_few_moments(start: Any) -> None:
    world = await start(search_lag_seconds=0.3)
    number = await world.create(email="ada@example.com")
    assert await addresses(world, equals("email", "ada@example.com")) == []
    assert (await world.read(number))["hs_object_id"] == number
    await asyncio.sleep(0.35)
    assert await addresses(world, equals("email", "ada@example.com")) == ["ada@example.com"]


async def test_section_5_a_changed_contact_shows_its_old_values_for_a_few_moments(start: Any) -> None:
    world = await start(search_lag_seconds=0.3)
    number = await world.create(email="ada@example.com", city="Ulm")
    await asyncio.sleep(0.35)
    await world.update(number, city="Bonn")
    assert await addresses(world, equals("city", "Ulm")) == ["ada@example.com"]


async def test_section_5_an_archived_contact_is_never_found(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    await world.api.delete(f"{world.contacts}/{number}")
    assert await addresses(world) == []


async def test_section_12_search_takes_five_requests_a_second_without_rate_headers(world: Any) -> None:
    answers = [await search(world) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert answers[-1].json()["policyName"] == "SECONDLY"
    assert answers[-1].json()["errorType"] == "RATE_LIMIT"
    assert not [name for one in answers for name in one.headers if "ratelimit" in name]


async def test_section_5_no_more_than_ten_thousand_results(world: Any) -> None:
    assert (await search(world, after="9990", limit=10)).status_code == 200
    assert (await search(world, after="9991", limit=10)).status_code == 400


async def test_section_5_a_page_has_200_at_most_and_after_counts(world: Any) -> None:
    await seed(world, *({"email": f"c{n}@b.de"} for n in range(25)))
    assert (await search(world, limit=201)).status_code == 400
    first = (await search(world)).json()
    assert (first["total"], len(first["results"]), first["paging"]["next"]["after"]) == (25, 10, "10")
    last = (await search(world, after="20")).json()
    assert len(last["results"]) == 5
    assert "paging" not in last


async def test_section_5_a_body_has_3000_characters_at_most(world: Any) -> None:
    assert (await search(world, query="x" * 3000)).status_code == 400


async def test_section_5_one_sort_only(world: Any) -> None:
    sort = {"propertyName": "email", "direction": "DESCENDING"}
    await seed(world, {"email": "a@b.de"}, {"email": "b@b.de"})
    assert await addresses(world, sorts=[sort]) == ["b@b.de", "a@b.de"]
    assert (await search(world, sorts=[sort, sort])).status_code == 400


async def test_section_5_groups_and_filters_are_counted(world: Any) -> None:
    one = equals("city", "Ulm")
    for groups in ([[one]] * 6, [[one] * 7], [[one] * 4] * 5):
        body = {"filterGroups": [{"filters": filters} for filters in groups]}
        assert (await world.api.post(f"{world.contacts}/search", json=body)).status_code == 400


async def test_section_5_groups_are_ored_and_filters_anded(world: Any) -> None:
    await seed(
        world, {"email": "a@b.de", "city": "Ulm"}, {"email": "b@b.de", "city": "Ulm", "zip": "1"}, {"email": "c@b.de"}
    )
    body = {"filterGroups": [
        {"filters": [equals("city", "Ulm"), equals("zip", "1")]}, {"filters": [equals("email", "c@b.de")]},
    ]}  # fmt: skip
    answer = await world.api.post(f"{world.contacts}/search", json=body)
    assert {one["properties"]["email"] for one in answer.json()["results"]} == {"b@b.de", "c@b.de"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"operator": "NEQ", "value": "Ulm"}, {"b@b.de", "c@b.de"}),
        ({"operator": "IN", "values": ["ulm", "bonn"]}, {"a@b.de", "b@b.de"}),
        ({"operator": "IN", "values": ["Ulm"]}, set()),
        ({"operator": "NOT_IN", "values": ["ulm"]}, {"b@b.de", "c@b.de"}),
        ({"operator": "HAS_PROPERTY"}, {"a@b.de", "b@b.de"}),
        ({"operator": "NOT_HAS_PROPERTY"}, {"c@b.de"}),
        ({"operator": "CONTAINS_TOKEN", "value": "bo*"}, {"b@b.de"}),
    ],
)
async def test_section_5_operators(world: Any, wanted: Any, found: set[str]) -> None:
    await seed(world, {"email": "a@b.de", "city": "Ulm"}, {"email": "b@b.de", "city": "Bonn"}, {"email": "c@b.de"})
    assert set(await addresses(world, {"propertyName": "city", **wanted})) == found


@pytest.mark.parametrize("operator", ["LIKE", "BETWEEN", "IN", "HAS_PROPERTY"])
async def test_section_5_an_operator_without_its_operands_is_400(world: Any, operator: str) -> None:
    assert (await search(world, equals("city", "Ulm", operator))).status_code == 400


async def test_section_5_polling_by_lastmodifieddate(world: Any) -> None:
    await world.create(email="a@b.de")
    second = await world.create(email="b@b.de")
    since = (await world.read(second))["lastmodifieddate"]
    sort = {"propertyName": "lastmodifieddate", "direction": "ASCENDING"}
    assert await addresses(world, equals("lastmodifieddate", since, "GTE"), sorts=[sort]) == ["b@b.de"]


async def test_section_5_contacts_have_no_hs_lastmodifieddate(world: Any) -> None:
    answer = await search(world, equals("hs_lastmodifieddate", "1", "GTE"))
    assert answer.status_code == 400


async def test_section_13_a_secondary_address_is_not_found_by_eq(world: Any) -> None:
    ada, eve = await world.create(email="ada@example.com"), await world.create(email="eve@example.com")
    await world.api.post(f"{world.contacts}/merge", json={"primaryObjectId": ada, "objectIdToMerge": eve})
    assert await addresses(world, equals("email", "eve@example.com")) == []
    assert await addresses(world, equals("hs_additional_emails", "eve@example.com")) == ["ada@example.com"]
    by_address = await world.api.get(f"{world.contacts}/eve@example.com", params={"idProperty": "email"})
    assert by_address.status_code == 200


async def test_section_5_query_looks_at_names_addresses_phones_and_company(world: Any) -> None:
    await seed(world, {"email": "a@b.de", "company": "Acme GmbH"}, {"email": "b@b.de", "city": "Acme"})
    assert await addresses(world, query="acme") == ["a@b.de"]


async def test_section_5_enumeration_filters_are_case_sensitive(world: Any) -> None:
    await seed(world, {"email": "a@b.de", "hs_language": "de"})
    assert await addresses(world, equals("hs_language", "DE")) == []
    assert await addresses(world, equals("hs_language", "de")) == ["a@b.de"]

"""Section 16: forms, the cookie that ties two people to one record, and hidden fields."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

FORM = "/forms/4711/newsletter"


async def box(world: Any, name: str = "maileon_subscribe", *, form_field: bool = True) -> None:
    answer = await world.define(name, "bool", "booleancheckbox", label="Subscribe", formField=form_field)
    assert answer.status_code == 201


async def contacts(world: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.control.get("/portals/4711/contacts")).json()["contacts"]
    return found


async def test_section_16_the_form_writes_with_source_form(world: Any) -> None:
    await box(world)
    page = await world.browser.post(
        FORM, data={"email": "ada@example.com", "firstname": "Ada", "maileon_subscribe": "true"}
    )
    assert "Thank you" in page.text
    (ada,) = await contacts(world)
    assert ada["properties"]["lifecyclestage"] == "lead"
    assert ada["properties"]["hs_object_source"] == "FORM"
    assert ada["propertiesWithHistory"]["maileon_subscribe"][0]["sourceType"] == "FORM"
    await world.settled()
    assert {one["changeSource"] for one in world.inbox.events} == {"FORM"}


async def test_section_16_an_unticked_box_posts_false(world: Any) -> None:
    await box(world)
    page = await world.browser.get(FORM)
    assert '<input type="hidden" name="maileon_subscribe" value="false">' in page.text
    assert 'type="checkbox" name="maileon_subscribe" value="true"' in page.text
    await world.browser.post(FORM, data={"email": "ada@example.com", "maileon_subscribe": "false"})
    assert (await contacts(world))[0]["properties"]["maileon_subscribe"] == "false"


async def test_section_16_a_ticked_box_posts_false_and_true_and_true_counts(world: Any) -> None:
    await box(world)
    body = "email=ada%40example.com&maileon_subscribe=false&maileon_subscribe=true"
    await world.browser.post(FORM, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert (await contacts(world))[0]["properties"]["maileon_subscribe"] == "true"


async def test_section_16_the_box_may_be_another_property(world: Any) -> None:
    await box(world, "news")
    assert 'name="news"' in (await world.browser.get(FORM, params={"subscribe": "news"})).text


async def test_section_16_a_property_that_is_no_form_field_gets_no_box(world: Any) -> None:
    await box(world, form_field=False)
    page = await world.browser.get(FORM)
    assert 'type="checkbox"' not in page.text
    assert "no form field" in page.text


async def test_section_16_two_people_on_one_device_end_in_the_same_record(world: Any) -> None:
    await world.browser.post(FORM, data={"email": "ada@example.com", "firstname": "Ada"})
    await world.settled()
    world.inbox.arrived.clear()
    await world.browser.post(FORM, data={"email": "bob@example.com", "firstname": "Bob"})
    (record,) = await contacts(world)
    assert record["properties"]["email"] == "bob@example.com"
    await world.settled()
    told = {one["propertyName"]: one for one in world.inbox.of_type("contact.propertyChange")}
    assert told["email"]["propertyValue"] == "bob@example.com"
    assert told["email"]["changeSource"] == "FORM"
    assert world.inbox.of_type("contact.creation") == []


async def test_section_16_another_device_makes_another_record(world: Any) -> None:
    await world.browser.post(FORM, data={"email": "ada@example.com"})
    world.browser.cookies.clear()
    await world.browser.post(FORM, data={"email": "bob@example.com"})
    assert len(await contacts(world)) == 2


async def test_section_16_unless_the_form_always_creates_for_a_new_address(start: Any) -> None:
    world = await start(cookie_sharing=False)
    await world.browser.post(FORM, data={"email": "ada@example.com"})
    await world.browser.post(FORM, data={"email": "bob@example.com"})
    assert len(await contacts(world)) == 2


async def test_section_16_a_known_address_is_its_own_record_whatever_the_cookie(world: Any) -> None:
    number = await world.create(email="bob@example.com")
    await world.browser.post(FORM, data={"email": "ada@example.com"})
    await world.browser.post(FORM, data={"email": "Bob@example.com", "firstname": "Bob"})
    assert (await world.read(number, "firstname"))["firstname"] == "Bob"
    assert len(await contacts(world)) == 2


async def test_section_16_a_hidden_field_can_set_any_property(world: Any) -> None:
    page = await world.browser.get(FORM, params={"hidden.lifecyclestage": "customer"})
    assert '<input type="hidden" name="lifecyclestage" value="customer">' in page.text
    await world.browser.post(FORM, data={"email": "ada@example.com", "lifecyclestage": "customer"})
    assert (await contacts(world))[0]["properties"]["lifecyclestage"] == "customer"


async def test_section_13_a_form_field_must_be_the_name_of_a_property(world: Any) -> None:
    page = await world.browser.post(FORM, data={"email": "ada@example.com", "nope": "x"})
    assert page.status_code == 400
    assert "nope" in page.text
    assert 'role="alert"' in page.text
    assert await contacts(world) == []


async def test_section_16_a_form_needs_an_address_that_is_one(world: Any) -> None:
    assert (await world.browser.post(FORM, data={"firstname": "Ada"})).status_code == 400
    assert (await world.browser.post(FORM, data={"email": "nope"})).status_code == 400


async def test_section_16_blank_fields_of_a_form_clear_nothing(world: Any) -> None:
    number = await world.create(email="ada@example.com", company="Acme")
    await world.browser.post(FORM, data={"email": "ada@example.com", "company": ""})
    assert (await world.read(number, "company"))["company"] == "Acme"

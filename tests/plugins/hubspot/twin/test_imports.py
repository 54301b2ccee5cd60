"""Importing a CSV file in the portal, as a person does it; what it writes has source IMPORT (section 8)."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def imported(world: Any, text: str | bytes, name: str = "leads.csv") -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return await world.browser.post("/imports/4711", files={"file": (name, content, "text/csv")})


async def contacts(world: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.control.get("/portals/4711/contacts")).json()["contacts"]
    return found


async def test_an_import_creates_its_rows_and_tells_of_them_with_source_import(world: Any) -> None:
    page = await imported(world, "email,firstname\nada@example.com,Ada\nben@example.com,Ben\n")
    assert "2 created, 0 updated, 0 with errors" in page.text
    ada, ben = await contacts(world)
    assert (ada["properties"]["email"], ben["properties"]["firstname"]) == ("ada@example.com", "Ben")
    assert ada["propertiesWithHistory"]["firstname"][0]["sourceType"] == "IMPORT"
    assert ada["propertiesWithHistory"]["firstname"][0]["sourceLabel"] == "leads.csv"
    await world.settled()
    assert {one["changeSource"] for one in world.inbox.events} == {"IMPORT"}
    assert len(world.inbox.of_type("contact.creation")) == 2


async def test_a_row_with_a_known_address_updates_its_contact_and_empties_nothing(world: Any) -> None:
    number = await world.create(email="ada@example.com", firstname="Ada", company="Acme")
    page = await imported(world, "email,firstname,company\nADA@example.com,Augusta,\n")
    assert "0 created, 1 updated, 0 with errors" in page.text
    found = await world.read(number, "email", "firstname", "company")
    assert (found["email"], found["firstname"], found["company"]) == ("ada@example.com", "Augusta", "Acme")


async def test_columns_may_be_named_by_the_label_of_a_property(world: Any) -> None:
    await world.define("news", "bool", "booleancheckbox", label="Wants news")
    await imported(world, "\ufeffemail,Wants news\nada@example.com,true\n")
    assert (await contacts(world))[0]["properties"]["news"] == "true"


async def test_a_row_that_the_account_refuses_is_left_out_and_the_others_go_on(world: Any) -> None:
    page = await imported(world, "email,firstname\nnope,Ada\nben@example.com,Ben\ncleo@example.com,Cleo,too much\n")
    assert "1 created, 0 updated, 2 with errors" in page.text
    assert "line 2: " in page.text
    assert "line 4: more cells than columns" in page.text
    assert [one["properties"]["email"] for one in await contacts(world)] == ["ben@example.com"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("email,shoe size\nada@example.com,42\n", "shoe size"),
        ("firstname\nAda\n", "e-mail address"),
        ("", "e-mail address"),
        (b"email\n\xff@example.com\n", "UTF-8"),
    ],
)
async def test_a_file_that_is_no_list_of_contacts_is_refused_with_its_reason(world: Any, text: Any, why: str) -> None:
    page = await imported(world, text)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert why in page.text
    assert await contacts(world) == []


async def test_a_form_without_a_file_is_refused(world: Any) -> None:
    page = await world.browser.post("/imports/4711", data={"file": "email\nada@example.com\n"})
    assert page.status_code == 400
    assert "choose a CSV file" in page.text


async def test_there_is_no_import_into_an_account_that_does_not_exist(world: Any) -> None:
    assert (await world.browser.get("/imports/1")).status_code == 404
    assert "Import" in (await world.browser.get("/imports/4711")).text

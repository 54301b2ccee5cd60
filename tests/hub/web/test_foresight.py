"""Before Save: what the typed settings would have come to for the last real contacts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stellwerk.sdk import Contact, Origin, Written
from stellwerk.store import api_tokens, consent
from stellwerk_rules.model import Fact, FactKind

pytestmark = pytest.mark.anyio

GOOD = "very-hidden-good-key"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def contact(number: int, wants: str | None) -> Contact:
    at = NOW - timedelta(days=100 - number)
    written = () if wants is None else (Written(value=wants, at=at, origin=Origin.FORM),)
    return Contact(
        id=str(number),
        email=f"c{number}@example.com",
        fields={"wants_letters": wants, "first": None},
        history={"wants_letters": written},
        created_at=at,
        updated_at=at,
        read_at=NOW,
    )


@pytest.fixture
def world(world: Any) -> Any:
    """Twenty-five contacts: of the last twenty, three say yes, two no, fifteen nothing."""
    answers: list[str | None] = [None] * 20 + ["yes", "yes", "yes", "no", "no"]
    world.contacts = [contact(number, wants) for number, wants in enumerate(answers)]
    return world


async def press(person: Any, page: Any, **typed: str) -> Any:
    return await person.submit(page, action="foresee", **typed)


async def test_before_the_first_save_it_says_what_the_settings_would_have_done(person: Any) -> None:
    page = await press(
        person, await person.logs_in(), setting__ask="yes", setting__template="T1", setting__silence="no"
    )
    assert page.status == 200
    assert "Of the last 20 contacts in ToyShop:" in page.text
    assert "3 would get a mail that asks for confirmation." in page.text
    assert "17 would be left out." in page.text
    assert "With the settings so far" not in page.text


async def test_later_it_says_what_they_come_to_beside_those_that_stand(person: Any) -> None:
    await person.sets_up()
    page = await press(person, await person.open("/settings"), setting__ask="yes", setting__template="T1")
    assert "3 would get a mail that asks for confirmation. (With the settings so far: 0.)" in page.text
    assert "0 would be brought in without mail and without permission. (With the settings so far: 3.)" in page.text
    assert "For 3 of them something changes." in page.text
    assert page.form.values["setting.ask"] == "yes"


async def test_what_no_answer_means_is_counted_as_if_a_person_had_agreed(person: Any) -> None:
    page = await press(person, await person.logs_in(), setting__ask="yes", setting__silence="yes")
    assert "18 would get a mail that asks for confirmation." in page.text


async def test_a_permission_without_asking_is_told(person: Any) -> None:
    page = await press(person, await person.logs_in(), setting__grant="single", setting__silence="no")
    assert "3 would get a permission without being asked." in page.text
    assert "gets “Single opt-in”" in page.text


async def test_settings_as_they_are_change_nothing(person: Any) -> None:
    await person.sets_up()
    page = await press(person, await person.open("/settings"))
    assert "Compared with the settings so far nothing changes for them." in page.text


async def test_each_contact_is_told_with_its_reason_by_its_number_alone(person: Any) -> None:
    await person.sets_up()
    page = await press(person, await person.open("/settings"), setting__ask="yes", setting__template="T1")
    assert "22 brought in gets a mail “Wants letters” is yes, said by form" in page.text
    assert "24 left out left out “Wants letters” is no" in page.text
    assert "@example.com" not in page.answer.text


async def test_who_opted_out_would_not_be_mailed(person: Any, hub: Any) -> None:
    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    fact = Fact(kind=FactKind.OPTED_OUT, key="k", at=NOW, event="e", told_by="post")
    address = hub.vault.address("c20@example.com")
    await hub.store.write(lambda tx: consent.add(tx, "post:900", address, one.id, [fact], hub.now()))
    page = await press(person, await person.open("/settings"), setting__ask="yes", setting__template="T1")
    assert "2 would get a mail that asks for confirmation." in page.text


async def test_nothing_is_saved_and_what_is_wrong_is_said(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await press(person, await person.open("/settings"), setting__per_day="99", setting__sender="Typed")
    assert "Between 1 and 50, please." in page.text
    assert page.form.values["setting.sender"] == "Typed"
    (one,) = await hub.connections_of("shop:7")
    assert (one.settings["per_day"], one.settings["sender"], one.version) == (10, "Shop", 1)


async def test_what_is_to_be_looked_at_before_saving_is_said_of_settings_in_effect(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await press(person, await person.open("/settings"), setting__ask="yes", setting__template="Gone")
    assert "Please look at this before you save: Template: Toypost does not list this at the moment" in page.text
    page = await press(person, await person.open("/settings"), setting__ask="yes", setting__template="T1")
    assert "Please look at this before you save" not in page.text
    page = await press(person, await person.open("/settings"), setting__ask="no", setting__template="Gone")
    assert "Please look at this before you save" not in page.text


async def test_the_tick_is_asked_for_with_it(person: Any) -> None:
    page = await person.submit(
        await person.logs_in(), action="save", account__post__api_key=GOOD, setting__ask="yes", setting__template="T1"
    )
    assert page.status == 422
    assert "18 would get a mail that asks for confirmation." in page.text
    assert "Please read the sentence under “Consent” and tick it" in page.text


async def test_without_a_contact_it_says_so(person: Any, world: Any) -> None:
    world.contacts = []
    page = await press(person, await person.logs_in())
    assert "There is no contact in ToyShop yet to try it on." in page.text
    world.contacts = [contact(1, "yes")]
    assert "Of the last 1 contact in ToyShop:" in (await press(person, page)).text


async def test_an_outage_costs_no_page(person: Any, world: Any) -> None:
    page = await person.logs_in()
    world.shop_down = True
    page = await press(person, page, setting__sender="Typed")
    assert page.status == 200
    assert "cannot be read at the moment, so this cannot be told" in page.text
    assert page.form.values["setting.sender"] == "Typed"


async def test_a_program_is_told_it_too(person: Any, hub: Any) -> None:
    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="x", rights="view", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    answer = await person.client.post("/api/foresight", headers=sent, json={"ask": True, "template": "T1"})
    told = answer.json()
    assert (told["before"]["mailed"], told["after"]["mailed"], len(told["contacts"])) == (0, 3, 20)
    assert (await person.client.post("/api/foresight", headers=sent, json={"strange": 1})).status_code == 422

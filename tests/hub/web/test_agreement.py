"""The tick: nothing mails or grants before a named person has agreed to a sentence that says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.web.agreement import Words
from stellwerk_rules.model import Agreement

pytestmark = pytest.mark.anyio

GOOD = "very-hidden-good-key"
ASKS = {"account__post__api_key": GOOD, "setting__ask": "yes", "setting__template": "T1"}


async def refused(person: Any, **values: str) -> Any:
    page = await person.submit(await person.logs_in(), action="save", **{**ASKS, **values})
    assert page.status == 422
    return page


async def stored(hub: Any) -> Any:
    (connection,) = await hub.connections_of("shop:7")
    return connection


@pytest.mark.behaviour("asks-tick")
async def test_settings_that_mail_need_the_tick(person: Any, hub: Any) -> None:
    page = await refused(person)
    assert "Please read the sentence under “Consent” and tick it" in page.text
    assert await hub.connections_of("shop:7") == []


async def test_the_sentence_says_what_happens_at_which_systems(person: Any) -> None:
    sentence = (await refused(person)).read.labels["agree"]
    assert "every contact that is created in ToyShop" in sentence
    assert "through Toypost" in sentence
    assert "contacts who have given no answer" in sentence


@pytest.mark.behaviour("asks-tick")
async def test_it_says_how_many_contacts_would_have_been_met(person: Any) -> None:
    page = await refused(person)
    assert "In the last 30 days 1234 contacts were created in ToyShop." in page.text


async def test_it_says_honestly_when_nobody_can_count(person: Any, world: Any) -> None:
    page = await person.logs_in()
    world.shop_down = True
    page = await person.submit(page, action="save", **ASKS)
    assert "How many contacts were created in ToyShop in the last 30 days could not be found out." in page.text
    assert "1234" not in page.text


@pytest.mark.behaviour("asks-tick")
async def test_the_tick_is_stored_with_name_time_and_words(person: Any, hub: Any) -> None:
    page = await refused(person)
    before = hub.time()
    assert (await person.submit(page, action="save", agree="yes")).status == 303
    agreed = (await stored(hub)).agreed
    assert agreed.by == "jo@shop7.example"
    assert before <= agreed.at <= hub.time()
    assert agreed.words == page.form.values["words"]
    assert len(agreed.words) == 32


async def test_what_was_agreed_is_not_asked_again(person: Any, hub: Any) -> None:
    await person.submit(await refused(person), action="save", agree="yes")
    page = await person.open("/settings")
    assert "agree" not in page.read.labels
    assert "Agreed by jo@shop7.example on " in page.text
    assert (await person.submit(page, action="save", setting__sender="Other")).status == 303


async def test_it_holds_in_the_other_language_too(person: Any) -> None:
    await person.submit(await refused(person), action="save", agree="yes")
    page = await person.open("/settings?lang=de")
    assert "agree" not in page.read.labels
    assert (await person.submit(page, action="save")).status == 303


async def test_other_words_need_another_tick(person: Any, hub: Any) -> None:
    await person.submit(await refused(person), action="save", agree="yes")
    before = (await stored(hub)).agreed
    page = await person.open("/settings")
    page = await person.submit(page, action="save", setting__ask="no", setting__grant="single")
    assert page.status == 422
    assert "permission “Single opt-in”" in page.read.labels["agree"]
    assert (await stored(hub)).agreed == before
    assert (await person.submit(page, action="save", agree="yes")).status == 303
    assert (await stored(hub)).agreed.words != before.words


async def test_a_tick_counts_only_for_the_sentence_it_stood_beside(person: Any, hub: Any) -> None:
    page = await refused(person)
    page = await person.submit(page, action="save", agree="yes", setting__ask="no", setting__grant="single")
    assert page.status == 422
    assert await hub.connections_of("shop:7") == []


async def test_the_words_of_a_tick_cannot_be_made_up(person: Any) -> None:
    page = await refused(person)
    assert (await person.submit(page, action="save", agree="yes", words="0" * 32)).status == 422


async def test_a_ticked_box_is_not_ticked_again_by_the_page(person: Any) -> None:
    page = await refused(person, agree="yes", setting__per_day="99", words="0" * 32)
    assert "agree" not in page.form.values


async def test_a_confirmed_permission_needs_the_place_where_it_was_confirmed(person: Any, hub: Any) -> None:
    grant = {"account__post__api_key": GOOD, "setting__grant": "double"}
    page = await person.submit(await person.logs_in(), action="save", **grant)
    page = await person.submit(page, action="save", agree="yes")
    assert page.status == 422
    assert "Please say where these contacts confirmed" in page.text
    assert (await person.submit(page, action="save", agree="yes", confirmation_given="At our fair")).status == 303
    assert (await stored(hub)).agreed.confirmation_given == "At our fair"


async def test_settings_that_neither_mail_nor_grant_need_no_tick(person: Any, hub: Any) -> None:
    page = await person.logs_in()
    assert "agree" not in page.read.labels
    done = await person.submit(page, action="save", account__post__api_key=GOOD)
    assert done.status == 303
    assert (await stored(hub)).agreed is None


async def test_asking_only_those_who_said_yes_needs_no_tick(person: Any) -> None:
    page = await person.submit(await person.logs_in(), action="save", **{**ASKS, "setting__silence": "no"})
    assert page.status == 303


def test_an_agreement_without_the_place_does_not_stand_where_one_is_needed() -> None:
    words = Words(source="shop", sentences={"en": "I agree.", "de": "Ja."}, confirmed=True)
    agreed = Agreement(by="Jo", at=datetime(2026, 11, 24, tzinfo=UTC), words=words.hash("de"))
    assert not words.stand_in(agreed)
    assert words.stand_in(Agreement(by="Jo", at=agreed.at, words=agreed.words, confirmation_given="At our fair"))

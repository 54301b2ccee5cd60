"""The history of somebody's consent: on a page to print, as JSON to save, and for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from stellwerk.relay.forgetting import erase_person
from stellwerk.store import api_tokens, connections
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
ADA = "ada@example.com"


async def signed_up(yard: Yard, world: World) -> str:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    return one


async def shown(guest: Any, who: str = ADA, language: str = "en", **values: str) -> Any:
    page = await guest.open(f"/activity/consent?lang={language}")
    return await guest.submit(page, who=who, **values)


async def test_every_permission_names_the_fact_that_proves_it(guest: Any, yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    page = await shown(guest)
    assert page.status == 200
    saved = (await shown(guest, action="save")).answer
    assert saved.headers["content-disposition"] == 'attachment; filename="consent.json"'
    told = saved.json()
    (account,) = told["accounts"]
    proof = account["history"][account["rests_on"] - 1]
    assert (account["permission"], proof["kind"], proof["permission"]) == ("double", "confirmed", "double")
    assert f"proved by no. {account['rests_on']}." in page.text
    for fact in account["history"]:
        assert fact["event"] in page.text
        recorded = datetime.fromisoformat(fact["recorded"])
        assert f"{recorded.day} {recorded:%b %Y, %H:%M:%S} UTC" in page.text


async def test_what_was_done_on_a_word_names_who_gave_it_when_and_under_which_words(
    guest: Any, yard: Yard, world: World
) -> None:
    await signed_up(yard, world)
    (account,) = (await shown(guest, action="save")).answer.json()["accounts"]
    asked = next(one for one in account["history"] if one["kind"] == "asked")
    assert (asked["agreed_by"], asked["words"]) == ("Jo Doe", "words")
    page = await shown(guest)
    agreed = datetime.fromisoformat(asked["agreed_at"])
    assert f"Jo Doe, {agreed.day} {agreed:%b %Y, %H:%M:%S} UTC" in page.text
    assert "Only their hash was kept: words" in page.text


async def test_the_configuration_of_each_decision_is_named_by_its_hash(guest: Any, yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    hub = yard.hub
    one = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    today = hub.book(one).plan.hash
    told = (await shown(guest, action="save")).answer.json()
    (account,) = told["accounts"]
    assert {fact["configuration"] for fact in account["history"]} == {today}
    assert told["configuration"] == today
    assert today in (await shown(guest)).text


async def test_a_german_page_says_the_same(guest: Any, yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    page = await shown(guest, language="de")
    assert f"Verlauf der Einwilligung von {ADA}" in page.text
    assert "belegt durch Nr." in page.text
    assert "Prüfsumme der Konfiguration" in page.text


async def test_after_an_opt_out_no_permission_is_proved(guest: Any, yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    world.unsubscribe(ADA)
    await yard.settle(30)
    page = await shown(guest)
    assert "Opted out since" in page.text
    assert "proved by" not in page.text
    (account,) = (await shown(guest, action="save")).answer.json()["accounts"]
    assert (account["permission"], account["rests_on"]) == (None, None)
    assert "opted_out" in [fact["kind"] for fact in account["history"]]


async def test_the_history_outlives_an_erasure_and_says_who_erased(guest: Any, yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    before = (await shown(guest, action="save")).answer.json()
    one = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    assert await erase_person(yard.hub, one, address=ADA, by="Kim")
    after = (await shown(guest, action="save")).answer.json()
    assert after["accounts"] == before["accounts"]
    assert [line["by"] for line in after["erased"]] == ["Kim"]
    assert "by Kim." in (await shown(guest)).text
    history = await guest.open("/history")
    assert f"Erased a person ({after['reference']})." in history.text
    assert ADA not in history.answer.text


async def test_what_is_no_address_is_asked_for_again(guest: Any) -> None:
    page = await shown(guest, "4711")
    assert page.status == 422
    assert "Please enter the whole e-mail address." in page.text


async def test_of_somebody_unknown_nothing_is_said(guest: Any) -> None:
    page = await shown(guest, "nobody@example.com")
    assert "Nothing is known of this address's consent at this connection." in page.text


async def test_activity_leads_there_with_the_address_in_no_url(asks: Any, guest: Any, yard: Yard, world: World) -> None:
    number = await signed_up(yard, world)
    page = await asks(ADA, "en")
    (form,) = [form for form in page.read.forms if form.action == "/activity/consent"]
    assert form.method == "post"
    assert form.values["who"] == ADA
    by_number = await asks(number, "en")
    assert "enter the address itself" in by_number.text


async def test_another_connection_of_the_newsletter_proves_nothing_of_it(yard: Yard, world: World, guest: Any) -> None:
    """Two shops at one newsletter: what one was told is no business of the other's."""
    other = World(f"{world.name} again", beside=world)
    await yard.connect(name="second", shop=other)
    await signed_up(yard, world)
    hub = yard.hub

    async def told(connection: str) -> Any:
        text = await hub.store.write(
            lambda tx: api_tokens.add(
                tx, hub.vault, connection=connection, name="r", rights="view", made_by="jo", now=hub.now(), expires=9e12
            )
        )
        sent = {"authorization": f"Bearer {text}"}
        return (await guest.client.post("/api/consent", headers=sent, json={"address": ADA})).json()["accounts"]

    assert [fact["kind"] for fact in (await told("toys"))[0]["history"]]
    assert [
        fact["connection"] for one in await told("second") for fact in one["history"] if fact["connection"] == "toys"
    ] == []

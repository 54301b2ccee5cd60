"""The buttons on a contact's page: what they say when pressed twice, too often, or for somebody whom nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
Asks = Callable[[str, str], Awaitable[Any]]


async def press(guest: Any, action: str, who: str = ADA) -> Any:
    page = await guest.open("/activity/contact")
    return await guest.post("/activity/contact", {"token": page.form.values["token"], "who": who, "action": action})


async def joined(yard: Yard, world: World) -> str:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    return one


async def test_an_address_that_nobody_has_is_said_to_be_nowhere(asks: Asks, guest: Any, yard: Yard) -> None:
    await press(guest, "sync-now", "adda@example.com")
    await yard.settle(30)
    page = await asks("adda@example.com", "en")
    assert "Toycrm: no contact with this address there." in page.text
    assert "Toymail: no contact with this address there." in page.text
    assert "Nothing stands in the way" not in page.text
    assert "it is mistyped" in page.text
    german = await asks("adda@example.com", "de")
    assert "Toymail: Dort gibt es keinen Kontakt mit dieser Adresse." in german.text


async def test_pressed_again_after_it_was_read_it_is_read_again(guest: Any, yard: Yard, world: World) -> None:
    one = await joined(yard, world)
    await press(guest, "sync-now")
    await yard.settle(3)
    world.person_edits(one, "name", "Augusta")
    world.posts.clear()
    await press(guest, "sync-now")
    await yard.settle(3)
    assert world.news(ADA).fields["FIRST"] == "Augusta"


async def test_both_systems_are_read_as_one_however_long_the_asking_takes(
    asks: Asks, guest: Any, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await joined(yard, world)
    now = yard.hub.now

    def later() -> float:
        world.clock.now += 0.6
        return now()

    with monkeypatch.context() as patch:
        patch.setattr(yard.hub, "now", later)
        await press(guest, "sync-now")
    await yard.settle(30)
    page = await asks(ADA, "en")
    assert "Toycrm: read, and" in page.text
    assert "Toymail: read, and" in page.text


async def test_a_double_click_says_that_it_was_asked_for_already(guest: Any, yard: Yard, world: World) -> None:
    world.mail.refused_values.add("Ada")
    world.form(ADA, YES)
    await yard.settle(60)
    world.mail.refused_values.clear()
    assert (await press(guest, "ask-again")).status == 200
    again = await press(guest, "ask-again")
    assert again.status == 200
    assert "It was asked for already" in again.text
    assert "Nobody was asked" not in again.text
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1


async def test_whoever_is_not_known_cannot_be_asked_and_the_page_says_so(guest: Any) -> None:
    page = await press(guest, "ask-again", "nobody@example.com")
    assert page.status == 409
    assert "by this name no contact that can have said yes is known here" in page.text
    assert "The reason stands below" not in page.text


async def test_pressed_too_often_the_page_stays_and_says_when_to_try_again(
    guest: Any, yard: Yard, world: World
) -> None:
    await joined(yard, world)
    for _ in range(30):
        assert (await press(guest, "sync-now")).status == 200
    page = await press(guest, "sync-now")
    assert page.status == 429
    assert "Please try again in" in page.text
    assert any(form.action == "/activity/contact" for form in page.read.forms)
    assert (await press(guest, "ask-again")).status == 409  # has a limit of its own


async def test_why_a_reading_was_given_up_is_a_sentence(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    await press(guest, "sync-now")
    await yard.store.write(
        lambda tx: tx.run("update inbox set state = 'dead', code = 'no-answer' where state = 'waiting'")
    )
    page = await asks(ADA, "en")
    part = page.answer.text.split('aria-labelledby="actions"')[1].split("</section>")[0]
    assert "Toymail did not answer in time. Please try again in a few minutes." in part
    assert "<code>" not in part

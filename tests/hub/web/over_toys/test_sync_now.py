"""Sync now: a contact is read again at both systems on a person's word, and the page shows what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk.store import api_tokens
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
Asks = Callable[[str, str], Awaitable[Any]]


async def joined(yard: Yard, world: World) -> str:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    return one


async def press(asks: Asks, guest: Any, who: str = ADA, language: str = "en") -> Any:
    """The button on the contact's page."""
    page = await asks(who, language)
    form = next(form for form in page.read.forms if form.action == "/activity/contact")
    button = next(one for one in form.buttons if one[1] == "sync-now")
    return await guest.post(form.action, {**form.values, button[0]: button[1]})


def outcome(page: Any) -> str:
    """What the section about the contact says."""
    text = page.answer.text
    part = text[text.index('aria-labelledby="actions"') :].split("</section>")[0]
    return " ".join(type(page.read)("<section " + part).text.split())


async def test_a_change_that_nobody_told_us_of_is_carried_over(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = await joined(yard, world)
    world.person_edits(one, "name", "Augusta")
    world.posts.clear()
    page = await press(asks, guest)
    assert page.status == 200
    assert "Asked for. As soon as the contact is read, it says here what came of it." in page.text
    assert "Toycrm: not read yet." in outcome(page)
    assert "Toymail: not read yet." in outcome(page)
    assert "asked for by Eva (jo), to be read at Toycrm" in page.text
    await yard.settle(30)
    assert world.news(ADA).fields["FIRST"] == "Augusta"
    after = outcome(await asks(ADA, "en"))
    assert "Toycrm: read, and this followed: Write fields." in after, after
    assert "Toymail: read, and there was nothing to do." in after


async def test_who_is_in_step_is_neither_mailed_nor_moved_nor_written(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    await joined(yard, world)
    before = world.picture()
    for _ in range(3):
        await press(asks, guest)
        await yard.settle(90)
    assert world.picture() == before
    assert "Toycrm: read, and there was nothing to do." in outcome(await asks(ADA, "en"))


async def test_who_waits_for_the_mail_gets_no_second_one(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    await press(asks, guest)
    await yard.settle(2 * 86_400)
    await press(asks, guest)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1


async def test_somebody_nobody_told_us_of_is_found_by_the_address_and_enters_as_usual(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    world.form(ADA, YES)
    world.posts.clear()
    await press(asks, guest)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1


async def test_whoever_opted_out_stays_out(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    world.unsubscribe(ADA)
    await yard.settle(30)
    before = world.picture()
    await press(asks, guest)
    await yard.settle(30)
    assert world.picture() == before


async def test_a_german_page_says_the_same(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    page = await press(asks, guest, language="de")
    assert "Angefordert. Sobald der Kontakt gelesen ist, steht hier, was daraus wurde." in page.text
    assert "Toymail: noch nicht gelesen." in outcome(page)
    assert "Angefordert von Eva" in page.text
    await yard.settle(30)
    assert "Toymail: gelesen, und es war nichts zu tun." in outcome(await asks(ADA, "de"))


async def test_the_history_names_who_asked_and_no_address(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    await press(asks, guest)
    page = await guest.open("/history")
    reference = yard.hub.vault.address(ADA)[:16]
    assert f"Had a contact read again ({reference})." in page.text
    assert "Eva" in page.text
    assert ADA not in page.answer.text


async def test_pressed_again_before_it_was_read_it_is_read_once(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    await joined(yard, world)
    before = await yard.look(lambda tx: tx.all("select id from inbox"))
    await press(asks, guest)
    await press(asks, guest)
    after = await yard.look(lambda tx: tx.all("select id from inbox"))
    assert len(after) == len(before) + 2  # one at each system


async def test_a_number_that_nobody_has_is_told_to_be_unknown(asks: Asks, guest: Any, yard: Yard) -> None:
    page = await guest.open("/activity/contact")
    token = page.form.values["token"]
    page = await guest.post("/activity/contact", {"token": token, "who": "4711", "action": "sync-now"})
    assert page.status == 422
    assert "Nothing is known of a contact by this name here." in page.text
    assert await yard.look(lambda tx: tx.all("select id from inbox")) == []


@pytest.mark.parametrize(("rights", "status"), [("view", 403), ("change", 202)])
async def test_a_program_needs_the_right_to_change(
    guest: Any, yard: Yard, world: World, rights: Any, status: int
) -> None:
    one = await joined(yard, world)
    hub = yard.hub
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="toys", name="r", rights=rights, made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    world.person_edits(one, "name", "Augusta")
    world.posts.clear()
    answer = await guest.client.post("/api/contact/sync-now", headers=sent, json={"who": one})
    assert answer.status_code == status
    await yard.settle(30)
    told = (await guest.client.post("/api/activity", headers=sent, json={"who": one})).json()["sync_now"]
    if rights == "view":
        assert told is None
        return
    assert answer.json() == {"systems": ["shop", "news"]}
    assert {(one["system"], one["state"]) for one in told["readings"]} == {("shop", "decided"), ("news", "skipped")}


async def test_another_connection_of_the_same_newsletter_is_told_nothing_of_it(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    other = World(f"{world.name} again", beside=world)
    await yard.connect(name="second", shop=other)
    await joined(yard, world)
    await press(asks, guest)
    await yard.settle(30)
    hub = yard.hub
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="second", name="r", rights="view", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    told = (await guest.client.post("/api/activity", headers=sent, json={"who": ADA})).json()
    assert told["sync_now"] is None

"""Unlink and link again: a person takes one contact out of what is carried, and the pages say so, and why nothing happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk.relay.sync import dry_run
from stellwerk.store import api_tokens, connections
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


async def press(guest: Any, action: str, who: str = ADA) -> Any:
    page = await guest.open("/activity/contact")
    return await guest.post("/activity/contact", {"token": page.form.values["token"], "who": who, "action": action})


def offered(page: Any) -> list[str]:
    forms = [form for form in page.read.forms if form.action == "/activity/contact"]
    return [value for form in forms for _, value, _ in form.buttons]


async def token(yard: Yard, rights: Any = "change") -> dict[str, str]:
    hub = yard.hub
    made = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="toys", name="r", rights=rights, made_by="jo", now=hub.now(), expires=9e12
        )
    )
    return {"authorization": f"Bearer {made}"}


async def test_it_is_asked_first_and_then_nothing_is_carried_and_the_page_says_who_and_when(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = await joined(yard, world)
    assert "unlink-ask" in offered(await asks(ADA, "en"))
    asked = await press(guest, "unlink-ask")
    assert asked.status == 200
    assert "Unlink this contact?" in asked.text
    assert "Opt-outs and deletions for privacy go on in both directions." in asked.text
    assert offered(asked) == ["unlink"]
    world.person_edits(one, "name", "Augusta")
    await yard.settle(30)
    assert world.news(ADA).fields["FIRST"] == "Augusta", "asking unlinks nobody"
    done = await press(guest, "unlink")
    assert "Unlinked. From now on nothing of this contact is carried" in done.text
    assert "Unlinked by Eva (jo) on" in done.text
    assert "link-again" in offered(done)
    assert "unlink-ask" not in offered(done)
    world.person_edits(one, "name", "Ada again")
    await yard.settle(30)
    assert world.news(ADA).fields["FIRST"] == "Augusta"
    page = await asks(ADA, "en")
    assert "it was unlinked by Eva (jo) on" in page.text
    assert "Cannot be asked again: this contact was unlinked on" in page.text
    german = await asks(ADA, "de")
    assert "von Eva (jo) gelöst" in german.text
    assert "Wieder verknüpfen" in german.text


async def test_pressed_twice_it_is_said_that_it_is_unlinked_already(guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    assert (await press(guest, "unlink")).status == 200
    assert "This contact is unlinked already." in (await press(guest, "unlink")).text
    assert [line.note for line in await noted(yard)] == ["unlinked"]


async def noted(yard: Yard) -> list[Any]:
    lines = await yard.look(lambda tx: connections.history(tx, "toys"))
    return [line for line in lines if line.note in ("unlinked", "linked-again")]


async def test_the_history_keeps_who_did_it_without_the_address(guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    await press(guest, "unlink")
    await press(guest, "link-again")
    last, first = await noted(yard)
    assert (first.who, first.note, last.note) == ("Eva (jo)", "unlinked", "linked-again")
    assert first.about == last.about == yard.hub.vault.address(ADA)[:16]
    page = await guest.open("/history?lang=en")
    assert f"Unlinked a contact ({first.about})." in page.text
    assert ADA not in page.text


async def test_whoever_is_not_known_is_not_unlinked_and_the_page_says_so(guest: Any) -> None:
    for action in ("unlink", "link-again"):
        page = await press(guest, action, "nobody@example.com")
        assert page.status == 409
        assert "By this name no contact is known here" in page.text


async def test_sync_now_and_a_dry_run_say_why_nothing_is_done(asks: Asks, guest: Any, yard: Yard, world: World) -> None:
    one = await joined(yard, world)
    await press(guest, "unlink")
    world.person_edits(one, "name", "Augusta")
    world.posts.clear()
    await press(guest, "sync-now")
    await yard.settle(30)
    page = await asks(ADA, "en")
    assert "Toycrm: read, and there was nothing to do." in page.text
    assert page.text.count("it was unlinked by Eva (jo) on") >= 1
    assert world.news(ADA).fields["FIRST"] == "Ada"
    await dry_run(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    rows = await yard.look(lambda tx: tx.all("select code from sync_row"))
    assert [row["code"] for row in rows] == ["unlinked"]


async def test_linked_again_blanks_are_filled_and_what_stands_at_both_stays(
    asks: Asks, guest: Any, yard: Yard, world: World
) -> None:
    one = await joined(yard, world)
    await press(guest, "unlink")
    world.person_edits(one, "name", "Augusta")
    world.person_edits(one, "town", "London")
    world.edit_at_mail(ADA, "LANG", "DE")
    await yard.settle(30)
    mails, notes, stage = len(world.mails_to(ADA)), len(world.shop(ADA).notes), list(world.shop(ADA).stages)
    page = await press(guest, "link-again")
    assert "As soon as the contact is read, it is linked again" in page.text
    assert "That was asked for already" in (await press(guest, "link-again")).text
    await yard.settle(30)
    assert world.news(ADA).fields["FIRST"] == "Ada"
    assert world.news(ADA).fields["TOWN"] == "London"
    assert world.crm.records[one].value("name") == "Augusta"
    assert (len(world.mails_to(ADA)), len(world.shop(ADA).notes), world.shop(ADA).stages) == (mails, notes, stage)
    after = await asks(ADA, "en")
    assert "unlink-ask" in offered(after)
    assert "Toycrm: read, and this followed" in after.text
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(30)
    assert world.news(ADA).fields["FIRST"] == "Ada L."


async def test_unlinked_once_more_before_it_was_read_it_stays_unlinked(guest: Any, yard: Yard, world: World) -> None:
    one = await joined(yard, world)
    await press(guest, "unlink")
    await press(guest, "link-again")
    await press(guest, "unlink")
    await yard.settle(30)
    world.person_edits(one, "name", "Augusta")
    await yard.settle(30)
    assert world.news(ADA).fields["FIRST"] == "Ada"


async def test_while_the_connection_watches_nothing_is_linked_again(guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    await press(guest, "unlink")
    await yard.store.write(lambda tx: tx.run("update connection set state = 'watches'"))
    page = await press(guest, "link-again")
    assert page.status == 409
    assert "the connection does not run" in page.text


async def test_pressed_too_often_it_says_when_to_try_again(guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    for _ in range(30):
        await press(guest, "unlink")
    assert (await press(guest, "unlink")).status == 429


async def test_a_program_does_the_same_and_sees_who_unlinked_it(guest: Any, yard: Yard, world: World) -> None:
    await joined(yard, world)
    client, change = guest.client, await token(yard)
    call = {"headers": change, "json": {"who": ADA}}
    assert (await client.post("/api/contact/unlink", **call)).json() == {"outcome": "unlinked"}
    told = (await client.post("/api/activity", **call)).json()["activity"]["contacts"][0]["unlinked"]
    assert told["by"]
    assert (await client.post("/api/contact/link-again", **call)).json() == {"outcome": "asked-for"}
    await yard.settle(30)
    assert (await client.post("/api/activity", **call)).json()["activity"]["contacts"][0]["unlinked"] is None
    for path in ("unlink", "link-again"):
        nobody = await client.post(f"/api/contact/{path}", headers=change, json={"who": "nobody@example.com"})
        assert nobody.status_code == 404
    looks = await token(yard, "view")
    assert (await client.post("/api/contact/unlink", headers=looks, json={"who": ADA})).status_code == 403
    await client.post("/api/contact/unlink", **call)
    await yard.store.write(lambda tx: tx.run("update connection set state = 'rests'"))
    assert (await client.post("/api/contact/link-again", **call)).status_code == 409

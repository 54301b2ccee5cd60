"""Dead letters and held changes on the page: what today's rules would decide is told first, and nothing has happened by it."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import api_tokens, inbox
from stellwerk.web.limits import PREVIEWS
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
ADA, BEN = "ada@example.com", "ben@example.com"


async def given_up(yard: Yard, world: World, *emails: str) -> list[str]:
    """Sign-ups whose events were given up before they could be decided."""
    made = [world.form(email, YES) for email in emails]
    await yard.take_in()

    def give_up(tx: Any) -> None:
        rows = tx.all("select id from inbox where state = 'waiting'")
        inbox.end(tx, [row["id"] for row in rows], "dead", "refused", yard.hub.now())

    await yard.store.write(give_up)
    return made


async def press(guest: Any, action: str, group: str = "", **values: str) -> Any:
    token = (await guest.open("/letters")).form.values["token"]
    return await guest.post("/letters", {"token": token, "action": action, "group": group, **values})


def buttons(page: Any) -> list[tuple[str, str]]:
    """Group and action of every button that has both."""
    return [
        (form.values["group"], value)
        for form in page.read.forms
        if "group" in form.values
        for _, value, _ in form.buttons
    ]


async def group_of(guest: Any) -> str:
    return str(
        next(form.values["group"] for form in (await guest.open("/letters")).read.forms if "group" in form.values)
    )


async def states(yard: Yard) -> list[str]:
    return [row["state"] for row in await yard.look(lambda tx: tx.all("select state from inbox order by id"))]


async def test_a_group_says_what_would_be_decided_and_nothing_is_decided_by_it(
    guest: Any, yard: Yard, world: World
) -> None:
    await given_up(yard, world, ADA)
    before = await states(yard)
    page = await press(guest, "preview", await group_of(guest))
    assert page.status == 200
    assert "What today's rules would decide" in page.text
    assert "Would be decided and written" in page.text
    assert "Bring in" in page.text
    assert "rule join, line" in page.text
    assert await states(yard) == before
    assert world.mails_to(ADA) == []


async def test_the_preview_is_german_on_german_pages(guest: Any, yard: Yard, world: World) -> None:
    await given_up(yard, world, ADA)
    await guest.open("/letters?lang=de")
    page = await press(guest, "preview", await group_of(guest))
    assert "Was die heutigen Regeln entschieden" in page.text
    assert "Würde entschieden und geschrieben" in page.text
    assert "„Wants the newsletter“ steht auf Ja, gesetzt durch ein Formular." in page.text


async def test_what_is_true_today_counts_in_the_preview(guest: Any, yard: Yard, world: World) -> None:
    (one,) = await given_up(yard, world, ADA)
    world.person_edits(one, "wants_news", "no")
    world.posts.clear()
    page = await press(guest, "preview", await group_of(guest))
    assert "Nothing would be done" in page.text
    assert "“Wants the newsletter” is no" in page.text
    assert "Bring in" not in page.text


async def test_one_of_a_group_is_replayed_and_the_other_stays(guest: Any, yard: Yard, world: World) -> None:
    await given_up(yard, world, ADA, BEN)
    rows = await yard.look(lambda tx: tx.all("select id, kind from inbox where state = 'dead' order by id"))
    created = [row["id"] for row in rows if row["kind"] == "created"]
    page = await press(guest, "preview", "every")
    assert page.status == 200
    group = next(
        form.values["group"]
        for form in (await guest.open("/letters")).read.forms
        if "created" in form.values.get("group", "")
    )
    page = await press(guest, "preview", group)
    assert (group, f"replay:event-{created[0]}") in buttons(page)
    done = await press(guest, f"replay:event-{created[0]}", group)
    assert done.where == "/letters"
    assert "1 put back; each is decided again." in (await guest.open("/letters")).text
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert world.mails_to(BEN) == []


async def test_all_of_them_are_previewed_at_once(guest: Any, yard: Yard, world: World) -> None:
    await given_up(yard, world, ADA, BEN)
    page = await press(guest, "preview:every")
    assert page.text.count("Would be decided and written") == 2


async def test_a_letter_of_another_group_is_not_replayed_by_its_number(guest: Any, yard: Yard, world: World) -> None:
    await given_up(yard, world, ADA)
    before = await states(yard)
    await press(guest, "replay:event-1", "event|dead|shop:other|created|refused")
    assert "0 put back" in (await guest.open("/letters")).text
    assert await states(yard) == before
    assert (await press(guest, "replay:event-x", await group_of(guest))).status == 400
    assert (await press(guest, "replay:letter-1", await group_of(guest))).status == 400


async def test_previews_are_counted_and_say_when_they_go_on(guest: Any, yard: Yard, world: World) -> None:
    await given_up(yard, world, ADA)
    group = await group_of(guest)
    for _ in range(PREVIEWS.count):
        assert (await press(guest, "preview", group)).status == 200
    page = await press(guest, "preview", group)
    assert page.status == 429
    assert "Please try again in 60 seconds." in page.text


async def test_held_changes_are_previewed_as_if_they_were_let_go(guest: Any, yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(
        lambda tx: tx.run("update outbox set state = 'held', code = 'brake', ended = null where tag = 'enter'")
    )
    group = await group_of(guest)
    assert group.startswith("change|held|")
    page = await press(guest, "preview", group)
    assert "Would be decided and written" in page.text
    (row,) = await yard.look(lambda tx: tx.all("select state from outbox where tag = 'enter'"))
    assert row["state"] == "held"
    assert world.mails_to(ADA) == []


async def test_a_program_is_told_the_same(guest: Any, yard: Yard, world: World) -> None:
    await given_up(yard, world, ADA)
    hub = yard.hub
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection="toys", name="r", rights="view", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    groups = (await guest.client.get("/api/letters", headers=sent)).json()["dead"]
    told = (await guest.client.post("/api/letters/preview", headers=sent, json={"group": groups[0]["key"]})).json()
    (replay,) = told["replays"]
    assert replay["outcomes"][0]["changes"][0]["because"]["rule"] == "join"
    only = {"what": replay["letters"][0]["what"], "number": 2**40}
    none = await guest.client.post("/api/letters/preview", headers=sent, json={"group": groups[0]["key"], "only": only})
    assert none.json() == {"replays": [], "kept": 0, "more": 0}
    assert ADA not in str(told)

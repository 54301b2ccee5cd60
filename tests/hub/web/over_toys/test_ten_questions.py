"""Ten questions that a marketer asks, each played through the real hub: the contact's page answers in both languages, with the value seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay.hearing import NOT_HEARD, NOT_HEARD_TEXT
from stellwerk.relay.operate import change_state
from stellwerk.sdk import Option
from stellwerk.store import connections, repairs
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
DAY = 86_400.0
Asks = Callable[[str, str], Awaitable[Any]]


async def answers(asks: Asks, who: str, english: str, german: str) -> None:
    """What the page says in short, in English and in German."""
    for language, wanted in (("en", english), ("de", german)):
        page = await asks(who, language)
        assert page.status == 200
        assert wanted in in_short(page), (language, in_short(page))


def in_short(page: Any) -> str:
    """The section that comes before all details."""
    text = page.answer.text
    part = text[text.index('aria-labelledby="findings"') :].split("</section>")[0]
    return " ".join(type(page.read)("<section " + part).text.split())


async def joined(yard: Yard, world: World, **more: str) -> str:
    one = world.form(ADA, {**YES, **more})
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    return one


async def test_a_box_left_unticked(asks: Asks, yard: Yard, world: World) -> None:
    world.form(ADA, {"wants_news": "no"})
    await yard.settle(30)
    await answers(asks, ADA, "“Wants the newsletter” is no", "„Wants the newsletter“ steht auf Nein.")


async def test_somebody_who_opted_out(asks: Asks, yard: Yard, world: World) -> None:
    one = await joined(yard, world)
    world.unsubscribe(ADA)
    at = yard.hub.time()
    await yard.settle(30)
    world.person_edits(one, "name", "Augusta")
    await yard.settle(30)
    await answers(
        asks,
        ADA,
        f"This address opted out (Toymail, {at.day} Nov {at:%Y, %H:%M} UTC).",
        f"Diese Adresse hat sich abgemeldet (Toymail, {at.day}. Nov. {at:%Y, %H:%M} UTC).",
    )


async def test_a_contact_older_than_the_connection(tmp_path: Path, asks: Asks, yard: Yard, world: World) -> None:
    one = world.form(ADA, {"name": "Ada"})
    world.posts.clear()

    def later(tx: Any) -> None:
        tx.run("update connection set began = :began", began=world.clock.now + 3 * DAY)

    created = yard.hub.time()
    await yard.store.write(later)
    world.clock.now += 4 * DAY
    world.person_edits(one, "name", "Lady Ada")
    await yard.settle(30)
    began = yard.hub.moment(created.timestamp() + 3 * DAY)
    await answers(
        asks,
        ADA,
        f"created on {created.day} Nov 2026, the connection began on {began.day} Nov 2026, and no explicit yes",
        f"Angelegt am {created.day}. Nov. 2026, die Verbindung begann am {began.day}. Nov. 2026, und kein ausdrückliches Ja.",
    )


async def test_a_contact_without_an_address(asks: Asks, yard: Yard, world: World) -> None:
    one = world.person_creates(None, {"wants_news": "yes"})
    await yard.settle(30)
    await answers(asks, one, "the contact has no address yet", "Der Kontakt hat noch keine Adresse.")


async def test_a_change_that_is_held(asks: Asks, yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    world.clock.now += 8 * DAY
    await yard.settle(30)
    assert world.mails_to(ADA) == []
    await answers(
        asks,
        ADA,
        "is held until somebody releases or discards it. the wish is older than 7 days; a person decides",
        "bis jemand sie freigibt oder verwirft. Der Wunsch ist älter als 7 Tage; ein Mensch entscheidet.",
    )


async def test_a_side_that_waits_for_a_person(asks: Asks, yard: Yard, world: World) -> None:
    world.mail.key = "another key"
    world.form(ADA, YES)
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    await answers(asks, ADA, "Work with Toymail has stopped.", "Die Arbeit mit Toymail ruht.")


async def test_a_connection_that_rests(asks: Asks, yard: Yard, world: World) -> None:
    one = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    await change_state(yard.hub, one, "rests", who="jo")
    world.form(ADA, YES)
    await yard.settle(30)
    await answers(asks, ADA, "The connection rests:", "Die Verbindung ruht:")


async def test_a_stage_that_is_another_than_the_source(asks: Asks, yard: Yard, world: World) -> None:
    await joined(yard, world, stage="regular")
    await answers(
        asks,
        ADA,
        "the stage is regular, to be moved only from visitor",
        "Die Phase ist „regular“, geändert wird nur von „visitor“ aus.",
    )


async def test_a_stage_that_is_not_there_any_more(
    asks: Asks, yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fewer(self: ToyCrm, name: str, /) -> Sequence[Option]:
        return [Option(value=stage, label=stage) for stage in ("visitor", "regular")]

    world.form(ADA, YES)
    await yard.settle(30)
    monkeypatch.setattr(ToyCrm, "options", fewer)
    world.clock.now += DAY
    assert world.confirm()
    await yard.settle(3600)
    await answers(asks, ADA, "there is no stage guest any more", "Die Phase „guest“ gibt es dort nicht mehr.")


async def test_an_own_value_that_has_no_effect(asks: Asks, yard: Yard, world: World) -> None:
    await joined(yard, world, ask_me="no")
    await answers(
        asks,
        ADA,
        "setting ask_first (“Ask before writing” is no): the contact's own value would skip the double opt-in",
        "Einstellung ask_first („Ask before writing“ steht auf Nein): Der eigene Wert des Kontakts würde das Double-Opt-in überspringen",
    )


async def test_our_own_write_that_came_back(asks: Asks, yard: Yard, world: World) -> None:
    await joined(yard, world)
    world.edit_at_mail(ADA, "FIRST", "Augusta")
    await yard.settle(3600)
    await answers(
        asks,
        ADA,
        "came in that changed nothing: its own writing came back",
        "Das haben wir selbst geschrieben; es kommt nur zurück.",
    )


async def test_what_the_app_is_not_subscribed_to(asks: Asks, yard: Yard, world: World) -> None:
    """Nobody ever told us of the contact, and what we write does not come back either."""
    world.form(ADA, YES)
    world.posts.clear()
    await yard.settle(30)
    rows = await yard.look(lambda tx: tx.all("select id from account where system = 'shop'"))
    account = rows[0]["id"]
    await yard.store.write(lambda tx: repairs.open_(tx, account, NOT_HEARD, NOT_HEARD_TEXT, yard.hub.now()))
    await answers(
        asks,
        ADA,
        "Toycrm does not tell us of changes: the app is not subscribed to them",
        "Toycrm meldet uns keine Änderungen: Die App hat sie nicht abonniert",
    )
    english, german = in_short(await asks(ADA, "en")), in_short(await asks(ADA, "de"))
    assert "No event of this contact has ever arrived." in english
    assert "has not told us yet of changes of these fields, and nobody is asked:" in english
    assert "wants_news" in english
    assert "Von diesem Kontakt ist nie ein Ereignis angekommen." in german
    assert "wants_news" in german

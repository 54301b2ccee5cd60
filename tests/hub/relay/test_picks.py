"""A letter that was picked and is no longer offered: said once, taken back when mended, and nothing waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from stellwerk.relay import connect
from stellwerk.sdk import (
    AmbiguousError,
    DeliveryError,
    Option,
    PauseError,
    ReauthorizeError,
    RejectedError,
    RetryableError,
)
from stellwerk.store import connections, repairs
from stellwerk.view.activity import activity
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
HOUR = 3600.0
CHOICE = "{id: letter, kind: choice, options: [welcome-de, welcome-en, spring], default: welcome-en,"
PICK = "{id: letter, kind: pick, of: news.letters, or_typed: true,"


class Letters(ToyMail):
    """The toy newsletter with the letters that a test offers, or why the list cannot be had.

    `asked` has for every time the list was asked for, whether Ada was a subscriber then.
    """

    offered: ClassVar[Sequence[Option] | DeliveryError] = ()
    asked: ClassVar[list[bool]] = []

    async def options(self, name: str, /) -> Sequence[Option]:
        self.asked.append(self._world.news(ADA) is not None)
        if isinstance(self.offered, DeliveryError):
            raise self.offered
        return self.offered


@pytest.fixture
async def picking(world: World, tmp_path: Path) -> AsyncIterator[Yard]:
    """A hub whose connection picked the letter `spring`."""
    text = FILE.read_text()
    assert CHOICE in text
    file = tmp_path / "integration.yaml"
    file.write_text(text.replace(CHOICE, PICK))
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    news = made.hub.systems["news"]
    made.hub.systems = {**made.hub.systems, "news": msgspec.structs.replace(news, connector=Letters)}
    Letters.offered = [Option(value="spring", label="Spring")]
    Letters.asked.clear()
    await made.connect({"letter": "spring"})
    yield made
    await made.stop()


async def said(yard: Yard) -> dict[str, str]:
    return {row["code"]: row["text"] for row in await yard.look(repairs.still_open)}


async def after_an_hour(yard: Yard, *offered: Option) -> dict[str, str]:
    Letters.offered = offered
    await yard.settle(2 * HOUR)
    return await said(yard)


async def test_what_is_offered_needs_no_word(picking: Yard) -> None:
    assert await said(picking) == {}


@pytest.mark.behaviour("asks-switched-off")
async def test_a_letter_that_is_gone_or_switched_off_is_a_repair_that_closes_when_it_is_back(picking: Yard) -> None:
    off = Option(value="spring", label="Spring", active=False)
    assert await after_an_hour(picking, off) == {
        "pick-inactive": "letter: spring is switched off over there; 0 contacts were asked within the last 24 hours"
    }
    assert await after_an_hour(picking) == {
        "pick-unknown": "letter: spring is not in the list over there; 0 contacts were asked within the last 24 hours"
    }
    assert await after_an_hour(picking, Option(value="spring", label="Spring")) == {}


async def test_an_entry_that_stands_there_twice_counts_where_one_of_them_is_on(picking: Yard) -> None:
    on, off = (Option(value="spring", label="Spring", active=active) for active in (True, False))
    assert await after_an_hour(picking, off, on) == {}


async def test_a_list_that_cannot_be_had_says_nothing(picking: Yard) -> None:
    await after_an_hour(picking)
    Letters.offered = RetryableError("later")
    await picking.settle(2 * HOUR)
    assert set(await said(picking)) == {"pick-unknown"}


async def test_nobody_waits_for_a_letter_that_is_not_in_the_list(picking: Yard, world: World) -> None:
    await after_an_hour(picking)
    world.form(ADA, {"wants_news": "yes"})
    await picking.settle(30)
    assert [mail.letter for mail in world.mails_to(ADA)] == ["spring"]


async def test_another_pick_is_compared_at_once_and_nothing_picked_needs_no_word(picking: Yard) -> None:
    await after_an_hour(picking)
    for letter, codes in (("summer", {"pick-unknown"}), ("", set())):
        stored = await picking.look(lambda tx: connections.by_id(tx, "toys"))
        assert stored is not None
        fresh = msgspec.structs.replace(stored, settings={**stored.settings, "letter": letter})
        await connect.save(picking.hub, fresh, who="jo")
        await picking.settle(30)
        assert set(await said(picking)) == codes
    assert await said(picking) == {}


UNAVAILABLE = (
    RejectedError("not-found"),
    AmbiguousError("server-error"),
    RetryableError("no-answer"),
    ReauthorizeError("right-missing"),
    PauseError("moving", seconds=3600.0),
)


@pytest.mark.parametrize("refusal", UNAVAILABLE, ids=lambda refusal: refusal.code)
async def test_a_list_that_fails_for_ever_is_asked_for_once_an_hour_and_stops_nothing(
    picking: Yard, world: World, refusal: DeliveryError
) -> None:
    await after_an_hour(picking)
    Letters.offered = refusal
    Letters.asked.clear()
    await picking.settle(6 * HOUR)
    assert 5 <= len(Letters.asked) <= 6
    world.form(ADA, {"wants_news": "yes"})
    await picking.settle(30)
    assert [mail.letter for mail in world.mails_to(ADA)] == ["spring"]
    assert set(await said(picking)) == {"pick-unknown"}


async def test_an_opt_out_goes_out_before_a_list_is_asked_for(picking: Yard, world: World) -> None:
    one = world.form(ADA, {"wants_news": "yes"})
    await picking.settle(30)
    assert world.confirm()
    await picking.settle(30)
    Letters.asked.clear()
    world.clock.advance(HOUR)
    world.person_edits(one, "wants_news", "no")
    await picking.take_in()
    await picking.drain("shop")
    assert world.news(ADA) is not None
    await picking.drain("news")
    assert world.news(ADA) is None
    assert Letters.asked == [False]


async def own_notices(yard: Yard, world: World, email: str, letter: str) -> list[str]:
    """What the trace tells of the contact's own letter, after it was asked with it."""
    world.form(email, {"wants_news": "yes", "my_letter": letter})
    await yard.settle(30)
    assert [mail.letter for mail in world.mails_to(email)] == [letter], "nothing is held up"
    vault = yard.hub.vault
    told = await yard.look(lambda tx: activity(tx, vault, email))
    return [why.text for step in told.steps for why in step.reasons if why.code.startswith("override-")]


@pytest.mark.behaviour("asks-own-mailing-unknown")
@pytest.mark.parametrize("picked", ["spring", ""])
async def test_a_letter_of_a_contacts_own_that_is_not_offered_is_told_in_its_trace(
    picking: Yard, world: World, picked: str
) -> None:
    stored = await picking.look(lambda tx: connections.by_id(tx, "toys"))
    assert stored is not None
    fresh = msgspec.structs.replace(stored, settings={**stored.settings, "letter": picked})
    await connect.save(picking.hub, fresh, who="jo")
    on, off = Option(value="spring", label="Spring"), Option(value="autumn", label="Autumn", active=False)
    await after_an_hour(picking, on, off, Option(value="summer", label="Summer"))
    assert await own_notices(picking, world, "a@example.com", "summer") == []
    assert await own_notices(picking, world, "b@example.com", "nope") == [
        "setting letter (my_letter is nope): the list over there has no such entry"
    ]
    assert await own_notices(picking, world, "c@example.com", "autumn") == [
        "setting letter (my_letter is autumn): this entry is switched off over there"
    ]
    assert await said(picking) == {}, "that is no repair"


async def test_while_the_list_cannot_be_had_nothing_is_said_of_a_contacts_own_letter(
    picking: Yard, world: World
) -> None:
    await picking.store.write(lambda tx: tx.run("update account set info = '{}' where system = 'news'"))
    Letters.offered = RejectedError("list-unknown")
    assert await own_notices(picking, world, ADA, "nope") == []

"""Whether a double opt-in mail arrives cannot be read; that nobody of many answers it is told to a person."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.housekeeping import tidy
from stellwerk.store import repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
HOUR = 3600.0
DAY = 24 * HOUR


async def sign_up(yard: Yard, world: World, first: int, last: int, language: str = "en") -> None:
    """So many people, each asked with the letter of the language."""
    for number in range(first, last):
        fields = {"wants_news": "yes", "name": "P", "stage": "visitor", "language": language}
        world.form(f"p{number}@example.com", fields)
    await yard.settle(60)
    assert len(world.mails_to(f"p{last - 1}@example.com")) == 1


async def told(yard: Yard) -> list[Any]:
    """The repairs of this kind, after an hourly round."""
    await tidy(yard.hub)
    rows = await yard.look(repairs.still_open)
    return [(row["subject"], row["text"]) for row in rows if row["code"] == "never-confirmed"]


@pytest.mark.behaviour("pending-nobody")
async def test_twenty_in_a_row_who_do_not_confirm_are_a_repair(yard: Yard, world: World) -> None:
    await sign_up(yard, world, 0, 20)
    world.clock.advance(47 * HOUR)
    assert await told(yard) == []
    world.clock.advance(2 * HOUR)
    text = "of the last 20 who were asked with letter welcome-en nobody confirmed within 48 hours"
    assert await told(yard) == [("toys", text)]


@pytest.mark.behaviour("pending-nobody")
async def test_the_first_who_confirms_ends_it(yard: Yard, world: World) -> None:
    await sign_up(yard, world, 0, 20)
    world.clock.advance(3 * DAY)
    assert len(await told(yard)) == 1
    assert world.confirm(world.mails_to("p19@example.com")[0])
    await yard.settle(60)
    assert await told(yard) == []


async def test_nineteen_since_the_last_who_confirmed_are_none(yard: Yard, world: World) -> None:
    await sign_up(yard, world, 0, 1)
    assert world.confirm(world.mails_to("p0@example.com")[0])
    await sign_up(yard, world, 1, 20)
    world.clock.advance(3 * DAY)
    assert await told(yard) == []
    await sign_up(yard, world, 20, 21)
    world.clock.advance(3 * DAY)
    assert len(await told(yard)) == 1


async def test_each_letter_is_counted_by_itself(yard: Yard, world: World) -> None:
    await sign_up(yard, world, 0, 19, "en")
    await sign_up(yard, world, 19, 38, "de")
    world.clock.advance(3 * DAY)
    assert await told(yard) == []
    await sign_up(yard, world, 38, 39, "de")
    world.clock.advance(3 * DAY)
    assert ["welcome-de" in text for _, text in await told(yard)] == [True]


async def test_what_is_not_kept_any_more_is_not_counted(yard: Yard, world: World) -> None:
    await sign_up(yard, world, 0, 20)
    world.clock.advance(15 * DAY)
    await tidy(yard.hub)
    assert await told(yard) == []

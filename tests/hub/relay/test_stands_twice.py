"""An address with two contacts at the mail system: linked to none, said to a person, and nothing of it is lost."""

from __future__ import annotations

import pytest

from stellwerk.relay import held
from stellwerk.store import outbox, repairs
from stellwerk_toys.doubling import changes, joins, with_doubles
from stellwerk_toys.mail import ONE, TWO
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, BEN = "ada@example.com", "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada"}


@pytest.fixture
def doubling(yard: Yard) -> Yard:
    return with_doubles(yard)


async def codes(yard: Yard) -> list[str]:
    return [row["code"] for row in await yard.look(repairs.still_open)]


async def linked_here(yard: Yard) -> list[str]:
    rows = await yard.look(lambda tx: tx.all("select remote from link where system = 'news' order by remote"))
    return [row["remote"] for row in rows]


def value(world: World, field: str) -> str | None:
    """What the shop shows of Ada."""
    record = world.shop(ADA)
    assert record is not None
    return record.value(field)


async def comes_in(yard: Yard, world: World) -> str:
    """Ada is asked and confirms; her id at the shop."""
    contact = world.form(ADA, YES)
    await yard.settle(60)
    assert world.confirm()
    await yard.settle(60)
    return contact


@pytest.mark.behaviour("known-twice")
async def test_an_address_that_stands_twice_is_held_and_said_and_the_others_go_on(doubling: Yard, world: World) -> None:
    joins(world, ADA, ONE, "One")
    joins(world, ADA, TWO, "Two")
    world.form(ADA, YES)
    world.form(BEN, YES)
    await doubling.settle(60)
    assert (world.mails_to(ADA), len(world.mails_to(BEN))) == ([], 1)
    assert await codes(doubling) == ["stands-twice"]
    assert (await doubling.look(outbox.counts))["held"] == 1


async def test_what_was_held_shows_so_at_the_source(doubling: Yard, world: World) -> None:
    joins(world, ADA, ONE, "One")
    joins(world, ADA, TWO, "Two")
    world.form(ADA, YES)
    await doubling.settle(60)
    assert value(world, "news_state") == "held"


@pytest.mark.behaviour("known-twice")
async def test_what_changes_at_one_of_the_two_links_none_and_reaches_nobody_either_way(
    doubling: Yard, world: World
) -> None:
    both = joins(world, ADA, ONE, "One"), joins(world, ADA, TWO, "Two")
    contact = world.form(ADA, YES)
    await doubling.settle(60)
    for one in (*both, *both):
        changes(world, one, f"Changed {one.id}")
        await doubling.settle(700)
    assert (value(world, "name"), await linked_here(doubling), await codes(doubling)) == ("Ada", [], ["stands-twice"])
    world.person_edits(contact, "name", "Adda")
    await doubling.settle(60)
    assert [one.fields["FIRST"] for one in both] == [f"Changed {one.id}" for one in both]
    assert value(world, "news_state") == "held"


@pytest.mark.behaviour("known-twice-later")
async def test_when_another_joins_whoever_was_linked_is_so_no_more_until_one_is_left(
    doubling: Yard, world: World
) -> None:
    contact = await comes_in(doubling, world)
    first = world.news(ADA)
    assert first is not None
    assert await linked_here(doubling) == [first.id]
    other = joins(world, ADA, TWO, "Other")
    changes(world, other, "Eve")
    await doubling.settle(700)
    assert (value(world, "name"), await linked_here(doubling), await codes(doubling)) == ("Ada", [], ["stands-twice"])
    changes(world, first, "First")
    world.person_edits(contact, "name", "Adda")
    await doubling.settle(700)
    assert (value(world, "name"), first.fields["FIRST"], other.fields["FIRST"]) == ("Adda", "First", "Eve")
    world.mail.delete(other.id)
    changes(world, first, "Firsta")
    await doubling.settle(700)
    assert (await linked_here(doubling), await codes(doubling)) == ([first.id], [])
    world.person_edits(contact, "name", "Adele")
    await doubling.settle(60)
    assert first.fields["FIRST"] == "Adele"


@pytest.mark.behaviour("known-twice-later")
async def test_who_opts_out_while_the_address_stands_there_twice_is_taken_off_all_the_same(
    doubling: Yard, world: World
) -> None:
    contact = await comes_in(doubling, world)
    changes(world, joins(world, ADA, TWO, "Other"), "Eve")
    await doubling.settle(700)
    assert await linked_here(doubling) == []
    world.person_edits(contact, "wants_news", "no")
    await doubling.settle(700)
    assert world.mail.marked(ADA)
    assert value(world, "news_state") == "unsubscribed"


async def test_once_one_is_left_what_was_held_is_let_go_and_no_repair_is_left(doubling: Yard, world: World) -> None:
    one, other = joins(world, ADA, ONE, "One"), joins(world, ADA, TWO, "Two")
    world.form(ADA, YES)
    await doubling.settle(60)
    changes(world, other, "Changed")
    await doubling.settle(700)
    world.mail.delete(one.id)
    await held.release(doubling.hub, connection="toys", code="stands-twice", by="jo")
    await doubling.settle(60)
    assert (await linked_here(doubling), await codes(doubling)) == ([other.id], [])

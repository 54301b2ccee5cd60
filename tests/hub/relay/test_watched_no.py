"""A no that a connection heard while it watched: it keeps the address out, and only a younger yes leads back."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.states import set_state
from stellwerk.store import inbox, outbox
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def other(world: World) -> World:
    """Another shop, whose contacts have the same numbers as the first's."""
    return World(f"{world.name} again", beside=world)


async def watched_no(yard: Yard, world: World, one: str) -> None:
    await set_state(yard.hub, connection="toys", state="watches", by="jo")
    world.person_edits(one, "wants_news", "no")
    await yard.settle(30)


async def waiting(yard: Yard) -> list[str]:
    """What waits in the inbox and the outbox, by its code."""
    rows = await yard.look(
        lambda tx: (
            tx.all("select code from inbox where state = 'waiting'")
            + tx.all("select code from outbox where state = 'waiting'")
        )
    )
    return [row["code"] for row in rows]


@pytest.mark.behaviour("watched-no")
async def test_a_yes_after_a_watched_no_is_asked_once_the_connection_runs(
    yard: Yard, world: World, joined: Any
) -> None:
    one = await joined()
    await watched_no(yard, world, one)
    assert not world.mail.marked(ADA)
    await yard.settle(HOUR)
    world.person_edits(one, "wants_news", "yes")
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
    await set_state(yard.hub, connection="toys", state="runs", by="jo")
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 2
    assert world.confirm()
    await yard.settle(60)
    record, there = world.shop(ADA), world.news(ADA)
    assert record is not None
    assert there is not None
    assert record.value("news_state") == "subscribed"
    assert (record.value("wants_news"), there.fields.get("FIRST")) == ("yes", "Ada L.")
    assert await waiting(yard) == []


async def test_a_no_and_a_yes_that_were_both_watched_are_carried_out_in_their_order(
    yard: Yard, world: World, joined: Any
) -> None:
    one = await joined()
    await watched_no(yard, world, one)
    await set_state(yard.hub, connection="toys", state="runs", by="jo")
    await yard.settle(60)
    world.person_edits(one, "wants_news", "yes")
    await yard.settle(30)
    assert world.news(ADA) is None or world.news(ADA).permission != "double"  # type: ignore[union-attr]
    assert len(world.mails_to(ADA)) == 2


async def test_a_watched_no_is_carried_out_where_the_answer_still_says_no(
    yard: Yard, world: World, joined: Any
) -> None:
    one = await joined()
    await watched_no(yard, world, one)
    await set_state(yard.hub, connection="toys", state="runs", by="jo")
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(60)
    assert world.mail.marked(ADA)
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("watched-no")
async def test_a_no_that_another_connection_watched_outdoes_an_older_yes(
    yard: Yard, world: World, other: World, joined: Any
) -> None:
    await yard.connect(name="second", shop=other)
    one = await joined()
    there = other.form(ADA, YES)
    await yard.settle(DAY)
    await watched_no(yard, world, one)
    other.person_edits(there, "name", "Ada the second")
    await yard.settle(DAY)
    assert len(world.mails_to(ADA)) == 1
    assert world.news(ADA).fields.get("FIRST") != "Ada the second"  # type: ignore[union-attr]
    assert await waiting(yard) == []


@pytest.mark.behaviour("watched-no")
async def test_a_yes_that_is_younger_than_a_no_another_connection_watched_is_asked(
    yard: Yard, world: World, other: World, joined: Any
) -> None:
    await yard.connect(name="second", shop=other)
    one = await joined()
    await watched_no(yard, world, one)
    await yard.settle(DAY)
    there = other.form(ADA, YES)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 2
    assert world.confirm()
    await yard.settle(60)
    assert other.crm.records[there].value("news_state") == "subscribed"
    assert await waiting(yard) == []


async def test_a_change_that_was_on_its_way_when_a_no_was_watched_does_not_wait_for_ever(
    yard: Yard, world: World, other: World, joined: Any
) -> None:
    await yard.connect(name="second", shop=other)
    one = await joined()
    there = other.form(ADA, YES)
    await yard.settle(30)
    other.person_edits(there, "name", "Ada the second")
    await yard.take_in()
    await yard.drain("shop")
    await watched_no(yard, world, one)
    await yard.settle(DAY)
    assert await waiting(yard) == []
    assert "waiting" not in await yard.look(inbox.counts)
    assert "waiting" not in await yard.look(outbox.counts)

"""A hold stops mails alone, in the hub or in one connection, and ends with a word."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import holding
from stellwerk.store import connections
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, BEN = "ada@example.com", "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


@pytest.mark.behaviour("hold")
async def test_a_hold_stops_mails_alone_and_ends_with_a_word(yard: Yard, world: World, joined: Any) -> None:
    one = await joined()
    await holding.hold(yard.hub, by="jo")
    world.form(BEN, YES)
    world.person_edits(one, "name", "Countess")
    await yard.settle(3600)
    assert world.mails_to(BEN) == []
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Countess"
    world.unsubscribe(ADA)
    await yard.settle(600)
    record = world.shop(ADA)
    assert record is not None
    assert record.value("wants_news") == "no"
    await yard.restart()
    await yard.settle(60)
    assert world.mails_to(BEN) == []
    assert await holding.go_on(yard.hub, by="jo")
    assert not await holding.go_on(yard.hub, by="jo")
    await yard.settle(60)
    assert len(world.mails_to(BEN)) == 1


@pytest.mark.behaviour("hold-one")
async def test_one_connection_held_stops_its_mails_alone_and_ends_with_a_word(
    yard: Yard, world: World, joined: Any
) -> None:
    one = await joined()
    await holding.hold(yard.hub, by="jo", connection="toys")
    world.form(BEN, YES)
    world.person_edits(one, "name", "Countess")
    await yard.settle(3600)
    assert world.mails_to(BEN) == []
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Countess"
    await yard.restart()
    await yard.settle(60)
    assert world.mails_to(BEN) == []
    assert not await holding.go_on(yard.hub, by="jo")
    assert await holding.go_on(yard.hub, by="jo", connection="toys")
    assert not await holding.go_on(yard.hub, by="jo", connection="toys")
    await yard.settle(60)
    assert len(world.mails_to(BEN)) == 1
    lines = await yard.look(lambda tx: connections.history(tx, "toys"))
    assert [(line.note, line.who) for line in lines[:2]] == [("went-on", "jo"), ("stopped", "jo")]


@pytest.mark.behaviour("hold-one")
async def test_nobody_is_mailed_who_was_looked_up_just_before_the_connection_was_held(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stellwerk.relay import deliver

    world.form(BEN, YES)
    await yard.take_in()
    await yard.drain("shop")
    looked_up = deliver.look_up

    async def then_held(*given: Any) -> Any:
        jobs = await looked_up(*given)
        await holding.hold(yard.hub, by="jo", connection="toys")
        return jobs

    monkeypatch.setattr(deliver, "look_up", then_held)
    await yard.settle(60)
    assert world.mails_to(BEN) == []


async def test_who_holds_nothing_is_told_so(yard: Yard) -> None:
    with pytest.raises(StellwerkError, match="there is no connection nobody"):
        await holding.hold(yard.hub, by="jo", connection="nobody")

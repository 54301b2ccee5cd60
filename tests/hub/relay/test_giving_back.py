"""The database goes away in the middle of a drain: the account goes on when it is back, not when its lease has ended."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import StoreAway
from stellwerk.relay.giving_back import CLAIMED_SECONDS, give_back
from stellwerk.store import lease
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


async def broken_off(yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, after: int) -> bool:
    """A wish is worked on, and the database goes away after so many writes; whether that came before the end."""
    world.form(ADA, YES)
    await yard.take_in()
    write, left = yard.hub.store.write, after

    async def away(work: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise StoreAway("the database is away")
        return await write(work)

    with monkeypatch.context() as outage:
        outage.setattr(yard.hub.store, "write", away)
        try:
            await yard.run()
        except StoreAway:
            return True
    return False


@pytest.mark.parametrize("after", range(1, 11))
@pytest.mark.behaviour("trouble-server-away")
async def test_an_account_goes_on_when_the_database_is_back(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    assert await broken_off(yard, world, monkeypatch, after)
    world.clock.advance(CLAIMED_SECONDS)
    await give_back(yard.hub)
    began = world.clock.now
    await yard.settle()
    assert len(world.mails_to(ADA)) == 1
    assert world.clock.now - began < lease.SECONDS / 3


async def test_what_is_being_drained_is_not_let_go_of(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await broken_off(yard, world, monkeypatch, 1)
    (held,) = await yard.look(lambda tx: lease.held_by(tx, yard.hub.name, world.clock() + 2 * lease.SECONDS))
    yard.hub.draining.add((held.account, held.epoch))
    world.clock.advance(CLAIMED_SECONDS)
    await give_back(yard.hub)
    assert await yard.look(lambda tx: lease.held_by(tx, yard.hub.name, world.clock() + 2 * lease.SECONDS))


async def test_what_was_claimed_just_now_is_not_let_go_of(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await broken_off(yard, world, monkeypatch, 1)
    await give_back(yard.hub)
    assert await yard.look(lambda tx: lease.held_by(tx, yard.hub.name, world.clock() + 2 * lease.SECONDS))


async def test_what_goes_on_while_it_is_looked_at_is_not_let_go_of(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stood still: the drain goes on after the look and before the release."""
    assert await broken_off(yard, world, monkeypatch, 1)
    (held,) = await yard.look(lambda tx: lease.held_by(tx, yard.hub.name, world.clock() + 2 * lease.SECONDS))
    world.clock.advance(CLAIMED_SECONDS)
    write = yard.hub.store.write

    async def goes_on(work: Any) -> Any:
        yard.hub.draining.add((held.account, held.epoch))
        return await write(work)

    monkeypatch.setattr(yard.hub.store, "write", goes_on)
    await give_back(yard.hub)
    assert await yard.look(lambda tx: lease.held_by(tx, yard.hub.name, world.clock() + 2 * lease.SECONDS))

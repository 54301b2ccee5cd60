"""Events, changes and histories go when their days are over, and nothing happens twice because of it."""

from __future__ import annotations

import pytest

from stellwerk.relay.housekeeping import tidy
from stellwerk.store import counts
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
DAY = 86_400.0


async def count(yard: Yard, what: str) -> int:
    rows = await yard.look(lambda tx: tx.all(f"select count(*) as n from {what}"))
    return int(rows[0]["n"])


async def signed_up(yard: Yard, world: World) -> str:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    return one


@pytest.mark.behaviour("keep-days")
async def test_after_their_days_rows_are_gone_and_still_counted(yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    before = await yard.look(counts.six)
    world.clock.now += 15 * DAY
    await tidy(yard.hub)
    assert await count(yard, "inbox") == 0
    assert await count(yard, "outbox where once is null or body is not null") == 0
    assert await count(yard, "trace") > 0
    assert await yard.look(counts.six) == before
    assert sum(before.values()) == await yard.look(counts.acknowledged)
    world.clock.now += 16 * DAY
    await tidy(yard.hub)
    assert await count(yard, "trace") == 0


async def test_before_their_days_everything_stays(yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    rows = [await count(yard, table) for table in ("inbox", "outbox", "trace", "ledger")]
    world.clock.now += 13 * DAY
    await tidy(yard.hub)
    assert [await count(yard, table) for table in ("inbox", "outbox", "trace", "ledger")] == rows


async def test_nothing_happens_twice_once_the_rows_are_gone(yard: Yard, world: World) -> None:
    one = await signed_up(yard, world)
    picture = world.picture()
    world.clock.now += 15 * DAY
    await tidy(yard.hub)
    for post in list(yard.delivered):
        if post.connector == "toymail":
            await yard.post(post)
    world.crm.post([{"no": 900, "what": "made", "contact": one, "source": "form"}])
    await yard.settle(3600)
    assert world.picture() == picture


async def test_what_waits_for_an_account_is_not_deleted(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.clock.now += 20 * DAY
    await tidy(yard.hub)
    assert await count(yard, "outbox where state = 'waiting' and body is not null") == 1
    assert await count(yard, "inbox") > 0


@pytest.mark.behaviour("keep-days")
async def test_a_consent_history_goes_years_after_its_last_entry_and_who_left_stays_out(
    yard: Yard, world: World
) -> None:
    await signed_up(yard, world)
    world.clock.now += 3 * 365 * DAY
    world.unsubscribe(ADA)
    await yard.settle(30)
    world.clock.now += 5 * 365 * DAY
    await tidy(yard.hub)
    assert await count(yard, "ledger") > 2
    world.clock.now += 2 * 365 * DAY
    await tidy(yard.hub)
    assert (await count(yard, "ledger"), await count(yard, "suppression")) == (0, 1)
    world.import_(ADA, {"town": "Ulm"})
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1

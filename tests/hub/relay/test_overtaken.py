"""An opt-out that comes while an ask is on its way is younger than the ask, whichever was written down first."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk_toys.faults import Fault
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


@pytest.fixture
async def unanswered(yard: Yard, world: World) -> Any:
    """Ada's number in the shop: she was asked, and the answer to that call was lost."""
    one = world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.faults.at_next(Fault.CUT, calls_before=2)
    await yard.drain("news")
    assert len(world.mails_to(ADA)) == 1
    assert await yard.look(lambda tx: tx.all("select id from outbox where state = 'sent'"))
    return one


async def says_no(yard: Yard, world: World, one: str) -> None:
    """It is decided before anybody looks what became of the call."""
    world.person_edits(one, "wants_news", "no")
    await yard.take_in()
    await yard.drain("shop")


@pytest.mark.behaviour("out-while-asked")
@pytest.mark.parametrize("clicks", [False, True])
async def test_a_no_while_the_ask_is_on_its_way_is_one_opt_out_and_nothing_is_pending(
    yard: Yard, world: World, unanswered: str, clicks: bool
) -> None:
    if clicks:
        assert world.confirm()
        world.posts.clear()
    world.clock.advance(5.0)
    await says_no(yard, world, unanswered)
    await yard.settle(7200)
    record = world.crm.records[unanswered]
    assert (record.value("wants_news"), record.value("news_state"), record.notes) == ("no", "unsubscribed", [])
    assert world.news(ADA) is None
    told = await yard.look(lambda tx: tx.all("select id from ledger where kind = 'opted_out'"))
    assert len(told) == 1

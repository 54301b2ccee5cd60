"""An address on its whole way: each step lights up when it happened, and says what it waits for or what stopped it."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import DeliveryError
from stellwerk.relay import states
from stellwerk.relay.trying import can_try, try_address
from stellwerk.store import connections
from stellwerk.view.trying import way_of
from stellwerk_toys.faults import Fault
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
EVA = "eva@example.com"


async def the_connection(yard: Yard) -> Any:
    found = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert found is not None
    return found


async def way(yard: Yard, contact: str | None = None) -> dict[str, str]:
    found = await way_of(yard.hub, await the_connection(yard), EVA, contact)
    return {stage.code: stage.how.value for stage in found.stages}


async def test_it_goes_the_whole_way_and_each_step_lights_up(yard: Yard, world: World) -> None:
    one = await the_connection(yard)
    assert can_try(yard.hub, one)
    assert await way(yard) == {"told": "now", "decided": "later", "brought-in": "later", "shown": "later"}
    tried = await try_address(yard.hub, one, EVA)
    assert tried.new
    record = world.shop(EVA)
    assert record is not None
    assert (record.id, record.value("wants_news")) == (tried.id, "yes")
    await yard.take_in()
    assert await way(yard, tried.id) == {"told": "done", "decided": "now", "brought-in": "later", "shown": "later"}
    await yard.drain("shop")
    assert await way(yard) == {"told": "done", "decided": "done", "brought-in": "now", "shown": "later"}
    await yard.settle(30)
    assert len(world.mails_to(EVA)) == 1
    asked = await way_of(yard.hub, one, EVA)
    assert (await way(yard))["confirmed"] == "now"
    assert not asked.ended
    assert world.confirm()
    await yard.settle(30)
    assert set((await way(yard)).values()) == {"done"}
    assert (await way_of(yard.hub, one, EVA)).ended


async def test_a_decision_that_brings_nobody_in_stops_it_and_says_why(yard: Yard, world: World) -> None:
    world.form(EVA, {"wants_news": "no", "stage": "visitor", "language": "de"})
    await yard.settle(30)
    found = await way_of(yard.hub, await the_connection(yard), EVA)
    decided = found.stages[1]
    assert (decided.how.value, decided.because and decided.because.code) == ("stopped", "said-no")
    assert found.ended


async def test_what_is_held_on_its_way_stops_it_with_the_cause(yard: Yard, world: World) -> None:
    world.form(EVA, {"wants_news": "yes", "stage": "visitor", "language": "de"})
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(lambda tx: tx.run("update outbox set state = 'held', code = 'old-wish'"))
    found = await way_of(yard.hub, await the_connection(yard), EVA)
    brought = found.stages[2]
    assert (brought.code, brought.how.value, brought.trouble) == ("brought-in", "stopped", "old-wish")


async def test_who_stands_there_already_is_not_created_twice(yard: Yard, world: World) -> None:
    first = world.form(EVA, {"wants_news": "no", "stage": "visitor", "language": "de"})
    tried = await try_address(yard.hub, await the_connection(yard), EVA)
    assert (tried.new, tried.id) == (False, first)


@pytest.mark.parametrize(("fault", "code"), [(Fault.LOST, "no-answer"), (Fault.REFUSED, "unreachable")])
async def test_what_did_not_work_says_why_and_once_more_does_no_harm(
    yard: Yard, world: World, fault: Fault, code: str
) -> None:
    one = await the_connection(yard)
    world.faults.at_next(fault)
    with pytest.raises(DeliveryError) as failed:
        await try_address(yard.hub, one, EVA)
    assert failed.value.code == code
    again = await try_address(yard.hub, one, EVA)
    record = world.shop(EVA)
    assert record is not None
    assert again.id == record.id
    await yard.settle(30)
    assert len(world.mails_to(EVA)) == 1


async def test_a_connection_that_watches_shows_the_decision_and_goes_no_further(yard: Yard, world: World) -> None:
    await states.set_state(yard.hub, connection="toys", state="watches", by="jo")
    await try_address(yard.hub, await the_connection(yard), EVA)
    await yard.settle(60)
    found = await way(yard)
    assert (found["told"], found["decided"], found["brought-in"]) == ("done", "done", "now")
    assert world.mail.sent == []

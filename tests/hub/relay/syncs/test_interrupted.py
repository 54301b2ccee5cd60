"""A sync that is killed, stopped, held or cancelled goes on where it was, or ends."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.errors import StellwerkError
from stellwerk.relay import sync
from stellwerk.relay.forgetting import forget_connection
from stellwerk.relay.holding import go_on, hold
from stellwerk.relay.states import set_state
from stellwerk.sdk import RetryableError
from stellwerk.store import repairs
from stellwerk_toys.faults import Fault, Stopped
from stellwerk_toys.syncing import DAY, MANY, dry, in_news, six_add_up, synced
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


@pytest.mark.behaviour("sync-killed")
@pytest.mark.parametrize("turn", range(1, 40, 4))
@pytest.mark.parametrize("after", [False, True])
async def test_a_sync_goes_on_where_it_was_killed_and_mails_nobody_twice(
    yard: Yard, world: World, old: list[str], turn: int, after: bool
) -> None:
    await dry(yard, ask=True)
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    yard.store.stop_at, yard.store.after = yard.store.writes + turn, after
    with pytest.raises(Stopped):
        await yard.settle(60)
    await yard.restart()
    await yard.settle(60)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["contacts"], done["counts"]["mailed"]) == ("done", MANY, MANY)
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)
    assert await six_add_up(yard)


@pytest.mark.behaviour("sync-killed")
async def test_a_stopped_sync_sends_nothing_more_and_goes_on_when_it_is_resumed(
    yard: Yard, world: World, old: list[str]
) -> None:
    await dry(yard, ask=True)
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.drain("shop")
    stopped = await sync.stop(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (stopped["state"], world.mail.sent) == ("stopped", [])
    assert stopped["deliveries"]["waiting"] > 0
    await sync.resume(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "done"
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)


async def test_what_happens_live_goes_on_while_a_sync_is_stopped(yard: Yard, world: World, old: list[str]) -> None:
    await dry(yard)
    await sync.start(yard.hub, connection="toys", by="jo")
    await yard.drain("shop")
    await sync.stop(yard.hub, connection="toys", by="jo")
    world.clock.now += 60
    for said in ("no", "yes"):
        world.form(old[0], {"wants_news": said})
        await yard.settle(60)
    assert [mail.email for mail in world.mail.sent] == [old[0]]


async def test_a_cancelled_sync_leaves_out_whom_it_has_not_brought_in_and_a_later_one_makes_up_for_it(
    yard: Yard, world: World, old: list[str]
) -> None:
    await dry(yard)
    await sync.start(yard.hub, connection="toys", by="jo")
    await yard.drain("shop")
    done = await sync.cancel(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (done["state"], in_news(world)) == ("cancelled", [])
    assert await six_add_up(yard)
    with pytest.raises(StellwerkError, match="no sync of connection toys is going on"):
        await sync.resume(yard.hub, connection="toys", by="jo")
    await dry(yard)
    await synced(yard)
    assert in_news(world) == sorted(old)


async def test_a_hold_holds_a_syncs_mails_too(yard: Yard, world: World, old: list[str]) -> None:
    await dry(yard, ask=True)
    await hold(yard.hub, by="jo")
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await yard.settle(60)
    assert world.mail.sent == []
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "running"
    await go_on(yard.hub, by="jo")
    await yard.settle(60)
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)


async def test_a_shop_that_does_not_answer_puts_the_sync_off_and_it_goes_on(yard: Yard, world: World) -> None:
    await dry(yard)
    begun = await sync.start(yard.hub, connection="toys", by="jo")
    await yard.drain("shop")
    world.faults.sometimes(1.0, Fault.REFUSED)
    await yard.settle(5)
    world.faults.none_any_more()
    await yard.settle(7200)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "done"


async def test_a_shop_that_lets_nobody_list_ends_the_sync_with_a_repair_that_the_next_one_closes(
    yard: Yard, world: World
) -> None:
    await dry(yard)
    world.crm.list_closed = True
    done = await synced(yard)
    assert (done["state"], done["code"]) == ("failed", "list-closed")
    open_now = await yard.look(lambda tx: [row["code"] for row in repairs.still_open(tx)])
    assert open_now == ["sync-failed"]
    world.crm.list_closed = False
    assert (await dry(yard))["state"] == "done"
    assert await yard.look(repairs.still_open) == []


async def test_a_connection_that_ends_ends_its_sync(yard: Yard, world: World) -> None:
    await dry(yard)
    begun = await sync.start(yard.hub, connection="toys", by="jo")
    await forget_connection(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    assert (await sync.one_status(yard.hub, begun["run"]))["state"] == "cancelled"
    assert in_news(world) == []


async def taken_in_and_not_read(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of a sync stand in the inbox, and the shop shows nobody."""

    async def silent(*_: Any) -> Any:
        raise RetryableError("unreachable")

    with monkeypatch.context() as away:
        away.setattr(ToyCrm, "read", silent)
        await yard.drain("shop")
    (now,) = await sync.status(yard.hub, by="jo", connection="toys", run=2)
    assert now["events_waiting"] == MANY


async def test_what_a_sync_had_taken_in_ends_with_it_though_its_connection_comes_back(
    yard: Yard, world: World, chosen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await dry(yard, ask=True)
    await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    await taken_in_and_not_read(yard, monkeypatch)
    await forget_connection(yard.hub, connection="toys", by="jo", keep_days=True)
    await yard.connect(chosen)
    await yard.settle(3600)
    assert (world.mail.sent, in_news(world)) == ([], [])
    assert await six_add_up(yard)


@pytest.mark.behaviour("sync-watches")
@pytest.mark.parametrize("state", ["watches", "rests"])
@pytest.mark.parametrize("taken_in", [False, True])
async def test_a_sync_stands_still_while_its_connection_does_not_run(
    yard: Yard, world: World, old: list[str], state: str, taken_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dry(yard, ask=True)
    begun = await sync.start(yard.hub, connection="toys", by="jo", ask=MANY)
    if taken_in:
        await taken_in_and_not_read(yard, monkeypatch)
    await set_state(yard.hub, connection="toys", state=state, by="jo")
    await yard.settle(DAY)
    waits = await sync.one_status(yard.hub, begun["run"])
    assert (waits["state"], waits["code"], waits["counts"]["mailed"]) == ("running", "not-running", 0)
    await set_state(yard.hub, connection="toys", state="runs", by="jo")
    await yard.settle(60)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["code"], done["counts"]["mailed"]) == ("done", "", MANY)
    assert sorted(mail.email for mail in world.mail.sent) == sorted(old)
    assert await six_add_up(yard)

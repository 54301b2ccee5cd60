"""An account that asks for a rest gets it: none of its calls is made meanwhile, and afterwards everything goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stellwerk.relay.provide import provide, provide_again
from stellwerk.relay.rests import ASKS_FOR_REST, rest
from stellwerk.relay.retry import MAX_ATTEMPTS
from stellwerk.sdk import Contact, Delivery, Difference, PauseError, Receipt, Ref, Wanted
from stellwerk.store import accounts, connections, lease, outbox, repairs
from stellwerk.store.lease import LeaseLost
from stellwerk_toys.faults import Fault
from stellwerk_toys.story import ADA, QUIET_SECONDS, YES
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
REST_SECONDS = 10.0
HOUR = 3600.0


async def test_who_asks_for_a_rest_is_called_by_nobody_meanwhile(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, calls = ToyCrm.read, list[float]()

    async def counted(
        self: ToyCrm, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        calls.append(world.clock())
        if len(calls) == 1:
            raise PauseError("rate-limit", seconds=REST_SECONDS)
        return await read(self, refs, fields, history)

    monkeypatch.setattr(ToyCrm, "read", counted)
    world.form(ADA, YES)
    for number in range(4):
        await yard.settle(2)
        world.form(f"p{number}@example.com", YES)
    await yard.settle(QUIET_SECONDS)
    assert calls[1] - calls[0] >= REST_SECONDS
    assert len(world.mail.sent) == 5


async def test_a_poll_that_asks_for_a_rest_each_time_keeps_nothing_else_from_being_done(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limited(self: ToyMail, cursor: str | None, /) -> Any:
        raise PauseError("rate-limit", seconds=REST_SECONDS)

    monkeypatch.setattr(ToyMail, "poll", limited)
    await yard.settle(700)
    world.form(ADA, YES)
    await yard.settle(120)
    assert [mail.email for mail in world.mail.sent] == [ADA]


def resting_for(*emails: str) -> Any:
    """Writes that ask for a rest whenever one of these is among them."""
    apply = ToyMail.apply

    async def limited(self: ToyMail, deliveries: Sequence[Delivery], /) -> Sequence[Receipt]:
        if any(one.email in emails for one in deliveries):
            raise PauseError("rate-limit", seconds=30.0)
        return await apply(self, deliveries)

    return limited


async def test_a_write_that_asks_for_a_rest_each_time_goes_behind_all_others_and_is_never_given_up(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often: for a day nobody else waits, and once the remote takes it, it is made."""
    world.form(ADA, YES)
    with monkeypatch.context() as patch:
        patch.setattr(ToyMail, "apply", resting_for(ADA))
        for number in range(4):
            world.form(f"p{number}@example.com", YES)
            await yard.settle(HOUR)
            assert len(world.mails_to(f"p{number}@example.com")) == 1, number
        await yard.settle(20 * HOUR)
        (row,) = await yard.look(lambda tx: tx.all("select * from outbox where ended is null"))
        assert (row["state"], row["code"]) == ("waiting", ASKS_FOR_REST)
        assert row["text"].startswith("rate-limit")
        assert row["attempts"] < MAX_ATTEMPTS
    await yard.settle(HOUR + QUIET_SECONDS)
    assert len(world.mails_to(ADA)) == 1


async def test_several_writes_that_ask_for_a_rest_each_time_keep_nobody_else_waiting(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = [f"s{number}@example.com" for number in range(4)]
    monkeypatch.setattr(ToyMail, "apply", resting_for(*stuck))
    for email in stuck:
        world.form(email, YES)
    await yard.settle(HOUR)
    world.form(ADA, YES)
    await yard.settle(HOUR)
    assert len(world.mails_to(ADA)) == 1


async def test_a_contact_whose_read_asks_for_a_rest_each_time_keeps_nobody_else_waiting(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, poor = ToyCrm.read, world.form("poor@example.com", YES)

    async def limited(
        self: ToyCrm, refs: Sequence[Ref], fields: Sequence[str], history: Sequence[str] = (), /
    ) -> Sequence[Contact]:
        if any(ref.value == poor for ref in refs):
            raise PauseError("rate-limit", seconds=REST_SECONDS)
        return await read(self, refs, fields, history)

    with monkeypatch.context() as patch:
        patch.setattr(ToyCrm, "read", limited)
        await yard.settle(60)
        world.form(ADA, YES)
        await yard.settle(HOUR)
        assert len(world.mails_to(ADA)) == 1
        await yard.settle(20 * HOUR)
        assert await yard.look(lambda tx: tx.all("select id from inbox where state = 'dead'")) == []
    await yard.settle(HOUR + QUIET_SECONDS)
    assert len(world.mails_to("poor@example.com")) == 1


async def test_a_mark_whose_look_up_asks_for_a_rest_each_time_keeps_nobody_else_waiting(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limited(self: ToyMail, delivery: Delivery, /) -> Any:
        raise PauseError("rate-limit", seconds=REST_SECONDS)

    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    (row,) = await yard.look(lambda tx: tx.all("select id from outbox"))
    await yard.store.write(lambda tx: outbox.sent(tx, [row["id"]], world.clock()))
    with monkeypatch.context() as patch:
        patch.setattr(ToyMail, "find_mark", limited)
        await yard.settle(HOUR)
        world.form("ben@example.com", YES)
        await yard.settle(HOUR)
        assert len(world.mails_to("ben@example.com")) == 1
        assert world.mails_to(ADA) == []
    await yard.settle(HOUR + QUIET_SECONDS)
    assert len(world.mails_to(ADA)) == 1


async def test_a_person_is_told_of_rests_without_end_until_a_call_is_answered(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    world.faults.sometimes(1.0, Fault.RESTING)
    await yard.settle(600)
    assert ASKS_FOR_REST not in {row["code"] for row in await yard.look(repairs.still_open)}
    await yard.settle(2 * HOUR)
    assert ASKS_FOR_REST in {row["code"] for row in await yard.look(repairs.still_open)}
    world.faults.none_any_more()
    await yard.settle(HOUR + QUIET_SECONDS)
    assert ASKS_FOR_REST not in {row["code"] for row in await yard.look(repairs.still_open)}
    assert len(world.mails_to(ADA)) == 1


async def test_setting_up_leaves_an_account_alone_that_asked_for_a_rest(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    provide_there, calls = ToyMail.provide, list[float]()

    async def limited(self: ToyMail, wanted: Wanted, /) -> Sequence[Difference]:
        calls.append(world.clock())
        if len(calls) == 1:
            raise PauseError("daily-limit", seconds=10 * HOUR)
        return await provide_there(self, wanted)

    monkeypatch.setattr(ToyMail, "provide", limited)
    (connection,) = await yard.look(connections.every)
    with pytest.raises(PauseError):
        await provide(yard.hub, connection)
    for _ in range(3):
        await provide_again(yard.hub)
    assert len(calls) == 1
    world.form(ADA, YES)
    await yard.settle(HOUR)
    assert world.mails_to(ADA) == []
    await yard.settle(9 * HOUR)
    await provide_again(yard.hub)
    assert len(calls) == 2
    await yard.settle(QUIET_SECONDS)
    assert len(world.mails_to(ADA)) == 1


async def test_who_lost_an_account_meanwhile_does_not_let_it_rest(yard: Yard, world: World) -> None:
    account = (await yard.look(connections.every))[0].accounts["news"]
    await yard.store.write(lambda tx: lease.wake(tx, account, 0.0))
    frozen = await yard.store.write(lambda tx: lease.claim(tx, "frozen", world.clock(), account))
    world.clock.advance(lease.SECONDS)
    assert await yard.store.write(lambda tx: lease.claim(tx, "another", world.clock(), account)) is not None
    assert frozen is not None
    with pytest.raises(LeaseLost):
        await rest(yard.hub, frozen, PauseError("daily-limit", seconds=24 * HOUR))
    row = await yard.look(lambda tx: accounts.by_id(tx, yard.hub.vault, account))
    assert row is not None
    assert row.paused_until == 0.0

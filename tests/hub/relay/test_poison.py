"""One row, contact or connector that is broken: it becomes a dead letter in the end and holds up nobody else."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from stellwerk.relay import deliver, happened
from stellwerk.relay.drain import drain
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.timetable import Timetable
from stellwerk.sdk import Contact, Delivery, Receipt, Ref, RetryableError
from stellwerk.store import inbox, outbox, repairs
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, BEN = "ada@example.com", "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
DAY = 86_400.0
OF_ANOTHER_VERSION = b'{"system":"news","change":{"type":"of-old"},"key":"k","because":{"code":"a","text":"b"}}'
Joined = Callable[[], Awaitable[str]]


async def spoilt(yard: Yard, table: str, body: bytes, state: str = "waiting") -> None:
    """What stands in the first row of that state is something else now."""
    where = f"id = (select min(id) from {table} where state = :state)"
    await yard.store.write(lambda tx: tx.run(f"update {table} set body = :body where {where}", body=body, state=state))


async def sealed(yard: Yard, body: bytes) -> bytes:
    row = await yard.look(lambda tx: tx.one("select account from outbox order by id desc limit 1"))
    assert row is not None
    return yard.hub.vault.seal(row["account"], body)


async def codes(yard: Yard, table: str) -> list[str]:
    return [row["code"] for row in await yard.look(lambda tx: tx.all(f"select code from {table} where state = 'dead'"))]


async def test_an_event_that_cannot_be_opened_is_a_dead_letter_and_holds_up_nobody(yard: Yard, world: World) -> None:
    world.form(BEN, YES)
    await yard.take_in()
    await spoilt(yard, "inbox", b"nobody can open this")
    world.form(ADA, YES)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert await codes(yard, "inbox") == ["unreadable"]
    assert "unreadable" in [row["code"] for row in await yard.look(repairs.still_open)]


@pytest.mark.parametrize("state", ["waiting", "sent"])
async def test_a_delivery_of_another_version_is_a_dead_letter_and_holds_up_nobody(
    yard: Yard, world: World, state: str
) -> None:
    world.form(BEN, YES)
    await yard.take_in()
    await yard.drain("shop")
    if state == "sent":
        await yard.store.write(lambda tx: outbox.sent(tx, [1], world.clock()))
    await spoilt(yard, "outbox", await sealed(yard, OF_ANOTHER_VERSION), state)
    world.form(ADA, YES)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert await codes(yard, "outbox") == ["unreadable"]


async def test_a_delivery_of_a_contact_that_another_version_remembers_is_a_dead_letter_and_holds_up_nobody(
    yard: Yard, world: World
) -> None:
    world.form(BEN, YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(lambda tx: tx.run("update contact set remembered = '[]'"))
    world.form(ADA, YES)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert await codes(yard, "outbox") == ["unreadable"]


async def test_values_are_not_joined_into_a_delivery_that_cannot_be_read(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "name", "First")
    await yard.take_in()
    await yard.drain("shop")
    await spoilt(yard, "outbox", await sealed(yard, OF_ANOTHER_VERSION))
    world.person_edits(one, "name", "Second")
    await yard.settle(3600)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Second"


@pytest.mark.parametrize("how", ["unreadable", "tried too often"])
async def test_a_value_that_was_given_up_goes_along_with_the_contacts_next_change(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    one = await joined()
    world.person_edits(one, "name", "Lady Ada")
    await yard.take_in()
    await yard.drain("shop")
    if how == "unreadable":
        await spoilt(yard, "outbox", await sealed(yard, OF_ANOTHER_VERSION))
        await yard.settle(60)
    else:
        with monkeypatch.context() as bug:
            bug.setattr(deliver, "prepare", _broken)
            await yard.settle(DAY)
    assert len(await codes(yard, "outbox")) == 1
    world.person_edits(one, "town", "Graz")
    await yard.settle(60)
    there = world.news(ADA)
    assert there is not None
    assert (there.fields["FIRST"], there.fields["TOWN"]) == ("Lady Ada", "Graz")


def _broken(*_: object, **__: object) -> None:
    raise OverflowError("a bug")


async def test_a_contact_remembered_by_another_version_holds_up_nobody(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await yard.store.write(lambda tx: tx.run("update contact set remembered = '[]'"))
    world.person_edits(one, "name", "Ada L.")
    world.form(BEN, YES)
    await yard.settle(60)
    assert len(world.mails_to(BEN)) == 1


@pytest.mark.parametrize("where", [(happened, "evaluate"), (deliver, "prepare")], ids=["deciding", "delivering"])
async def test_a_bug_that_one_contact_meets_holds_up_nobody_and_is_a_dead_letter_in_the_end(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: tuple[Any, str]
) -> None:
    module, name = where
    right = getattr(module, name)

    def buggy(plan: Any, what: Any, *rest: Any, **more: Any) -> Any:
        if BEN in repr(what):
            raise OverflowError(BEN)
        return right(plan, what, *rest, **more)

    monkeypatch.setattr(module, name, buggy)
    caplog.set_level(logging.DEBUG)
    world.form(BEN, YES)
    world.form(ADA, YES)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    await yard.settle(DAY)
    dead = await codes(yard, "inbox" if module is happened else "outbox")
    assert set(dead) == {"bug"}
    assert "OverflowError at test_poison.py" in caplog.text
    assert BEN not in caplog.text


async def test_a_bug_in_what_follows_a_delivery_does_not_repeat_it(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def buggy(*_: Any, **__: Any) -> bool:
        raise OverflowError

    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    monkeypatch.setattr(deliver, "answered", buggy)
    await yard.settle(600)
    assert len(world.mail.sent) == 1
    assert await codes(yard, "outbox") == ["bug"]


async def test_a_connector_that_breaks_on_one_contact_holds_up_nobody(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    right_read, right_apply = ToyMail.read, ToyMail.apply

    async def reads(self: ToyMail, refs: Sequence[Ref], *rest: Any) -> Sequence[Contact]:
        if any(ref.value == BEN for ref in refs):
            raise KeyError(BEN)
        return await right_read(self, refs, *rest)

    async def applies(self: ToyMail, deliveries: Sequence[Delivery]) -> Sequence[Receipt]:
        if any(value.value == "Broken" for one in deliveries for value in _fields(one).values()):
            raise KeyError(BEN)
        return await right_apply(self, deliveries)

    people = [f"p{number}@example.com" for number in range(4)]
    ids = [world.form(email, YES) for email in people]
    await yard.settle(30)
    monkeypatch.setattr(ToyMail, "read", reads)
    monkeypatch.setattr(ToyMail, "apply", applies)
    world.form(BEN, YES)
    world.form(ADA, YES)
    for number, one in enumerate(ids):
        world.person_edits(one, "name", "Broken" if number == 1 else "New")
    await yard.settle(600)
    assert len(world.mails_to(ADA)) == 1
    names = [there.fields["FIRST"] for email in people if (there := world.news(email)) is not None]
    assert names == ["New", "Ada", "New", "New"]
    await yard.settle(DAY)
    assert await codes(yard, "outbox") == ["connector-failed"] * 2


@pytest.mark.behaviour("trouble-one")
@pytest.mark.parametrize(("asked", "within"), [("answers", 300.0), ("fails too", 7200.0)])
@pytest.mark.parametrize("poisoned", [1, 3, 6])
async def test_contacts_that_always_fail_do_not_stand_before_everybody_else_for_ever(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, poisoned: int, asked: str, within: float
) -> None:
    right = ToyCrm.read
    ids = {world.form(f"p{number}@example.com", YES) for number in range(poisoned)}

    async def reads(self: ToyCrm, refs: Sequence[Ref], *rest: Any) -> Sequence[Contact]:
        if any(ref.value in ids for ref in refs):
            raise RetryableError("no-answer")
        return await right(self, refs, *rest)

    async def is_never_there(self: ToyCrm) -> None:
        raise RetryableError("no-answer")

    monkeypatch.setattr(ToyCrm, "read", reads)
    if asked == "fails too":
        monkeypatch.setattr(ToyCrm, "check", is_never_there)
    await yard.settle(600)
    for number in range(3):
        later = f"later{number}@example.com"
        world.form(later, YES)
        await yard.settle(within)
        assert len(world.mails_to(later)) == 1
    monkeypatch.undo()
    await yard.settle(3600)
    assert [len(world.mails_to(f"p{number}@example.com")) for number in range(poisoned)] == [1] * poisoned


def _fields(one: Delivery) -> Mapping[str, Any]:
    fields = getattr(one.change, "fields", {})
    return {name: value for name, value in fields.items() if hasattr(value, "value")}


async def test_a_new_event_is_not_given_up_with_an_old_one_of_its_contact(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "name", "First")
    await yard.take_in()
    await yard.store.write(lambda tx: tx.run("update inbox set attempts = 17 where state = 'waiting'"))
    world.person_edits(one, "name", "Second")
    await yard.take_in()

    async def refused() -> None:
        raise KeyError

    world.meanwhile = refused
    await yard.run()
    assert (await yard.look(inbox.counts)).get("dead") == 1
    await yard.settle(60)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Second"


async def test_a_lane_outlives_a_database_that_cannot_be_read_for_a_moment(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([sqlite3.OperationalError("disk I/O error")])
    right = yard.store.read

    async def reads(work: Callable[..., Any]) -> Any:
        for failure in failures:
            raise failure
        return await right(work)

    monkeypatch.setattr(yard.store, "read", reads)
    lane = asyncio.create_task(Lanes(yard.hub).lane(partial(drain, yard.hub)))
    await asyncio.sleep(0.05)
    assert not lane.done()
    lane.cancel()
    await asyncio.gather(lane, return_exceptions=True)


async def test_what_is_done_now_and_then_outlives_a_bug(yard: Yard) -> None:
    rounds: list[int] = []

    async def buggy() -> None:
        rounds.append(1)
        raise KeyError

    kept = Timetable(yard.hub)
    kept.every(0.004, "setting up", buggy)
    async with kept.running(), asyncio.timeout(20):
        while len(rounds) < 2:  # noqa: ASYNC110 - what is looked for tells nobody
            await asyncio.sleep(0.001)

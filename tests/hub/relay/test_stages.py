"""The order of stages: read now and then, remembered, and never a reason to stop the account that has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from stellwerk.sdk import (
    AmbiguousError,
    DeliveryError,
    Option,
    PauseError,
    ReauthorizeError,
    RejectedError,
    RetryableError,
)
from stellwerk.store import accounts, repairs
from stellwerk.store.accounts import AccountRow
from stellwerk_toys.crm import STAGES
from stellwerk_toys.refused import Refused
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
FRESH, AGAIN = 600.0, 300.0
Joined = Callable[[], Awaitable[str]]
REFUSALS = (
    RejectedError("not-found"),
    AmbiguousError("server-error"),
    ReauthorizeError("missing-scopes"),
    PauseError("daily-limit", seconds=3600.0),
)


async def shop(yard: Yard) -> AccountRow:
    (row,) = await yard.look(lambda tx: [one for one in accounts.every(tx, yard.hub.vault) if one.system == "shop"])
    return row


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
async def test_stages_that_cannot_be_read_are_asked_for_after_some_minutes_and_stop_nothing(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch, refusal: DeliveryError
) -> None:
    asked: list[float] = []

    async def refuses(self: ToyCrm, name: str, /) -> Sequence[Option]:
        asked.append(world.clock.now)
        raise refusal

    one = await joined()
    monkeypatch.setattr(ToyCrm, "options", refuses)
    world.clock.advance(FRESH)
    for _ in range(20):
        await yard.drain("shop")
        world.clock.advance(AGAIN / 10)
    assert [later - asked[0] for later in asked] == [0.0, AGAIN]
    row = await shop(yard)
    assert (row.state, row.paused_until) == ("ok", 0.0)
    assert tuple(row.info["stages"]) == STAGES
    world.unsubscribe(ADA)
    await yard.settle(AGAIN)
    assert world.crm.records[one].value("wants_news") == "no"
    assert await yard.look(repairs.still_open) == []


async def test_stages_that_can_be_read_again_are_kept(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def others(self: ToyCrm, name: str, /) -> Sequence[Option]:
        return [Option(value="visitor", label="Visitor")]

    monkeypatch.setattr(ToyCrm, "options", others)
    world.clock.advance(FRESH)
    await yard.drain("shop")
    assert (await shop(yard)).info["stages"] == ["visitor"]


async def stages_gone(yard: Yard) -> list[str]:
    return [row["text"] for row in await yard.look(repairs.still_open) if row["code"] == "stage-gone"]


@pytest.mark.behaviour("stage-gone")
async def test_a_stage_that_was_deleted_is_a_repair_with_its_contacts_and_no_stage_is_cleared_for_it(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    assert world.crm.records[one].value("stage") == "guest"

    async def fewer(self: ToyCrm, name: str, /) -> Sequence[Option]:
        return [Option(value=stage, label=stage) for stage in STAGES if stage != "visitor"]

    monkeypatch.setattr(ToyCrm, "options", fewer)
    world.clock.advance(FRESH)
    world.unsubscribe(ADA)
    await yard.settle(AGAIN)
    record = world.crm.records[one]
    assert (record.value("stage"), None in record.stages) == ("guest", False)
    assert (record.value("wants_news"), record.notes[-1].text.split("\n")[0]) == ("no", "Left")
    (text,) = await stages_gone(yard)
    assert "farewell: shop has no stage visitor any more, 1 contact was not moved" in text
    monkeypatch.undo()
    await yard.settle(FRESH)
    world.person_edits(one, "town", "Bern")
    await yard.settle(30)
    assert await stages_gone(yard) == []


async def test_a_stage_that_is_younger_than_what_we_know_is_asked_for_before_it_counts_as_gone(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    row = await shop(yard)
    await yard.store.write(lambda tx: accounts.set_info(tx, row.id, stages=["guest", "regular"]))
    world.unsubscribe(ADA)
    await yard.settle(AGAIN)
    assert world.crm.records[one].value("stage") == "visitor"
    assert await stages_gone(yard) == []


async def test_a_stage_that_is_refused_and_deleted_since_we_looked_is_a_repair_too(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.form(ADA, {"wants_news": "yes", "stage": "visitor", "language": "de"})
    await yard.settle(30)

    def refuses(contact: str, stage: str) -> None:
        raise Refused("no-such-stage")

    async def fewer(self: ToyCrm, name: str, /) -> Sequence[Option]:
        return [Option(value=stage, label=stage) for stage in STAGES if stage != "guest"]

    monkeypatch.setattr(world.crm, "set_stage", refuses)
    monkeypatch.setattr(ToyCrm, "options", fewer)
    world.confirm()
    await yard.settle(30)
    (text,) = await stages_gone(yard)
    assert "welcome: shop has no stage guest any more, 1 contact was not moved" in text
    record = world.crm.records[one]
    assert (record.value("stage"), record.value("news_state")) == ("visitor", "subscribed")


async def test_a_stage_that_is_refused_though_it_was_listed_ends_at_once_where_nothing_was_cleared(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.form(ADA, {"wants_news": "yes", "stage": "visitor", "language": "de"})
    await yard.settle(30)

    def refuses(contact: str, stage: str) -> None:
        raise Refused("no-such-stage")

    monkeypatch.setattr(world.crm, "set_stage", refuses)
    world.confirm()
    await yard.settle(30)
    rows = await yard.look(lambda tx: tx.all("select state, code from outbox where tag = 'move_stage'"))
    assert [(row["state"], row["code"]) for row in rows] == [("dead", "no-such-stage")]
    assert world.crm.records[one].value("news_state") == "subscribed"


async def test_a_stage_that_is_refused_after_an_outage_does_not_stand_interrupted_any_more(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.form(ADA, {"wants_news": "yes", "stage": "visitor", "language": "de"})
    await yard.settle(30)

    def unreachable(contact: str, stage: str) -> None:
        raise RetryableError("unreachable")

    def refuses(contact: str, stage: str) -> None:
        raise Refused("no-such-stage")

    with monkeypatch.context() as outage:
        outage.setattr(world.crm, "set_stage", unreachable)
        world.confirm()
        await yard.settle(30)
        assert "stage-interrupted" in [row["code"] for row in await yard.look(repairs.still_open)]
    monkeypatch.setattr(world.crm, "set_stage", refuses)
    await yard.settle(1800)
    assert [row["code"] for row in await yard.look(repairs.still_open)] == ["no-such-stage"]

"""The order of stages: read now and then, remembered, and never a reason to stop the account that has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from stellwerk.sdk import AmbiguousError, DeliveryError, Option, PauseError, ReauthorizeError, RejectedError
from stellwerk.store import accounts, repairs
from stellwerk.store.accounts import AccountRow
from stellwerk_toys.crm import STAGES
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

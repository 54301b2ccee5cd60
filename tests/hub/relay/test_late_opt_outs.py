"""An opt-out that does not get through is told to a person while it waits, and only while it waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk.relay.late_opt_outs import look_at_opt_outs
from stellwerk.sdk import RetryableError
from stellwerk.store import repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
MINUTE = 60.0
Joined = Callable[[], Awaitable[str]]


def unreachable(*_: object, **__: object) -> None:
    raise RetryableError("unreachable")


async def told(yard: Yard) -> list[tuple[str, str]]:
    """Subject and first opening of the repairs of this kind, after a round of housekeeping."""
    await look_at_opt_outs(yard.hub)
    rows = await yard.look(repairs.still_open)
    return [(row["subject"], row["count"]) for row in rows if row["code"] == "opt-out-late"]


@pytest.mark.behaviour("opt-out-late")
async def test_an_opt_out_that_waits_for_a_quarter_of_an_hour_is_a_repair_that_its_delivery_closes(
    yard: Yard, world: World, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await joined()
    with monkeypatch.context() as outage:
        outage.setattr(world.mail, "unsubscribe", unreachable)
        world.person_edits(one, "wants_news", "no")
        await yard.settle(14 * MINUTE)
        assert await told(yard) == []
        await yard.settle(2 * MINUTE)
        assert await told(yard) == [("toys", 1)]
        await yard.settle(5 * MINUTE)
        assert await told(yard) == [("toys", 1)], "told once, not at every round"
    await yard.settle(60 * MINUTE)
    assert world.news(ADA) is None or world.news(ADA).permission == 0  # type: ignore[union-attr]
    assert await told(yard) == []


async def test_one_that_is_delivered_at_once_is_none(yard: Yard, world: World, joined: Joined) -> None:
    world.person_edits(await joined(), "wants_news", "no")
    await yard.settle(60 * MINUTE)
    assert await told(yard) == []

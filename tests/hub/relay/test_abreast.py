"""Transactions of several contacts that are handed over together: they wait for the disk once, and each stands alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from stellwerk.relay import happened
from stellwerk.relay.abreast import MOST, abreast, groups
from stellwerk.store import counts
from stellwerk_toys.stopping import StoppingStore
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
PEOPLE = 2 * MOST + 3


def test_neighbours_that_may_go_together_do_and_the_order_stays() -> None:
    told = groups([1, 3, 2, 5, 7], lambda one: one % 2 == 1)
    assert told == [[1, 3], [2], [5, 7]]


def test_who_must_be_alone_is() -> None:
    assert groups([2, 4], lambda one: one % 2 == 1) == [[2], [4]]


def test_no_more_go_together_than_others_may_wait_for() -> None:
    told = groups(range(PEOPLE), lambda _: True)
    assert [len(one) for one in told] == [MOST, MOST, 3]


async def test_all_have_ended_when_the_first_that_failed_is_told_of() -> None:
    ended: list[int] = []

    async def one(number: int) -> int:
        await asyncio.sleep(0)
        ended.append(number)
        if number in (1, 2):
            raise OverflowError(number)
        return number

    with pytest.raises(OverflowError, match="1"):
        await abreast(one(number) for number in range(4))
    assert sorted(ended) == [0, 1, 2, 3]
    assert await abreast(one(number) for number in (3, 0)) == [3, 0]


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """At each write, how many others were on their way to the disk already."""
    found: list[int] = []
    write, under_way = StoppingStore.write, [0]

    async def counted(self: StoppingStore, work: Callable[..., Any], /) -> Any:
        found.append(under_way[0])
        under_way[0] += 1
        try:
            return await write(self, work)
        finally:
            under_way[0] -= 1

    monkeypatch.setattr(StoppingStore, "write", counted)
    return found


async def test_the_contacts_of_one_reading_are_decided_on_together_in_groups(
    yard: Yard, world: World, handed_over: list[int]
) -> None:
    for number in range(PEOPLE):
        world.form(f"p{number}@example.com", {"wants_news": "yes"})
    await yard.take_in()
    handed_over.clear()
    await yard.drain("shop")
    assert max(handed_over) == MOST - 1
    assert sum(1 for one in handed_over if one) == PEOPLE - 3
    await yard.settle(60)
    assert len(world.mail.sent) == PEOPLE


async def test_a_goodbye_is_proved_before_whoever_comes_after_it_is_decided_on(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its proof is a call, and a connector is used by one task at a time."""
    for name in ("ada", "ben"):
        world.form(f"{name}@example.com", {"wants_news": "yes"})
        await yard.settle(60)
        assert world.confirm()
        await yard.settle(60)
    proving: list[str] = []
    evidence_of = happened.evidence_of

    async def proved(*given: Any) -> Any:
        proving.append("begun")
        try:
            return await evidence_of(*given)
        finally:
            proving.append("ended")

    monkeypatch.setattr(happened, "evidence_of", proved)
    for name in ("ada", "ben"):
        assert world.unsubscribe(f"{name}@example.com")
    await yard.settle(60)
    assert proving[:4] == ["begun", "ended"] * 2
    assert (await yard.look(counts.six))["waiting"] == 0

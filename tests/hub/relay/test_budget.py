"""One rate budget for an account, whoever holds it."""

from __future__ import annotations

import asyncio

import pytest

from stellwerk.relay.budget import Budget

pytestmark = pytest.mark.anyio


async def spent_at_once(budget: Budget, most: int) -> int:
    """How many of `most` calls need no waiting; any wait here would be of an hour."""
    for number in range(most):
        try:
            await asyncio.wait_for(budget.spend(), 0.05)
        except TimeoutError:
            return number
    return most


def noon() -> float:
    return 1000.0


async def test_what_is_left_is_what_could_be_spent_now() -> None:
    at = [1000.0]
    budget = Budget(4, 10.0, lambda: at[0])
    assert budget.left() == 1.0
    await budget.spend(3)
    assert budget.left() == 0.25
    await budget.spend()
    assert budget.left() == 0.0
    at[0] += 10.0
    assert budget.left() == 1.0


async def test_no_more_than_the_rate_goes_out_at_once() -> None:
    assert await spent_at_once(Budget(5, 3600.0, noon), 9) == 5


async def test_a_larger_rate_that_the_remote_tells_counts_from_now_on() -> None:
    budget = Budget(5, 3600.0, noon)
    await budget.spend(5)
    budget.resize(8, 3600.0)
    assert await spent_at_once(budget, 9) == 3


async def test_a_smaller_rate_leaves_spent_what_was_spent() -> None:
    budget = Budget(5, 3600.0, noon)
    await budget.spend(4)
    budget.resize(3, 3600.0)
    assert await spent_at_once(budget, 9) == 0


async def test_the_next_holder_counts_all_that_was_spent_under_a_larger_rate() -> None:
    first = Budget(5, 3600.0, noon)
    first.resize(8, 3600.0)
    await first.spend(7)
    second = Budget(5, 3600.0, noon, first.log())
    second.resize(8, 3600.0)
    assert await spent_at_once(second, 9) == 1


async def test_room_is_waited_for_and_not_taken() -> None:
    budget = Budget(3, 3600.0, noon)
    await budget.spend(2)
    await budget.room(1)
    assert await spent_at_once(budget, 3) == 1

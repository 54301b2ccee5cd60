"""Both sides changed one field before either heard of the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
Joined = Callable[[], Awaitable[str]]
ADA = "ada@example.com"
HOUR = 3600.0


async def both(yard: Yard, world: World, one: str, *, hours_between: float) -> tuple[str | None, str | None]:
    """The shop's change, then the newsletter's, heard of together; what stands at both in the end."""
    world.person_edits(one, "name", "Of the shop")
    await yard.take_in()
    world.clock.now += hours_between * HOUR
    world.edit_at_mail(ADA, "FIRST", "Of the newsletter")
    await yard.settle(2 * HOUR)
    there = world.news(ADA)
    assert there is not None
    return world.crm.records[one].value("name"), there.fields.get("FIRST")


async def test_within_two_hours_the_first_system_of_the_file_wins(yard: Yard, world: World, joined: Joined) -> None:
    assert await both(yard, world, await joined(), hours_between=1) == ("Of the shop", "Of the shop")


async def test_beyond_two_hours_the_newer_value_wins(yard: Yard, world: World, joined: Joined) -> None:
    assert await both(yard, world, await joined(), hours_between=3) == ("Of the newsletter", "Of the newsletter")


async def test_what_else_changed_at_the_contact_meanwhile_makes_no_value_younger(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "name", "Of the shop")
    await yard.take_in()
    world.clock.now += 3 * HOUR
    world.edit_at_mail(ADA, "FIRST", "Of the newsletter")
    world.clock.now += 3 * HOUR
    world.person_edits(one, "town", "Ulm")
    await yard.settle(2 * HOUR)
    there = world.news(ADA)
    assert there is not None
    assert (world.crm.records[one].value("name"), there.fields["FIRST"]) == ("Of the newsletter",) * 2
    assert there.fields["TOWN"] == "Ulm"

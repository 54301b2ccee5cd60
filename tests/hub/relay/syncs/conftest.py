"""A hub whose connection is younger than the contacts."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk_toys.syncing import DAY, people
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard


@pytest.fixture
def old(world: World) -> list[str]:
    """They are imported before the connection begins."""
    return people(world)


@pytest.fixture
async def yard(world: World, tmp_path: Any, chosen: dict[str, Any], old: list[str]) -> Any:
    """The hub of conftest, but the contacts are older than the connection by two days."""
    world.clock.now += 2 * DAY
    made = Yard(tmp_path, world)
    await made.start()
    world.posts.clear()
    await made.connect(chosen)
    await made.settle(60)
    yield made
    await made.stop()

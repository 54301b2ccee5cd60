"""A hub over the two toys, connected, with everything quiet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    return World(request.node.nodeid)


@pytest.fixture
def chosen() -> dict[str, Any]:
    """The connection's settings; a test's parameters override it."""
    return {}


@pytest.fixture
async def yard(world: World, tmp_path: Path, chosen: dict[str, Any]) -> AsyncIterator[Yard]:
    made = Yard(tmp_path, world)
    await made.start()
    await made.connect(chosen)
    yield made
    await made.stop()


@pytest.fixture
def joined(yard: Yard) -> Callable[[], Awaitable[str]]:
    """Lets Ada sign up and confirm; her id at the shop."""

    async def join() -> str:
        wish = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
        one = yard.world.form("ada@example.com", wish)
        await yard.settle(30)
        assert yard.world.confirm()
        await yard.settle(30)
        return one

    return join

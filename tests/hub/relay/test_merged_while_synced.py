"""A merge of contacts that a sync has not come to yet: it is no consent, whatever number the sync's question named."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay import sync
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
DAY = 86_400.0
YES = {"wants_news": "yes", "name": "Ada", "language": "de"}
PEOPLE = ("ada@example.com", "ben@example.com", "cem@example.com")


@pytest.mark.behaviour("merged-never-in")
async def test_who_is_merged_before_a_sync_comes_to_it_is_not_asked_and_everybody_else_is(
    world: World, tmp_path: Any, chosen: dict[str, Any]
) -> None:
    world.crm.fields.update(("wants_news", "ask_me", "my_level"))
    ada, ben, _ = (world.import_(email, YES) for email in PEOPLE)
    world.clock.now += 2 * DAY
    yard = Yard(tmp_path, world)
    await yard.start()
    world.posts.clear()
    await yard.connect(chosen)
    await sync.dry_run(yard.hub, connection="toys", by="jo", ask=True)
    await yard.settle(30)
    await sync.start(yard.hub, connection="toys", by="jo", ask=3)
    survivor = world.person_merges(ada, ben)
    await yard.settle(60)
    assert [one.email for one in world.mail.sent] == ["cem@example.com"]
    world.person_edits(survivor, "wants_news", "no")
    await yard.settle(60)
    world.person_edits(survivor, "wants_news", "yes")
    await yard.settle(60)
    assert [one.email for one in world.mail.sent] == ["cem@example.com", "ada@example.com"]
    await yard.stop()

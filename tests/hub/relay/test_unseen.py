"""What a sync creates goes out without having been looked up, where the connector's call leaves alone whoever is there already."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay import sync
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
DAY = 86_400.0
MANY = 12


@pytest.fixture
async def yard(world: World, tmp_path: Path) -> Any:
    """People who are older than the connection."""
    world.crm.fields.update(("wants_news", "ask_me", "my_level"))
    for number in range(MANY):
        world.import_(f"old{number}@example.com", {"wants_news": "yes", "name": "Ada", "town": "Wien"})
    world.clock.now += 2 * DAY
    made = Yard(tmp_path, world)
    await made.start()
    world.posts.clear()
    await made.connect()
    await made.settle(60)
    yield made
    await made.stop()


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each contact was looked up at the newsletter."""
    found: Counter[str] = Counter()
    read = ToyMail.read

    async def counted(self: ToyMail, refs: Any, *rest: Any) -> Any:
        found.update(ref.value for ref in refs)
        return await read(self, refs, *rest)

    monkeypatch.setattr(ToyMail, "read", counted)
    return found


async def synced(yard: Yard, **numbers: int) -> dict[str, Any]:
    terms = {"ask": True} if numbers else {}
    await sync.dry_run(yard.hub, connection="toys", by="jo", **terms)
    await yard.settle(30)
    begun = await sync.start(yard.hub, connection="toys", by="jo", **numbers)
    await yard.settle(60)
    return await sync.one_status(yard.hub, begun["run"])


async def test_nobody_is_looked_up_where_nobody_is_there(yard: Yard, world: World, asked_for: Counter[str]) -> None:
    assert (await synced(yard))["state"] == "done"
    assert len(world.mail.records) == MANY
    assert all(world.mail.find(f"old{number}@example.com") for number in range(MANY))
    assert not asked_for


async def test_who_is_there_already_is_looked_up_then_and_only_what_is_missing_is_filled_in(
    yard: Yard, world: World, asked_for: Counter[str]
) -> None:
    world.mail.create("old3@example.com", "single", None, {"TOWN": "Graz"})
    assert (await synced(yard))["state"] == "done"
    there = world.news("old3@example.com")
    assert there is not None
    assert there.permission == "single"
    assert there.fields == {"TOWN": "Graz", **{k: v for k, v in there.fields.items() if k != "TOWN"}}
    assert there.extern is not None
    assert "Ada" in there.fields.values()
    assert set(asked_for) == {"old3@example.com"}


async def test_who_has_left_there_stays_out(yard: Yard, world: World) -> None:
    world.mail.create("old5@example.com", "single", None, {})
    world.unsubscribe("old5@example.com")
    assert (await synced(yard))["state"] == "done"
    assert len([one for one in world.mail.records.values() if one.email]) == MANY - 1
    assert world.mails_to("old5@example.com") == []


@pytest.mark.behaviour("left-before-quiet")
async def test_who_had_left_there_before_is_shown_as_that_and_nothing_happens_to_her(yard: Yard, world: World) -> None:
    world.mail.create("old5@example.com", "single", None, {})
    world.clock.now -= 10 * DAY
    world.unsubscribe("old5@example.com")
    left_at = world.mail.report[-1].at
    world.clock.now += 10 * DAY
    world.mail.journal.clear()
    world.posts.clear()
    await synced(yard)
    await yard.settle(3600)
    record = world.shop("old5@example.com")
    assert record is not None
    assert record.value("news_state") == "unsubscribed"
    assert (record.stages, record.notes) == ([], [])
    assert record.value("left_on") == left_at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_who_is_asked_is_looked_up_first(yard: Yard, world: World, asked_for: Counter[str]) -> None:
    assert (await synced(yard, ask=MANY))["state"] == "done"
    assert len(world.mail.sent) == MANY
    assert len(asked_for) == MANY

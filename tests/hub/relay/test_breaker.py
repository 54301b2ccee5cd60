"""A field that an automation keeps changing: five writes, then it is held and shown, and everything else goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from stellwerk.relay import held
from stellwerk.store import counts, outbox, repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
Joined = Callable[[], Awaitable[str]]
ADA = "ada@example.com"
CODE = "field-keeps-changing"


@pytest.fixture
async def yard(world: World, tmp_path: Path) -> AsyncIterator[Yard]:
    """A yard that asks the newsletter for changes every twenty seconds."""
    file = tmp_path / "integration-toys.yaml"
    asked_often = "news: {connector: toymail, poll_seconds: 20}"
    file.write_text(FILE.read_text("utf-8").replace("news: {connector: toymail}", asked_often), "utf-8")
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect()
    yield made
    await made.stop()


async def codes(yard: Yard) -> list[str]:
    return [row["code"] for row in await yard.look(repairs.still_open)]


async def adds_up(yard: Yard) -> None:
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert sum(six.values()) == acknowledged


def first_name(world: World) -> str:
    found = world.news(ADA)
    assert found is not None
    return found.fields["FIRST"]


async def robot_counts(yard: Yard, world: World, one: str, until: int, begins: int = 1) -> None:
    for number in range(begins, until + 1):
        world.workflow_sets(one, "name", f"Ada {number}")
        await yard.settle(30)


async def test_the_sixth_write_of_a_workflow_is_held_and_shown(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    await robot_counts(yard, world, one, 8)
    assert first_name(world) == "Ada 5"
    assert await codes(yard) == [CODE]
    (group,) = await yard.look(held.groups)
    assert (group["code"], group["change"], group["count"]) == (CODE, "set_fields", 1)
    assert "FIRST at news" in group["text"]
    assert (await yard.look(counts.six))["held"] == 1
    await adds_up(yard)


async def test_everything_else_of_the_contact_goes_on(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    await robot_counts(yard, world, one, 6)
    world.crm.write(one, {"name": "Ada 7", "language": "en"}, "robot")
    await yard.settle(30)
    found = world.news(ADA)
    assert found is not None
    assert (found.fields["FIRST"], found.fields["LANG"]) == ("Ada 5", "EN")
    await adds_up(yard)


async def test_what_a_person_sets_passes_however_often(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    for number in range(1, 10):
        world.person_edits(one, "name", f"Ada {number}")
        await yard.settle(30)
    assert first_name(world) == "Ada 9"
    assert await codes(yard) == []


async def test_a_person_ends_what_is_held_by_setting_the_field(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    await robot_counts(yard, world, one, 7)
    world.person_edits(one, "name", "Ada King")
    await yard.settle(30)
    assert first_name(world) == "Ada King"
    assert await codes(yard) == []
    assert (await yard.look(outbox.counts)).get("held") is None
    await adds_up(yard)


async def test_what_is_released_is_written_as_it_stands_then(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    await robot_counts(yard, world, one, 8)
    assert await held.release(yard.hub, connection="toys", code=CODE, by="jo") == 1
    await yard.settle(30)
    assert first_name(world) == "Ada 8"
    assert await codes(yard) == []
    assert (await yard.look(outbox.counts)).get("held") is None
    await adds_up(yard)


async def test_what_is_discarded_stays_as_it_is_over_there(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    await robot_counts(yard, world, one, 7)
    assert await held.discard(yard.hub, connection="toys", code=CODE, by="jo") == 1
    await yard.settle(60)
    assert first_name(world) == "Ada 5"
    assert await codes(yard) == []
    await adds_up(yard)


async def test_a_slow_workflow_is_never_stopped(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    for number in range(1, 9):
        world.workflow_sets(one, "name", f"Ada {number}")
        await yard.settle(130)
    assert first_name(world) == "Ada 8"
    assert await codes(yard) == []


async def test_the_count_survives_a_restart(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    await robot_counts(yard, world, one, 4)
    await yard.restart()
    await robot_counts(yard, world, one, 6, begins=5)
    assert first_name(world) == "Ada 5"


@pytest.mark.behaviour("fields-keeps-changing")
async def test_two_automations_that_correct_each_other_come_to_rest(yard: Yard, world: World, joined: Joined) -> None:
    """The shop wants small letters and the newsletter capitals: each takes the other's as a change."""
    one = await joined()
    world.person_edits(one, "name", "countess")
    for _ in range(25):
        await yard.settle(22)
        here, there = world.crm.records[one].value("name") or "", first_name(world)
        if there != there.upper():
            world.edit_at_mail(ADA, "FIRST", there.upper())
        if here != here.lower():
            world.workflow_sets(one, "name", here.lower())
    writes = [entry for entry in world.crm.records[one].history["name"] if entry.source == "api:hub"]
    assert 4 <= len(writes) <= 6
    assert CODE in await codes(yard)
    await adds_up(yard)


async def test_what_is_in_the_queue_when_it_trips_is_held_too(yard: Yard, world: World, joined: Joined) -> None:
    """Decided while the fifth was on its way, it is asked again just before the call; what came beside it goes on."""
    one = await joined()
    await robot_counts(yard, world, one, 4)
    world.workflow_sets(one, "name", "Ada 5")
    await yard.take_in()
    await yard.drain("shop")

    async def meanwhile() -> None:
        world.crm.write(one, {"name": "Ada 6", "language": "en"}, "robot")
        await yard.take_in()
        await yard.drain("shop")

    calls = iter(range(2))

    async def at_the_write() -> None:
        if next(calls) == 0:
            world.meanwhile = at_the_write  # the read that looks the target up comes first
        else:
            await meanwhile()

    world.meanwhile = at_the_write
    await yard.settle(30)
    found = world.news(ADA)
    assert found is not None
    assert (found.fields["FIRST"], found.fields["LANG"]) == ("Ada 5", "EN")
    assert await codes(yard) == [CODE]
    await adds_up(yard)

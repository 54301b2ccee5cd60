"""A restored back-up holds what mails; a hub that was away reads the reports of the gap first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stellwerk.relay import holding, instance
from stellwerk.relay.instance import Mark, judged
from stellwerk.store import hold, meta, repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
MARK = Mark(id="a", counter=7, beat=1000.0)


@pytest.mark.parametrize(
    ("beside", "now", "verdict"),
    [
        (MARK, 1060.0, None),
        (MARK, 1000.0 + 3601.0, "paused"),
        (Mark(id="a", counter=8, settled=False), 1060.0, None),
        (Mark(id="a", counter=8), 1060.0, "restored"),
        (Mark(id="a", counter=9, settled=False), 1060.0, "restored"),
        (Mark(id="a", counter=6), 1060.0, "restored"),
        (Mark(id="b", counter=7), 1060.0, "restored"),
        (None, 1060.0, "restored"),
    ],
)
def test_another_id_or_counter_is_a_restore(beside: Mark | None, now: float, verdict: str | None) -> None:
    assert judged(MARK, beside, now) == verdict


async def begun(yard: Yard) -> str | None:
    """The yard's hub as the app starts it: what it holds because of its database."""
    yard.hub.database = yard.path
    await instance.begin(yard.hub)
    stands = await yard.look(hold.standing)
    return None if stands is None else stands.because


def backed_up(folder: Path) -> list[tuple[Path, Path]]:
    """Each file of the database, and its copy."""
    files = [file for file in folder.glob("toys.db*") if "instance" not in file.name]
    copies = [(file, folder / f"copy-{file.name}") for file in files]
    for file, copy in copies:
        shutil.copy(file, copy)
    return copies


async def test_a_hub_that_starts_again_holds_nothing(yard: Yard, world: World) -> None:
    assert await begun(yard) is None
    await instance.beat(yard.hub)
    await yard.restart()
    assert await begun(yard) is None


@pytest.mark.behaviour("trouble-restored")
@pytest.mark.parametrize("attempts", [0, 1])
async def test_a_restored_back_up_mails_nobody_until_a_person_says_so(
    yard: Yard, world: World, tmp_path: Path, attempts: int
) -> None:
    await begun(yard)
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    await yard.store.write(lambda tx: tx.run("update outbox set attempts = :n where tag = 'enter'", n=attempts))
    await yard.stop()
    copies = backed_up(tmp_path)
    await yard.start()
    await begun(yard)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    await yard.stop()
    for file, copy in copies:
        shutil.copy(copy, file)
    await yard.start()
    assert await begun(yard) == "restored"
    await yard.settle(600)
    assert len(world.mails_to(ADA)) == 1
    assert [(row["subject"], row["code"]) for row in await yard.look(repairs.still_open)] == [("hub", "restored")]
    assert await holding.go_on(yard.hub, by="jo")
    await yard.settle(600)
    assert len(world.mails_to(ADA)) == 1
    assert await yard.look(repairs.still_open) == []


@pytest.mark.behaviour("trouble-away")
async def test_a_hub_that_was_away_reads_the_reports_of_the_gap_before_it_mails(yard: Yard, world: World) -> None:
    await begun(yard)
    await yard.stop()
    world.clock.advance(7200.0)
    world.form(ADA, YES)
    await yard.start()
    assert await begun(yard) == "paused"
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    await instance.end_pause(yard.hub)
    assert await yard.look(hold.standing) is None


async def test_a_new_database_beside_an_old_mark_holds_nothing(world: World, tmp_path: Path) -> None:
    (tmp_path / "toys.db.instance").write_text('{"id": "of another", "counter": 3}')
    yard = Yard(tmp_path, world)
    await yard.start()
    assert await begun(yard) is None
    await yard.stop()


async def test_an_older_database_that_comes_back_under_a_running_hub_holds_what_mails(yard: Yard, world: World) -> None:
    await begun(yard)
    older = await yard.look(lambda tx: meta.value(tx, meta.INSTANCE))
    assert older is not None
    for _ in range(3):
        world.clock.advance(60.0)
        await instance.beat(yard.hub)
    assert await yard.look(hold.standing) is None
    await yard.store.write(lambda tx: meta.set_value(tx, meta.INSTANCE, older))
    await instance.beat(yard.hub)
    stands = await yard.look(hold.standing)
    assert stands is not None
    assert stands.because == "restored"
    assert [(row["subject"], row["code"]) for row in await yard.look(repairs.still_open)] == [("hub", "restored")]


async def test_a_small_file_that_is_taken_away_under_a_running_hub_is_written_anew(yard: Yard) -> None:
    await begun(yard)
    file = yard.path.with_name("toys.db.instance")
    file.unlink()
    await instance.beat(yard.hub)
    assert file.exists()
    assert await yard.look(hold.standing) is None


async def test_what_waits_by_a_clock_that_was_put_back_is_looked_at_now(yard: Yard, world: World) -> None:
    await begun(yard)
    await yard.settle(700)
    await instance.beat(yard.hub)
    world.form(ADA, YES)
    await yard.take_in()
    world.clock.now -= 3 * 3600.0
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    await instance.beat(yard.hub)
    asked = world.faults.calls
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert world.faults.calls > asked
    polled = await yard.look(lambda tx: tx.one("select max(value) as at from cursor where name = 'polled'"))
    assert polled is not None
    assert float(polled["at"]) <= world.clock()

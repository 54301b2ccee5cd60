"""A story of one contact with both toys, and how it ends where nothing goes wrong."""

from __future__ import annotations

from pathlib import Path

from stellwerk.store import outbox
from stellwerk_toys.faults import Stopped
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

ADA = "ada@example.com"
QUIET_SECONDS = 30.0
MOST_ROUNDS = 40
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


async def calm(yard: Yard, seconds: float = QUIET_SECONDS) -> None:
    """Let everything happen, for `seconds` and until nothing is on its way; when the process is stopped, start another one."""
    for _ in range(MOST_ROUNDS):
        try:
            await yard.settle(seconds)
        except Stopped:
            await yard.restart()
            continue
        counts = await yard.look(outbox.counts)
        if not counts.keys() & {"waiting", "sent"}:
            return
    raise AssertionError("it does not come to an end")


async def joined(yard: Yard, seconds: float = QUIET_SECONDS) -> str:
    """Ada signs up and confirms; her id at the shop."""
    one = yard.world.form(ADA, YES)
    await calm(yard, seconds)
    assert yard.world.confirm()
    await calm(yard, seconds)
    return one


async def story(yard: Yard, seconds: float = QUIET_SECONDS) -> None:
    """Sign up, confirm, change, leave, change, come back, leave again."""
    world = yard.world
    one = await joined(yard, seconds)
    world.person_edits(one, "name", "Ada L.")
    await calm(yard, seconds)
    world.unsubscribe(ADA, letter="7", how="link")
    await calm(yard, seconds)
    world.person_edits(one, "name", "Lady Ada")
    await calm(yard, seconds)
    world.clock.advance(3 * 3600)
    world.form(ADA, {"wants_news": "yes"})
    await calm(yard, seconds)
    world.confirm()
    await calm(yard, seconds)
    world.unsubscribe(ADA, letter="7", how="link")
    await calm(yard, seconds)


async def undisturbed(folder: Path, seconds: float = QUIET_SECONDS) -> dict[str, object]:
    """What is to be seen at the end of the story where nothing goes wrong."""
    quiet = World("undisturbed")
    (folder / "quiet").mkdir()
    yard = Yard(folder / "quiet", quiet)
    await yard.start()
    await yard.connect()
    await story(yard, seconds)
    await yard.stop()
    return quiet.picture()

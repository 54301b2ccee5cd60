"""Only a double opt-in leads back after an opt-out; where there is none to send, a person is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay.linking import unlink
from stellwerk.store import connections, repairs
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
ADA, BEN = "ada@example.com", "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor"}
FALLS_BACK = "table: {de: welcome-de}, otherwise: settings.letter}"


@pytest.fixture
async def without_letter(world: World, tmp_path: Path) -> Any:
    """A yard that asks nobody by itself and has a letter to send in one language alone."""
    file = tmp_path / "integration-toys.yaml"
    text = FILE.read_text("utf-8")
    assert FALLS_BACK in text
    file.write_text(text.replace(FALLS_BACK, "table: {de: welcome-de}}"), "utf-8")
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect({"ask_first": False, "level": "single"})
    yield made
    await made.stop()


async def says_yes_again(yard: Yard, email: str, **fields: str) -> None:
    """In by a grant, out by an unsubscription, and a yes a day later."""
    world = yard.world
    world.form(email, {**YES, **fields})
    await yard.settle(60)
    world.unsubscribe(email)
    await yard.settle(600)
    world.clock.advance(86_400.0)
    world.form(email, {**YES, **fields})
    await yard.settle(60)


async def told(yard: Yard) -> list[tuple[str, str, int]]:
    return [(row["subject"], row["code"], row["count"]) for row in await yard.look(repairs.still_open)]


@pytest.mark.behaviour("out-no-mailing")
async def test_who_left_and_cannot_be_asked_stays_out_and_a_person_is_told(without_letter: Yard, world: World) -> None:
    await says_yes_again(without_letter, ADA, language="en")
    assert (world.mail.sent, world.news(ADA)) == ([], None)
    assert await told(without_letter) == [("toys", "no-way-to-ask", 1)]


async def test_several_are_one_repair_that_ends_once_somebody_is_asked_back(without_letter: Yard, world: World) -> None:
    await says_yes_again(without_letter, ADA, language="en")
    await says_yes_again(without_letter, BEN, language="en")
    assert await told(without_letter) == [("toys", "no-way-to-ask", 2)]
    world.form(ADA, {"wants_news": "no", "language": "de"})
    await without_letter.settle(60)
    world.form(ADA, {"wants_news": "yes"})
    await without_letter.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert await told(without_letter) == []


async def test_of_whoever_is_unlinked_nobody_is_told(without_letter: Yard, world: World) -> None:
    world.form(ADA, {**YES, "language": "en"})
    await without_letter.settle(60)
    world.unsubscribe(ADA)
    await without_letter.settle(600)
    one = await without_letter.look(lambda tx: connections.by_id(tx, "toys"))
    assert one is not None
    await unlink(without_letter.hub, one, who=ADA, by="jo")
    world.clock.advance(86_400.0)
    world.form(ADA, {**YES, "language": "en"})
    await without_letter.settle(60)
    assert await told(without_letter) == []

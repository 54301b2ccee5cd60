"""How many contacts a turn takes: few where each is read by a call of its own."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.wave import FEWEST, MOST, wave
from stellwerk_toys.toymail import ToyMail
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

PEOPLE = 30


class Reads:
    def __init__(self, read_batch: int) -> None:
        self.read_batch = read_batch


def test_a_turn_takes_what_one_call_reads() -> None:
    assert wave(object()) == MOST
    assert wave(Reads(50)) == 50
    assert wave(Reads(1)) == FEWEST
    assert wave(Reads(1_000)) == MOST


@pytest.mark.anyio
async def test_of_many_who_wait_the_first_is_written_to_after_a_few_reads(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(PEOPLE):
        world.form(f"p{number}@example.com", {"wants_news": "yes"})
    await yard.take_in()
    await yard.drain("shop")
    read = ToyMail.read
    seen: list[int] = []

    async def counted(self: ToyMail, refs: Any, *rest: Any) -> Any:
        seen.extend([len(world.mail.sent)] * len(refs))
        return await read(self, refs, *rest)

    monkeypatch.setattr(ToyMail, "read", counted)
    await yard.run()
    assert len(world.mail.sent) == PEOPLE
    assert seen.count(0) == FEWEST

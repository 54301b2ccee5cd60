"""How many contacts a turn takes: few where each is read by a call of its own; and when a few wait for company."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stellwerk.relay.budget import Budget
from stellwerk.relay.wave import FEWEST, GATHER_SECONDS, MOST, SCARCE, gathers, wave
from stellwerk.store.inbox import InboxRow
from stellwerk_rules.model import EventKind
from stellwerk_toys.toycrm import ToyCrm
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


def waiting(contacts: int, kind: str = "changed", received: float = 100.0) -> list[InboxRow]:
    return [
        InboxRow(id=one, subject=str(one), kind=kind, body=b"", received=received, attempts=0, code="")
        for one in range(contacts)
    ]


def test_a_few_wait_a_moment_for_company_where_calls_are_scarce() -> None:
    assert gathers(Reads(100), waiting(1), 0.5, 100.0) == GATHER_SECONDS
    assert gathers(Reads(100), waiting(19), 0.5, 100.0) == GATHER_SECONDS
    assert gathers(Reads(100), waiting(1), 0.5, 100.1) == pytest.approx(GATHER_SECONDS - 0.1)


@pytest.mark.parametrize(
    ("connector", "rows", "left"),
    [
        (Reads(100), waiting(1), SCARCE),
        (Reads(100), waiting(20), 0.0),
        (Reads(1), waiting(1), 0.0),
        (Reads(100), waiting(1, received=90.0), 0.0),
        (Reads(100), [], 0.0),
        (Reads(100), [*waiting(1), *waiting(1, EventKind.UNSUBSCRIBED)], 0.0),
        (Reads(100), waiting(1, EventKind.ERASED), 0.0),
    ],
    ids=["calls are there", "many", "each is a call of its own", "has waited", "nobody", "one left", "to be erased"],
)
def test_nobody_waits_for_company_where(connector: Reads, rows: list[InboxRow], left: float) -> None:
    assert gathers(connector, rows, left, 100.0) == 0.0


def test_a_clock_that_was_set_back_lets_nobody_wait_longer() -> None:
    assert gathers(Reads(100), waiting(1, received=1e6), 0.0, 100.0) == GATHER_SECONDS


@pytest.mark.anyio
@pytest.mark.parametrize(("left", "together"), [(SCARCE, 1), (0.5, PEOPLE)])
async def test_who_comes_while_a_few_wait_is_read_with_them(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch, left: float, together: int
) -> None:
    for number in range(PEOPLE):
        world.form(f"p{number}@example.com", {"wants_news": "yes"})
    first, *others = world.posts
    world.posts.clear()
    read, sleep = ToyCrm.read, asyncio.sleep
    seen: list[int] = []

    async def counted(self: ToyCrm, refs: Any, *rest: Any) -> Any:
        seen.append(len(refs))
        return await read(self, refs, *rest)

    async def passes(seconds: float) -> None:
        if seconds == GATHER_SECONDS:
            for post in others:
                await yard.post(post)
        else:
            await sleep(seconds)

    monkeypatch.setattr(ToyCrm, "read", counted)
    monkeypatch.setattr(asyncio, "sleep", passes)
    monkeypatch.setattr(Budget, "left", lambda _: left)
    await yard.post(first)
    await yard.drain("shop")
    assert seen[0] == together

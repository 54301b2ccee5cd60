"""storm: an import of many events over fewer contacts and three connections, half of it told twice, with forms in between.

Played over the toys, whose calls can be counted one by one and whose clock stands still: what is measured is the hub.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from stellwerk.store import counts
from stellwerk.store.store import Tx
from stellwerk_bench.figures import Line, Series, Verdict, number
from stellwerk_toys.post import Post
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

EVENTS, CONTACTS, SHOPS, EVENTS_A_POST = 100_000, 20_000, 3, 100
SIGN_UPS = 20
FIELDS = ("name", "city", "language", "name", "city")


class Told(Struct, frozen=True, kw_only=True):
    """What came of a storm. `reads` are calls without history; `passed` is, for each form, how many events still waited when it was mailed."""

    events: int
    contacts: int
    acknowledged: int
    six: dict[str, int]
    reads: int
    histories: int
    passed: tuple[int, ...]
    seconds_taking_in: float
    seconds: float


def measured(scale: float) -> Line:
    """Events a second from the first webhook until nothing waits any more."""
    with tempfile.TemporaryDirectory(prefix="stellwerk-bench-") as folder:
        told = asyncio.run(
            stormed(Path(folder), events=max(3_000, int(EVENTS * scale)), contacts=max(600, int(CONTACTS * scale)))
        )
    least = told.contacts / 100
    waiting = told.six["waiting"]
    return Line(
        name="storm",
        title="Import storm",
        what=f"{told.events:,} events interleaved over {told.contacts:,} contacts and {SHOPS} connections, half of them told twice",
        unit="events/s",
        better="higher",
        series=[Series(subject="Stellwerk", rounds=[told.events / told.seconds], settings="over the toys, SQLite; one lane at a time")],
        verdicts=[
            Verdict(aim=f"about {least:.0f} batch reads", found=f"{told.reads}, and {told.histories} with history", met=told.reads <= 1.25 * least + 2 * len(told.passed)),
            Verdict(aim="live sign-ups pass in front", found=f"{len(told.passed)} mailed while {number(sum(told.passed) / max(len(told.passed), 1))} events waited on average", met=len(told.passed) > 0 and min(told.passed) > 0),
            Verdict(aim="none dropped", found=f"{told.acknowledged:,} acknowledged, {sum(told.six.values()):,} accounted for, {waiting} waiting", met=sum(told.six.values()) == told.acknowledged and not waiting),
        ],
        limits="one core: a decision and the transaction it ends in, one after the other",
        facts={"taking in": f"{number(told.events * 1.5 / told.seconds_taking_in)} events/s, those told again included", **{f"of them {name}": f"{count:,}" for name, count in told.six.items()}},
    )  # fmt: skip


async def stormed(folder: Path, *, events: int, contacts: int, sign_ups: int = SIGN_UPS) -> Told:
    """Play one storm to its end; everything of it can be told afterwards."""
    worlds = [World(f"{folder}-0")]
    worlds += [World(f"{folder}-{number_}", beside=worlds[0]) for number_ in range(1, SHOPS)]
    first = worlds[0]
    for number_ in range(contacts):
        worlds[number_ % SHOPS].import_(f"old{number_}@example.com", {"name": "Old"})
    first.clock.now += 2 * 86_400
    first.posts.clear()
    yard = Yard(folder, first)
    await yard.start()
    for number_, world in enumerate(worlds):
        await yard.connect({"double_opt_in": True}, name=f"shop{number_}", shop=world)
    posts = list(_posts(worlds, events, contacts))
    before = await yard.look(counts.acknowledged)
    began = time.perf_counter()
    for number_, post in enumerate(posts):
        await yard.post(post)
        if number_ % 2:
            await yard.post(post)
    taken_in = time.perf_counter() - began
    with _counted() as reads:
        passed = await _drained(yard, worlds, reads, sign_ups)
    told = Told(
        events=events,
        contacts=contacts,
        acknowledged=await yard.look(counts.acknowledged) - before,
        six=await yard.look(counts.six),
        reads=sum(1 for history in reads if not history),
        histories=sum(1 for history in reads if history),
        passed=tuple(passed),
        seconds_taking_in=taken_in,
        seconds=time.perf_counter() - began,
    )
    await yard.stop()
    return told


def _posts(worlds: Sequence[World], events: int, contacts: int) -> Iterator[Post]:
    """Changed fields, told by an import: the first of every contact, then the second of every contact, and so on."""
    for start in range(0, events, EVENTS_A_POST * SHOPS):
        for shop, world in enumerate(worlds):
            several = [
                {
                    "no": 1_000_000 + one,
                    "what": "edited",
                    "contact": f"c{one % contacts // SHOPS + 1}",
                    "source": "upload",
                    "at": world.clock.moment(),
                    "field": FIELDS[one // contacts % len(FIELDS)],
                }
                for one in range(start + shop, min(start + EVENTS_A_POST * SHOPS, events), SHOPS)
            ]
            if several:
                world.crm.post(several)
                yield world.posts.pop()


async def _drained(yard: Yard, worlds: Sequence[World], reads: list[bool], sign_ups: int) -> list[int]:
    """Run until nothing is due; meanwhile people sign up, each while some call is under way. What waited when each was mailed."""
    first, passed = worlds[0], list[int]()
    asked: list[str] = []

    def waiting(tx: Tx) -> int:
        row = tx.one("select count(*) as n from inbox where state = 'waiting'")
        return 0 if row is None else int(row["n"])

    async def signs_up() -> None:
        for email in [one for one in asked if first.mails_to(one)]:
            asked.remove(email)
            passed.append(await yard.look(waiting))
        if len(asked) + len(passed) < sign_ups and await yard.look(waiting):
            email = f"form{len(asked) + len(passed)}@example.com"
            asked.append(email)
            worlds[len(passed) % SHOPS].form(email, {"wants_news": "yes", "name": "Live"})
            await yard.take_in()
        first.meanwhile = signs_up

    for world in worlds:
        world.meanwhile = signs_up
    await yard.run()
    first.meanwhile = None
    await yard.settle(60)
    passed += [0] * sum(1 for one in asked)
    assert all(first.mails_to(one) for one in asked)
    return passed


@contextmanager
def _counted() -> Iterator[list[bool]]:
    """Whether each call that read contacts of a shop asked for history."""
    found: list[bool] = []
    read = ToyCrm.read

    async def counted(self: ToyCrm, refs: Any, fields: Any, history: Any = (), /) -> Any:
        if refs:
            found.append(bool(history))
        return await read(self, refs, fields, history)

    ToyCrm.read = counted  # type: ignore[method-assign]
    try:
        yield found
    finally:
        ToyCrm.read = read  # type: ignore[method-assign]

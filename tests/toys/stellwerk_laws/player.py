"""Plays a history: the real hub on a database in a folder, the toys as its remotes, crashes and all."""

from __future__ import annotations

import functools
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from stellwerk.store import inbox
from stellwerk.store.store import Tx
from stellwerk_laws import law_8, reached
from stellwerk_laws.crashed import crashed_where, suppressed_with_the_ledger
from stellwerk_laws.forgotten import erased_is_forgotten
from stellwerk_laws.happenings import (
    PEOPLE,
    Again,
    Automation,
    BacksUp,
    By,
    CallFails,
    Clicks,
    Disconnects,
    FailsAfter,
    Freezes,
    History,
    Jump,
    LinksAgain,
    Meanwhile,
    RestoresBackUp,
    RotatesKey,
    Step,
    StopsAtWrite,
    Syncs,
    Then,
    Unlinks,
    Wait,
    Write,
)
from stellwerk_laws.law_yard import LawYard
from stellwerk_laws.operators import Operator
from stellwerk_laws.people import People
from stellwerk_laws.truth import Ledger, Truth
from stellwerk_laws.variants import OVERRIDES
from stellwerk_laws.watched import WatchedWorld
from stellwerk_rules.breaker import KEEPS_CHANGING
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.faults import Stopped

QUIET_SECONDS = 20.0
OLDER_SECONDS = 2 * 86_400.0
LONGEST_REST_SECONDS = 4000.0
MIRRORS = ("news_state", "news_level", "left_on")
MOST_CRASHES = 40
END_SECONDS = 2 * 3600.0 + 900.0
_NUMBERS = itertools.count(1)


class Player:
    """One history being played.

    `truth` is what happened, `log` what the hub wrote into its log, `names` what its database calls addresses and values.
    """

    def __init__(self, history: History, folder: Path, server: PostgresDatabase | None = None) -> None:
        self.history = history
        self.file = history.file
        self.world = WatchedWorld(f"world {next(_NUMBERS)}")
        self.world.crm.fields |= {"secret_wish"}
        self.world.mail.fields |= {"SECRET"}
        self.yard = LawYard(folder, self.world, history, server)
        self.truth = Truth(self.file, self.world)
        self.reached: set[str] = set()
        self.log: list[str] = []
        self.names: set[str] = set()
        self._dice = random.Random(history.seed)
        self._people = People(self.world, self.truth, self.reached)
        self._operator = Operator(self)
        self._crashes = 0
        self._struck = 0

    # --- from beginning to end ----------------------------------------------------------------------------------------

    async def play(self, *, again: bool = False) -> None:
        with _listening(self.log):
            await self.yard.start()
            try:
                self.stand_there()
                await self.connect()
                self.truth.began = self.world.clock.now
                for scripted in self.history.steps:
                    await self._step(scripted.step)
                    await self._then(scripted.then)
                await self.finish()
                await self._keep_ledgers()
                if await self.yard.look(_was_stopped):
                    self.reached.add(reached.STOPPED)
                await self.yard.look(lambda tx: erased_is_forgotten(tx, self.truth, self.yard.hub.vault))
                self.reached |= reached.afterwards(self.truth)
                if again:
                    before = self.world.picture()
                    await self.again()
                    await self.rest(END_SECONDS)
                    assert _without_first_shown(self.world.picture(), before) == before, (
                        "what was handled was delivered again, and something changed"
                    )
            finally:
                await self.yard.stop()

    def stand_there(self) -> None:
        """Who is older than the connection was made days before it; nobody hears of that."""
        self.world.crm.fields |= {"wants_news", *OVERRIDES.values()}
        for one in self.history.older:
            self._people.act(one)
        if self.history.older:
            self.world.posts.clear()
            self.world.clock.advance(OLDER_SECONDS)

    async def connect(self) -> None:
        given = "on paper" if self.file.confirmation_given else None
        await self.yard.connect(self.file.settings(), agreed=self.file.agreed, confirmation_given=given)

    async def finish(self) -> None:
        """No more faults; everything arrives, and everything that waits has its time."""
        self.world.faults.none_any_more()
        self.world.fail_after.clear()
        self.world.between.clear()
        self.yard.store.stop_at = self.yard.freezing.freeze_at = None
        await self.rest(QUIET_SECONDS)
        await self.rest(END_SECONDS)

    async def again(self) -> None:
        """Everything that was ever delivered comes once more, twice and in another order."""
        posts = list(self.yard.delivered) * 2
        self._dice.shuffle(posts)
        for post in posts:
            await self.surviving(functools.partial(self.yard.post, post))
        await self.rest(QUIET_SECONDS)

    # --- steps --------------------------------------------------------------------------------------------------------

    async def _step(self, step: Step) -> None:
        match step:
            case Wait():
                if step.seconds > LONGEST_REST_SECONDS:
                    self.world.clock.advance(step.seconds - QUIET_SECONDS)  # asleep: each poll would cost its time
                await self.rest(step.seconds if step.seconds <= LONGEST_REST_SECONDS else QUIET_SECONDS)
            case Jump():
                self.world.clock.advance(step.seconds)
            case Again():
                await self.again()
                self.reached.add(reached.TWICE)
            case CallFails():
                self.world.faults.at_next(step.fault, step.calls_before)
            case Freezes():
                self.yard.freezing.freeze_at = self.yard.store.writes + 1 + step.writes_before
            case FailsAfter():
                self.world.fail_after[step.effect] = step.fault
            case StopsAtWrite():
                self.yard.store.after = step.after
                self.yard.store.stop_at = self.yard.store.writes + 1 + step.writes_before
            case Automation():
                for turn in range(step.times):
                    by: By = "person" if turn == step.by_hand else "workflow"
                    self._people.act(Write(who=step.who, by=by, values={step.field: "…"}))
                    await self.rest(step.seconds)
            case Disconnects():
                await self._operator.disconnect(step.away_seconds)
            case RotatesKey():
                await self._operator.rotate_key(sealed=step.sealed)
            case BacksUp():
                await self._operator.back_up()
            case Syncs():
                await self.surviving(lambda: self._operator.sync(cancels=step.cancels))
            case Clicks():
                await self.surviving(lambda: self._operator.click(step.who, step.what))
            case Unlinks():
                await self.surviving(lambda: self._operator.unlink(step.who))
            case LinksAgain():
                await self.surviving(lambda: self._operator.link_again(step.who))
            case RestoresBackUp():
                await self._operator.restore()
            case Meanwhile():
                call = self.world.faults.calls + 1 + step.calls_before
                self.world.between[call] = functools.partial(self._between, step)
            case _:
                self._people.act(step)

    async def _between(self, step: Meanwhile) -> None:
        """People act while a call of the hub is on its way; told of it, the hub knows before its next but one.

        Nothing freezes meanwhile: a call that is on its way for longer than a lease is what no lease can help against.
        """
        if isinstance(step.step, Unlinks):
            await self._operator.unlink(step.step.who)
        else:
            self._people.act(step.step)
        if not step.told:
            return
        freeze_at, self.yard.freezing.freeze_at = self.yard.freezing.freeze_at, None
        while self.world.posts:
            await self.yard.post(self.world.posts[0])
            self.world.posts.pop(0)
        self.yard.freezing.freeze_at = freeze_at
        self.truth.told_at_once(self.yard.told)

    # --- webhooks and time --------------------------------------------------------------------------------------------

    async def _then(self, then: Then) -> None:
        posts = self.world.posts
        match then:
            case "hold":
                return
            case "twice":
                if posts:
                    self.reached.add(reached.TWICE)
                posts.extend(list(posts))
            case "shuffled":
                self._dice.shuffle(posts)
            case "dropped":
                posts[:] = [post for post in posts if post.connector != "toymail"]
        await self.rest(0.0 if then == "run" else QUIET_SECONDS)

    async def rest(self, seconds: float) -> None:
        """Everything that waits is delivered, and the hub runs until nothing is due; then time passes in the same way."""
        until = self.world.clock.now + seconds
        await self.surviving(lambda: self.yard.settle(max(until - self.world.clock.now, 0.0)))
        await self.yard.look(law_8.at_rest)
        waiting = (await self.yard.look(inbox.counts)).get("waiting", 0)
        if self._struck == self.world.struck + self._crashes or not waiting:
            self.truth.quiet(self.yard.told)
            self.yard.told.clear()
        self._struck = self.world.struck + self._crashes

    async def surviving(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except Stopped:
                self._crashes += 1
                assert self._crashes < MOST_CRASHES, "stopped too often"
                self.reached |= await crashed_where(self.yard, self.world)
                await suppressed_with_the_ledger(self.yard)
                await self.yard.look(law_8.at_rest)
                await self.yard.restart()
            else:
                return

    async def _keep_ledgers(self) -> None:
        """What the database says of every address: its facts as they were stored, and whether it is suppressed."""
        vault = self.yard.hub.vault
        for person in PEOPLE:
            digest = vault.address(f"{person}@example.com")

            def load(tx: Tx, digest: str = digest) -> Ledger:
                self.names.update(row["address"] for row in tx.all("select address from contact"))
                self.names.update(row["remembered"] for row in tx.all("select remembered from contact"))
                rows = tx.all("select body from ledger where address = :address order by id", address=digest)
                out = tx.one("select since from suppression where address = :address", address=digest)
                return Ledger(facts=tuple(msgspec.json.decode(row["body"]) for row in rows), suppressed=out is not None)

            self.truth.ledgers[f"{person}@example.com"] = await self.yard.look(load)


def _was_stopped(tx: Tx) -> bool:
    """Whether the breaker ever held something, be it that a later change of the contact took its place."""
    return bool(tx.all("select id from outbox where code in (:held, 'overtaken')", held=KEEPS_CHANGING))


def _without_first_shown(after: Any, before: Any) -> Any:
    """`after`, but for a state shown where none was: a contact that got a known address is met when that is told of once more."""
    for name, record in after["shop"].items():
        shown = before["shop"].get(name, {}).get("values", {})
        for mirror in MIRRORS:
            if shown.get(mirror) is None:
                record["values"].pop(mirror, None)
                shown.pop(mirror, None)
    return after


@contextmanager
def _listening(lines: list[str]) -> Iterator[None]:
    """Everything that is logged, at every level."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, ear = logging.getLogger(), Ear()
    ear.setFormatter(logging.Formatter("%(name)s %(message)s %(exc_text)s"))
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(ear)
        root.setLevel(level)

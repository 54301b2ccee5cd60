"""Plays a history and compares both sides with the oracle whenever the world has come to rest."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from stellwerk_simulation import orders
from stellwerk_simulation.history import (
    PEOPLE,
    UNSAID,
    BackUp,
    Bounce,
    Confirm,
    Deed,
    Delete,
    EditThere,
    Erase,
    GoBack,
    History,
    Hold,
    Leave,
    Merge,
    Move,
    OptOut,
    Restore,
    Save,
    Step,
    Sync,
    Trouble,
    Unlink,
    Wait,
    Watch,
    Write,
)
from stellwerk_simulation.loop import run
from stellwerk_simulation.oracle import Oracle
from stellwerk_simulation.orders import Differs
from stellwerk_simulation.people import Person, Record
from stellwerk_simulation.seen import HERE, explained, must, seen
from stellwerk_simulation.summary import UNANSWERED
from stellwerk_simulation.world import World

MEMORY = Path("/dev/shm")
MOST_SECONDS = 120.0
"""How long a history may take by the clock on the wall; what takes longer is told like what goes wrong."""
FULL_SECONDS = 60.0
SETTING_UP_SECONDS = 120.0  # longer than the two clocks are apart: who is made before is older than the connection


class Played(Struct, frozen=True, kw_only=True):
    """How a history ended: None, or what was wrong after which step. `trail` tells one playing from another."""

    wrong: str | None
    trail: tuple[str, ...]
    calls: int
    crashes: int
    hours: float
    reached: dict[str, int]
    """How often each deed happened, and each fault struck."""

    why: tuple[str, ...] = ()
    """What the hub itself says of the contacts that are not as they must be."""


def play(history: History, *, overheard: Callable[[Oracle], None] = lambda oracle: None) -> Played:
    """Play it in a world of its own, from beginning to end; equal histories end equally. `overheard` may deafen the oracle."""
    folder = Path(tempfile.mkdtemp(prefix="stellwerk-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        player = _Player(history, folder)
        overheard(player.oracles[PEOPLE[0]])
        return run(player.play(), seconds=MOST_SECONDS)
    finally:
        shutil.rmtree(folder)


class _Player:
    def __init__(self, history: History, folder: Path) -> None:
        self.history = history
        self.folder = folder
        own = [Oracle({**UNSAID, **settings}) for settings in history.connections]
        self.oracles = {email: own[history.connection_of(who)] for who, email in enumerate(PEOPLE)}
        for one in history.older:
            record = Record(alive=True, older=True, fields=dict(one.values))
            self.oracles[PEOPLE[one.who]].people[PEOPLE[one.who]].record = record
        self.why: list[str] = []
        self.binned: dict[str, int] = {}
        self.backed_up = self.full = False
        self.out_then: list[int] = []

    async def play(self) -> Played:
        world = self.world = World(self.folder, self.history.seed, len(self.history.connections))
        world.process.skew = self.history.skew
        began, wrong = world.now(), None
        try:
            for one in self.history.older:
                world.vendors.write(one.by, PEOPLE[one.who], one.values)
            if self.history.older:
                await world.pass_time(SETTING_UP_SECONDS)
            await world.begin(self.history.connections)
            await world.sleep(SETTING_UP_SECONDS)
            await world.rest()
            for number, step in enumerate(self.history.steps):
                if self._is_unanswered():
                    world.reached[UNANSWERED] += 1
                    break
                try:
                    await self._step(step)
                except AssertionError as found:
                    wrong = f"after step {number}: {found}"
                    self.why = self.why or [line for email in PEOPLE for line in explained(world, email)]
                    break
        finally:
            if world.process.running:
                world.process.kill()
            await world.process.gone()
        return Played(
            wrong=wrong,
            trail=tuple(world.network.log),
            calls=world.network.calls,
            crashes=world.process.crashes,
            reached=self._reached(),
            hours=(world.now() - began) / 3600,
            why=tuple(self.why),
        )

    async def _step(self, step: Step) -> None:
        self._begin_trouble(step.trouble)
        if self.full and isinstance(step.deed, Hold | Save | Sync | Unlink | Watch):
            # Whoever gives an order gives it until it is taken, which it is not before there is room.
            asyncio.get_running_loop().call_later(FULL_SECONDS, self._make_room)
        await self._do(step)
        if step.hasty:
            return
        if self.full:
            await self.world.sleep(FULL_SECONDS)
            self._make_room()
        await self.world.rest()
        self._end_trouble()
        await self.world.rest()
        if not self._is_unanswered():
            self._compare()

    def _make_room(self) -> None:
        self.full = False
        if self.world.process.running:
            self.world.process.store.fill_disk(False)

    def _begin_trouble(self, trouble: Trouble) -> None:
        world = self.world
        world.faults += [(world.network.calls + ahead, kind) for ahead, kind in trouble.calls]
        if trouble.crash is not None:
            world.process.fate.crash_at = world.process.fate.steps + trouble.crash
            world.process.crash_next = trouble.again
        world.lose_hooks += trouble.lose
        world.deaf_hooks += trouble.deaf
        world.vendors.disorder(trouble.disorder)
        if trouble.full:
            self.full = True
            world.process.store.fill_disk(True)

    def _end_trouble(self) -> None:
        world = self.world
        world.faults.clear()
        world.process.fate.crash_at = world.process.crash_next = None
        world.lose_hooks = world.deaf_hooks = 0
        world.vendors.disorder(False)

    async def _do(self, step: Step) -> None:
        # A back-up knows nothing of these, and no report tells of them again.
        self.backed_up = self.backed_up and not isinstance(step.deed, Save | Sync | Unlink | Watch | Move | Merge)
        if await self._happens(step.deed):
            self.world.reached[type(step.deed).__name__] += 1

    async def _happens(self, deed: Deed) -> bool:
        """Whether it could be done, as things stand."""
        world, vendors, oracles = self.world, self.world.vendors, self.oracles
        email = PEOPLE[getattr(deed, "who", 0)]
        oracle, happened = oracles[email], True
        match deed:
            case Write():
                orders.write(world, oracles, deed)
            case Confirm():
                if happened := vendors.confirm(email) == "confirmed":
                    oracle.confirmed(email)
            case Leave():
                if happened := (self._is_heard(oracle.people[email]) and vendors.leave(email)):
                    oracle.left(email, world.now())
            case EditThere():
                if happened := vendors.edit_there(email, deed.field, deed.value):
                    oracle.edited_there(email, HERE[deed.field], deed.value, world.now())
                    world.told_by_polls += 1
            case Wait(asleep=False):
                await world.sleep(deed.hours * 3600)
            case Wait():
                world.reached["process ended for hours"] += 1
                world.process.kill()
                await world.process.gone()
                await world.pass_time(deed.hours * 3600)
                await world.process.restart()
            case Bounce():
                if happened := vendors.bounce(email):
                    oracle.bounced(email)
                    world.told_by_polls += 1
            case Delete():
                number = vendors.delete(email)
                if happened := number is not None:
                    self.binned[email] = number
                    oracle.deleted(email)
            case Restore():
                if happened := email in self.binned and vendors.restore(email, self.binned.pop(email)):
                    oracle.restored(email)
            case Erase():
                if happened := vendors.erase(email):
                    oracle.deleted(email, for_privacy=True)
            case OptOut():
                if happened := vendors.opt_out(email, out=deed.out):
                    oracle.opted_out(email, out=deed.out)
            case Unlink() if oracle.people[email].linked:
                await orders.unlink(world, oracles, deed, lambda: self._happens(deed.meanwhile))
            case Unlink():
                happened = False
            case Save():
                await orders.save(world, oracles, deed)
            case Hold():
                await orders.hold(world, oracles, deed.meanwhile)
            case Watch():
                await orders.watch(world, oracles, deed)
            case Sync():
                await orders.run_sync(world, oracles, deed)
            case Merge():
                happened = orders.merge(world, oracles, email, PEOPLE[deed.other])
            case Move():
                happened = orders.move(world, oracles, email, PEOPLE[deed.to], deed.by)
            case BackUp():
                if happened := world.process.running:
                    await world.process.back_up("back-up")
                    self.backed_up = True
                    self.out_then = self._opt_outs()
            case GoBack():
                # An opt-out that the back-up does not know is learnt from the report, and after the asks that followed it.
                if happened := self.backed_up and self._opt_outs() == self.out_then:
                    await world.process.restore("back-up")
                    await orders.go_on(world)
                    world.told_by_polls += 1
        return happened

    def _is_unanswered(self) -> bool:
        """Whether somebody stands on both sides and is not in: Maileon's next word of her links the two, whenever that is heard."""
        people = (oracle.people[email] for email, oracle in self.oracles.items())
        return any(one.record.alive and one.there.alive and not one.linked for one in people)

    def _is_heard(self, one: Person) -> bool:
        """Of whom no contact was ever linked with, or is any more, only the webhook tells that she left: reports name her no more."""
        known = one.linked or one.binned.alive or one.within is not None
        fate = self.world.process.fate
        return known or not (self.world.lose_hooks or self.full or fate.crash_at is not None or fate.dead)

    def _reached(self) -> dict[str, int]:
        history, reached = self.history, Counter(self.world.reached)
        reached["clock ahead"] += history.skew > 0
        reached["clock behind"] += history.skew < 0
        reached["two connections"] += len(history.connections) > 1
        return dict(+reached)

    def _opt_outs(self) -> list[int]:
        return [oracle.people[email].opt_outs for email, oracle in self.oracles.items()]

    def _compare(self) -> None:
        differences = []
        for email, oracle in self.oracles.items():
            demanded, does = must(oracle.people[email]), seen(self.world, email)
            found = [
                f"{email}: {name} must be {each}, is {does[name]}"
                for name, each in demanded.items()
                if each != does[name]
            ]
            found += [f"{email}: nothing of it must be in portal {one}" for one in self.world.vendors.astray(email)]
            if found:
                self.why += explained(self.world, email)
            differences += found
        if differences:
            raise Differs("; ".join(differences))

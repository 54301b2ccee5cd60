"""Plays a history and compares both sides with the oracle whenever the world has come to rest."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.cli.explain import lines_of
from stellwerk.errors import StellwerkError
from stellwerk.relay import holding
from stellwerk.relay.hub import Hub
from stellwerk.store.store import Tx
from stellwerk.view.activity import activity
from stellwerk_simulation.fate import Gone
from stellwerk_simulation.history import (
    PEOPLE,
    BackUp,
    Bounce,
    Confirm,
    Delete,
    EditThere,
    Erase,
    GoBack,
    History,
    Hold,
    Leave,
    Restore,
    Step,
    Trouble,
    Wait,
    Write,
)
from stellwerk_simulation.loop import run
from stellwerk_simulation.oracle import CARRIED, Oracle
from stellwerk_simulation.vendors import Record
from stellwerk_simulation.world import World

MEMORY = Path("/dev/shm")
HELD_SECONDS = 60.0
SETTING_UP_SECONDS = 120.0  # longer than the two clocks are apart: who is made before is older than the connection


class Differs(AssertionError):
    """What is shown is not what must be."""


class Played(Struct, frozen=True, kw_only=True):
    """How a history ended: None, or what was wrong after which step. `trail` tells one playing from another."""

    wrong: str | None
    trail: tuple[str, ...]
    calls: int
    crashes: int
    hours: float
    why: tuple[str, ...] = ()
    """What the hub itself says of the contacts that are not as they must be."""


def play(history: History, *, overheard: Callable[[Oracle], None] = lambda oracle: None) -> Played:
    """Play it in a world of its own, from beginning to end; equal histories end equally. `overheard` may deafen the oracle."""
    folder = Path(tempfile.mkdtemp(prefix="stellwerk-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        player = _Player(history, folder)
        overheard(player.oracle)
        return run(player.play())
    finally:
        shutil.rmtree(folder)


class _Player:
    def __init__(self, history: History, folder: Path) -> None:
        self.history = history
        self.folder = folder
        self.oracle = Oracle(history.settings)
        self.why: list[str] = []
        self.binned: dict[str, int] = {}
        self.backed_up = self.full = False
        self.out_then: set[tuple[str, int]] = set()

    async def play(self) -> Played:
        world = self.world = World(self.folder, self.history.seed)
        world.process.skew = self.history.skew
        began, wrong = world.now(), None
        try:
            await world.begin(self.history.settings)
            await world.sleep(SETTING_UP_SECONDS)
            await world.rest()
            for number, step in enumerate(self.history.steps):
                try:
                    await self._step(step)
                except AssertionError as found:
                    wrong = f"after step {number}: {found}"
                    self.why = self.why or [line for email in PEOPLE for line in self._explained(email)]
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
            hours=(world.now() - began) / 3600,
            why=tuple(self.why),
        )

    async def _step(self, step: Step) -> None:
        self._begin_trouble(step.trouble)
        await self._do(step)
        if step.hasty:
            return
        if self.full:
            self.full = False
            await self.world.sleep(60)
            self.world.process.store.fill_disk(False)
        await self.world.rest()
        self._end_trouble()
        await self.world.rest()
        self._compare()

    def _begin_trouble(self, trouble: Trouble) -> None:
        world = self.world
        world.faults += [(world.network.calls + ahead, kind) for ahead, kind in trouble.calls]
        if trouble.crash is not None:
            world.process.fate.crash_at = world.process.fate.steps + trouble.crash
        world.lose_hooks += trouble.lose
        world.deaf_hooks += trouble.deaf
        world.vendors.disorder(trouble.disorder)
        if trouble.full:
            self.full = True
            world.process.store.fill_disk(True)

    def _end_trouble(self) -> None:
        world = self.world
        world.faults.clear()
        world.process.fate.crash_at = None
        world.lose_hooks = world.deaf_hooks = 0
        world.vendors.disorder(False)

    async def _do(self, step: Step) -> None:
        world, vendors, oracle, deed = self.world, self.world.vendors, self.oracle, step.deed
        email = PEOPLE[getattr(deed, "who", 0)]
        match deed:
            case Write():
                vendors.write(deed.by, email, deed.values)
                oracle.wrote(email, deed.by, deed.values, world.now())
            case Confirm():
                if vendors.confirm(email) == "confirmed":
                    oracle.confirmed(email)
            case Leave():
                if vendors.leave(email):
                    oracle.left(email)
            case EditThere():
                if vendors.edit_there(email, deed.field, deed.value):
                    oracle.edited_there(email, deed.field, deed.value)
                    world.told_by_polls += 1
            case Wait():
                if deed.asleep:
                    world.process.kill()
                    await world.process.gone()
                    await world.pass_time(deed.hours * 3600)
                    await world.process.restart()
                else:
                    await world.sleep(deed.hours * 3600)
            case Bounce():
                if vendors.bounce(email):
                    oracle.bounced(email)
                    world.told_by_polls += 1
            case Delete():
                number = vendors.delete(email)
                if number is not None:
                    self.binned[email] = number
                    oracle.deleted(email)
            case Restore():
                if email in self.binned and vendors.restore(self.binned.pop(email)):
                    oracle.restored(email)
            case Erase():
                if vendors.erase(email):
                    oracle.erased(email)
            case Hold():
                await self._hold(deed.meanwhile)
            case BackUp():
                if world.process.running:
                    await world.process.back_up("back-up")
                    self.backed_up = True
                    self.out_then = self.oracle.everybody_out()
            case GoBack():
                # An opt-out that the back-up does not know is learnt from the report, and after the asks that followed it.
                if self.backed_up and self.oracle.everybody_out() <= self.out_then:
                    await world.process.restore("back-up")
                    await self._operator(lambda hub: holding.go_on(hub, by="jo"))
                    world.told_by_polls += 1

    async def _hold(self, meanwhile: Write) -> None:
        """Nothing is mailed while an operator holds it; what was held is made up for."""
        world, email = self.world, PEOPLE[meanwhile.who]
        await self._operator(lambda hub: holding.hold(hub, by="jo"))
        before = len(world.vendors.news.mails)
        world.vendors.write(meanwhile.by, email, meanwhile.values)
        self.oracle.wrote(email, meanwhile.by, meanwhile.values, world.now())
        await world.sleep(HELD_SECONDS)
        if len(world.vendors.news.mails) != before:
            raise Differs("a mail went out while everything that mails was held")
        await self._operator(lambda hub: holding.go_on(hub, by="jo"))

    async def _operator(self, order: Callable[[Hub], Awaitable[object]]) -> None:
        """Somebody who gives an order until it is taken: the hub may be ending, or its disk be full."""
        while True:
            hub = self.world.process.hub
            try:
                await order(hub)
            except (StellwerkError, Gone, asyncio.CancelledError):
                await self.world.sleep(10)
            else:
                return

    # --- what both sides show -----------------------------------------------------------------------------------------

    def _compare(self) -> None:
        differences = []
        for email in PEOPLE:
            must, does = self.oracle.expected(email), self._shown(email)
            found = [
                f"{email}: {name} must be {must[name]}, is {does[name]}" for name in must if must[name] != does[name]
            ]
            if found:
                self.why += self._explained(email)
            differences += found
        if differences:
            raise Differs("; ".join(differences))

    def _explained(self, email: str) -> list[str]:
        hub = self.world.process.hub
        known = self.world.process.store._read(lambda tx: activity(tx, hub.vault, email))
        return lines_of(msgspec.to_builtins(known))

    def _shown(self, email: str) -> dict[str, Any]:
        vendors = self.world.vendors
        record, there = vendors.record(email), vendors.subscriber(email)
        digest = self.world.process.hub.vault.address(email)

        def suppressed(tx: Tx) -> bool:
            return tx.one("select since from suppression where address = :address", address=digest) is not None

        return {
            "crm": None if record is None else self._record(record),
            "news": None if there is None else {"permission": there.permission, **there.standard},
            "mails": len(vendors.mails(email)),
            "suppressed": self.world.process.store._read(suppressed),
        }

    def _record(self, record: Record) -> dict[str, Any]:
        values = record.values
        notes = [text.removeprefix("<p>").partition("</p>")[0] for text in self.world.vendors.notes(record)]
        return {
            "subscribe": values.get("maileon_subscribe", ""),
            "stage": values.get("lifecyclestage", ""),
            **{name: values[name] for name in CARRIED if name in values},
            "status": values.get("maileon_status", ""),
            "permission": values.get("maileon_permission", ""),
            "entries": dict(Counter(notes)),
        }

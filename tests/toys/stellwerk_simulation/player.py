"""Plays a history and compares both sides with the oracle whenever the world has come to rest."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.cli.explain import lines_of
from stellwerk.store.store import Tx
from stellwerk.view.activity import activity
from stellwerk_simulation import orders
from stellwerk_simulation.history import (
    FIELDS,
    PEOPLE,
    UNSAID,
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
    Merge,
    Move,
    OptOut,
    Restore,
    Save,
    Step,
    Sync,
    Trouble,
    Wait,
    Watch,
    Write,
)
from stellwerk_simulation.loop import run
from stellwerk_simulation.oracle import Oracle
from stellwerk_simulation.orders import Differs
from stellwerk_simulation.people import PERMISSIONS
from stellwerk_simulation.vendors import Record
from stellwerk_simulation.world import World

HERE = {there: here for here, there in FIELDS.items()}
MEMORY = Path("/dev/shm")
SETTING_UP_SECONDS = 120.0  # longer than the two clocks are apart: who is made before is older than the connection


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
        self.oracle = Oracle({**UNSAID, **history.settings}, history.older)
        self.why: list[str] = []
        self.binned: dict[str, int] = {}
        self.backed_up = self.full = False
        self.out_then: list[int] = []

    async def play(self) -> Played:
        world = self.world = World(self.folder, self.history.seed)
        world.process.skew = self.history.skew
        began, wrong = world.now(), None
        try:
            for one in self.history.older:
                world.vendors.write(one.by, PEOPLE[one.who], one.values)
            if self.history.older:
                await world.pass_time(SETTING_UP_SECONDS)
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
        # A back-up knows nothing of these, and no report tells of them again.
        self.backed_up = self.backed_up and not isinstance(deed, Save | Sync | Watch | Move | Merge)
        match deed:
            case Write():
                orders.write(world, oracle, deed)
            case Confirm():
                if vendors.confirm(email) == "confirmed":
                    oracle.confirmed(email)
            case Leave():
                if vendors.leave(email):
                    oracle.left(email)
            case EditThere():
                if vendors.edit_there(email, deed.field, deed.value):
                    oracle.edited_there(email, HERE[deed.field], deed.value)
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
                    oracle.deleted(email, for_privacy=True)
            case OptOut():
                if vendors.opt_out(email, out=deed.out):
                    oracle.opted_out(email, out=deed.out)
            case Save():
                await orders.order(world, lambda _: world.process.save({**oracle.settings, **deed.settings}))
                oracle.settings = {**oracle.settings, **deed.settings}
            case Hold():
                await orders.hold(world, oracle, deed.meanwhile)
            case Watch():
                await orders.watch(world, oracle, deed)
            case Sync():
                await orders.run_sync(world, oracle, deed)
            case Merge():
                orders.merge(world, oracle, email, PEOPLE[deed.other])
            case Move():
                orders.move(world, oracle, email, PEOPLE[deed.to], deed.by)
            case BackUp():
                if world.process.running:
                    await world.process.back_up("back-up")
                    self.backed_up = True
                    self.out_then = self._opt_outs()
            case GoBack():
                # An opt-out that the back-up does not know is learnt from the report, and after the asks that followed it.
                if self.backed_up and self._opt_outs() == self.out_then:
                    await world.process.restore("back-up")
                    await orders.go_on(world)
                    world.told_by_polls += 1

    def _opt_outs(self) -> list[int]:
        return [one.opt_outs for one in self.oracle.people.values()]

    # --- what both sides show -----------------------------------------------------------------------------------------

    def _compare(self) -> None:
        differences = []
        for email in PEOPLE:
            must, does = self.oracle.people[email].shown(), self._shown(email)
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
        record, there = vendors.own(email), vendors.subscriber(email)
        digest = self.world.process.hub.vault.address(email)

        def suppressed(tx: Tx) -> bool:
            return tx.one("select since from suppression where address = :address", address=digest) is not None

        news = None if there is None else {HERE.get(name, name): value for name, value in there.standard.items()}
        return {
            "crm": None if record is None else self._record(record),
            "news": None
            if there is None or news is None
            else {**news, "permission": PERMISSIONS[there.permission - 1]},
            "mails": len(vendors.mails(email)),
            "suppressed": self.world.process.store._read(suppressed),
        }

    def _record(self, record: Record) -> dict[str, Any]:
        values = record.values
        notes = [text.removeprefix("<p>").partition("</p>")[0] for text in self.world.vendors.notes(record)]
        return {
            "subscribe": values.get("maileon_subscribe", ""),
            "stage": values.get("lifecyclestage", ""),
            **{name: values[name] for name in FIELDS if name in values},
            "status": values.get("maileon_status", ""),
            "permission": values.get("maileon_permission", ""),
            "entries": dict(Counter(notes)),
        }

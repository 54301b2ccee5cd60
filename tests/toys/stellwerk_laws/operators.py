"""Whoever runs the hub, and the customer who set the connection up: what they do to a hub that has a history."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from stellwerk.relay import holding, sync
from stellwerk.relay.asking_again import ask_again
from stellwerk.relay.housekeeping import seal_anew
from stellwerk.relay.leaving import ERASED_AFTER_SECONDS, OptOutsWait, disconnect, tidy_up
from stellwerk.relay.linking import link_again, unlink
from stellwerk.relay.sync import SyncRefused
from stellwerk.relay.sync_now import sync_now
from stellwerk.store import connections
from stellwerk.store.store import Tx
from stellwerk_laws import reached
from stellwerk_laws.happenings import PEOPLE
from stellwerk_laws.law_yard import LONGEST_POLL_SECONDS, LawYard
from stellwerk_laws.truth import Apart, Truth
from stellwerk_laws.watched import WatchedWorld
from stellwerk_rules.asking_again import ALLOWED
from stellwerk_toys.yard import ENVIRON

FIRST_KEY = ENVIRON["TOYS_SECRET_KEY"]
BRINGS_IN = ("doi", "create")
SYNC_SECONDS = 20.0


class Played(Protocol):
    """The history that they are part of."""

    yard: LawYard
    world: WatchedWorld
    truth: Truth
    reached: set[str]

    async def connect(self) -> None: ...

    async def rest(self, seconds: float) -> None: ...


class Operator:
    """Nothing else goes wrong while they are at work: that a command of theirs is cut short is for other tests."""

    def __init__(self, played: Played) -> None:
        self._played = played
        self._key = FIRST_KEY
        self._keys_made = 0
        self._copied: tuple[Path, float] | None = None
        self._keys_then: tuple[str, ...] = ()

    async def sync(self, *, cancels: bool) -> None:
        """Also while calls fail and processes stop: what is begun goes on by itself."""
        hub = self._played.yard.hub
        if cancels:
            with suppress(SyncRefused):
                await sync.cancel(hub, connection="toys", by="jo")
        with suppress(SyncRefused):
            await sync.dry_run(hub, connection="toys", by="jo")
        await self._played.yard.settle(SYNC_SECONDS)
        with suppress(SyncRefused):
            await sync.start(hub, connection="toys", by="jo")

    async def click(self, who: int, what: str) -> None:
        """Whatever the page offers: a click of one who makes it up is no other."""
        hub, email = self._played.yard.hub, f"{PEOPLE[who]}@example.com"
        one = await hub.store.read(lambda tx: connections.by_id(tx, "toys"))
        assert one is not None
        if what == "sync-now":
            await sync_now(hub, one, who=email, by="eve")
            return
        told = await ask_again(hub, one, who=email, by="eve", did_not_go_out=what == "not-sent")
        if told is not None and told.code == ALLOWED:
            self._played.reached.add(reached.CLICKED)

    async def unlink(self, who: int) -> None:
        played, email = self._played, f"{PEOPLE[who]}@example.com"
        one = await played.yard.hub.store.read(lambda tx: connections.by_id(tx, "toys"))
        record = played.world.crm.holder(email)
        if one is None or await unlink(played.yard.hub, one, who=email, by="eve") is None or record is None:
            return
        played.truth.apart.append(Apart(email=email, record=record, since=played.world.clock.now))
        played.reached.add(reached.UNLINKED)

    async def link_again(self, who: int) -> None:
        """Whoever has the address by now."""
        played, email = self._played, f"{PEOPLE[who]}@example.com"
        one = await played.yard.hub.store.read(lambda tx: connections.by_id(tx, "toys"))
        if one is None or await link_again(played.yard.hub, one, who=email, by="eve") is None:
            return
        record = played.world.crm.holder(email)
        for apart in played.truth.apart:
            if email == apart.email or (record is not None and apart.record.id in (record.id, *record.took_in)):
                apart.until = min(apart.until, played.world.clock.now)
                played.reached.add(reached.LINKED_AGAIN)

    async def disconnect(self, away_seconds: float) -> None:
        played, yard = self._played, self._played.yard
        start = max(played.truth.calm, default=0.0)
        with self._undisturbed():
            try:
                await yard.store.write(self._end)
            except OptOutsWait:
                return
            yard.left = True
            await tidy_up(yard.hub)
            played.world.clock.advance(away_seconds)
            await yard.settle()
            await tidy_up(yard.hub)
            await played.connect()
        played.truth.knows_nothing_since(start)
        if away_seconds > ERASED_AFTER_SECONDS:
            played.truth.forgets_whom_it_knew()
        played.reached.add(reached.RECONNECTED)

    def _end(self, tx: Tx) -> None:
        one = connections.by_id(tx, "toys")
        assert one is not None
        disconnect(tx, one, who="jo", now=self._played.yard.hub.now())

    async def rotate_key(self, *, sealed: bool) -> None:
        yard = self._played.yard
        with self._undisturbed():
            await seal_anew(yard.hub)  # what stands under a key before the last is lost with it
            self._keys_made += 1
            before, self._key = self._key, f"secret key number {self._keys_made} of the toys' hub, 32 or more"
            yard.keys = (self._key, before)
            await yard.restart()
            if sealed:
                await seal_anew(yard.hub)
                yard.keys = (self._key,)
                await yard.restart()
        self._played.reached.add(reached.ROTATED)

    async def back_up(self) -> None:
        """Only the first is kept."""
        yard = self._played.yard
        if self._copied is not None:
            return
        with self._undisturbed():
            yard.backed_up = True
            await yard.restart()
            await yard.settle()
            await yard.stop()
            folder = yard.path.parent / "copy"
            folder.mkdir()
            for file in _files(yard.path):
                shutil.copy(file, folder / file.name)
            self._copied = (folder, self._played.world.clock.now)
            self._keys_then = yard.keys
            await yard.start()

    async def restore(self) -> None:
        """Nobody is mailed or granted anything until a person says so, who waits until the reports were read."""
        if self._copied is None:
            return
        played, yard, (folder, copied_at) = self._played, self._played.yard, self._copied
        with self._undisturbed():
            await yard.stop()
            for file in _files(yard.path):
                file.unlink()
            for file in folder.iterdir():
                shutil.copy(file, yard.path.parent / file.name)
            yard.keys = self._keys_then
            await yard.start()
            played.truth.knows_nothing_since(copied_at)
            played.truth.restores += 1
            before = len(played.world.touches)
            await played.rest(LONGEST_POLL_SECONDS)
            mailed = [touch for touch in played.world.touches[before:] if touch.what in BRINGS_IN]
            assert not mailed, "a restored back-up mailed or granted before a person said so"
            await holding.go_on(yard.hub, by="jo")
            played.truth.reports_are_read()
        played.reached.add(reached.RESTORED_BACK_UP)
        await played.rest(20.0)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        world, yard = self._played.world, self._played.yard
        planned, after, between = dict(world.faults.plan), dict(world.fail_after), dict(world.between)
        world.faults.none_any_more()
        world.fail_after.clear()
        world.between.clear()
        yard.store.stop_at = yard.freezing.freeze_at = None
        try:
            yield
        finally:
            world.faults.plan.update(planned)
            world.fail_after.update(after)
            world.between.update(between)


def _files(database: Path) -> list[Path]:
    """The database's own files, without the mark beside it."""
    return [
        one for one in sorted(database.parent.glob(database.name + "*")) if "instance" not in one.name and one.is_file()
    ]

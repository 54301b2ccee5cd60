"""The hub of a history: it can be frozen, left and restored."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stellwerk.errors import WebhookError
from stellwerk.relay import instance
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.place import Place
from stellwerk.sdk.http import Http
from stellwerk.store import hold, lease
from stellwerk.store.lease import SECONDS as LEASE_SECONDS
from stellwerk.store.store import Store
from stellwerk_laws.freezing import FreezingStore
from stellwerk_laws.happenings import History
from stellwerk_laws.watched import WatchedWorld
from stellwerk_toys.crm import signed_anew
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.post import Post
from stellwerk_toys.world import HOOK_KEY
from stellwerk_toys.yard import MOST_TURNS, Yard

LONGEST_POLL_SECONDS = 3700.0
"""After so long every report was read."""


class LawYard(Yard):
    """A yard whose shop signs at the moment of delivery, and that remembers who was told of.

    `backed_up`: its database has a copy, so that each start asks whether it is the one that ran last. `left`: it was
    disconnected once, so that webhooks may come to an address that is no more.
    """

    http = Http()

    def __init__(
        self, folder: Path, world: WatchedWorld, history: History, server: PostgresDatabase | None = None
    ) -> None:
        super().__init__(folder, world, history.file.loaded())
        self._server = server
        self.told: set[str] = set()
        self.backed_up = False
        self.left = False

    def open_store(self) -> Store:
        return super().open_store() if self._server is None else self._server.open()

    def assert_no_clear_text(self, *texts: str) -> None:
        if self._server is None:
            super().assert_no_clear_text(*texts)
        else:
            self._server.assert_no_clear_text(*texts)

    async def start(self) -> None:
        if self._server is not None:
            self.place = Place(self.path.parent / "state")
        await super().start()
        if self.place is not None:
            seat = self.place.seat
            await self.store.write(lambda tx: lease.expire_of(tx, seat, self.world.clock()))
        self.freezing = self.hub.store = FreezingStore(self.store, self._taken_over)
        if self.backed_up:
            self.hub.database = self.path
            await instance.begin(self.hub)

    async def settle(self, seconds: float = 0.0) -> None:
        await super().settle(seconds)
        if not self.backed_up:
            return
        await instance.beat(self.hub)
        held = await self.look(hold.standing)
        if held is not None and held.because == hold.PAUSED:
            await super().settle(LONGEST_POLL_SECONDS)
            await instance.end_pause(self.hub)
            await super().settle()

    async def _taken_over(self) -> None:
        """Another process does all there is to do, after the lease of the frozen one has ended."""
        self.world.clock.advance(LEASE_SECONDS + 1.0)
        other = Lanes(self.hub)
        for _ in range(MOST_TURNS):
            if not await self.turn(other):
                return

    async def post(self, post: Post) -> None:
        post = signed_anew(post, HOOK_KEY, self.world.clock.moment())
        try:
            await super().post(post)
        except WebhookError:
            assert self.left, "an authentic webhook was refused"
            return
        if post.what == "goodbye":
            self.told.add(msgspec.json.decode(post.body)["who"])

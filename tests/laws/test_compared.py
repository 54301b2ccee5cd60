"""A comparison at the end of any history: two sides that agree have no drift, nobody is mailed or granted anything, and what it
mends is mended."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings

from stellwerk.relay import reconcile
from stellwerk_laws import steps
from stellwerk_laws.happenings import History, Leave, Scripted, SignsUpThere, Write
from stellwerk_laws.player import QUIET_SECONDS, Player
from stellwerk_toys.mail import FULL, FULL_PLUS, NOTHING, ONE, TWO

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
LAWS = settings.get_profile("laws")
RISES = (NOTHING, "odd", ONE, TWO, FULL, FULL_PLUS)
LOST = (
    Scripted(Write(who=0, by="form", values={"wants_news": "yes", "name": "…"}), "hold"),
    Scripted(Leave(who=0), "hold"),
    Scripted(Write(who=1, by="person", values={"wants_news": "no"}), "hold"),
)
"""What happens at the end of a history, and nobody is told."""


class Compared(Player):
    """A history whose last webhooks are lost, and which is compared at its end, twice."""

    healthy: dict[str, Any]
    first: dict[str, Any]
    second: dict[str, Any]

    async def finish(self) -> None:
        await super().finish()
        self.healthy = await self._compared(mend=False)
        for scripted in LOST:
            await self._step(scripted.step)
        self.world.posts.clear()
        mails, before = len(self.world.mail.sent), self._permissions()
        self.first = await self._compared()
        self.second = await self._compared()
        assert len(self.world.mail.sent) == mails, "a comparison mailed somebody"
        for one, permission in self._permissions().items():
            assert RISES.index(permission) <= RISES.index(before.get(one, NOTHING)), "a comparison granted something"

    async def _compared(self, *, mend: bool = True) -> dict[str, Any]:
        (begun,) = await reconcile.reconcile(self.yard.hub, by="jo", mend=mend)
        await self.rest(QUIET_SECONDS)
        told = await self.yard.look(lambda tx: reconcile.status(tx, begun["run"]))
        assert told is not None
        assert told["state"] == "done"
        return told

    def _permissions(self) -> dict[str, str]:
        return {one.id: one.permission for one in self.world.mail.records.values()}


def compared(history: History) -> Compared:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        player = Compared(history, Path(folder))
        runner.run(player.play())
    return player


def test_nobody_is_mailed_or_granted_anything_by_a_comparison_and_it_mends_what_it_mends() -> None:
    found: Counter[str] = Counter()

    @settings(LAWS, max_examples=60)
    @given(steps.histories())
    def every_history(history: History) -> None:
        player = compared(history)
        found.update({row["kind"] for row in player.first["drift"]})
        assert [one for one in player.second["found"] if one["mends"]] == [], player.first["found"]
        if not any(isinstance(one.step, SignsUpThere) for one in history.steps):
            # A state grows old by itself: an ask that nobody answers ends without an event.
            assert [one for one in player.healthy["found"] if one["kind"] != "state"] == []

    every_history()
    assert {"opt_out", "entry"} <= found.keys(), f"histories without drift say nothing: {found}"

"""Every law asked of one history."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import uvloop
from hypothesis import currently_in_test_context, event

from stellwerk_laws import law_1, law_2, law_3, law_4, law_5, law_6, law_7, law_9, of_records, of_unlinked
from stellwerk_laws.happenings import History
from stellwerk_laws.player import Player
from stellwerk_toys.databases import PostgresDatabase

_MEMORY = Path("/dev/shm")
"""A disk that waits for nothing, where there is one: what a power cut leaves is another folder's tests."""


def play(history: History, *, again: bool = False, server: PostgresDatabase | None = None) -> Player:
    """The history, played to its end, with every law holding. `again`: and everything delivered once more changes nothing.

    On a file, or on a `server`.
    """
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        player = Player(history, Path(folder), server)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(player.play(again=again))
        for law in (law_1, law_2, law_3, law_4, law_5, law_6, law_7, law_9, of_records, of_unlinked):
            law.holds(player)
    if currently_in_test_context():
        for one in sorted(player.reached):
            event(one)
    return player

"""No table that grows is read from end to end while the hub does its daily work: what waits or has ended slows nobody down."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay import sync
from stellwerk.store.sqlite import SqliteTx
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
DAY = 86_400.0
GROWING = ("inbox", "outbox", "contact", "link", "ledger", "suppression", "trace", "effect", "sync_row")
SCAN = re.compile(rf"^SCAN (?:TABLE )?(?:{'|'.join(GROWING)}|[a-z])\b(?! USING (?:COVERING )?INDEX)")


class Asked(SqliteTx):
    """A transaction that remembers the statements it was given."""

    said: set[str] = set()  # noqa: RUF012 - the test's own, emptied before

    def all(self, sql: str, /, **params: Any) -> Any:
        self.said.add(sql)
        return super().all(sql, **params)

    def one(self, sql: str, /, **params: Any) -> Any:
        self.said.add(sql)
        return super().one(sql, **params)

    def run(self, sql: str, /, **params: Any) -> int:
        self.said.add(sql)
        return super().run(sql, **params)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every statement that is run meanwhile."""
    Asked.said.clear()
    monkeypatch.setattr("stellwerk.store.sqlite.SqliteTx", Asked)
    return Asked.said


async def test_what_the_hub_does_every_day_reads_no_growing_table_from_end_to_end(
    said: set[str], world: World, tmp_path: Path
) -> None:
    for number in range(12):
        world.import_(f"old{number}@example.com", {"name": "Old"})
    world.clock.now += 2 * DAY
    yard = Yard(tmp_path, world)
    await yard.start()
    world.posts.clear()
    await yard.connect()
    said.clear()
    world.form("ada@example.com", {"wants_news": "yes", "name": "Ada"})
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    await sync.dry_run(yard.hub, connection="toys", by="jo")
    await yard.settle(30)
    await sync.start(yard.hub, connection="toys", by="jo")
    await yard.settle(60)
    await yard.stop()
    assert len(said) > 50
    found = {}
    with closing(sqlite3.connect(yard.path)) as database:
        for sql in said:
            names = dict.fromkeys(re.findall(r":([a-z_]+)", sql))
            plan = [row[3] for row in database.execute(f"explain query plan {sql}", names)]
            if slow := [step for step in plan if SCAN.match(step)]:
                found[sql] = slow
    assert not found

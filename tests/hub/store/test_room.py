"""A database whose disk is full: told as that, once in the log, until there is room again."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from stellwerk.errors import StoreError, StoreFull
from stellwerk.store import meta
from stellwerk.store.room import LATELY_SECONDS, Room
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Tx

DONE = [(None, None)]
REFUSED = [(None, StoreFull("no room"))]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_there_is_room_until_a_write_finds_none(clock: Clock) -> None:
    room = Room("db", clock)
    room.note(DONE)
    room.note([(None, StoreError("locked"))])
    assert not room.none
    room.note(REFUSED)
    assert room.none


def test_as_long_as_nothing_is_written_a_full_disk_stays_full(clock: Clock) -> None:
    room = Room("db", clock)
    room.note(REFUSED)
    clock.now = 10 * LATELY_SECONDS
    assert room.none
    room.note([(None, StoreError("locked"))])
    assert room.none


def test_one_small_write_that_fits_is_no_room_yet(clock: Clock) -> None:
    room = Room("db", clock)
    room.note(REFUSED)
    room.note(DONE)
    assert room.none
    clock.now = LATELY_SECONDS
    assert not room.none


def test_the_log_says_once_that_it_is_full_and_once_that_there_is_room(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room("db", clock)
    with caplog.at_level(logging.WARNING, logger="stellwerk"):
        for _ in range(3):
            room.note(REFUSED)
            room.note(DONE)
        clock.now = 2 * LATELY_SECONDS
        for _ in range(3):
            room.note(DONE)
    assert [record.message for record in caplog.records] == [
        "the disk of db is full: nothing new is taken in until there is room; nothing that was is lost",
        "the disk of db has room again; what waited goes on",
    ]


@pytest.mark.anyio
async def test_a_write_that_finds_no_room_is_told_as_one_and_loses_nothing(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "stellwerk.db")
    await store.write(lambda tx: meta.count(tx, "kept"))

    def most_pages(tx: Tx, more: int) -> None:
        row = tx.one("pragma page_count")
        assert row is not None
        tx.one(f"pragma max_page_count={row['page_count'] + more}")

    def large(tx: Tx) -> None:
        for number in range(500):
            meta.count(tx, f"{number}" * 100)

    await store.write(lambda tx: most_pages(tx, 0))
    assert not store.full
    with pytest.raises(StoreFull, match="full"):
        await store.write(large)
    assert store.full
    assert await store.read(meta.counters) == {"kept": 1}
    await store.write(lambda tx: most_pages(tx, 10_000))
    await store.write(large)
    assert (await store.read(meta.counters))["kept"] == 1
    await store.close()

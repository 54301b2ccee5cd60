"""What the embedded adapter promises of its file."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stellwerk.errors import StoreError
from stellwerk.store import meta
from stellwerk.store.sqlite import SqliteStore, connect
from stellwerk.store.store import Tx


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.mark.anyio
async def test_a_second_hub_is_told_that_the_file_is_in_use(path: Path) -> None:
    store = SqliteStore.open(path)
    with pytest.raises(StoreError, match=r"hub\.db is in use by another hub; stop that one first"):
        SqliteStore.open(path)
    await store.write(lambda tx: meta.count(tx, "undisturbed"))
    await store.close()


@pytest.mark.anyio
async def test_a_file_that_was_let_go_can_be_opened_again(path: Path) -> None:
    await SqliteStore.open(path).close()
    await SqliteStore.open(path).close()


def test_the_folder_of_a_new_database_is_made(tmp_path: Path) -> None:
    async def open_and_close() -> None:
        await SqliteStore.open(tmp_path / "state" / "of a hub?" / "hub #1.db").close()

    asyncio.run(open_and_close())
    assert (tmp_path / "state" / "of a hub?" / "hub #1.db").exists()


@pytest.mark.anyio
async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(path: Path) -> None:
    await SqliteStore.open(path).close()
    raw = sqlite3.connect(path)
    raw.execute(
        "insert into _sqlite_migrations (migration_set, name, applied_at) values ('stellwerk', 'of tomorrow', '2030')"
    )
    raw.execute("delete from _sqlite_migrations where name = 'tables'")
    raw.execute("drop table counter")
    raw.commit()
    with pytest.raises(StoreError, match="written by a newer version"):
        SqliteStore.open(path)
    assert raw.execute("select count(*) from sqlite_master where name = 'counter'").fetchone() == (0,)
    raw.close()


def test_a_refused_file_is_not_kept_locked(path: Path) -> None:
    path.write_bytes(b"this is a letter to my aunt and no database at all" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be used as a database"):
            SqliteStore.open(path)


@pytest.mark.anyio
async def test_a_command_reads_the_file_while_a_hub_has_it_and_cannot_write(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.write(lambda tx: meta.count(tx, "seen"))
    reader = connect(path, read_only=True)
    assert reader.execute("select value from counter where name = 'seen'").fetchone()[0] == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("update counter set value = 9")
    await store.write(lambda tx: meta.count(tx, "seen"))
    assert reader.execute("select value from counter where name = 'seen'").fetchone()[0] == 2
    reader.close()
    await store.close()


@pytest.mark.anyio
async def test_a_command_reads_a_file_that_no_hub_has(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.write(lambda tx: meta.count(tx, "seen"))
    await store.close()
    reader = connect(path, read_only=True)
    assert reader.execute("select value from counter").fetchone()[0] == 1
    reader.close()


def test_a_read_only_command_makes_no_database(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connect(path, read_only=True)
    assert not path.exists()


@pytest.mark.anyio
async def test_every_commit_waits_for_the_disk(path: Path) -> None:
    store = SqliteStore.open(path)
    assert (await store.write(lambda tx: tx.one("pragma synchronous"))) == {"synchronous": 2}
    assert (await store.write(lambda tx: tx.one("pragma journal_mode"))) == {"journal_mode": "wal"}
    await store.close()


@contextmanager
def full_disk(most_bytes: int) -> Iterator[None]:
    """No file of this process grows beyond `most_bytes`; Python ignores the signal, the write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.anyio
async def test_a_commit_that_fails_fails_every_write_of_its_group_and_the_next_one_works(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.write(lambda tx: meta.count(tx, "before"))
    wal = path.with_name(path.name + "-wal")
    busy = threading.Event()

    async def count(name: str) -> None:
        await store.write(lambda tx: meta.count(tx, name))

    with full_disk(wal.stat().st_size + 512):
        first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))
        await asyncio.sleep(0.02)
        group = [asyncio.ensure_future(count(f"lost {number}")) for number in range(3)]
        await asyncio.sleep(0)
        busy.set()
        await first
        answers = await asyncio.gather(*group, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreError] * 3
    assert all("did not take a write" in str(answer) for answer in answers)
    await store.write(lambda tx: meta.count(tx, "after"))
    assert await store.read(meta.counters) == {"before": 1, "after": 1}
    await store.close()


@pytest.mark.anyio
async def test_a_transaction_that_is_undone_under_a_write_fails_every_write_of_its_group(path: Path) -> None:
    store = SqliteStore.open(path)

    def undone_whole(tx: Tx) -> None:
        tx.run("rollback")  # what SQLite does by itself after some I/O errors
        raise sqlite3.OperationalError("disk I/O error")

    busy = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))
    await asyncio.sleep(0.02)
    works = (lambda tx: meta.count(tx, "lost"), undone_whole, lambda tx: meta.count(tx, "lost too"))
    group = [asyncio.ensure_future(store.write(work)) for work in works]
    await asyncio.sleep(0)
    busy.set()
    await first
    answers = await asyncio.gather(*group, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreError] * 3
    assert await store.read(meta.counters) == {}
    await store.close()


WRITES_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from stellwerk.store import inbox
from stellwerk.store.inbox import NewEvent
from stellwerk.store.sqlite import SqliteStore

async def main():
    store = SqliteStore.open(Path(sys.argv[1]))

    async def one(lane):
        for number in range(1_000_000):
            name = f"{lane}-{number}"
            event = NewEvent(account="a", dedup=name, subject=name, kind="k", body=b"x" * 200, occurred=None, received=0.0, urgency=1)
            await store.write(lambda tx: inbox.put(tx, [event]))
            sys.stdout.write(name + "\\n")
            sys.stdout.flush()

    await asyncio.gather(*(one(lane) for lane in range(20)))

asyncio.run(main())
"""


@pytest.mark.slow
def test_everything_acknowledged_before_a_kill_is_on_disk_after_it(path: Path) -> None:
    for enough in (1, 400):
        writer = subprocess.Popen([sys.executable, "-c", WRITES_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(enough)]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout.readlines() if line.endswith("\n")]
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL

        async def found() -> set[str]:
            store = SqliteStore.open(path)
            rows = await store.read(lambda tx: tx.all("select dedup from inbox"))
            await store.write(lambda tx: tx.run("delete from inbox"))
            await store.close()
            return {row["dedup"] for row in rows}

        assert len(acknowledged) >= enough
        assert set(acknowledged) <= asyncio.run(found())


@pytest.mark.anyio
async def test_a_read_that_the_database_refuses_is_named(path: Path) -> None:
    store = SqliteStore.open(path)
    with pytest.raises(StoreError, match="could not be read"):
        await store.read(lambda tx: tx.all("select nothing from nowhere"))
    assert await store.read(meta.counters) == {}
    await store.close()

"""What the adapter for a server promises besides the contract: several processes, and a server that goes away."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stellwerk.errors import StoreAway, StoreError, StoreFull
from stellwerk.store import lease, meta
from stellwerk.store.address import looking, open_store, shown
from stellwerk.store.postgres import PostgresStore
from stellwerk.store.schema import KNOWN_MIGRATIONS
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Tx
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.pg_server import Server

pytestmark = pytest.mark.anyio
END_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'stellwerk'"


@pytest.fixture
def database(pg_server: Server) -> PostgresDatabase:
    return PostgresDatabase(pg_server)


@pytest.fixture
def stopped(pg_server: Server) -> Iterator[Server]:
    """The server, which does not run during the test."""
    pg_server.stop()
    yield pg_server
    pg_server.start()


async def test_writes_of_two_processes_happen_one_after_the_other(database: PostgresDatabase) -> None:
    stores = [PostgresStore.open(database.url) for _ in range(2)]
    held, go_on = threading.Event(), threading.Event()

    def slowly(tx: Tx) -> None:
        before = meta.counters(tx).get("seen", 0)
        held.set()
        go_on.wait(10)
        tx.run("delete from counter")
        meta.count(tx, "seen", before + 1)

    first = asyncio.ensure_future(stores[0].write(slowly))
    await asyncio.to_thread(held.wait, 10)
    second = asyncio.ensure_future(stores[1].write(slowly))
    await asyncio.sleep(0.05)
    assert not second.done()
    go_on.set()
    await asyncio.gather(first, second)
    assert await stores[1].read(meta.counters) == {"seen": 2}
    for store in stores:
        await store.close()


async def test_two_processes_that_claim_at_once_get_an_account_each_or_one_gets_none(
    database: PostgresDatabase,
) -> None:
    stores = [PostgresStore.open(database.url) for _ in range(2)]
    for account in ("mail:1", "mail:2", "mail:3"):
        await stores[0].write(lambda tx, account=account: lease.wake(tx, account, 0))  # type: ignore[misc]
    claims = [store.write(lambda tx: lease.claim(tx, "x", 5)) for store in stores * 2]
    taken = [one.account for one in await asyncio.gather(*claims) if one is not None]
    assert sorted(taken) == ["mail:1", "mail:2", "mail:3"]
    for store in stores:
        await store.close()


async def test_two_processes_that_start_at_once_make_the_tables_once(pg_server: Server) -> None:
    url = pg_server.url(pg_server.new_schema())
    stores = await asyncio.gather(*(asyncio.to_thread(PostgresStore.open, url) for _ in range(3)))
    assert (
        await stores[2].read(lambda tx: {row["name"] for row in tx.all("select name from migration")})
        == KNOWN_MIGRATIONS
    )
    for store in stores:
        await store.close()


async def test_both_adapters_have_the_same_tables_with_the_same_columns(
    database: PostgresDatabase, tmp_path: Path
) -> None:
    on_a_file = SqliteStore.open(tmp_path / "hub.db")
    tables = "select name from sqlite_master where type = 'table' and name not like '%sqlite%'"
    columns = {
        (row["name"], column["name"])
        for row in await on_a_file.read(lambda tx: tx.all(tables))
        for column in await on_a_file.read(lambda tx, row=row: tx.all(f"pragma table_info({row['name']})"))  # type: ignore[misc]
    }
    await on_a_file.close()
    await database.open().close()
    there = "select table_name, column_name from information_schema.columns where table_schema = '{}' and table_name <> 'migration'"
    assert set(database.server.ask(there.format(database.schema))) == columns


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(pg_server: Server) -> None:
    schema = pg_server.new_schema()
    await PostgresStore.open(pg_server.url(schema)).close()
    pg_server.ask("insert into migration (name) values ('of tomorrow')", schema)
    pg_server.ask("delete from migration where name = 'tables'", schema)
    pg_server.ask("drop table counter", schema)
    with pytest.raises(StoreError, match="written by a newer version"):
        PostgresStore.open(pg_server.url(schema))
    assert pg_server.ask("select to_regclass('counter')", schema) == [(None,)]


def test_a_server_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"postgresql://localhost:1/hub cannot be reached") as refused:
        open_store("postgresql://jo:very-hidden@localhost:1/hub", tmp_path)
    assert "very-hidden" not in str(refused.value)
    assert "very-hidden" not in shown("postgresql://jo:very-hidden@localhost:1/hub", tmp_path)


def test_an_address_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no address of a PostgreSQL database"):
        open_store("postgresql://localhost/hub?colour=red", tmp_path)


def test_a_database_that_no_hub_has_used_shows_nothing(pg_server: Server, tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="has the hub of this file ever run"),
        looking(pg_server.url(pg_server.new_schema()), tmp_path),
    ):
        pass


async def test_what_looks_cannot_write(database: PostgresDatabase, tmp_path: Path) -> None:
    store = database.open()
    await store.write(lambda tx: meta.count(tx, "seen"))
    with looking(database.url, tmp_path) as tx:
        assert meta.counters(tx) == {"seen": 1}
    with pytest.raises(StoreError, match="read-only"), looking(database.url, tmp_path) as tx:
        meta.count(tx, "seen")
    assert await store.read(meta.counters) == {"seen": 1}
    await store.close()


async def test_a_write_whose_session_is_ended_in_the_middle_is_made_once(database: PostgresDatabase) -> None:
    store = database.open()
    runs: list[int] = []

    def cut_off(tx: Tx) -> None:
        runs.append(1)
        meta.count(tx, "seen")
        if len(runs) == 1:
            database.server.ask(END_SESSIONS)
        meta.count(tx, "seen")

    await store.write(cut_off)
    assert await store.read(meta.counters) == {"seen": 2}
    assert len(runs) == 2
    await store.close()


async def test_a_server_that_goes_away_is_told_once_and_work_goes_on_when_it_is_back(
    database: PostgresDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    store = database.open()
    await store.write(lambda tx: meta.count(tx, "seen"))
    await store.read(meta.counters)
    caplog.set_level(logging.WARNING, "stellwerk")
    database.server.stop()
    for _ in range(3):
        with pytest.raises(StoreAway, match="cannot be reached"):
            await store.write(lambda tx: meta.count(tx, "lost"))
        with pytest.raises(StoreAway, match="cannot be reached"):
            await store.read(meta.counters)
    database.server.start()
    await store.write(lambda tx: meta.count(tx, "seen"))
    assert await store.read(meta.counters) == {"seen": 2}
    assert [record.message.partition("/postgres ")[2].split()[0] for record in caplog.records] == ["is", "answers"]
    await store.close()


async def test_a_hub_does_not_start_while_its_server_is_away(stopped: Server, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        open_store(stopped.url(), tmp_path)


async def test_a_process_that_stands_still_in_a_transaction_is_cut_off_before_its_lease_ends(
    database: PostgresDatabase,
) -> None:
    store = database.open()
    (row,) = await store.write(lambda tx: tx.all("show idle_in_transaction_session_timeout"))
    assert row["idle_in_transaction_session_timeout"] == "10s"
    assert lease.SECONDS > 20
    await store.close()


async def test_a_process_frozen_in_a_transaction_keeps_the_others_waiting_no_longer_than_that(
    pg_server: Server,
) -> None:
    schema = pg_server.new_schema()
    frozen = PostgresStore.open(pg_server.url(schema) + "%20-cidle_in_transaction_session_timeout%3D1000")
    other = PostgresStore.open(pg_server.url(schema))
    held, thaw, runs = threading.Event(), threading.Event(), list[int]()

    def stands_still(tx: Tx) -> None:
        runs.append(meta.counters(tx).get("seen", 0))
        meta.count(tx, "seen")
        held.set()
        thaw.wait(20)

    late = asyncio.ensure_future(frozen.write(stands_still))
    await asyncio.to_thread(held.wait, 10)
    await asyncio.wait_for(other.write(lambda tx: meta.count(tx, "seen", 10)), 10)
    assert await other.read(meta.counters) == {"seen": 10}
    thaw.set()
    await late
    assert await other.read(meta.counters) == {"seen": 11}
    assert (runs[0], runs[-1]) == (0, 10)
    for store in (frozen, other):
        await store.close()


async def test_what_is_acknowledged_is_on_disk_whatever_the_servers_default(pg_server: Server) -> None:
    store = PostgresStore.open(pg_server.url(pg_server.new_schema()) + "%20-csynchronous_commit%3Doff")
    assert await store.write(lambda tx: tx.one("show synchronous_commit")) == {"synchronous_commit": "on"}
    await store.close()


async def test_a_server_whose_disk_is_full_is_told_as_one_and_others_of_the_group_stand(
    database: PostgresDatabase,
) -> None:
    store = database.open()
    assert not store.full

    def no_room(tx: Tx) -> None:
        tx.run("do $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$")

    kept, refused = await asyncio.gather(
        store.write(lambda tx: meta.count(tx, "kept")), store.write(no_room), return_exceptions=True
    )
    assert kept is None
    assert isinstance(refused, StoreFull)
    assert store.full
    assert await store.read(meta.counters) == {"kept": 1}
    await store.close()


async def test_a_text_that_the_server_cannot_hold_is_kept_with_a_mark_and_found_again(
    database: PostgresDatabase,
) -> None:
    store = database.open()
    await store.write(lambda tx: meta.set_cursor(tx, "mail:\0", "reports", "page\0 1"))
    assert await store.read(lambda tx: meta.cursor(tx, "mail:\0", "reports")) == "page\N{REPLACEMENT CHARACTER} 1"
    await store.close()


async def test_time_is_the_servers(database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
    store = PostgresStore.open(database.url)
    assert abs(store.now() - real()) < 5.0
    await store.close()


async def test_a_host_whose_clock_is_set_goes_on_by_the_servers(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    store = PostgresStore.open(database.url)
    for hours in (3, -3):
        monkeypatch.setattr(time, "time", lambda hours=hours: real() + hours * 3600.0)
        assert abs(store.now() - real()) < 5.0
    await store.close()

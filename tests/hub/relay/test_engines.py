"""What every engine promises: who drains when, among all processes that share a database."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stellwerk.errors import StoreError
from stellwerk.relay.engine import Engine
from stellwerk.relay.jobs import Jobs
from stellwerk.relay.lanes import Lanes
from stellwerk.store import job_tables
from stellwerk.store.address import open_store
from stellwerk.store.lease import Lease
from stellwerk.store.postgres import PostgresStore
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Store
from stellwerk_toys.errands import TABLE, Remote, Runner, left, put
from stellwerk_toys.pg_server import Server

pytestmark = pytest.mark.anyio
NEVER = 3600.0
TICK_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
Engines = Callable[..., tuple[Runner, Any]]


async def until(true: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = true()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.005)


class Depot:
    """A database with errands in it, and engines on it: each a process of its own to the others."""

    def __init__(self, kind: str, folder: Path, server: Server | None) -> None:
        self.kind = kind
        self.remote = Remote(folder / "remote")
        self.url = "" if server is None else server.url(server.new_schema())
        self._folder = folder
        self._shared: Store | None = None
        self._stores: list[Store] = []

    async def prepare(self) -> None:
        self.store = self._opened()
        await self.store.write(lambda tx: tx.run(TABLE))

    def engine(self, sweep: float = NEVER, lanes: int = 4, call_seconds: float = 0.0) -> tuple[Runner, Engine]:
        number = len(self._stores)
        runner = Runner(self._opened(), f"p{number}", self.remote, self.store.now, call_seconds=call_seconds)
        if self.kind == "jobs":
            return runner, Jobs(runner, self.url, lanes, sweep)
        return runner, Lanes(runner, lanes, sweep)

    async def put(self, account: str, *errands: int) -> None:
        await self.store.write(lambda tx: put(tx, account, errands, self.store.now()))

    async def done(self) -> bool:
        return await self.store.read(left) == 0

    async def close(self) -> None:
        for one in self._stores:
            await one.close()

    def _opened(self) -> Store:
        """On a file there is one process, and one store."""
        if self.url:
            store: Store = PostgresStore.open(self.url)
        elif self._shared is not None:
            return self._shared
        else:
            store = self._shared = SqliteStore.open(self._folder / "hub.db")
        self._stores.append(store)
        return store


@contextlib.asynccontextmanager
async def depot_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Depot]:
    found = Depot(kind, folder, None if kind == "lanes on a file" else request.getfixturevalue("pg_server"))
    await found.prepare()
    yield found
    await found.close()


@pytest.fixture(params=["lanes on a file", "lanes on a server", "jobs"])
async def depot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Depot]:
    async with depot_of(request.param, tmp_path, request) as found:
        yield found


@pytest.fixture(params=["lanes on a server", "jobs"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Depot]:
    """One that several processes can have."""
    async with depot_of(request.param, tmp_path, request) as found:
        yield found


@pytest.fixture
async def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Depot]:
    async with depot_of("jobs", tmp_path, request) as found:
        yield found


# --- of both ------------------------------------------------------------------------------------------------------------


async def test_a_wake_runs_the_drain(depot: Depot) -> None:
    runner, engine = depot.engine()
    async with engine.run(runner.drain):
        await depot.put("mail:1", 1, 2)
        engine.wake()
        await until(depot.done)
    assert [one for one, _, _ in depot.remote.told()] == [1, 2]


async def test_many_wakes_come_to_few_drains(depot: Depot) -> None:
    runner, engine = depot.engine()
    go_on = asyncio.Event()

    async def slowly(held: Lease) -> None:
        await runner.drain(held)
        await go_on.wait()

    async with engine.run(slowly):
        await depot.put("mail:1", 1)
        for number in range(2, 300):
            engine.wake()
            await depot.put("mail:1", number)
        go_on.set()
        engine.wake()
        await until(depot.done)
    assert len(runner.drains) < 10


async def test_a_lost_wake_is_late_by_one_sweep_and_no_more(depot: Depot) -> None:
    runner, engine = depot.engine(sweep=0.05)
    async with engine.run(runner.drain):
        await depot.put("mail:1", 1)
        await until(depot.done)
    assert runner.drains == ["mail:1"]


async def test_what_is_due_later_is_drained_then_though_nobody_wakes_anybody(depot: Depot) -> None:
    runner, engine = depot.engine(sweep=0.05)
    async with engine.run(runner.drain):
        at = depot.store.now() + 0.5
        await depot.store.write(lambda tx: put(tx, "mail:1", [1], at))
        await until(depot.done)
        assert depot.store.now() >= at


async def test_an_account_with_more_to_do_goes_behind_the_others(depot: Depot) -> None:
    runner, engine = depot.engine(lanes=1, call_seconds=0.05)
    for number, account in enumerate(("busy", "calm", "quiet")):
        await depot.put(account, *range(number * 100_000, number * 100_000 + (1000 if account == "busy" else 1)))
    async with engine.run(runner.drain):
        engine.wake()
        await until(depot.done)
    assert set(runner.drains[:3]) == {"busy", "calm", "quiet"}
    assert runner.drains.count("busy") > 1


async def test_a_drain_that_fails_holds_up_nobody(depot: Depot, caplog: pytest.LogCaptureFixture) -> None:
    runner, engine = depot.engine(sweep=0.05)
    failed: list[str] = []

    async def drain(held: Lease) -> None:
        if held.account == "broken" and len(failed) < 5:
            failed.append(held.account)
            raise (KeyError if len(failed) % 2 else StoreError)("somebody's words")
        await runner.drain(held)

    await depot.put("broken", 1)
    await depot.put("mail:1", 2)
    async with engine.run(drain):
        await until(lambda: "mail:1" in runner.drains)
    assert "somebody's words" not in "".join(one.message for one in caplog.records if "a bug" in one.message)


async def test_at_the_end_what_is_under_way_is_finished(depot: Depot) -> None:
    runner, engine = depot.engine()
    begun, ended = asyncio.Event(), []

    async def drain(held: Lease) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        await runner.drain(held)
        ended.append(held.account)

    async with engine.run(drain):
        await depot.put("mail:1", 1)
        engine.wake()
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
    assert ended == ["mail:1"]
    assert await depot.done()


async def test_two_processes_run_each_errand_once(shared: Depot) -> None:
    first, second = shared.engine(sweep=0.05), shared.engine(sweep=0.05)
    async with first[1].run(first[0].drain), second[1].run(second[0].drain):
        for number in range(60):
            await shared.put(f"mail:{number % 6}", number)
            first[1].wake()
        await until(shared.done)
    assert sorted(one for one, _, _ in shared.remote.told()) == list(range(60))


async def test_what_is_done_now_and_then_is_done_by_one_of_all_and_taken_over_when_that_one_ends(shared: Depot) -> None:
    done: list[str] = []
    at_it: list[str] = []

    async def tick(name: str) -> None:
        assert at_it == []
        at_it.append(name)
        try:
            await asyncio.sleep(0.02)
            done.append(name)
        finally:
            at_it.clear()

    engines = [shared.engine() for _ in range(3)]
    for runner, engine in engines:
        engine.every(TICK_SECONDS, "tick", partial(tick, runner.name))
    (last, one), *others = engines
    began = shared.store.now()
    async with one.run(last.drain):
        async with contextlib.AsyncExitStack() as more:
            for runner, engine in others:
                await more.enter_async_context(engine.run(runner.drain))
            await until(lambda: len(done) >= 5)
        together = len(done)
        await until(lambda: len(done) > together + 2)
        most = (shared.store.now() - began) / TICK_SECONDS + 2
    assert set(done[together:]) == {last.name}
    assert len(done) <= most


# --- of jobs ------------------------------------------------------------------------------------------------------------


async def test_a_process_that_only_takes_in_wakes_those_that_drain(jobs: Depot) -> None:
    (_, web), (runner, worker) = jobs.engine(), jobs.engine()
    async with web.run(None), worker.run(runner.drain):
        await jobs.put("mail:1", 1)
        web.wake()
        await until(jobs.done)
        await jobs.put("mail:1", 2)
        web.wake()
        await until(jobs.done)


async def test_jobs_that_are_lost_are_made_again(jobs: Depot, pg_server: Server) -> None:
    (_, web), (runner, worker) = jobs.engine(), jobs.engine(sweep=0.05)
    async with web.run(None):
        await jobs.put("mail:1", 1)
        web.wake()
        schema = job_tables.ready(jobs.url)
        await until(lambda: pg_server.ask("select queueing_lock from procrastinate_jobs", schema) == [("mail:1",)])
    pg_server.ask("delete from procrastinate_jobs", schema)
    async with worker.run(runner.drain):
        await until(jobs.done)
    assert pg_server.ask("select count(*) from procrastinate_jobs", schema) == [(0,)]


async def test_a_job_that_a_killed_process_had_begun_holds_up_nothing_and_is_gone_in_time(
    jobs: Depot, pg_server: Server
) -> None:
    (_, web), (runner, worker) = jobs.engine(), jobs.engine(sweep=0.05)
    async with web.run(None):
        await jobs.put("mail:1", 1)
        web.wake()
        schema = job_tables.ready(jobs.url)
        await until(lambda: pg_server.ask("select count(*) from procrastinate_jobs", schema) == [(1,)])
    pg_server.ask("insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 day')", schema)
    pg_server.ask(
        "update procrastinate_jobs set status = 'doing', worker_id = (select min(id) from procrastinate_workers)",
        schema,
    )
    async with worker.run(runner.drain):
        await until(jobs.done)
        await until(lambda: pg_server.ask("select count(*) from procrastinate_jobs", schema) == [(0,)])


async def test_the_engines_own_lock_is_never_used(jobs: Depot, pg_server: Server) -> None:
    """A job for later would hold up one that is ready."""
    _, web = jobs.engine()
    async with web.run(None):
        for account in ("mail:1", "mail:2"):
            await jobs.put(account, int(account[-1]))
        web.wake()
        schema = job_tables.ready(jobs.url)
        asked = "select lock, queueing_lock, args ->> 'account' from procrastinate_jobs order by id"
        await until(lambda: len(pg_server.ask(asked, schema)) == 2)
    assert pg_server.ask(asked, schema) == [(None, name, name) for name in ("mail:1", "mail:2")]


async def test_tables_that_somebody_dropped_are_made_again_while_it_runs(
    jobs: Depot, pg_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    runner, worker = jobs.engine(sweep=0.05)
    async with worker.run(runner.drain):
        await jobs.put("mail:1", 1)
        await until(jobs.done)
        pg_server.ask(f"drop schema {job_tables.ready(jobs.url)} cascade")
        await jobs.put("mail:1", 2)
        await until(jobs.done)
    assert [one.message.partition(":")[0] for one in caplog.records if one.name == "stellwerk"] == ["engine"]


async def test_a_server_that_goes_away_is_waited_for_and_told_once(
    jobs: Depot, pg_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    runner, worker = jobs.engine(sweep=0.05)
    async with worker.run(runner.drain):
        await jobs.put("mail:1", 1)
        await until(jobs.done)
        pg_server.stop()
        await until(lambda: any("is away" in one.message for one in caplog.records))
        pg_server.start()
        await jobs.put("mail:2", 2)  # the first may be held by a drain that could not say that it had ended
        await until(jobs.done)
    told = [one.message for one in caplog.records if one.name == "stellwerk"]
    assert len([one for one in told if "is away" in one]) <= 2  # the store of the process, and the test's own
    assert not [one for one in told if "bug" in one]


# --- the tables of jobs -------------------------------------------------------------------------------------------------


async def test_processes_that_start_at_once_make_the_tables_once_and_two_hubs_in_one_database_have_their_own(
    pg_server: Server,
) -> None:
    urls = [pg_server.url(pg_server.new_schema()) for _ in range(2)]
    made = await asyncio.gather(*(asyncio.to_thread(job_tables.ready, url, anew=True) for url in urls * 3))
    assert len(set(made)) == 2
    assert made[:2] == made[2:4] == made[4:]


async def test_tables_of_another_version_are_made_anew_at_a_start_and_refused_in_between(pg_server: Server) -> None:
    url = pg_server.url(pg_server.new_schema())
    schema = job_tables.ready(url)
    pg_server.ask(f"comment on schema {schema} is 'of another version'")
    pg_server.ask("drop table procrastinate_events", schema)
    with pytest.raises(StoreError, match="of another version; stop every process"):
        job_tables.ready(url)
    assert job_tables.ready(url, anew=True) == schema
    assert pg_server.ask("select count(*) from procrastinate_events", schema) == [(0,)]


async def test_a_user_who_may_make_no_schema_is_told_what_to_have_made(pg_server: Server) -> None:
    schema = pg_server.new_schema()
    pg_server.ask(f"create role poor_{schema} login; grant all on schema {schema} to poor_{schema}")
    url = pg_server.url(schema).replace("postgres@", f"poor_{schema}@")
    with pytest.raises(StoreError, match="permission denied") as refused:
        job_tables.ready(url)
    pg_server.ask(str(refused.value).partition("run there: ")[2])
    job_tables.ready(url)


@pytest.mark.parametrize("missing", ["psycopg", "psycopg_pool", "procrastinate"])
def test_without_the_extra_a_server_is_no_database_and_what_to_install_is_said(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(StoreError, match=r"pip install 'stellwerk\[postgres\]'"):
        open_store("postgresql://localhost/hub", tmp_path)

"""Jobs: the engine of several processes, on the PostgreSQL that they share; Procrastinate hands them out.

A job says "drain this account", and at most one of an account waits (`queueing_lock`). Its own `lock` is never used: a job
that is to run later would hold up one that could run now. Who drains is the lease's to say, and jobs that are lost with a
process are made again by the sweep.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg.sql import SQL, Identifier

from stellwerk.errors import StellwerkError, StoreAway, StoreError, StoreFull
from stellwerk.relay.bug import place
from stellwerk.relay.engine import LANES, SWEEP_SECONDS, Drain, Process, until_woken
from stellwerk.relay.timetable import Timetable
from stellwerk.store import job_tables, lease

DRAIN = "drain account"
APPLICATION = "stellwerk jobs"
CONNECT_SECONDS = 2.0
GONE_SECONDS = 600.0
"""A process that did not say for so long that it lives does not come back to its jobs."""

QUICKER = (AlreadyEnqueued, AssertionError)
"""Another process has asked already. The second: Procrastinate 3.10 reads which lock it was from the server's words, in English."""

NEVER_SECONDS = 86_400.0
FAILURES = (ConnectorException, psycopg.Error)

log = logging.getLogger("stellwerk")


class Jobs:
    """An `Engine`."""

    def __init__(self, process: Process, url: str, lanes: int = LANES, sweep: float = SWEEP_SECONDS) -> None:
        self._process = process
        self._seconds = sweep
        self._url = url
        self._lanes = lanes
        self._timetable = Timetable(process)
        self.every = self._timetable.every
        self._woken = asyncio.Event()
        self.wake = self._woken.set
        self._broken = False

    @contextlib.asynccontextmanager
    async def run(self, drain: Drain | None) -> AsyncIterator[None]:
        await asyncio.to_thread(job_tables.ready, self._url, anew=True)
        async with self._timetable.running() if drain is not None else contextlib.nullcontext():
            task = asyncio.create_task(self._keep_at_it(drain), name="jobs")
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _keep_at_it(self, drain: Drain | None) -> None:
        """Whatever breaks, begin again: nothing that is due stands here alone."""
        while True:
            try:
                queue = await asyncio.to_thread(job_tables.ready, self._url)
                async with _opened(self._url, queue, self._lanes) as app:
                    await self._until_it_breaks(app, queue, drain)
            except (StoreAway, StoreFull):
                pass  # the store has said so
            except (StoreError, *FAILURES) as error:
                await self._tell(error)
            except Exception as bug:
                log.error("engine: a bug: %s", place(bug))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _until_it_breaks(self, app: App, queue: str, drain: Drain | None) -> None:
        tasks = [asyncio.create_task(self._sweep(app, queue, self._seconds if drain else None), name="sweep")]
        if drain is not None:
            tasks.append(asyncio.create_task(self._work(app, queue, drain), name="worker"))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error
        raise StoreError("its worker ended by itself")

    # --- asking for drains -------------------------------------------------------------------------------------------

    async def _sweep(self, app: App, queue: str, seconds: float | None) -> None:
        """Ask for a drain of whatever is due: after each `wake`, and each `seconds`."""
        process = self._process
        while True:
            self._woken.clear()
            due = await process.store.read(lambda tx: lease.due(tx, process.now()))
            if due:
                await _ask(app, queue, due)
            self._broken = False
            await until_woken(self._woken, seconds)

    async def _tell(self, error: Exception) -> None:
        """Once, until it works again; of a server that is away the store has told."""
        try:
            await self._process.store.read(lambda tx: tx.one("select 1 as there"))
        except StoreError:
            return
        if not self._broken:
            self._broken = True
            why = error.__cause__ or error
            log.warning("engine: %s; what is due is drained when it works again", " ".join(str(why).split()))

    # --- draining ----------------------------------------------------------------------------------------------------

    async def _work(self, app: App, queue: str, drain: Drain) -> None:
        async def work(account: str) -> None:
            await self._drain(account, drain)

        app.task(name=DRAIN)(work)
        for job in await app.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=GONE_SECONDS):
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        await app.run_worker_async(
            queues=[queue],
            concurrency=self._lanes,
            install_signal_handlers=False,
            delete_jobs="always",
            fetch_job_polling_interval=SWEEP_SECONDS,
            abort_job_polling_interval=NEVER_SECONDS,
            stalled_worker_timeout=GONE_SECONDS,
        )

    async def _drain(self, account: str, drain: Drain) -> None:
        process = self._process
        try:
            held = await process.store.write(lambda tx: lease.claim(tx, process.name, process.now(), account))
            if held is not None:
                await drain(held)
                self.wake()
        except (StoreAway, StoreFull):
            pass  # the store has said so
        except StellwerkError as error:
            log.error("lane: %s", error)
        except Exception as bug:
            log.error("lane: a bug: %s", place(bug))


class _Manager(JobManager):
    """A job whose end cannot be written down is missed by nobody."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        with contextlib.suppress(*FAILURES):
            await super().finish_job(job, status, delete_job)


@contextlib.asynccontextmanager
async def _opened(url: str, schema: str, lanes: int) -> AsyncIterator[App]:
    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        # Each statement is a transaction of its own: a process that stands still leaves none open that others wait for.
        await connection.set_autocommit(True)
        await connection.execute(SQL("set search_path to {}").format(Identifier(schema)))

    connector = PsycopgConnector(
        conninfo=url,
        min_size=1,
        max_size=lanes + 2,
        timeout=CONNECT_SECONDS,
        kwargs={"application_name": APPLICATION},
        configure=configure,
    )
    app = App(connector=connector)
    app.job_manager = _Manager(connector)
    try:
        await app.open_async()
        yield app
    finally:
        await app.close_async()


async def _ask(app: App, queue: str, accounts: Sequence[str]) -> None:
    """A job for each, where none waits: those that wait are looked up, for each that is refused is an error in the server's log."""
    waiting = {job.queueing_lock for job in await app.job_manager.list_jobs_async(queue=queue, status="todo")}
    jobs = [_job(queue, account) for account in accounts if account not in waiting]
    if not jobs:
        return
    try:
        await app.job_manager.batch_defer_jobs_async(jobs)
    except QUICKER:
        for job in jobs:
            with contextlib.suppress(*QUICKER):
                await app.job_manager.defer_job_async(job)


def _job(queue: str, account: str) -> Job:
    return Job(
        id=None, queue=queue, task_name=DRAIN, task_kwargs={"account": account}, queueing_lock=account, lock=None
    )

"""intake: what is received and stored durably, beside raw inserts of the same rows in groups of the same size."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from stellwerk.store.dialect import parameters
from stellwerk.store.postgres import PostgresStore
from stellwerk.store.postgres_session import connect as connected
from stellwerk.store.sqlite import SqliteStore, connect
from stellwerk.store.store import Store
from stellwerk_bench.decide import ENVIRON
from stellwerk_bench.figures import Line, Series, Verdict, interleaved, number, percentile
from stellwerk_bench.inside import URL, opened, take
from stellwerk_bench.posted import EVENTS, Posted, requests
from stellwerk_bench.scene import PORTAL
from stellwerk_toys.pg_server import DURABLE, Server, running

REQUESTS = 400
CALLERS = 16
ROUNDS = 5
OURS, RAW = "Stellwerk, SQLite", "raw inserts, SQLite"
OURS_PG, RAW_PG = "Stellwerk, PostgreSQL", "raw inserts, PostgreSQL"
COLUMNS = ("account", "dedup", "subject", "kind", "body", "occurred", "received", "class", "due", "run")
INSERT = f"insert into inbox ({', '.join(COLUMNS)}) values ({', '.join(':' + one for one in COLUMNS)}) on conflict do nothing"
Rows = Sequence[dict[str, Any]]


def measured(scale: float) -> Line:
    """Events a second that are on disk when the call returns, from 16 callers at once in requests of 100 events."""
    count = max(CALLERS * 2, int(REQUESTS * scale))
    posted = list(
        requests(
            count, secret=ENVIRON["HUBSPOT_CLIENT_SECRET"], base_url=URL, portal=PORTAL, app=int(ENVIRON["HUBSPOT_APP_ID"])
        )
    )  # fmt: skip
    waits: dict[str, list[float]] = {OURS: [], OURS_PG: []}
    sizes: list[float] = []
    sizes_pg: list[float] = []
    with tempfile.TemporaryDirectory(prefix="stellwerk-bench-") as folder, running(DURABLE) as server:
        fresh = _files(Path(folder))
        rows = asyncio.run(_rows_of(fresh(), posted, sizes))
        rates = interleaved(
            [
                (OURS, lambda: asyncio.run(_ours(lambda: SqliteStore.open(fresh()), posted, waits[OURS], sizes))),
                (RAW, lambda: _raw(fresh(), rows, _group(sizes))),
                (OURS_PG, lambda: asyncio.run(_ours(lambda: _on(server), posted, waits[OURS_PG], sizes_pg))),
                (RAW_PG, lambda: _raw_on(server, rows, _group(sizes_pg or sizes))),
            ],
            ROUNDS,
        )
    at_once = f"{CALLERS} callers, requests of {EVENTS} events"
    series = [
        Series(subject=OURS, rounds=rates[OURS], settings=f"{at_once}; WAL, synchronous=FULL; sealed; without HTTP"),
        Series(subject=RAW, rounds=rates[RAW], settings="executemany, a commit after as many rows as ours had; same pragmas, same table and indexes"),
        Series(subject=OURS_PG, rounds=rates[OURS_PG], settings=f"{at_once}; fsync and synchronous_commit on, by a socket"),
        Series(subject=RAW_PG, rounds=rates[RAW_PG], settings="psycopg executemany (pipelined), a commit after as many rows as ours had"),
    ]  # fmt: skip
    ours, raw, ours_pg, raw_pg = (one.median for one in series)
    return Line(
        name="intake",
        title="Durable intake",
        what="webhook requests of 100 events, authentic, sealed, known ones recognised, on disk when the call returns",
        unit="events/s",
        better="higher",
        series=series,
        verdicts=[
            Verdict(
                aim="at least 60 % of raw SQLite inserts of the same rows at the same group size",
                found=f"{ours / raw:.0%}",
                met=ours >= raw * 0.6,
                why="Each event is decoded, sealed with AES-GCM and encoded in Python in the same process, while the"
                " writer's thread holds the interpreter for its inserts: what raw inserts have not, costs the rest.",
            ),
            Verdict(
                aim="PostgreSQL no slower than SQLite",
                found=f"{ours_pg / ours:.0%} of it",
                met=ours_pg >= ours,
                why=f"Raw inserts of the same rows are {raw_pg / raw:.0%} of SQLite's there: the server is a process of its"
                " own, so every row is encoded, sent and decoded again.",
            ),
        ],
        limits="one interpreter: see what the same rows cost raw, and what remains is decoding, sealing and bookkeeping",
        facts={
            "rows in one commit": f"{_group(sizes)} on SQLite, {_group(sizes_pg)} on PostgreSQL: the mean of what the writer found waiting, which raw inserts are given, too",
            "a request, SQLite": _told(waits[OURS]),
            "a request, PostgreSQL": _told(waits[OURS_PG]),
            "Stellwerk on PostgreSQL / raw inserts there": f"{ours_pg / raw_pg:.0%}",
        },
    )


def _files(folder: Path) -> Callable[[], Path]:
    numbers = iter(range(1_000_000))

    def fresh() -> Path:
        for old in folder.iterdir():
            old.unlink()
        return folder / f"{next(numbers)}.db"

    return fresh


def _on(server: Server) -> Store:
    return PostgresStore.open(server.url(server.new_schema()))


def _group(sizes: Sequence[float]) -> int:
    """Rows in a commit, on average."""
    return max(1, round(sum(sizes) / len(sizes))) * EVENTS


async def _rows_of(path: Path, posted: Sequence[Posted], sizes: list[float]) -> Rows:
    """The rows that these requests come to; `sizes` gets how many requests each commit had."""
    await _ours(lambda: SqliteStore.open(path), posted, [], sizes)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(one) for one in connection.execute(f"select {', '.join(COLUMNS)} from inbox order by id")]


async def _ours(
    open_store: Callable[[], Store], posted: Sequence[Posted], waits: list[float], sizes: list[float]
) -> float:
    store = open_store()
    hub = await opened(store)
    await take(hub, posted[0])
    todo = iter(posted[1:])

    async def caller() -> None:
        for one in todo:
            began = time.perf_counter()
            await take(hub, one)
            waits.append(time.perf_counter() - began)

    with _counting(store, sizes):
        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        took = time.perf_counter() - began
    await hub.close()
    return (len(posted) - 1) * EVENTS / took


@contextmanager
def _counting(store: Any, sizes: list[float]) -> Any:
    """How many requests each commit had."""
    writer, commit = store._writer, store._writer._commit

    def counted(works: list[Any]) -> Any:
        sizes.append(len(works))
        return commit(works)

    writer._commit = counted
    try:
        yield
    finally:
        writer._commit = commit


def _raw(path: Path, rows: Rows, size: int) -> float:
    asyncio.run(_made(path))
    with closing(connect(path)) as connection:
        began = time.perf_counter()
        for start in range(0, len(rows), size):
            connection.execute("begin immediate")
            connection.executemany(INSERT, rows[start : start + size])
            connection.execute("commit")
        return len(rows) / (time.perf_counter() - began)


async def _made(path: Path) -> None:
    await SqliteStore.open(path).close()


def _raw_on(server: Server, rows: Rows, size: int) -> float:
    url = server.url(server.new_schema())
    asyncio.run(PostgresStore.open(url).close())
    with closing(connected(url)) as connection:
        cursor: psycopg.Cursor[Any] = connection.cursor(binary=True)
        statement = parameters(INSERT).encode()
        began = time.perf_counter()
        for start in range(0, len(rows), size):
            with connection.transaction():
                cursor.executemany(statement, rows[start : start + size])
        return len(rows) / (time.perf_counter() - began)


def _told(waits: Sequence[float]) -> str:
    return f"median {number(percentile(waits, 0.5) * 1000)} ms, p99 {number(percentile(waits, 0.99) * 1000)} ms"

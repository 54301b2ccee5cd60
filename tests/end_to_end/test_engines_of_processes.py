"""What engines promise of processes that are killed, that stand still, and that have more to do than they can."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay.drain import SLICE_SECONDS
from stellwerk.store.postgres import PostgresStore
from stellwerk_toys.errands import TABLE, Remote
from stellwerk_toys.pg_server import Server

pytestmark = pytest.mark.slow
HASTE = 30.0
"""Of the processes' clock: a lease ends after three seconds."""

PATIENCE_SECONDS = 90.0
CALL_SECONDS = 0.05
SLOW_CALL_SECONDS = 0.5
"""So slow that the backlogs outlast the events beside them, also on a quick machine."""

EVENTS = 10


def until(what: str, true: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


class Works:
    """Processes on one database, errands for them, and the remote that they call."""

    def __init__(self, engine: str, folder: Path, server: Server) -> None:
        self.remote = Remote(folder / "remote")
        self.ticks = Remote(folder / "remote.ticks")
        self._engine = engine
        self._schema = server.new_schema()
        self._url = server.url(self._schema)
        self._server = server
        self._running: list[subprocess.Popen[str]] = []
        store = PostgresStore.open(self._url)
        self._begun = store.now()
        asyncio.run(store.close())
        server.ask(TABLE, self._schema)

    def process(self, haste: float = HASTE, **more: Any) -> subprocess.Popen[str]:
        """One that has begun. It is cut off when it stands still in a transaction for a second."""
        told = {
            "url": self._url + "%20-cidle_in_transaction_session_timeout%3D1000",
            "engine": self._engine,
            "name": f"p{len(self._running)}",
            "remote": str(self.remote.path),
            "begun": self._begun,
            "haste": haste,
            "call_seconds": CALL_SECONDS,
            **more,
        }
        command = [sys.executable, "-m", "stellwerk_toys.errand_process", json.dumps(told)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        one = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self._running.append(one)
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        return one

    def put(self, account: str, first: int, count: int) -> None:
        """Errands that are due from now on, told to nobody."""
        with self._server.connected(self._schema) as connection, connection.transaction():
            rows = "insert into errand select number, %s, 'waiting' from generate_series(%s::bigint, %s) number"
            connection.execute(rows, (account, first, first + count - 1))
            connection.execute(
                "insert into lease (account, wake) values (%s, 0) on conflict (account) do update set wake = 0",
                (account,),
            )

    def all_done(self) -> bool:
        return self._server.ask("select count(*) from errand where state <> 'done'", self._schema) == [(0,)]

    def close(self) -> None:
        for one in self._running:
            if one.poll() is None:
                os.kill(one.pid, signal.SIGCONT)
                one.terminate()
        for one in self._running:
            try:
                one.wait(30)
            finally:
                one.kill()
                assert one.stdout is not None
                one.stdout.close()


@pytest.fixture(params=[pytest.param("lanes", marks=pytest.mark.long), "jobs"])
def works(request: pytest.FixtureRequest, tmp_path: Path, pg_server: Server) -> Iterator[Works]:
    found = Works(request.param, tmp_path, pg_server)
    yield found
    found.close()


def stands_still(one: subprocess.Popen[str]) -> None:
    assert one.stdout is not None
    assert one.stdout.readline().startswith("stands still at ")


def test_a_killed_process_is_followed_and_nothing_is_lost_or_doubled(works: Works) -> None:
    works.put("mail:1", 0, 2000)
    killed = works.process()
    until("the first calls", lambda: len(works.remote.told()) > 200)
    killed.kill()
    other = works.process()
    until("the rest", works.all_done)
    assert other.poll() is None
    told = Counter(one for one, _, _ in works.remote.told())
    assert sorted(told) == list(range(2000))
    assert set(told.values()) == {1}
    assert {by for _, by, _ in works.remote.told()} == {"p0", "p1"}


@pytest.mark.parametrize(
    "where",
    [
        "inside the transaction of sent",
        pytest.param("before the call", marks=pytest.mark.long),
        pytest.param("after the call", marks=pytest.mark.long),
        pytest.param("inside the transaction of done", marks=pytest.mark.long),
    ],
)
def test_a_process_that_stands_still_for_longer_than_its_lease_neither_doubles_nor_blocks(
    works: Works, where: str
) -> None:
    works.put("mail:1", 0, 1000)
    frozen = works.process(freeze=where)
    stands_still(frozen)
    works.process()
    works.put("mail:2", 10_000, 10)
    until("the rest", works.all_done)
    os.kill(frozen.pid, signal.SIGCONT)
    works.put("mail:3", 20_000, 500)
    until("what came later", works.all_done)
    told = Counter(one for one, _, _ in works.remote.told())
    assert sorted(told) == [*range(1000), *range(10_000, 10_010), *range(20_000, 20_500)]
    assert set(told.values()) == {1}
    assert frozen.poll() is None


@pytest.mark.long
def test_what_is_done_now_and_then_goes_on_in_another_process_when_one_is_killed_and_when_one_stands_still(
    works: Works,
) -> None:
    first, second = works.process(tick=6.0), works.process(tick=6.0)
    third = works.process(tick=6.0)
    until("some rounds", lambda: len(works.ticks.told()) >= 3)
    first.kill()
    os.kill(second.pid, signal.SIGSTOP)
    before = len(works.ticks.told())
    until("rounds of the third", lambda: len(works.ticks.told()) > before + 2)
    os.kill(second.pid, signal.SIGCONT)
    until("a few more", lambda: len(works.ticks.told()) > before + 6)
    told = [at for _, _, at in works.ticks.told()]
    assert len(told) <= (told[-1] - told[0]) * HASTE / 6.0 + 3
    assert third.poll() is None


@pytest.mark.long
def test_one_event_does_not_wait_for_the_backlogs_of_the_others(works: Works) -> None:
    """One at a time, beside 19 accounts with 4,000 each. All wait for their turn: of 20, eight are drained at once."""
    for number in range(19):
        works.put(f"busy:{number}", number * 10_000, 4000)
    for _ in range(2):
        works.process(haste=1.0, slice_seconds=SLICE_SECONDS, call_seconds=SLOW_CALL_SECONDS)
    until("the first calls", works.remote.told)
    waited = []
    for event in range(1_000_000, 1_000_000 + EVENTS):
        began = time.time()
        works.put("quiet", event, 1)
        (at,) = until("the event", lambda event=event: [at for one, _, at in works.remote.told() if one == event])
        waited.append(at - began)
    assert not works.all_done()
    waited.sort()
    print(f"{works._engine}: p50 {waited[EVENTS // 2]:.2f} s, slowest {waited[-1]:.2f} s")
    until("all", works.all_done)
    assert len(works.remote.told()) == 19 * 4000 + EVENTS
    assert waited[-1] < 20 * SLICE_SECONDS  # its turn among all, were they drained one after the other

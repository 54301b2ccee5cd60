"""`stellwerk run` in a process that ends, or stands still, at a chosen point. Run with `python -m stellwerk_crash.dying run …`.

A point is just before or just after a commit, a call, or the writing of the small file beside the database. Every point is
written to the log as it is passed, so that the last line says where the process ended.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from stellwerk.cli import main
from stellwerk.relay import drain, instance
from stellwerk.relay.grip import GrippedHttp
from stellwerk.sdk.http import Http, HttpResponse
from stellwerk.store import lease, postgres
from stellwerk.store.postgres import PostgresStore
from stellwerk.store.sqlite import SqliteStore

ORDER, LOG, LEASE = "STELLWERK_CRASH", "STELLWERK_CRASH_LOG", "STELLWERK_CRASH_LEASE"
STOPS_WITHIN_SECONDS = 0.1
SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}
WITHIN: ContextVar[bool] = ContextVar("within", default=False)
NAMED = re.compile(r"[^/]*@[^/]*|[0-9]+|SW-[^/]+")


class Points:
    """Counts what is passed. `order` is `kill:` or `freeze:` and a point, by its number or how its name begins; `count:0` only counts."""

    def __init__(self, order: str, log: Path) -> None:
        what, _, self._point = order.partition(":")
        self._signal = SIGNALS.get(what)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self._passed = 0

    def passed(self, what: str) -> None:
        """From the loop's thread and the writer's alike."""
        with self._lock:
            self._passed += 1
            os.write(self._log, f"{self._passed} {what}\n".encode())
            if self._signal is not None and self._is_it(what):
                one, self._signal = self._signal, None
                os.kill(os.getpid(), one)
                time.sleep(STOPS_WITHIN_SECONDS)  # the lock is held, so that no other thread passes a point meanwhile

    def _is_it(self, what: str) -> bool:
        return self._passed == int(self._point) if self._point.isdecimal() else what.startswith(self._point)


def watch(points: Points) -> None:
    """Put points around every commit of the store, every call of a connector, and the small file."""
    works: list[str] = []

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql != "commit":
                return super().execute(sql, *parameters)
            what = " + ".join(sorted(set(works))) or "opening"
            points.passed(f"before commit: {what}")
            done = super().execute(sql)
            points.passed(f"after commit: {what}")
            return done

    def naming(commit: Callable[[Any, list[Any]], list[Any]]) -> Callable[[Any, list[Any]], list[Any]]:
        def named(self: Any, group: list[Any]) -> list[Any]:
            works[:] = [_name(work) for work in group]
            return commit(self, group)

        return named

    control = postgres._control

    def controlled(connection: Any, statements: str) -> None:
        if statements != "commit":
            control(connection, statements)
            return
        what = " + ".join(sorted(set(works)))
        points.passed(f"before commit: {what}")
        control(connection, statements)
        points.passed(f"after commit: {what}")

    write = instance._write

    def small_file(path: Path, mark: instance.Mark) -> None:
        points.passed("before the small file")
        write(path, mark)
        points.passed("after the small file")

    sqlite3.connect = partial(sqlite3.connect, factory=Watched)  # type: ignore[assignment]
    SqliteStore._commit = naming(SqliteStore._commit)  # type: ignore[method-assign]
    PostgresStore._commit = naming(PostgresStore._commit)  # type: ignore[method-assign]
    postgres._control = controlled
    for kind in (Http, GrippedHttp):
        kind.request = _around(points, kind.request)  # type: ignore[method-assign]
    instance._write = small_file


def _around(points: Points, call: Callable[..., Awaitable[HttpResponse]]) -> Callable[..., Awaitable[HttpResponse]]:
    """A call with its points, counted once however many layers it goes through."""

    async def request(self: Http, method: str, url: str, **more: Any) -> HttpResponse:
        if WITHIN.get():
            return await call(self, method, url, **more)
        what = f"{method} {NAMED.sub('…', unquote(urlsplit(url).path))}"
        within = WITHIN.set(True)
        try:
            points.passed(f"before call: {what}")
            answer = await call(self, method, url, **more)
            points.passed(f"after call: {what}")
        finally:
            WITHIN.reset(within)
        return answer

    return request


def _name(work: Any) -> str:
    """The function that a transaction runs, as its module names it."""
    function = work.func if isinstance(work, partial) else work
    return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__.partition('.')[0]}"


if __name__ == "__main__":
    lease.SECONDS = float(os.environ.get(LEASE, lease.SECONDS))
    drain.BEAT_SECONDS = lease.SECONDS / 4
    watch(Points(os.environ[ORDER], Path(os.environ[LOG])))
    main()

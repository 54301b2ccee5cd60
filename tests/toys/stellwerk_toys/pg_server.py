"""A PostgreSQL of the tests' own, from the distribution's programs: in a folder of its own, reached by a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

START_SECONDS = 60.0
LONGEST_FOLDER = 50
PROGRAMS = "/usr/lib/postgresql"
# Nothing here must outlive the machine: no test cuts its power.
FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=100", "autovacuum=off")
# As a server that keeps what it acknowledged, with memory of its own: for what is measured.
DURABLE = ("shared_buffers=512MB", "max_connections=100")


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; None where they are not installed."""
    for folder in sorted(Path(PROGRAMS).glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True):
        if (folder / "postgres").exists():
            return folder
    found = shutil.which("postgres")
    return None if found is None else Path(found).resolve().parent


class Server:
    """Runs from `start` to `stop`. Each test has a schema, which is a database of its own to a hub."""

    def __init__(self, folder: Path, binaries: Path, settings: Sequence[str] = FAST, port: int | None = None) -> None:
        self.port = port
        """On 127.0.0.1, where it is to be reached so; else only by its socket."""
        self.folder = folder
        self._settings = settings
        self._binaries = binaries
        self._names = (f"hub_{number}" for number in count(1))
        self._process: subprocess.Popen[bytes] | None = None
        self.shared: str | None = None
        """The schema that tests use one after the other, once it is made."""
        user = _other_user()
        self._as: tuple[str, ...] = ()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}")
            self._as = ("setpriv", *ids, "--clear-groups", "--pdeathsig", "QUIT")
        self._run(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"
        )

    def start(self) -> None:
        where = ("listen_addresses=",) if self.port is None else ("listen_addresses=127.0.0.1", f"port={self.port}")
        settings = [f"-c{one}" for one in (*self._settings, f"unix_socket_directories={self.folder}", *where)]
        with (self.folder / "log").open("ab") as log:
            command = [*self._as, str(self._binaries / "postgres"), "-D", str(self.folder / "data"), *settings]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text()[-3000:]) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT cuts connections off and ends in order; SIGQUIT ends as a crash does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def url(self, schema: str = "") -> str:
        """What stands under `hub.database`."""
        path = f"&options={quote(f'-csearch_path={schema}')}" if schema else ""
        port = "" if self.port is None else f"&port={self.port}"
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder), safe='')}{port}{path}"

    def connected(self, schema: str = "") -> psycopg.Connection[Any]:
        """A connection beside any hub; to be used in a `with`."""
        return psycopg.connect(self.url(schema), autocommit=True)

    def ask(self, sql: str, schema: str = "") -> list[tuple[Any, ...]]:
        """Run a statement beside any hub; its rows."""
        with self.connected(schema) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def new_schema(self) -> str:
        name = next(self._names)
        self.ask(f"create schema {name}")
        return name

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._binaries / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _open_to_all() -> str:
    """Where another user can reach a folder, by a name that is short enough for a socket in it."""
    usual = Path(tempfile.gettempdir()).resolve()
    reachable = all(one.stat().st_mode & stat.S_IXOTH for one in (usual, *usual.parents))
    return str(usual) if reachable and len(str(usual)) < LONGEST_FOLDER else "/tmp"


def _other_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: who it runs as instead; None where nobody else is needed."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextmanager
def running(settings: Sequence[str] = FAST, port: int | None = None) -> Iterator[Server]:
    """A server, ended and gone afterwards."""
    binaries = programs()
    assert binaries is not None
    with tempfile.TemporaryDirectory(prefix="stellwerk-pg-", dir=_open_to_all()) as folder:
        os.chmod(folder, 0o755)  # the other user must be able to be in it
        server = Server(Path(folder), binaries, settings, port)
        server.start()
        try:
            yield server
        finally:
            server.stop()

"""`stellwerk run`: the hub, or one of its processes, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import rich_click as click
import uvicorn
import uvloop

from stellwerk.app import Role, create_app, create_hub
from stellwerk.cli.give import SHORT_SECONDS, to_the_hub, whoami
from stellwerk.cli.guarded import Guarded
from stellwerk.config.load import Loaded, load_or_fail
from stellwerk.errors import InUse, StellwerkError
from stellwerk.registry import Registry, load_connectors
from stellwerk.relay.hub import Hub
from stellwerk.relay.orders import GIVE_WAY, Given
from stellwerk.relay.place import Place
from stellwerk.store.address import database_file

__all__ = ["run"]

GRACE_SECONDS = 20
GIVE_WAY_SECONDS = 60.0
"""How long a command that has the file may need to end what is on its way."""
ASK_SECONDS = 10.0
"""How long somebody who has the file and does not listen is asked: a command that begins or ends, a hub that ends."""
KEEP_ALIVE_SECONDS = 120
"""Above what vendors keep an idle connection for: one that we close just as it is used again costs a webhook."""


@click.command()
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), default="integration.yaml", help="The file to run."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--role",
    type=click.Choice(["all", "web", "worker"]),
    default="all",
    show_default=True,
    help="With PostgreSQL, what this process does: `web` takes in and shows, `worker` reads, decides and delivers.",
)
def run(config: Path, host: str, port: int, role: Role) -> None:
    """Run the hub. A file with a problem starts nothing; TERM or INT ends cleanly."""
    registry = load_connectors()
    try:
        loaded = load_or_fail(config, registry)
        for warning in loaded.warnings:
            click.echo(str(warning), err=True)
        _quiet_logs()
        with _listening(host, port) as taken, _place(loaded, role) as place:
            sys.exit(uvloop.run(_serve(loaded, registry, taken, role, place)))
    except StellwerkError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


async def _serve(loaded: Loaded, registry: Registry, listening: socket.socket, role: Role, place: Place | None) -> int:
    """Serve until a signal; the exit code."""
    hub = await _opened(loaded, registry, place)
    config = uvicorn.Config(
        create_app(hub, role),
        http=Guarded,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Which proxy may be believed is not known, so none is: addresses come from the file.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    # uvicorn raises a caught signal again when all is done, for whoever called it; here nobody is left to be told.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: None)
    server = _Announcing(config)
    try:
        await server.serve(sockets=[listening])
    except SystemExit as ended:
        return 1 if ended.code else 0
    return 0 if server.started else 1


async def _opened(loaded: Loaded, registry: Registry, place: Place | None) -> Hub:
    """The hub. A command that has the file gives it up; raises `InUse` where a hub has it."""
    assert loaded.integration is not None
    folder = loaded.path.absolute().parent
    file = database_file(loaded.integration.hub.database, folder)
    until, given = time.monotonic() + ASK_SECONDS, False
    while True:
        try:
            return await create_hub(loaded, registry, folder=folder, place=place)
        except InUse:
            if file is None:
                raise
            gives = None if given else await asyncio.to_thread(_gives_way, file)
            if gives is False or time.monotonic() > until:
                raise
            if gives:
                until, given = time.monotonic() + GIVE_WAY_SECONDS, True
        await asyncio.sleep(0.1)


def _gives_way(file: Path) -> bool | None:
    """Whether whoever has the file gives it up for a hub; None where nobody says so yet."""
    try:
        answer = to_the_hub(file, Given(order=GIVE_WAY, arguments={"by": whoami()}), seconds=SHORT_SECONDS)
    except StellwerkError:
        return None  # what is wrong is said when the file is opened
    return None if answer is None else answer.refused is None


@contextmanager
def _place(loaded: Loaded, role: Role) -> Iterator[Place | None]:
    """What a process that works has on its host; None on a file, which has one process. Raises `StellwerkError`."""
    assert loaded.integration is not None
    spec, folder = loaded.integration.hub, loaded.path.absolute().parent
    on_a_file = database_file(spec.database, folder) is not None
    if on_a_file and role != "all":
        raise StellwerkError(f"--role {role} is for several processes on one database: hub.database: postgresql://…")
    if on_a_file or role == "web":
        yield None
        return
    with closing(Place(folder / spec.state)) as place:
        yield place


class _Announcing(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        for one in sockets or []:
            host, port = one.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"Stellwerk listens on http://{shown}:{port}")
            sys.stdout.flush()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `StellwerkError` for a port that is taken, before anything is started."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror:
        raise StellwerkError(f"cannot listen on {host}:{port}: no such address on this machine") from None
    except OSError as error:
        raise StellwerkError(f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from None


def _quiet_logs() -> None:
    """One line an event on stderr; normal work is silent."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("uvicorn", "uvicorn.error", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for told in ("procrastinate", "psycopg.pool"):  # of what breaks there, store and engine tell once
        logging.getLogger(told).setLevel(logging.CRITICAL)

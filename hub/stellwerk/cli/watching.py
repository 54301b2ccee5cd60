"""Looking on while a sync runs: in the hub that has the database, and where none runs, in this process.

A hub that starts is never kept waiting: it asks for the file and gets it, and this process goes on looking on. Whoever gave
an order to a hub does not take the file after it; where no hub comes back within a while, that is said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stellwerk.app import create_hub, working
from stellwerk.cli.beside import database_of, view_of
from stellwerk.cli.give import give, listens, to_the_hub, whoami
from stellwerk.config.load import load_or_fail
from stellwerk.errors import StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.relay.hub import Hub
from stellwerk.relay.orders import Given, carry_out, listening
from stellwerk.relay.sync import one_status, statuses
from stellwerk.store import syncs

Status: TypeAlias = dict[str, Any]
RUNNING = "running"
Show: TypeAlias = Callable[[Mapping[str, Any]], None]
LOOK_SECONDS = 0.3
PATIENCE_SECONDS = 60.0
"""How long a hub may be away before looking on ends: whoever restarts it needs a moment."""


class LeftGoing(Exception):
    """Somebody stopped looking on; the sync goes on without them."""


def watched(config: Path, order: str, *, quiet: bool, **arguments: Any) -> Status:
    """Give an order that begins a run or lets it go on, and look on until it is over or stopped. Its last status.

    Raises `StellwerkError` where it is refused or no hub is there any more, `LeftGoing` on Ctrl-C.
    """
    given = Given(order=order, arguments={**arguments, "by": whoami()})
    database = database_of(config)
    answer = to_the_hub(database, given)
    with _progress(quiet=quiet) as show:
        try:
            if answer is not None and answer.refused is not None:
                raise StellwerkError(answer.refused)
            if answer is None and database is not None:
                now = asyncio.run(_here(config, given, show))
                return _beside(config, database, now["run"], show) if now["state"] == RUNNING else now
            begun = give(config, order, **arguments) if answer is None else answer.told
            return _beside(config, database, begun["run"], show)
        except KeyboardInterrupt:
            raise LeftGoing(
                "it goes on in the hub, or when one is started; `stellwerk sync status` says how far it is,"
                " `stellwerk sync resume` looks on, `stellwerk sync stop` stops it"
            ) from None


def _beside(config: Path, database: Path | None, run: int, show: Show) -> Status:
    """Beside the hub that carries it out; it is read and never asked. Raises `StellwerkError` once it is gone for good."""
    look, seen = view_of(config), time.monotonic()
    while True:
        with look() as view:
            found = statuses(view.tx, run=run)
        if not found:
            raise StellwerkError("the sync is not kept any more; its connection was forgotten")
        show(found[0])
        if found[0]["state"] != RUNNING:
            return found[0]
        if database is None or listens(database):
            seen = time.monotonic()
        elif time.monotonic() - seen > PATIENCE_SECONDS:
            raise StellwerkError(
                f"the hub has ended; the {found[0]['kind']} goes on when one runs again, or by `stellwerk sync resume`"
            )
        time.sleep(LOOK_SECONDS)


async def _here(config: Path, given: Given, show: Show) -> Status:
    """No hub has the file: this process is one until the sync is over or a hub starts, without pages and webhooks."""
    registry = load_connectors()
    loaded = load_or_fail(config, registry)
    hub = await create_hub(loaded, registry, folder=loaded.path.absolute().parent)
    try:
        hub.gives_way = asyncio.Event()
        async with listening(hub, hub.database), AsyncExitStack() as work:
            begun = await carry_out(hub, given.order, given.arguments)
            await _begin(hub, work, hub.gives_way)
            while True:
                now = await one_status(hub, begun["run"])
                show(now)
                if now["state"] != RUNNING or hub.gives_way.is_set():
                    return now
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await hub.close()


async def _begin(hub: Hub, work: AsyncExitStack, gives_way: asyncio.Event) -> None:
    """Begin to work, unless a hub wants the file before: what is done first asks the vendors, who may be silent for long."""
    try:
        async with asyncio.timeout(None) as limit:
            asked = asyncio.create_task(_end(limit, gives_way))
            try:
                await work.enter_async_context(working(hub))
            finally:
                asked.cancel()
    except TimeoutError:
        if not limit.expired():
            raise


async def _end(limit: asyncio.Timeout, gives_way: asyncio.Event) -> None:
    await gives_way.wait()
    limit.reschedule(asyncio.get_running_loop().time())


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Show]:
    """Draws how far it is, where somebody sees it."""
    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("contacts", total=None)

        def show(now: Mapping[str, Any]) -> None:
            waiting = now["events_waiting"] + sum(now["deliveries"].get(state, 0) for state in syncs.UNDONE)
            rest = f", {waiting} on their way" if waiting else ""
            bar.update(task, completed=now["contacts"], total=now["total"], description=f"{now['kind']}{rest}")

        yield show

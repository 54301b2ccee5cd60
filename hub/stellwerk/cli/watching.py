"""Looking on while a sync runs: in the hub that has the database, and where none runs, in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stellwerk.app import create_hub, working
from stellwerk.cli.beside import beside, database_of
from stellwerk.cli.give import give, to_the_hub, whoami
from stellwerk.config.load import load_or_fail
from stellwerk.errors import StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.relay.orders import Given, carry_out, listening
from stellwerk.relay.sync import one_status, statuses
from stellwerk.store import syncs

Status: TypeAlias = dict[str, Any]
Show: TypeAlias = Callable[[Mapping[str, Any]], None]
LOOK_SECONDS = 0.3


class LeftGoing(Exception):
    """Somebody stopped looking on; the sync goes on without them."""


def watched(config: Path, order: str, *, quiet: bool, **arguments: Any) -> Status:
    """Give an order that begins a run or lets it go on, and look on until it is over or stopped. Its last status.

    Raises `StellwerkError` where it is refused, `LeftGoing` on Ctrl-C.
    """
    given = Given(order=order, arguments={**arguments, "by": whoami()})
    database = database_of(config)
    answer = to_the_hub(database, given)
    with _progress(quiet=quiet) as show:
        try:
            if answer is not None and answer.refused is not None:
                raise StellwerkError(answer.refused)
            if answer is None and database is not None:
                return asyncio.run(_here(config, given, show))
            begun = give(config, order, **arguments) if answer is None else answer.told
            return _beside(config, begun["run"], show)
        except KeyboardInterrupt:
            raise LeftGoing(
                "it goes on in the hub, or when one is started; `stellwerk sync status` says how far it is,"
                " `stellwerk sync resume` looks on, `stellwerk sync stop` stops it"
            ) from None


def _beside(config: Path, run: int, show: Show) -> Status:
    """Beside the hub that carries it out; it is read and never asked."""
    while True:
        with beside(config) as view:
            found = statuses(view.tx, run=run)
        if not found:
            raise StellwerkError("the sync is not kept any more; its connection was forgotten")
        show(found[0])
        if found[0]["state"] != "running":
            return found[0]
        time.sleep(LOOK_SECONDS)


async def _here(config: Path, given: Given, show: Show) -> Status:
    """No hub has the file: this process is one until the sync is over, without pages and webhooks."""
    registry = load_connectors()
    loaded = load_or_fail(config, registry)
    hub = await create_hub(loaded, registry, folder=loaded.path.absolute().parent)
    try:
        begun = await carry_out(hub, given.order, given.arguments)
        async with listening(hub, hub.database), working(hub):
            while True:
                now = await one_status(hub, begun["run"])
                show(now)
                if now["state"] != "running":
                    return now
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await hub.close()


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

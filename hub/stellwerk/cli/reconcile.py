"""`stellwerk reconcile`: both sides compared, what differs listed, and what is safe to mend mended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.app import create_hub, working
from stellwerk.cli.beside import beside, database_of
from stellwerk.cli.give import CONFIG, JSON, give, printed, to_the_hub, whoami
from stellwerk.config.load import load_or_fail
from stellwerk.errors import StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.relay.orders import Given, carry_out, listening
from stellwerk.relay.reconcile import statuses
from stellwerk.store.store import Tx

__all__ = ["reconcile"]

ORDER = "reconcile"
LOOK_SECONDS = 0.3
PATIENCE_SECONDS = 60.0
"""So long what is looked at again may take to be written; an account that waits for a person takes longer."""
MOST_LINES = 100


@click.command()
@click.argument("connection", required=False)
@click.option("--dry-run", is_flag=True, help="List what differs, and mend nothing.")
@CONFIG
@JSON
def reconcile(connection: str | None, dry_run: bool, config: Path, as_json: bool) -> None:
    """Compare both sides of CONNECTION, or of all, contact by contact; list what differs, then mend it. Also while the hub runs.

    What is mended goes the ordinary way: the contact is looked at again. An opt-out is always carried. Nobody is mailed and
    nothing is granted; what would need that is listed and left. Exit code 1: something differs and is not mended.
    """
    try:
        done = _looked_on(config, connection, mend=not dry_run)
    except KeyboardInterrupt:
        raise StellwerkError("it goes on in the hub, or when one is started") from None
    text = "\n".join(line for one in done for line in _text(one)) or "there is no connection to compare"
    printed(done, text, as_json=as_json)
    raise SystemExit(any(_is_bad(one) for one in done))


def _looked_on(config: Path, connection: str | None, *, mend: bool) -> list[dict[str, Any]]:
    """Begun in the hub that has the database, or in this process where none runs, and looked on until it is over."""
    arguments = {"connection": connection, "mend": mend}
    given = Given(order=ORDER, arguments={**arguments, "by": whoami()})
    database = database_of(config)
    answer = to_the_hub(database, given)
    if answer is not None and answer.refused is not None:
        raise StellwerkError(answer.refused)
    if answer is None and database is not None:
        return asyncio.run(_here(config, given))
    begun = give(config, ORDER, **arguments) if answer is None else answer.told
    runs, since = [one["run"] for one in begun], time.monotonic()
    while True:
        with beside(config) as view:
            told = statuses(view.tx, runs)
        if _is_over(told, time.monotonic() - since):
            return told
        time.sleep(LOOK_SECONDS)


async def _here(config: Path, given: Given) -> list[dict[str, Any]]:
    """No hub has the file: this process is one until it is over, without pages and webhooks."""
    registry = load_connectors()
    loaded = load_or_fail(config, registry)
    hub = await create_hub(loaded, registry, folder=loaded.path.absolute().parent)
    try:
        begun = await carry_out(hub, given.order, given.arguments)
        runs, since = [one["run"] for one in begun], time.monotonic()

        def look(tx: Tx) -> list[dict[str, Any]]:
            return statuses(tx, runs)

        async with listening(hub, hub.database), working(hub):
            while True:
                told = await hub.store.read(look)
                if _is_over(told, time.monotonic() - since):
                    return told
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await hub.close()


def _is_over(told: Sequence[Mapping[str, Any]], seconds: float) -> bool:
    ended = all(one["ended"] is not None for one in told)
    return ended and (seconds > PATIENCE_SECONDS or not any(one["waiting"] for one in told))


def _is_bad(one: Mapping[str, Any]) -> bool:
    left = [row for row in one["drift"] if not one["mend"] or row["mends"] < row["count"]]
    return one["state"] != "done" or bool(left)


def _text(one: Mapping[str, Any]) -> list[str]:
    head = f"comparison {one['run']} of {one['connection']}: {one['state']}, {one['contacts']} contacts"
    lines = [f"{head}, since {one['started']} by {one['by']}"]
    lines += [] if one["drift"] else ["    nothing differs"] if one["state"] == "done" else []
    lines += [f"    {row['count']:>7}  {row['kind']:<12} seen at {row['system']}{_left(row)}" for row in one["drift"]]
    shown = one["found"][:MOST_LINES]
    lines += [f"    {row['kind']} of {row['id']} at {row['system']}" for row in shown]
    more = sum(row["count"] for row in one["drift"]) - len(shown)
    lines += [f"    and {more} more"] if more > 0 else []
    if one["mend"]:
        lines += [f"    {one['mended']} looked at again"] if one["drift"] else []
        lines += [f"    {one['waiting']} of their events and changes still wait"] if one["waiting"] else []
    elif one["drift"]:
        lines += [f"    nothing was mended; to mend: stellwerk reconcile {one['connection']}"]
    lines += [f"    {one['text']} [{one['code']}]"] if one["code"] else []
    return lines


def _left(row: Mapping[str, Any]) -> str:
    left = row["count"] - row["mends"]
    return "" if not left else "; left to a person or an event of its own" + (f": {left}" if row["mends"] else "")

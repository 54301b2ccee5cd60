"""`stellwerk db`: the database as a whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rich_click as click

from stellwerk.cli.beside import followed, hub_of
from stellwerk.cli.give import CONFIG, JSON, printed
from stellwerk.errors import StellwerkError
from stellwerk.store.address import POSTGRES, database_file, shown

__all__ = ["db"]


@click.group()
def db() -> None:
    """The database of a hub as a whole."""


@db.command()
@click.argument("to", metavar="DATABASE")
@CONFIG
@JSON
def move(to: str, config: Path, as_json: bool) -> None:
    """Move the database file of a hub that does not run to a server: postgresql://…, or env:NAME with a password in it.

    All of it or nothing. The file stays, and is not run any more. Then put the address under `hub.database`, and start.
    """
    spec, folder = hub_of(config)
    source, url = database_file(followed("database", spec.database, folder), folder), followed("database", to, folder)
    if source is None or not url.startswith(POSTGRES):
        raise StellwerkError("a database moves from a file (hub.database: sqlite:///FILE) to a server (postgresql://…)")
    if not source.is_file():
        raise StellwerkError(f"{source} is not there; has the hub of this file ever run?")
    target = shown(url, folder)
    from stellwerk.relay.moving import move as carry_over

    told = asyncio.run(carry_over(source, url, folder / spec.state))
    rows = sum(told.values())
    text = f"{rows} rows of {len(told)} tables are at {target} now; put that under hub.database in {config}, and start the hub"
    printed({"to": target, "rows": told}, text, as_json=as_json)

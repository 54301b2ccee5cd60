"""Giving an order: to the hub that has the database, and where none runs, carried out here."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from stellwerk.app import create_hub
from stellwerk.cli.beside import database_of
from stellwerk.config.load import load_or_fail
from stellwerk.errors import StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.relay.orders import Answer, Given, carry_out, named, socket_of
from stellwerk.view.moment import moment

CONFIG = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), default="integration.yaml", help="The hub's file."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print what a program can read.")
LONGEST_SECONDS = 300.0
SHORT_SECONDS = 5.0
"""For what is answered at once or not at all."""


def give(config: Path, order: str, **arguments: Any) -> Any:
    """What the hub tells. Raises `StellwerkError` where it refuses, `ConfigError` for a wrong file."""
    given = Given(order=order, arguments={**arguments, "by": whoami()})
    answer = to_the_hub(database_of(config), given)
    if answer is None:
        return asyncio.run(_here(config, given))
    if answer.refused is not None:
        raise StellwerkError(answer.refused)
    return answer.told


def whoami() -> str:
    """Who typed the command, as the machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody at the command line"


def printed(told: Any, text: str, *, as_json: bool) -> None:
    """Tell it: `told` for programs, `text` for people."""
    click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() if as_json else text)


def with_moments(row: Mapping[str, Any], *times: str) -> dict[str, Any]:
    """The row with its `times` as people and programs read them; of what was never, None stays."""
    told = {name: None if row[name] is None else moment(row[name]) for name in times}
    return {**row, **told}


def to_the_hub(database: Path | None, given: Given, *, seconds: float = LONGEST_SECONDS) -> Answer | None:
    """The answer of the hub that listens; None where none does, and for a database on a server, which is everybody's."""
    if database is None:
        return None
    path = socket_of(database)
    if not path.exists():
        return None
    try:
        with named(path) as name, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(name)
            line.sendall(msgspec.json.encode(given) + b"\n")
            with line.makefile("rb") as told:
                return msgspec.json.decode(told.readline(), type=Answer)
    except (ConnectionRefusedError, FileNotFoundError):
        return None  # of a hub that is gone
    except PermissionError:
        raise StellwerkError(
            f"{path} belongs to another user; give the order as the user that the hub runs as"
        ) from None
    except (OSError, msgspec.MsgspecError):
        raise StellwerkError("the hub did not answer; whether it did it is to be looked at") from None


def listens(database: Path) -> bool:
    """Whether a hub takes orders now."""
    try:
        with named(socket_of(database)) as name, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SHORT_SECONDS)
            line.connect(name)
            return True
    except OSError:
        return False


async def _here(config: Path, given: Given) -> Any:
    loaded = load_or_fail(config, load_connectors())
    hub = await create_hub(loaded, load_connectors(), folder=loaded.path.absolute().parent)
    try:
        return await carry_out(hub, given.order, given.arguments)
    finally:
        await hub.close()

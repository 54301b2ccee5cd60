"""`stellwerk hold`: everything that mails or grants waits; opt-outs, fields and mirrors go on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, give, printed
from stellwerk.store import hold as table

__all__ = ["hold"]


@click.group()
def hold() -> None:
    """Hold everything that mails or grants a permission, also while the hub runs. Opt-outs, fields, mirrors go on."""


CONNECTION = click.option("--connection", metavar="ID", default=None, help="Only this connection, not the whole hub.")


@hold.command()
@CONFIG
@CONNECTION
@click.option("--reason", default="", help="Why; `stellwerk hold status` shows it. Not with --connection.")
@JSON
def on(config: Path, connection: str | None, reason: str, as_json: bool) -> None:
    """Nobody is mailed or granted anything from now on."""
    if connection is not None and reason:
        raise click.UsageError("--reason and --connection exclude each other")
    give(config, "hold", reason=reason, connection=connection)
    whom, how = ("", "") if connection is None else (f" by {connection}", f" --connection {connection}")
    text = f"held: nobody is mailed or granted anything{whom} until `stellwerk hold off{how}`"
    printed({"held": True, "connection": connection}, text, as_json=as_json)


@hold.command()
@CONFIG
@CONNECTION
@JSON
def off(config: Path, connection: str | None, as_json: bool) -> None:
    """What waited goes on; each is looked at again first, and a wish that became too old waits for a person."""
    went = give(config, "go on", connection=connection)
    told = {"held": False, "connection": connection, "went_on": went}
    printed(told, "goes on" if went else "nothing was held", as_json=as_json)


@hold.command()
@CONFIG
@JSON
def status(config: Path, as_json: bool) -> None:
    """Whether it is held, since when, by whom and why. Exit code 1 while it is."""
    with beside(config) as view:
        stands = table.standing(view.tx)
    if stands is None:
        printed(None, "nothing is held", as_json=as_json)
        return
    since = datetime.fromtimestamp(stands.since, UTC).isoformat(timespec="seconds")
    told = {"since": since, "by": stands.by, "because": stands.because, "reason": stands.reason}
    reason = f": {stands.reason}" if stands.reason else ""
    printed(told, f"held since {since} by {stands.by} [{stands.because}]{reason}", as_json=as_json)
    raise SystemExit(1)

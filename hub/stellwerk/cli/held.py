"""`stellwerk held`: what waits for a person, by its cause."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, give, printed, with_moments
from stellwerk.relay import held as relay

__all__ = ["held"]

ORIGIN = click.option(
    "--origin", default=None, help="Only of records by this origin: form, person, import, workflow, other."
)


@click.group()
def held() -> None:
    """See, release or discard what is held for a person, also while the hub runs."""


@held.command(name="list")
@CONFIG
@JSON
def list_(config: Path, as_json: bool) -> None:
    """List what is held: connection, cause, origin of the records, how many, since when. Exit code 1 if there is any."""
    with beside(config) as view:
        rows = [with_moments(row, "oldest") for row in relay.groups(view.tx)]
    lines = [
        f"{row['connection']}  {row['code']}  {row['count']} {row['change']} by {row['origin']},"
        f" since {row['oldest']}\n    {row['text']}"
        for row in rows
    ]
    printed(rows, "\n".join(lines) or "nothing is held", as_json=as_json)
    raise SystemExit(bool(rows))


@held.command()
@click.argument("connection")
@click.argument("code")
@ORIGIN
@CONFIG
@JSON
def release(connection: str, code: str, origin: str | None, config: Path, as_json: bool) -> None:
    """Let go what is held of CONNECTION for CODE. Each is decided again first, as things stand then."""
    count = give(config, "release", connection=connection, code=code, origin=origin)
    printed({"released": count}, f"{count} released; each is decided again first", as_json=as_json)


@held.command()
@click.argument("connection")
@click.argument("code")
@ORIGIN
@click.option("--reason", default="", help="Why; it is kept with each.")
@CONFIG
@JSON
def discard(connection: str, code: str, origin: str | None, reason: str, config: Path, as_json: bool) -> None:
    """Never do what is held of CONNECTION for CODE."""
    count = give(config, "discard", connection=connection, code=code, origin=origin, reason=reason)
    printed({"discarded": count}, f"{count} discarded", as_json=as_json)

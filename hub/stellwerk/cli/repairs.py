"""`stellwerk repairs`: what a person has to mend."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, printed, with_moments
from stellwerk.store import repairs as table

__all__ = ["repairs"]


@click.command()
@CONFIG
@JSON
def repairs(config: Path, as_json: bool) -> None:
    """List what is to be mended: of what, since when, how often it was seen. Exit code 1 if there is any."""
    with beside(config) as view:
        rows = [with_moments(row, "opened", "seen") for row in table.still_open(view.tx)]
    lines = [
        f"{row['subject']}  {row['code']}  seen {row['count']} times since {row['opened']}\n    {row['text']}"
        for row in rows
    ]
    printed(rows, "\n".join(lines) or "nothing is to be mended", as_json=as_json)
    raise SystemExit(bool(rows))

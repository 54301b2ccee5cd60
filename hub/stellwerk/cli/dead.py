"""`stellwerk dead`: events and deliveries that were given up, by their cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, give, printed, with_moments
from stellwerk.cli.replay import NUMBER, WHAT, one_kind, replay
from stellwerk.relay import dead as relay

__all__ = ["dead"]


@click.group()
def dead() -> None:
    """See, replay or dismiss dead letters, also while the hub runs."""


dead.add_command(replay)


@dead.command(name="list")
@CONFIG
@JSON
def list_(config: Path, as_json: bool) -> None:
    """List them by cause: where, what, how many, since when. Exit code 1 if there is any."""
    with beside(config) as view:
        rows = [with_moments(row, "oldest", "newest") for row in relay.listed(view.tx)]
    lines = [
        f"{row['code']}  {row['count']} {row['what']} ({row['change']}) at {row['account']}"
        f"{' of ' + row['connection'] if row['connection'] else ''}, {row['oldest']} to {row['newest']}"
        for row in rows
    ]
    printed(rows, "\n".join(lines) or "there is no dead letter", as_json=as_json)
    raise SystemExit(bool(rows))


@dead.command()
@click.argument("code")
@CONFIG
@JSON
def show(code: str, config: Path, as_json: bool) -> None:
    """Show the dead letters of CODE: numbers, times, what was answered. Exit code 1 if there is none."""
    with beside(config) as view:
        rows = [with_moments(row, "created", "ended") for row in relay.show(view.tx, view.vault, code)]
    printed(rows, "\n".join(_line(row) for row in rows) or "there is no such dead letter", as_json=as_json)
    raise SystemExit(not rows)


@dead.command()
@click.argument("code")
@WHAT
@NUMBER
@click.option("--reason", default="", help="Why; it is kept with each.")
@CONFIG
@JSON
def dismiss(code: str, what: str | None, number: int | None, reason: str, config: Path, as_json: bool) -> None:
    """Give up the dead letters of CODE for good."""
    done = give(config, "dismiss", code=code, what=one_kind(what, number), number=number, reason=reason)
    printed(done, f"{done['dismissed']} dismissed", as_json=as_json)


def _line(row: dict[str, Any]) -> str:
    change = row.get("tag") or row.get("kind")
    lines = [f"{row['what']} {row['id']}  {change} at {row['account']}, {row['attempts']} attempts, {row['ended']}"]
    lines += [f"    {row['text']}"] if row.get("text") else []
    lines += [f"    answer: {row['answer']}"] if row["answer"] else []
    lines += [] if row["payload"] else ["    its payload has outlived its days"]
    return "\n".join(lines)

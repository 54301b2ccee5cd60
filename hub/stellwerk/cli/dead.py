"""`stellwerk dead`: events and deliveries that were given up, by their cause."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, give, printed
from stellwerk.relay import dead as relay

__all__ = ["dead"]

WHAT = click.option(
    "--what", type=click.Choice(["event", "delivery"]), default=None, help="Only events, or deliveries."
)
NUMBER = click.option("--number", type=int, default=None, help="Only the one with this number; needs --what.")


@click.group()
def dead() -> None:
    """See, replay or dismiss dead letters, also while the hub runs."""


@dead.command(name="list")
@CONFIG
@JSON
def list_(config: Path, as_json: bool) -> None:
    """List them by cause: where, what, how many, since when. Exit code 1 if there is any."""
    with beside(config) as view:
        rows = relay.listed(view.tx)
    lines = [
        f"{row['code']}  {row['count']} {row['what']} ({row['change']}) at {row['account']}"
        f"{' of ' + row['connection'] if row['connection'] else ''}, {_moment(row['oldest'])} to {_moment(row['newest'])}"
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
        rows = relay.show(view.tx, view.vault, code)
    printed(rows, "\n".join(_line(row) for row in rows) or "there is no such dead letter", as_json=as_json)
    raise SystemExit(not rows)


@dead.command()
@click.argument("code")
@WHAT
@NUMBER
@CONFIG
def replay(code: str, what: str | None, number: int | None, config: Path) -> None:
    """Put back the dead letters of CODE. Each is decided again, under the rules of today."""
    done = give(config, "replay", code=code, what=_checked(what, number), number=number)
    kept = (
        f"; {done['kept']} cannot be: never understood, or their payload has outlived its days" if done["kept"] else ""
    )
    click.echo(f"{done['replayed']} replayed{kept}")


@dead.command()
@click.argument("code")
@WHAT
@NUMBER
@click.option("--reason", default="", help="Why; it is kept with each.")
@CONFIG
def dismiss(code: str, what: str | None, number: int | None, reason: str, config: Path) -> None:
    """Give up the dead letters of CODE for good."""
    done = give(config, "dismiss", code=code, what=_checked(what, number), number=number, reason=reason)
    click.echo(f"{done['dismissed']} dismissed")


def _checked(what: str | None, number: int | None) -> str | None:
    if number is not None and what is None:
        raise click.UsageError("--number needs --what: events and deliveries are numbered apart")
    return what


def _line(row: dict[str, Any]) -> str:
    change = row.get("tag") or row.get("kind")
    lines = [
        f"{row['what']} {row['id']}  {change} at {row['account']}, {row['attempts']} attempts, {_moment(row['ended'])}"
    ]
    lines += [f"    {row['text']}"] if row.get("text") else []
    lines += [f"    answer: {row['answer']}"] if row["answer"] else []
    lines += [] if row["payload"] else ["    its payload has outlived its days"]
    return "\n".join(lines)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

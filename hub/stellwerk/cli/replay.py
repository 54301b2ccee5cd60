"""`stellwerk replay`: dead letters are put back and decided again, or what that would come to is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.give import CONFIG, JSON, give, printed

__all__ = ["NUMBER", "WHAT", "one_kind", "replay"]

WHAT = click.option(
    "--what", type=click.Choice(["event", "delivery"]), default=None, help="Only events, or deliveries."
)
NUMBER = click.option("--number", type=int, default=None, help="Only the one with this number; needs --what.")


@click.command()
@click.argument("code")
@WHAT
@NUMBER
@click.option(
    "--dry-run", is_flag=True, help="Only say what would be decided today. Reads the contacts, changes nothing."
)
@CONFIG
@JSON
def replay(code: str, what: str | None, number: int | None, dry_run: bool, config: Path, as_json: bool) -> None:
    """Put back the dead letters of CODE (see `stellwerk dead list`). Each is decided again, under the rules of today."""
    order = "preview replay" if dry_run else "replay"
    done = give(config, order, code=code, what=one_kind(what, number), number=number)
    printed(done, "\n".join(_previewed(done) if dry_run else _replayed(done)), as_json=as_json)


def one_kind(what: str | None, number: int | None) -> str | None:
    """`what`, which a number needs. Raises `click.UsageError`."""
    if number is not None and what is None:
        raise click.UsageError("--number needs --what: events and deliveries are numbered apart")
    return what


def _replayed(done: Mapping[str, Any]) -> list[str]:
    return [f"{done['replayed']} replayed{_kept(done)}"]


def _previewed(done: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for one in done["replays"]:
        named = ", ".join(f"{letter['what']} {letter['number']} ({letter['change']})" for letter in one["letters"])
        lines.append(f"{named} at {one['account']}")
        lines += [line for outcome in one["outcomes"] for line in _outcome(outcome)]
    count = sum(len(one["letters"]) for one in done["replays"])
    more = f"; {done['more']} more were not looked at" if done["more"] else ""
    return [*lines, f"{count} would be replayed{more}{_kept(done)}; nothing was changed"]


def _outcome(outcome: Mapping[str, Any]) -> list[str]:
    whose = f"{outcome['connection']}: " if outcome["connection"] else ""
    lines = [f"    {whose}{outcome['outcome']}"]
    for change in outcome["changes"]:
        fields = f" (fields {', '.join(change['fields'])})" if change["fields"] else ""
        held = f"; held: {_reason(change['held'])}" if "held" in change else ""
        lines.append(f"        {change['change']} at {change['system']}{fields}: {_reason(change['because'])}{held}")
    return lines + [f"        {_reason(one)}" for one in outcome["reasons"]]


def _reason(one: Mapping[str, Any]) -> str:
    rule = f" (rule {one['rule']}, line {one['line']})" if one["rule"] else ""
    return f"{one['text']}{rule} [{one['code']}]"


def _kept(done: Mapping[str, Any]) -> str:
    if not done["kept"]:
        return ""
    return f"; {done['kept']} cannot be: never understood, or their payload has outlived its days"

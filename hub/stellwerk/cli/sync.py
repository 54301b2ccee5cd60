"""`stellwerk sync`: contacts that are older than the connection, brought in; and those that are in, compared anew."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.beside import Beside, beside
from stellwerk.cli.give import CONFIG, JSON, give, printed
from stellwerk.cli.watching import LeftGoing, watched
from stellwerk.errors import StellwerkError
from stellwerk.registry import has, load_connectors
from stellwerk.relay.sync import statuses
from stellwerk.sdk.connector import Titled
from stellwerk.store import connections, syncs
from stellwerk.view.dry_run import every
from stellwerk_rules.model import Permission

__all__ = ["sync"]

COLUMNS = ("id", "address", "what", "code", "reason", "rule", "line", "unless")
LOOKS_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.group()
def sync() -> None:
    """Bring in contacts that were there before the connection, and compare those that are in. Also while the hub runs.

    First a dry run, which writes nothing over there and says of every contact what would become of it. Then a start, with
    the numbers that the dry run counted. Live traffic always goes first.
    """


@sync.command(name="dry-run")
@click.argument("connection")
@click.option("--ask", is_flag=True, help="As if everybody who comes in were asked by a double opt-in mail.")
@click.option(
    "--permission",
    type=click.Choice([one.value for one in Permission if one is not Permission.OTHER]),
    default=Permission.NONE.value,
    show_default=True,
    help="As if everybody who comes in were granted this.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The list of all contacts; default: sync-CONNECTION.csv",
)
@CONFIG
@JSON
def dry_run(connection: str, ask: bool, permission: str, output: Path | None, config: Path, as_json: bool) -> None:
    """Say of every contact what a sync of CONNECTION would do, and why; nothing is written over there.

    The list holds addresses: only you may read the file, and it is yours to delete.
    """
    done = _carried_out(config, "sync dry run", as_json, connection=connection, ask=ask, permission=permission)
    path = output or Path(f"sync-{connection}.csv")
    if done["state"] == "done":
        with beside(config) as view:
            _listed(view, done["run"], path)
    printed({**done, "file": str(path)}, "\n".join(_dry_text(done, path)), as_json=as_json)
    raise SystemExit(done["state"] != "done")


@sync.command()
@click.argument("connection")
@click.option("--ask", type=int, default=None, metavar="N", help="So many mails may go out: what the dry run counted.")
@click.option("--grant", type=int, default=None, metavar="N", help="So many may be granted its permission.")
@CONFIG
@JSON
def start(connection: str, ask: int | None, grant: int | None, config: Path, as_json: bool) -> None:
    """Do what the last dry run of CONNECTION said, and show how far it is. Ctrl-C ends only the looking on.

    Refused without a dry run of the last 24 hours, and when `--ask` or `--grant` is not the number that it counted.
    """
    done = _carried_out(config, "sync start", as_json, connection=connection, ask=ask, grant=grant)
    printed(done, "\n".join(_text(done)), as_json=as_json)
    raise SystemExit(_is_bad(done))


@sync.command()
@click.argument("connection")
@CONFIG
@JSON
def stop(connection: str, config: Path, as_json: bool) -> None:
    """Read no page more and send nothing more of the sync, until it is resumed or cancelled. Live traffic goes on."""
    done = give(config, "sync stop", connection=connection)
    printed(done, "\n".join(_text(done)), as_json=as_json)


@sync.command()
@click.argument("connection")
@CONFIG
@JSON
def resume(connection: str, config: Path, as_json: bool) -> None:
    """Go on where the sync was stopped, or the hub ended, and show how far it is."""
    done = _carried_out(config, "sync resume", as_json, connection=connection)
    printed(done, "\n".join(_text(done)), as_json=as_json)
    raise SystemExit(_is_bad(done))


@sync.command()
@click.argument("connection")
@CONFIG
@JSON
def cancel(connection: str, config: Path, as_json: bool) -> None:
    """End the sync for good. Who is in stays in; who is not stays out until another sync."""
    done = give(config, "sync cancel", connection=connection)
    printed(done, "\n".join(_text(done)), as_json=as_json)


@sync.command()
@click.argument("connection", required=False)
@CONFIG
@JSON
def status(connection: str | None, config: Path, as_json: bool) -> None:
    """Say how far syncs and dry runs are, of CONNECTION or of all; the last of each kind. Exit code 1: one failed."""
    with beside(config) as view:
        told = statuses(view.tx, connection=connection)
    printed(told, "\n".join(line for one in told for line in _text(one)) or "there was no sync yet", as_json=as_json)
    raise SystemExit(any(one["state"] == "failed" for one in told))


def _carried_out(config: Path, order: str, as_json: bool, **arguments: Any) -> dict[str, Any]:
    """The run once it is over, or stopped by somebody else."""
    try:
        return watched(config, order, quiet=as_json, **arguments)
    except LeftGoing as going:
        raise StellwerkError(str(going)) from None


def _is_bad(done: Mapping[str, Any]) -> bool:
    return done["state"] != "done" or bool(done["deliveries"].get("dead") or done["deliveries"].get("held"))


def _text(one: Mapping[str, Any]) -> list[str]:
    of = f" of {one['total']}" if one["total"] is not None and one["state"] in syncs.GOING_ON else ""
    terms = "asks" if one["ask"] else "" if one["permission"] == "none" else f"grants {one['permission']}"
    head = f"{one['kind']} {one['run']} of {one['connection']}{f', {terms}' if terms else ''}"
    lines = [f"{head}: {one['state']}, {one['contacts']}{of} contacts, since {one['started']} by {one['by']}"]
    lines += [f"    {count} {what}" for what, count in one["counts"].items() if count]
    waiting = sum(one["deliveries"].get(state, 0) for state in syncs.UNDONE)
    lines += (
        [f"    {one['events_waiting']} contacts and {waiting} changes wait"] if one["events_waiting"] or waiting else []
    )
    bad = [(name, one["deliveries"].get(name, 0)) for name in ("held", "dead")]
    lines += [f"    {count} changes are {name}; see `stellwerk {name} list`" for name, count in bad if count]
    lines += [f"    {one['text']} [{one['code']}]"] if one["code"] else []
    return lines


def _dry_text(one: Mapping[str, Any], path: Path) -> list[str]:
    lines = _text(one)
    if one["state"] != "done":
        return lines
    lines += [f"    {row['count']:>7}  {row['what']:<8} {row['code']}" for row in one["reasons"]]
    numbers = [("--ask", one["counts"]["mailed"]), ("--grant", one["counts"]["granted"])]
    options = "".join(f" {option} {count}" for option, count in numbers if count)
    lines += [f"Every contact, with its reason: {path}"]
    return [*lines, f"Nothing was written. To do it: stellwerk sync start {one['connection']}{options}"]


def _listed(view: Beside, number: int, path: Path) -> None:
    """The list as a file that nobody else may read."""
    run = syncs.by_id(view.tx, number)
    if run is None:
        raise StellwerkError("the dry run is not kept any more")
    mail = _mail_title(view, run.connection)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)  # also where the file was there, and open to others
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for one in every(view.tx, view.vault, run, mail):
            told = (one.id, one.address, one.what, one.code, one.reason, one.rule, one.line, one.unless)
            table.writerow(["" if cell is None else _harmless(str(cell)) for cell in told])


def _harmless(cell: str) -> str:
    """A text that a spreadsheet does not take for a formula: addresses may begin like one."""
    return f"'{cell}" if cell.startswith(LOOKS_LIKE_A_FORMULA) else cell


def _mail_title(view: Beside, connection: str) -> str:
    """What people call the system that mails."""
    one = connections.by_id(view.tx, connection)
    rule = next((rule for rule in view.integration.rules if rule.consent is not None), None)
    system = None if one is None or rule is None else view.integration.systems.get(rule.to)
    connector: Any = None if system is None else load_connectors().connectors.get(system.connector)
    if connector is None:
        return "the mail system"
    return str(connector.title) if has(connector, Titled) else connector.name.title()

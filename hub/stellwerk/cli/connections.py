"""`stellwerk connections`: what customers have set up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.cli.beside import Beside, beside
from stellwerk.cli.export import export
from stellwerk.cli.give import CONFIG, JSON, give, printed
from stellwerk.config.load import load
from stellwerk.errors import ConfigError, StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.store import accounts, repairs
from stellwerk.store import connections as table

__all__ = ["connections"]


@click.group()
def connections() -> None:
    """See, end or write out the connections of a hub, also while it runs."""


connections.add_command(export)


@connections.command(name="list")
@CONFIG
@JSON
def list_(config: Path, as_json: bool) -> None:
    """List the connections: where they come from, whether they work, and what waits for a person."""
    with beside(config) as view:
        rows = [_row(view, one) for one in table.every(view.tx)]
    printed(rows, "\n".join(_text(row) for row in rows) or "there is no connection yet", as_json=as_json)


@connections.command()
@click.argument("name", metavar="CONNECTION")
@CONFIG
@click.option(
    "--keep-days", is_flag=True, help="Keep links for 30 days: connected again meanwhile, it goes on with them."
)
@click.option("--with-suppression", is_flag=True, help="Forget also who opted out there. They can be mailed again.")
@click.option("--anyway", is_flag=True, help="Also while opt-outs are on their way.")
@JSON
def forget(name: str, config: Path, keep_days: bool, with_suppression: bool, anyway: bool, as_json: bool) -> None:
    """End a connection and erase what is kept of it, but for who opted out.

    A running hub does it within some seconds, else the next start does: webhooks and app are removed over there where no
    other connection uses the account, then the credentials go.
    """
    if keep_days and with_suppression:
        raise click.UsageError("--keep-days and --with-suppression exclude each other")
    if name in _in_the_file(config):
        raise StellwerkError(f"'{name}' stands in {config}; take it out there first, or it is connected again")
    told = give(
        config, "forget", connection=name, keep_days=keep_days, with_suppression=with_suppression, anyway=anyway
    )
    text = f"; {told['suppressed']} opted-out addresses are forgotten" if with_suppression else ""
    printed(told, f"{name} is ended{text}", as_json=as_json)


def _state(name: str, what: str) -> None:
    """The command `NAME CONNECTION`."""

    @connections.command(name=name, help=f"{what} A running hub does it at once.")
    @CONFIG
    @JSON
    @click.argument("connection")
    def command(config: Path, as_json: bool, connection: str) -> None:
        told = give(config, "state", connection=connection, state=name)
        printed(told, f"{told['connection']} {told['state']}", as_json=as_json)


_state("runs", "Let a connection run: what happens on one side is carried to the other.")
_state("watches", "Let a connection only watch: everything is decided and shown, and nothing is written or mailed.")
_state("rests", "Let a connection rest: nothing is written or mailed until it runs again; opt-outs are remembered.")


@connections.command(name="renew-webhooks")
@CONFIG
@JSON
@click.argument("connection")
def renew_webhooks(config: Path, as_json: bool, connection: str) -> None:
    """Give the webhooks of a connection's accounts new secret addresses; the old ones are heard for a week.

    Registered addresses are replaced; those that somebody copied by hand have to be copied anew from the settings page.
    """
    renewed = give(config, "renew webhooks", connection=connection)
    text = "\n".join(f"{account} has new addresses" for account in renewed)
    printed(renewed, text or "no account of this connection has secret addresses", as_json=as_json)


def _in_the_file(config: Path) -> set[str]:
    """Names of the connections in the file as it stands now; a hub that runs may know an older one."""
    loaded = load(config, None, load_connectors())
    if loaded.integration is None:
        raise ConfigError(loaded.errors)
    return {one.id for one in loaded.integration.connections}


def _row(view: Beside, one: table.Connection) -> dict[str, Any]:
    rows = {system: accounts.by_id(view.tx, view.vault, account) for system, account in one.accounts.items()}
    subjects = {one.id, *one.accounts.values()}
    return {
        "id": one.id,
        "origin": one.origin,
        "state": one.state,
        "on_hold": None if one.on_hold is None else _moment(one.on_hold),
        "brand": one.brand,
        "began": None if one.began is None else _moment(one.began),
        "agreed": None if one.agreed is None else one.agreed.at.isoformat(timespec="seconds"),
        "accounts": {
            system: {"id": row.remote, "name": row.name, "state": row.state, "code": row.state_code}
            for system, row in rows.items()
            if row is not None
        },
        "repairs": [
            {"code": repair["code"], "text": repair["text"], "count": repair["count"]}
            for repair in repairs.still_open(view.tx)
            if repair["subject"].partition("/")[0] in subjects
        ],
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _text(row: dict[str, Any]) -> str:
    """One line a connection, one for each account and repair below it."""
    began = f"since {row['began']}" if row["began"] else "not begun"
    lines = [f"{row['id']}  {row['state']}, {began}, from the {row['origin']}"]
    if row["on_hold"]:
        lines.append(f"    nobody is mailed or granted anything since {row['on_hold']}")
    for system, account in row["accounts"].items():
        trouble = "" if account["state"] == "ok" else f"  {account['state']}: {account['code']}"
        lines.append(f"    {system}  {account['id']}  {account['name']}{trouble}")
    lines += [f"    to mend  {repair['text']} [{repair['code']}]" for repair in row["repairs"]]
    return "\n".join(lines)

"""The command line. One module per command, imported only when it is called, so that `stellwerk check` starts fast.

A further command is one line in `COMMANDS`. A plugin's commands are `stellwerk CONNECTOR NAME`, offered by its `Commands`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module

import rich_click as click

__all__ = ["COMMANDS", "cli", "main"]

# Command to the module that defines it as a function of that name; a module that is not there is no command.
COMMANDS: Mapping[str, str] = {
    "run": "stellwerk.cli.run",
    "explain": "stellwerk.cli.explain",
    "consent": "stellwerk.cli.consent",
    "erase": "stellwerk.cli.erase",
    "connections": "stellwerk.cli.connections",
    "status": "stellwerk.cli.status",
    "hold": "stellwerk.cli.hold",
    "held": "stellwerk.cli.held",
    "sync": "stellwerk.cli.sync",
    "reconcile": "stellwerk.cli.reconcile",
    "dead": "stellwerk.cli.dead",
    "replay": "stellwerk.cli.replay",
    "repairs": "stellwerk.cli.repairs",
    "db": "stellwerk.cli.db",
    "operator-link": "stellwerk.cli.operator_link",
    "check": "stellwerk.cli.check",
    "schema": "stellwerk.cli.schema",
    "test": "stellwerk.cli.test",
    "connectors": "stellwerk.cli.connectors",
    "new-connector": "stellwerk.cli.new_connector",
    "twin": "stellwerk.cli.twin",
    "demo": "stellwerk.cli.demo",
}

EXIT_PROBLEMS = 1


class LazyGroup(click.RichGroup):
    """Imports the module of a command when it is asked for; other words are looked for among the connectors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is not None:
            command = getattr(import_module(module), cmd_name.replace("-", "_"))
            return command if isinstance(command, click.Command) else None
        from stellwerk.cli.connector_commands import connector_group

        return connector_group(cmd_name)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stellwerk")
def cli() -> None:
    """Stellwerk carries contacts between systems as the rules of one file say.

    Exit code 0: good. 1: problems were found. 2: wrong usage. The commands of a connector: `stellwerk CONNECTOR --help`.
    """


def main() -> None:
    """The console script."""
    # Here, so that a command that fails on purpose says what to mend and shows no traceback.
    from stellwerk.errors import StellwerkError

    try:
        cli.main(prog_name="stellwerk")
    except StellwerkError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_PROBLEMS)

"""`stellwerk CONNECTOR NAME`: commands that a plugin brings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from stellwerk.config.fields_used import fields_used
from stellwerk.config.load import Loaded, load, load_or_fail, ruleset
from stellwerk.errors import NeverUsed
from stellwerk.registry import Registry, has, load_connectors
from stellwerk.sdk.connector import Command, CommandContext, Commands, FieldSpec
from stellwerk.store import connections
from stellwerk.store.address import looking
from stellwerk_rules.plan import compile_plan

__all__ = [
    "brands_in_database",
    "command_context",
    "connector_group",
    "fields_of_all_connections",
    "load_before_secrets",
]

STANDING = "0" * 32  # a number, a name and a key alike; no address
NOT_SET = "the environment has no "


def connector_group(name: str) -> click.Group | None:
    """The commands of the connector called `name`; None when there is none, or it has no commands."""
    connector: Any = load_connectors().connectors.get(name)
    if connector is None or not has(connector, Commands):
        return None
    group = click.RichGroup(name=name, help=f"Commands of the connector {name}.")
    for command, (help_line, function) in connector.commands().items():
        group.add_command(_command(name, command, help_line, function))
    return group


def _command(connector: str, name: str, help_line: str, function: Command) -> click.Command:
    def run(config: Path, arguments: tuple[str, ...]) -> None:
        context = command_context(load_before_secrets(config, load_connectors()), connector)
        sys.exit(function(context, arguments))

    return click.RichCommand(
        name=name,
        help=help_line,
        callback=run,
        context_settings={"ignore_unknown_options": True},
        params=[
            click.Option(
                ["--config"],
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                default=Path("integration.yaml"),
                help="The file that uses the connector (default integration.yaml).",
            ),
            click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED),
        ],
    )


def load_before_secrets(config: Path, registry: Registry) -> Loaded:
    """The file, with a stand-in for what the environment has not yet: a vendor hands out ids and secrets only after the
    set-up that these commands prepare. Raises `ConfigError` for every other problem, and where an address is missing.
    """
    missing = [one for one in load(config, os.environ, registry).errors if one.code == "missing-secret"]
    names = {one.what.removeprefix(NOT_SET): STANDING for one in missing if one.what.startswith(NOT_SET)}
    loaded = load(config, {**os.environ, **names}, registry)
    return load_or_fail(config, registry) if loaded.errors else loaded


def command_context(loaded: Loaded, connector: str) -> CommandContext:
    """What the file says of the first system that `connector` plays. Raises `click.UsageError` when it plays none."""
    integration = loaded.integration
    systems = integration.systems if integration is not None else {}
    found = next(((name, system) for name, system in systems.items() if system.connector == connector), None)
    if integration is None or found is None:
        raise click.UsageError(f"no system of {loaded.path} has the connector '{connector}'")
    name, system = found
    public = integration.hub.public_url
    brands = brands_in_database(integration.hub.database, loaded.path.absolute().parent)
    return CommandContext(
        system=system.settings,
        title=integration.title,
        public_url=public,
        webhook_url=integration.hub.webhook_url or public,
        redirect_url=f"{public}/oauth/{name}/callback",
        fields=fields_of_all_connections(loaded, name, brands),
    )


def brands_in_database(database: str, folder: Path) -> tuple[str, ...]:
    """The brands of the connections that were set up on the page; none where no hub has run yet.

    Raises `StoreError` where there is a database that cannot be read: what its connections use must not be left out unsaid.
    """
    if database == STANDING:
        return ()
    try:
        with looking(database, folder) as tx:
            used = connections.every(tx)
    except NeverUsed:
        return ()
    return tuple(dict.fromkeys(one.brand for one in used if one.origin != connections.IN_FILE))


def fields_of_all_connections(loaded: Loaded, system: str, brands: Sequence[str] = ()) -> tuple[FieldSpec, ...]:
    """Every field of `system` that the file, one of its connections, or one of `brands` uses; each once."""
    entries = loaded.integration.connections if loaded.integration is not None else ()
    rulesets = [ruleset(loaded, entry) for entry in entries]
    rulesets += [ruleset(loaded, brand=brand or None) for brand in brands]
    rulesets = rulesets or [ruleset(loaded)]
    found: dict[str, FieldSpec] = {}
    for rules in rulesets:
        for spec in fields_used(rules, compile_plan(rules), system):
            found.setdefault(spec.name, spec)
    return tuple(found.values())

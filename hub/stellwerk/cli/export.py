"""`stellwerk connections export`: connections of the database as they would stand in integration.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import rich_click as click
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from stellwerk.cli.beside import beside
from stellwerk.cli.give import CONFIG, JSON, printed
from stellwerk.config.load import load
from stellwerk.errors import StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.store import connections as table
from stellwerk.view.as_written import AsWritten, as_written

__all__ = ["as_yaml", "export"]

# What reads as the same text everywhere; the rest is quoted, such as yes, no and numbers.
PLAIN = re.compile(r"[A-Za-z_][\w.:/@-]*")
NO_TEXT = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})


@click.command()
@click.argument("names", metavar="[CONNECTION]...", nargs=-1)
@CONFIG
@JSON
def export(names: tuple[str, ...], config: Path, as_json: bool) -> None:
    """Write connections of the database (all, or those named) as YAML for `connections:` of integration.yaml.

    No secret is written: the file names variables, and a comment says what each is to hold. With its entry in the file a
    connection goes on under its name at the next start, with its links and its history; the page then only shows it.
    """
    registry = load_connectors()
    with beside(config) as view:
        found = [one for one in table.every(view.tx) if one.origin != table.IN_FILE]
        known = {one.id for one in found}
        for name in names:
            if name not in known:
                raise StellwerkError(f"the database has no connection '{name}'; see: stellwerk connections list")
        chosen = [one for one in found if not names or one.id in names]
        written = as_written(view.tx, view.vault, load(config, None, registry), registry, chosen)
    printed(written, as_yaml(written).rstrip("\n"), as_json=as_json)


def as_yaml(written: AsWritten) -> str:
    """A piece of integration.yaml that begins with `connections:`, after what a person has to do."""
    lines = ["# Written by `stellwerk connections export`."]
    if written.environment:
        lines.append("# Set before the next start:")
    lines += [f"#   {name}  {_one_line(what)}" for name, what in written.environment.items()]
    lines += [f"# {_one_line(note)}" for note in written.notes]
    text = StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump({"connections": _quoted(written.connections)}, text)
    return "\n".join([*lines, text.getvalue()])


def _one_line(text: str) -> str:
    """Nothing that a vendor told may end a comment."""
    return " ".join(text.split())


def _quoted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _quoted(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_quoted(part) for part in value]
    if isinstance(value, str) and (PLAIN.fullmatch(value) is None or value.lower() in NO_TEXT):
        return DoubleQuotedScalarString(value)
    return value

"""`stellwerk twin`: a vendor's simulator, a program of its connector's in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import rich_click as click

from stellwerk.config.problems import one_of
from stellwerk.registry import Registry, has, load_connectors
from stellwerk.sdk.connector import Twin

__all__ = ["twin", "twin_command"]


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, add_help_option=False
)
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def twin(name: str | None, arguments: tuple[str, ...]) -> None:
    """Run the simulator of a connector's system: NAME, then what it takes itself (NAME --help tells)."""
    command = twin_command(load_connectors(), name, arguments)
    # Replaces this process, so that signals and the exit code are the twin's.
    os.execv(command[0], command)


def twin_command(registry: Registry, name: str | None, arguments: tuple[str, ...]) -> list[str]:
    """The command that runs the twin of `name`. Raises `click.UsageError` when no connector of that name has one."""
    installed: Mapping[str, type[Any]] = registry.connectors
    twins = {key: str(found.twin_module) for key, found in installed.items() if has(found, Twin)}
    if name is None or name not in twins:
        raise click.UsageError(f"NAME is {one_of(twins)}")
    return [sys.executable, "-m", twins[name], *arguments]

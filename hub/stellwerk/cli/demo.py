"""`stellwerk demo`: a story that an installed distribution tells, found by its entry point."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import rich_click as click

from stellwerk.config.problems import one_of

__all__ = ["GROUP", "demo", "demo_of"]

GROUP = "stellwerk.demos"


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Play an integration with simulators on this machine (--help tells what it takes)."""
    play, rest = demo_of(entry_points(group=GROUP), arguments)
    sys.exit(play(rest))


def demo_of(points: Iterable[EntryPoint], arguments: tuple[str, ...]) -> tuple[Callable[[list[str]], int], list[str]]:
    """The demo's function and its arguments. With several demos the first argument names one; else none is needed.

    The entry point is a function, or a module with `main`; it takes the arguments and returns the exit code.
    Raises `click.UsageError`.
    """
    named = {point.name: point for point in points}
    rest = list(arguments)
    name = rest.pop(0) if rest and rest[0] in named else next(iter(named), "") if len(named) == 1 else None
    if not named:
        raise click.UsageError("no demo is installed")
    if name is None:
        raise click.UsageError(f"name the demo, {one_of(named)}")
    loaded: Any = named[name].load()
    play: Callable[[list[str]], int] | None = loaded if callable(loaded) else getattr(loaded, "main", None)
    if play is None:
        raise click.UsageError(f"the demo '{name}' has no function `main`")
    return play, rest

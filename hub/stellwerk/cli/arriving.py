"""How soon changes of each field reach the hub, for `stellwerk check --fields`: as far as a file alone can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stellwerk.cli.connector_commands import fields_of_all_connections
from stellwerk.config.load import Loaded
from stellwerk.registry import Registry, has
from stellwerk.relay.hearing import arrivals
from stellwerk.relay.hub import System
from stellwerk.sdk.connector import WeakSource
from stellwerk_rules.hearing import Arrival

__all__ = ["arriving", "arriving_rows", "arriving_text"]


def arriving(loaded: Loaded, registry: Registry) -> dict[str, list[Arrival]]:
    """By system, the way of each field that the file uses there; empty for a file that cannot be used."""
    if loaded.integration is None:
        return {}
    found: dict[str, list[Arrival]] = {}
    for name, spec in loaded.integration.systems.items():
        system = System(name=name, connector=registry.connectors[spec.connector], settings=spec.settings)
        names = sorted(one.name for one in fields_of_all_connections(loaded, name))
        found[name] = arrivals(system, names)
    return found


def arriving_text(loaded: Loaded, registry: Registry) -> list[str]:
    """One line a field; a line more for a system that also takes a weaker proof."""
    lines: list[str] = []
    for name, rows in arriving(loaded, registry).items():
        lines += [f"{name}.{row.field}  {_way(row)}" for row in rows]
        if _takes_weak(loaded, registry, name):
            lines.append(
                f"{name}  a webhook with the weaker signature counts for an account with a fixed token, until one with the"
                " stronger came"
            )
    return lines


def arriving_rows(loaded: Loaded, registry: Registry) -> list[dict[str, Any]]:
    """The same for programs: `{system, field, way, seconds}`."""
    found = arriving(loaded, registry)
    return [
        {"system": name, "field": row.field, "way": row.way, "seconds": row.seconds}
        for name, rows in found.items()
        for row in rows
    ]


def _way(row: Arrival) -> str:
    wait = "" if row.seconds is None else f"within {row.seconds:g} s"
    match row.way:
        case "event":
            return f"by webhook, at once; a lost one is found {wait}" if wait else "by webhook, at once"
        case "poll":
            return f"by asking, {wait}"
    return "not at all"


def _takes_weak(loaded: Loaded, registry: Registry, name: str) -> bool:
    """Only where an account stands in the file can one have a fixed token."""
    assert loaded.integration is not None
    connections: Sequence[Any] = loaded.integration.connections
    return bool(connections) and has(registry.connectors[loaded.integration.systems[name].connector], WeakSource)

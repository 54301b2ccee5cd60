"""`stellwerk connectors`: which connectors are installed, what they can do, and which cannot be used."""

from __future__ import annotations

import json
import sys
from typing import Any

import rich_click as click

from stellwerk.registry import Registry, has, load_connectors
from stellwerk.sdk.connector import (
    AccessTeller,
    Announcing,
    Asker,
    Catalogue,
    Commands,
    ConsentSource,
    Disconnector,
    Doubles,
    Finder,
    Lister,
    OAuth,
    Provisioner,
    Reader,
    Reporter,
    Sampler,
    Scoped,
    Target,
    Twin,
    WeakSource,
    WebhookSource,
)

__all__ = ["abilities_of", "connectors"]

ABILITIES: tuple[type[Any], ...] = (
    Reader,
    Finder,
    Doubles,
    Lister,
    Sampler,
    WebhookSource,
    WeakSource,
    Announcing,
    Reporter,
    ConsentSource,
    Target,
    Asker,
    Provisioner,
    Disconnector,
    Catalogue,
    OAuth,
    AccessTeller,
    Scoped,
    Commands,
    Twin,
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what a program can read.")
def connectors(as_json: bool) -> None:
    """List the connectors that are installed."""
    registry = load_connectors()
    click.echo(_json(registry) if as_json else _text(registry))
    sys.exit(1 if registry.problems else 0)


def abilities_of(connector: type[Any]) -> tuple[str, ...]:
    """Names of the abilities that the connector's class has."""
    return tuple(ability.__name__ for ability in ABILITIES if has(connector, ability))


def _text(registry: Registry) -> str:
    lines = [f"{name}: {', '.join(abilities_of(found))}" for name, found in sorted(registry.connectors.items())]
    lines += [f"cannot be used: {problem}" for problem in registry.problems]
    return "\n".join(lines) or "no connector is installed"


def _json(registry: Registry) -> str:
    return json.dumps(
        {
            "connectors": [
                {"name": name, "class": f"{found.__module__}.{found.__qualname__}", "abilities": abilities_of(found)}
                for name, found in sorted(registry.connectors.items())
            ],
            "problems": [
                {"name": bad.name, "distribution": bad.distribution, "code": bad.code, "text": bad.text}
                for bad in registry.problems
            ],
        },
        indent=2,
    )

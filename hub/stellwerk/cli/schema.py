"""`stellwerk schema`: what an editor needs to know of integration.yaml."""

from __future__ import annotations

import rich_click as click

from stellwerk.config.schema import schema_text
from stellwerk.registry import load_connectors

__all__ = ["schema"]


@click.command()
def schema() -> None:
    """Print the JSON Schema of integration.yaml for the connectors that are installed."""
    click.echo(schema_text(load_connectors()), nl=False)

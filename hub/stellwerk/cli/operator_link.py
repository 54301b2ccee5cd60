"""`stellwerk operator-link`: a link to the page over all connections, for whoever may give the hub orders."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from stellwerk.cli.give import CONFIG, JSON, give, printed

__all__ = ["operator_link"]


@click.command(name="operator-link")
@CONFIG
@JSON
def operator_link(config: Path, as_json: bool) -> None:
    """Print a link to the page over all connections. It is good for ten minutes and for one use; what it opens, for an hour."""
    told = give(config, "operator link")
    printed(told, told["url"], as_json=as_json)

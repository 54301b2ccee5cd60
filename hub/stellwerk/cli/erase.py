"""`stellwerk erase`: erasure on request."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from stellwerk.cli.give import CONFIG, JSON, give, printed

__all__ = ["erase"]


@click.command()
@click.argument("address")
@CONFIG
@JSON
def erase(address: str, config: Path, as_json: bool) -> None:
    """Erase everything personal that this hub keeps of an address; also while it runs.

    What stays is the keyed hash of the address with its consent history, so that who opted out is not mailed again. The
    systems keep what they have: delete the contact there first, or it is read again when it changes. Refused while
    an event of the address waits or an opt-out is on its way. Exit code 1: nothing was found.
    """
    gone = give(config, "erase", address=address)
    text = ", ".join(f"{count} {kind}" for kind, count in gone.items()) + " erased"
    printed(gone, text if any(gone.values()) else "nothing personal is kept of this address", as_json=as_json)
    sys.exit(0 if any(gone.values()) else 1)

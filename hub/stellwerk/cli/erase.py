"""`stellwerk erase`: erasure on request."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import rich_click as click

from stellwerk.cli.beside import writing
from stellwerk.cli.give import CONFIG, JSON, printed
from stellwerk.store import erasure

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
    with writing(config) as view:
        gone = erasure.erase(view.tx, view.vault, address, time.time())
    told = f"{gone.contacts} contacts, {gone.events} events, {gone.changes} changes, {gone.reasons} reasons erased"
    printed(gone, told if gone else "nothing personal is kept of this address", as_json=as_json)
    sys.exit(0 if gone else 1)

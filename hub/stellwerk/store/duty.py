"""What one process does for all: who has the duty, and until when. Kept among the cursors."""

from __future__ import annotations

from stellwerk.store import meta
from stellwerk.store.store import Tx

DUTY = "duty"
"""Stands in place of an account."""


def take(tx: Tx, name: str, owner: str, now: float, seconds: float) -> bool:
    """Have the duty for `seconds` from now, also again. False while another process has it."""
    until, _, other = (meta.cursor(tx, DUTY, name) or "0 ").partition(" ")
    if other != owner and float(until) > now:
        return False
    meta.set_cursor(tx, DUTY, name, f"{now + seconds} {owner}")
    return True


def free(tx: Tx, name: str, owner: str) -> None:
    """This duty, if it is this process's."""
    if (meta.cursor(tx, DUTY, name) or "").partition(" ")[2] == owner:
        meta.drop_cursor(tx, DUTY, name)


def leave(tx: Tx, owner: str) -> None:
    """Every duty of this process, or of all whose names begin so, is free at once."""
    for name in meta.cursors(tx, DUTY, ""):
        if (meta.cursor(tx, DUTY, name) or "").partition(" ")[2].startswith(owner):
            meta.drop_cursor(tx, DUTY, name)

"""What one process does for all: who has the duty, until when, and when it was begun last. Kept among the cursors."""

from __future__ import annotations

from stellwerk.store import meta
from stellwerk.store.store import Tx

DUTY = "duty"
"""Stands in place of an account."""

BEGUN = "begun"
"""The same, of when a duty that comes again and again was begun the last time it was done."""


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


def is_due(tx: Tx, name: str, now: float, every: float) -> bool:
    """Whether it was begun `every` seconds ago or longer; or in a future so far off that a clock must have been put back since."""
    begun = meta.cursor(tx, BEGUN, name)
    return begun is None or abs(now - float(begun)) >= every


def begin(tx: Tx, name: str, owner: str, now: float, every: float, seconds: float) -> bool:
    """Have the duty as `take` does, if it is due."""
    return is_due(tx, name, now, every) and take(tx, name, owner, now, seconds)


def done(tx: Tx, name: str, begun: float, every: float) -> None:
    """It is due again `every` seconds after it was begun; one that stood still meanwhile does not put back what others did."""
    before = meta.cursor(tx, BEGUN, name)
    if before is None or float(before) < begun or is_due(tx, name, begun, every):
        meta.set_cursor(tx, BEGUN, name, str(begun))

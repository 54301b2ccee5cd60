"""Whether the hub holds what mails or grants, since when, and why."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stellwerk.store import meta
from stellwerk.store.store import Tx

BY_A_PERSON = "held"
RESTORED = "restored"
PAUSED = "paused"

_NAME = "hold"


class Hold(Struct, frozen=True, kw_only=True):
    """`because` is held (a person said so), restored (an older database) or paused (the hub was away; it ends by itself)."""

    since: float
    by: str
    because: str = BY_A_PERSON
    reason: str = ""


def standing(tx: Tx) -> Hold | None:
    """The hold that stands; None while everything goes on."""
    stored = meta.value(tx, _NAME)
    return None if not stored else msgspec.json.decode(stored, type=Hold)


def put_on(tx: Tx, hold: Hold) -> bool:
    """False when a stronger one stands: what waits for a person is not replaced by what ends by itself."""
    now = standing(tx)
    if now is not None and now.because != PAUSED and hold.because == PAUSED:
        return False
    meta.set_value(tx, _NAME, msgspec.json.encode(hold))
    return True


def lift(tx: Tx) -> None:
    meta.set_value(tx, _NAME, b"")


def holds(tx: Tx, account: str) -> bool:
    """Whether what mails or grants at `account` waits. A pause ends for an account once its reports were read since."""
    hold = standing(tx)
    if hold is None:
        return False
    polled = meta.cursor(tx, account, "polled")
    return hold.because != PAUSED or polled is None or float(polled) < hold.since

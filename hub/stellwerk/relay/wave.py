"""How many contacts are taken at once: many where one call reads them all, few where each is a call of its own.

All of a wave are looked up before the first is written. Thirty contacts at two calls each and five calls a second would
keep the first of them waiting for ten seconds and more. And where a call reads a hundred, reading each as it comes would
spend the account's calls long before their window is over, and everybody would wait for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stellwerk.relay.receive import OPT_OUTS
from stellwerk.sdk.connector import Batched
from stellwerk.store.inbox import InboxRow

MOST = 100
FEWEST = 8
FEW = 5
"""This many times as many contacts would fit into one read."""

SCARCE = 0.7
"""The share of an account's calls from which on down they are saved."""

GATHER_SECONDS = 0.3


def wave(connector: Any) -> int:
    """Contacts a turn, by what the connector tells of its reading."""
    return max(FEWEST, min(MOST, connector.read_batch)) if isinstance(connector, Batched) else MOST


def gathers(connector: Any, rows: Sequence[InboxRow], left: float, now: float) -> float:
    """Seconds until these are read: a few events gather for a moment where one call reads many and few calls are `left`.

    `left` is a share of the account's calls, `now` seconds by the clock that `received` was told by. What
    is told as an opt-out or an erasure never waits; a no that is only seen once the contact is read does.
    """
    contacts = len({row.subject for row in rows})
    at_once = connector.read_batch if isinstance(connector, Batched) else MOST
    if left >= SCARCE or not 0 < contacts * FEW < at_once or any(row.kind in OPT_OUTS for row in rows):
        return 0.0
    waited = now - min(row.received for row in rows)
    return min(max(0.0, GATHER_SECONDS - waited), GATHER_SECONDS)

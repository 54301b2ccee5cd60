"""How many contacts are taken at once: many where one call reads them all, few where each is a call of its own.

All of a wave are looked up before the first is written. Thirty contacts at two calls each and five calls a second would
keep the first of them waiting for ten seconds and more.
"""

from __future__ import annotations

from typing import Any

from stellwerk.sdk.connector import Batched

MOST = 100
FEWEST = 8


def wave(connector: Any) -> int:
    """Contacts a turn, by what the connector tells of its reading."""
    return max(FEWEST, min(MOST, connector.read_batch)) if isinstance(connector, Batched) else MOST

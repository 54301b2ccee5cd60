"""Where the last comparison of a connection stands, as programs read it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.reconcile import status
from stellwerk.store import comparisons
from stellwerk.store.comparisons import State
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.comparing import DriftKind


class DriftCount(Struct, frozen=True, kw_only=True):
    """So many contacts differ in this way at this system; `mends` of them are mended by looking at them again."""

    kind: DriftKind
    system: str
    count: int
    mends: int


class DriftOfContact(Struct, frozen=True, kw_only=True):
    """One contact that differs, by its id at the system."""

    system: str
    id: str
    kind: DriftKind
    mends: bool


class Compared(Struct, frozen=True, kw_only=True):
    """One comparison of both sides. What was found is told once all is compared, one by one up to a thousand.

    `mended` were looked at again, of which `waiting` are not decided yet.
    """

    run: int
    connection: str
    mend: bool
    state: State
    by: str
    started: str
    ended: str | None
    contacts: int
    drift: list[DriftCount]
    mended: int
    waiting: int
    found: list[DriftOfContact]
    code: str
    text: str


class LastComparison(Struct, frozen=True, kw_only=True):
    """None where both sides were never compared."""

    comparison: Compared | None


async def last_comparison(hub: Hub, connection: Connection) -> LastComparison:
    """The youngest of this connection, also while it is going on."""

    def told(tx: Tx) -> object:
        last = comparisons.last(tx, connection.id)
        return None if last is None else status(tx, last.id)

    return LastComparison(comparison=msgspec.convert(await hub.store.read(told), Compared | None))

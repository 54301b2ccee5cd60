"""Where the syncs of a connection stand, as pages and programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.sync import statuses
from stellwerk.store import syncs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk.store.syncs import State
from stellwerk.view.dry_run import Line, lines
from stellwerk_rules.model import Permission
from stellwerk_rules.outlook import What


class Counted(Struct, frozen=True, kw_only=True):
    """So many contacts would come to the same, for the same reason."""

    what: What
    code: str
    count: int


class SyncStatus(Struct, frozen=True, kw_only=True):
    """One sync or dry run. `contacts` of `total` were taken in so far; `counts` says what became of them.

    `confirmed` is how many a person said may be mailed, or granted the `permission`. `events_waiting` are contacts that were
    taken in and not decided on, `deliveries` its changes by their state.
    """

    run: int
    connection: str
    kind: Literal["dry run", "sync"]
    state: State
    ask: bool
    permission: Permission
    confirmed: int
    by: str
    started: str
    ended: str | None
    contacts: int
    total: int | None
    listed: bool
    counts: Mapping[str, int]
    reasons: list[Counted]
    events_waiting: int
    deliveries: Mapping[str, int]
    code: str
    text: str

    @property
    def going_on(self) -> bool:
        return self.state in syncs.GOING_ON

    @property
    def under_way(self) -> int:
        """What was taken in and is not done."""
        return self.events_waiting + sum(self.deliveries.get(state, 0) for state in syncs.UNDONE)


class Syncs(Struct, frozen=True, kw_only=True):
    """The last of each kind; `now` is the one that is going on."""

    dry_run: SyncStatus | None
    sync: SyncStatus | None

    @property
    def now(self) -> SyncStatus | None:
        return next((one for one in (self.sync, self.dry_run) if one is not None and one.going_on), None)


class ForeseenContacts(Struct, frozen=True, kw_only=True):
    """A part of what the last dry run said, in the order of the ids as texts; `after` is where the next part begins."""

    contacts: list[Line]
    after: str | None


async def last_syncs(hub: Hub, connection: Connection) -> Syncs:
    """Those of this connection."""
    told = await hub.store.read(lambda tx: statuses(tx, connection=connection.id))
    by_kind = {one.kind: one for one in msgspec.convert(told, list[SyncStatus])}
    return Syncs(dry_run=by_kind.get("dry run"), sync=by_kind.get("sync"))


async def foreseen_contacts(
    hub: Hub, connection: Connection, mail: str, *, after: str, what: What | None, limit: int
) -> ForeseenContacts:
    """Some of the contacts that the connection's last dry run looked at."""

    def read_them(tx: Tx) -> list[Line]:
        run = syncs.last(tx, connection.id, "dry")
        if run is None:
            return []
        chosen = None if what is None else what.value
        return lines(tx, hub.vault, run, mail, after=after, limit=limit + 1, what=chosen)

    found = await hub.store.read(read_them)
    return ForeseenContacts(contacts=found[:limit], after=found[limit - 1].id if len(found) > limit else None)

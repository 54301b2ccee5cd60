"""All connections at once, for whoever runs the hub: their health, what waits, what is to be mended."""

from __future__ import annotations

from msgspec import Struct

from stellwerk.registry import has
from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Capped
from stellwerk.store import accounts, connections, hold, opt_outs, repairs
from stellwerk.store.accounts import GONE, LEAVING
from stellwerk.store.connections import Connection
from stellwerk.store.hold import Hold
from stellwerk.store.store import Row, Tx
from stellwerk.view.moment import moment, moment_or_none
from stellwerk.view.overview import Side, sides


class OneOf(Struct, frozen=True, kw_only=True):
    """One connection. `opt_out_seconds` is for how long its oldest undelivered opt-out has waited."""

    id: str
    state: str
    origin: str
    began: str | None
    stopped_since: str | None
    sides: list[Side]
    waiting: int
    held: int
    dead: int
    opt_out_seconds: int | None
    repairs: int


class OpenRepair(Struct, frozen=True, kw_only=True):
    """A repair of anybody's. `place` is an account, a connection, one of its contacts by number, or `hub`."""

    id: int
    place: str
    code: str
    text: str
    count: int
    opened: str
    seen: str


class AccountsOf(Struct, frozen=True, kw_only=True):
    """How many accounts of a system are connected; `most` as its app may be installed in, where the connector tells."""

    system: str
    count: int
    waiting: int
    most: int | None


class AllConnections(Struct, frozen=True, kw_only=True):
    """What stands at this moment. `hold` is what holds the whole hub."""

    connections: list[OneOf]
    accounts: list[AccountsOf]
    repairs: list[OpenRepair]
    hold: Hold | None


async def all_connections(hub: Hub) -> AllConnections:
    """Read from the store alone: nobody is called."""
    now = hub.now()

    def look(tx: Tx) -> AllConnections:
        open_now = repairs.still_open(tx)
        return AllConnections(
            connections=[_one(tx, hub, one, open_now, now) for one in connections.every(tx)],
            accounts=_accounts(tx, hub),
            repairs=[_repair(row) for row in open_now],
            hold=hold.standing(tx),
        )

    return await hub.store.read(look)


def _one(tx: Tx, hub: Hub, one: Connection, open_now: list[Row], now: float) -> OneOf:
    both = sides(tx, hub, one, now)
    oldest = opt_outs.oldest(tx, one.id)
    subjects = {one.id, *one.accounts.values()}

    def changes(*states: str) -> int:
        return sum(side.changes.get(state, 0) for side in both for state in states)

    return OneOf(
        id=one.id,
        state=one.state,
        origin=one.origin,
        began=moment_or_none(one.began),
        stopped_since=moment_or_none(one.on_hold),
        sides=both,
        waiting=changes("waiting", "sent", "parked"),
        held=changes("held"),
        dead=changes("dead"),
        opt_out_seconds=None if oldest is None else max(0, int(now - oldest)),
        repairs=sum(1 for row in open_now if row["subject"].partition("/")[0] in subjects),
    )


def _accounts(tx: Tx, hub: Hub) -> list[AccountsOf]:
    rows = [row for row in accounts.every(tx, hub.vault) if row.state not in (LEAVING, GONE)]
    return [
        AccountsOf(
            system=name,
            count=sum(1 for row in rows if row.system == name),
            waiting=sum(1 for row in rows if row.system == name and row.state != "ok"),
            most=system.connector.most_accounts if has(system.connector, Capped) else None,  # type: ignore[attr-defined]
        )
        for name, system in hub.systems.items()
    ]


def _repair(row: Row) -> OpenRepair:
    return OpenRepair(
        id=row["id"],
        place=row["subject"],
        code=row["code"],
        text=row["text"],
        count=row["count"],
        opened=moment(row["opened"]),
        seen=moment(row["seen"]),
    )

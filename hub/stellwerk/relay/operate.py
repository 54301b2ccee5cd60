"""What a person does to a connection while the hub runs: let it run, watch or rest, set up again, end a repair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import structs

from stellwerk.relay import connect
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.provide import provide
from stellwerk.sdk.connector import Difference
from stellwerk.store import connections, repairs
from stellwerk.store.connections import ENDED, Changed, Connection
from stellwerk.store.store import Tx

State: TypeAlias = Literal["runs", "watches", "rests"]
SET_UP_AGAIN = frozenset(
    {
        "field-missing",
        "field-type-differs",
        "field-refused",
        "field-not-created",
        "field-not-mended",
        "webhooks-not-registered",
    }
)
"""Repairs that setting up opens anew where they still hold."""


async def change_state(hub: Hub, connection: Connection, state: State, *, who: str) -> Connection:
    """Raises `Changed` when somebody saved the connection meanwhile, or it was ended: only connecting anew brings it back."""
    if connection.state == ENDED:
        raise Changed(f"connection {connection.id} was ended")
    if connection.state == state:
        return connection
    return await connect.save(hub, structs.replace(connection, state=state), who=who, note=state)


async def set_up_again(hub: Hub, connection: Connection) -> Sequence[Difference]:
    """Create what is missing over there; what still differs is opened as a repair anew. Raises `DeliveryError`."""

    def close(tx: Tx) -> None:
        for code in SET_UP_AGAIN:
            repairs.close(tx, connection.id, code, hub.now())

    await hub.store.write(close)
    return await provide(hub, connection)


async def end_repair(hub: Hub, connection: Connection, one: int, *, by: str) -> bool:
    """Close a repair of this connection or its own accounts that a person has seen to; False when there is none.

    What still fails opens it again. Those of an account that others use too are closed by the operator alone.
    """

    def work(tx: Tx) -> bool:
        places = {connection.id, *connections.own_accounts(tx, connection)}
        row = next((row for row in repairs.still_open(tx) if row["id"] == one), None)
        if row is None or row["subject"].partition("/")[0] not in places:
            return False
        now = hub.now()
        repairs.close(tx, row["subject"], row["code"], now)
        connections.note(tx, connection.id, who=by, now=now, note=connections.REPAIR_ENDED, about=row["code"])
        return True

    return await hub.store.write(work)


async def end_any_repair(hub: Hub, one: int, *, by: str) -> bool:
    """Close a repair of anybody's, as only the operator may; False when there is none."""

    def work(tx: Tx) -> bool:
        row = next((row for row in repairs.still_open(tx) if row["id"] == one), None)
        if row is not None:
            repairs.close(tx, row["subject"], row["code"], hub.now())
            log.info("%s: the repair %s was ended by %s", row["subject"], row["code"], by)
        return row is not None

    return await hub.store.write(work)

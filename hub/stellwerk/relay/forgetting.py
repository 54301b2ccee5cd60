"""What a person orders to be forgotten: an address, or a whole connection."""

from __future__ import annotations

from typing import Any

import msgspec

from stellwerk.errors import StellwerkError
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.leaving import disconnect, forget
from stellwerk.store import connections, erasure
from stellwerk.store.connections import ENDED, Connection
from stellwerk.store.erasure import Erased
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault


async def erase_address(hub: Hub, *, address: str, by: str) -> dict[str, int]:
    """Forget everything personal that is kept of the address. `{contacts, events, changes, reasons}`: how many of each.

    Raises `OnItsWay` while an event of it waits or an opt-out is on its way; then nothing is forgotten.
    """
    gone = await hub.store.write(lambda tx: erasure.erase(tx, hub.vault, address, hub.now()))
    log.info("an erasure on request by %s: %d contacts, %d events", by, gone.contacts, gone.events)
    told: dict[str, int] = msgspec.to_builtins(gone)
    return told


async def erase_person(hub: Hub, connection: Connection, *, address: str, by: str) -> Erased:
    """Forget what this connection keeps of the address; its history names who did it, and the address by its reference.

    Raises `OnItsWay` while an event of it waits or an opt-out is on its way; then nothing is forgotten.
    """

    def work(tx: Tx) -> Erased:
        gone = erasure.erase(tx, hub.vault, address, hub.now(), connection)
        reference = reference_of(hub.vault, address)
        connections.note(tx, connection.id, who=by, now=hub.now(), note=connections.ERASED, about=reference)
        return gone

    return await hub.store.write(work)


def reference_of(vault: Vault, email: str) -> str:
    """What stands for an address in the history: the beginning of its keyed hash, which only this hub can make."""
    return vault.address(email)[:16]


async def forget_connection(
    hub: Hub,
    *,
    connection: str,
    by: str,
    keep_days: bool = False,
    with_suppression: bool = False,
    anyway: bool = False,
) -> dict[str, Any]:
    """End a connection; what is kept of it is erased in the next round, or with `keep_days` after its days.

    `{connection, suppressed}`: how many addresses that opted out were forgotten. Raises `StellwerkError` for an unknown
    connection and `OptOutsWait`; then nothing is changed.
    """

    def work(tx: Tx) -> int:
        one = connections.by_id(tx, connection)
        if one is None:
            raise StellwerkError(f"no connection is called '{connection}'; see: stellwerk connections list")
        if one.state != ENDED:
            disconnect(tx, one, who=by, now=hub.now(), anyway=anyway)
        return 0 if keep_days else forget(tx, one, with_suppression=with_suppression)

    suppressed = await hub.store.write(work)
    hub.wake()
    return {"connection": connection, "suppressed": suppressed}

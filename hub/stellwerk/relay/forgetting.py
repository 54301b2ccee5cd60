"""What a person orders to be forgotten: an address, or a whole connection."""

from __future__ import annotations

from typing import Any

import msgspec

from stellwerk.errors import StellwerkError
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.leaving import disconnect, forget
from stellwerk.store import connections, erasure
from stellwerk.store.connections import ENDED
from stellwerk.store.store import Tx


async def erase_address(hub: Hub, *, address: str, by: str) -> dict[str, int]:
    """Forget everything personal that is kept of the address. `{contacts, events, changes, reasons}`: how many of each.

    Raises `OnItsWay` while an event of it waits or an opt-out is on its way; then nothing is forgotten.
    """
    gone = await hub.store.write(lambda tx: erasure.erase(tx, hub.vault, address, hub.now()))
    log.info("an erasure on request by %s: %d contacts, %d events", by, gone.contacts, gone.events)
    told: dict[str, int] = msgspec.to_builtins(gone)
    return told


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

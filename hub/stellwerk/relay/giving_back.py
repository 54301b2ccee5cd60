"""An account that this process holds and does not drain: the database was away when it was to be let go of."""

from __future__ import annotations

from stellwerk.relay.hub import Hub
from stellwerk.store import lease
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx

CLAIMED_SECONDS = 5.0
"""What was claimed or renewed this long ago is being drained by now, if it ever is."""


async def give_back(hub: Hub) -> None:
    """Let go of what nobody here drains, so that it goes on now and not only when its lease ends."""

    def hanging(tx: Tx) -> list[Lease]:
        held = lease.held_by(tx, hub.name, hub.now() + lease.SECONDS - CLAIMED_SECONDS)
        return [one for one in held if (one.account, one.epoch) not in hub.draining]

    def let_go(tx: Tx) -> None:
        # Asked again here: what stood still may have gone on since, and who drains registers before the first write.
        for one in hanging(tx):
            lease.release(tx, one, hub.now())

    if await hub.store.read(hanging):
        await hub.store.write(let_go)
        hub.wake()

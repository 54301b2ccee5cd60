"""The time zone of an account's people, as the remote tells it: for them moments are shown by their own clock."""

from __future__ import annotations

import asyncio

from stellwerk.errors import DeliveryError
from stellwerk.relay.hub import Hub, log
from stellwerk.store import accounts

PATIENCE_SECONDS = 4.0
ZONE = "zone_there"
"""In what the remote told of an account: the zone its people live by. Not that of the times it prints, which is learnt."""


async def ask_zone(hub: Hub, account: str) -> None:
    """Keep the zone that the remote names. Where it names none or cannot be asked now, what it told before stands."""
    row = await hub.account(account)
    if row is None:
        return
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), hub.open(row) as desk:
            zone = (await desk.connector.check()).zone
    except (DeliveryError, TimeoutError) as failed:
        log.info("account %s: its time zone was not read: %s", account, getattr(failed, "code", "no answer"))
        return
    if zone and zone != row.info.get(ZONE):
        await hub.store.write(lambda tx: accounts.set_info(tx, account, **{ZONE: zone}))

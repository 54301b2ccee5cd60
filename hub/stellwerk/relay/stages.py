"""The order of stages, read from the system that has them and kept for every decision."""

from __future__ import annotations

from stellwerk.errors import DeliveryError
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.sdk.connector import Catalogue
from stellwerk.store import accounts

FRESH_SECONDS = 600.0
AGAIN_SECONDS = 300.0
STAGES = "stages"


async def refresh_stages(hub: Hub, desk: Desk) -> None:
    """Read the stages if they are older than ten minutes; if they cannot be had, the old ones serve for five more.

    Never a reason to stop: what waits for the account may need no stage at all.
    """
    connector = desk.connector
    if not isinstance(connector, Catalogue) or STAGES not in connector.lists:
        return
    info = desk.account.info
    if hub.now() - float(info.get("stages_at", 0.0)) < FRESH_SECONDS:
        return
    try:
        options = await connector.options(STAGES)
    except DeliveryError as failed:
        log.info("account %s: the stages were not read: %s", desk.account.id, failed.code)
        tried = hub.now() - FRESH_SECONDS + AGAIN_SECONDS
        await hub.store.write(lambda tx: accounts.set_info(tx, desk.account.id, stages_at=tried))
        return
    stages = [option.value for option in options]
    await hub.store.write(lambda tx: accounts.set_info(tx, desk.account.id, stages=stages, stages_at=hub.now()))

"""A hub in this process over a store of its own, with the account of one portal and no lanes: for what is measured without HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stellwerk.app import create_hub
from stellwerk.config.load import load_or_fail
from stellwerk.registry import load_connectors
from stellwerk.relay import connect
from stellwerk.relay.hub import Hub
from stellwerk.relay.receive import receive
from stellwerk.sdk import WebhookRequest
from stellwerk.sdk.connector import Account
from stellwerk.store.store import Store
from stellwerk_bench.decide import ENVIRON, SAMPLE
from stellwerk_bench.posted import PATH, Posted
from stellwerk_bench.scene import PORTAL

URL = ENVIRON["STELLWERK_WEBHOOK_URL"]


async def opened(store: Store) -> Hub:
    """The sample's hub on `store`, with the portal's account."""
    registry = load_connectors()
    loaded = load_or_fail(SAMPLE, registry, environ=ENVIRON)
    hub = await create_hub(loaded, registry, folder=Path("/nonexistent"), store=store)
    settings: Any = hub.systems["crm"].connector.account_type(account=str(PORTAL))
    await connect.keep_settings(hub, "crm", settings, Account(id=str(PORTAL), name="Bench"))
    return hub


async def take(hub: Hub, posted: Posted) -> int:
    """One request, as the web layer hands it on. How many of its events are new."""
    return await receive(
        hub,
        "hubspot",
        WebhookRequest(
            method="POST",
            url=URL + PATH,
            path=(),
            query={},
            headers=posted.headers,
            body=posted.body,
            received_at=hub.time(),
        ),
    )

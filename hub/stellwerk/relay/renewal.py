"""Renewing the secret in an account's webhook addresses. Both are valid for a week, so that no call on its way is refused."""

from __future__ import annotations

from stellwerk.errors import DeliveryError, StellwerkError
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.provide import UNPROVIDED, hook_urls, provide
from stellwerk.store import accounts, connections, meta
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx

BOTH_VALID_SECONDS = 7 * 86_400.0
RENEWED = "hooks-renewed"


async def renew_hooks(hub: Hub, connection: str, by: str) -> list[str]:
    """Give every account of the connection whose webhooks are known by their path a new secret, and register the new ones.

    The accounts that got one. The addresses before stay valid for `BOTH_VALID_SECONDS`; where they were copied by hand,
    the new ones have to be copied by then. Raises `StellwerkError` for a connection that is not there.
    """
    found = await hub.store.read(lambda tx: connections.by_id(tx, connection))
    if found is None:
        raise StellwerkError(f"there is no connection {connection}")
    renewed = [one for system, one in found.accounts.items() if await hook_urls(hub, system, one)]
    sharing = [one for account in renewed for one in await hub.connections_of(account)]

    def work(tx: Tx) -> None:
        for account in renewed:
            accounts.renew_hook(tx, hub.vault, account)
            meta.set_cursor(tx, account, RENEWED, str(hub.now()))
        for one in sharing:
            # Should the process end before the new ones are registered, setting up goes on with it.
            meta.set_cursor(tx, one.id, UNPROVIDED, RENEWED)

    await hub.store.write(work)
    log.info("connection %s: %s gave its webhooks new addresses", connection, by)
    for one in {one.id: one for one in sharing}.values():
        await _register(hub, one)
    return renewed


async def _register(hub: Hub, connection: Connection) -> None:
    try:
        await provide(hub, connection)
    except DeliveryError as failed:
        log.warning("connection %s: its new webhooks are not registered yet: %s", connection.id, failed.code)


async def end_old_hooks(hub: Hub) -> None:
    """Let secrets go that were renewed a week ago."""

    def work(tx: Tx) -> None:
        for account in accounts.with_old_hook(tx):
            if hub.now() - float(meta.cursor(tx, account, RENEWED) or 0.0) >= BOTH_VALID_SECONDS:
                accounts.forget_old_hook(tx, account)

    if await hub.store.read(accounts.with_old_hook):
        await hub.store.write(work)

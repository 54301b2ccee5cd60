"""What must exist over there for a connection: created idempotently, tried again until it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from stellwerk.errors import AmbiguousError, DeliveryError, PauseError, RetryableError
from stellwerk.registry import has
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.rests import rest_until
from stellwerk.relay.rulebook import wanted
from stellwerk.sdk.connector import Difference, Hook, Provisioner, WebhookSource
from stellwerk.store import accounts, connections, meta, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx

PATIENCE_SECONDS = (0.2, 0.5, 1.0, 2.0)
UNPROVIDED = "unprovided"
SHOWN = "differences-shown"


async def hook_urls(hub: Hub, system: str, account: str) -> dict[str, str]:
    """The webhook URLs of an account whose path holds a secret, by topic; empty where a signature is trusted."""
    connector = hub.systems[system].connector
    if not has(connector, WebhookSource) or not has(connector, Provisioner) or connector.webhook_trust != "path":  # type: ignore[attr-defined]
        return {}
    secret = await hub.store.write(lambda tx: accounts.ensure_hook(tx, hub.vault, account))
    root = f"{hub.webhook_url}/webhooks/{connector.name}/{secret}"
    return {topic: f"{root}/{topic}" for topic in connector.hook_topics}  # type: ignore[attr-defined]


async def provide(hub: Hub, connection: Connection) -> list[Difference]:
    """Create what is missing over there, on every side. What could not be mended is returned and shown as repairs.

    Every step can be repeated, so a fault on the way only costs another try; when patience ends, or an account asks for a
    rest, the connection is remembered and `provide_again` goes on later. Raises `DeliveryError`.
    """
    found: list[Difference] = []
    try:
        for system, account in connection.accounts.items():
            try:
                found += await _patiently(hub, connection, system, account)
            except DeliveryError as failed:
                failed.system = system
                if isinstance(failed, PauseError):
                    await _rest(hub, account, failed)
                raise
    except DeliveryError as failed:
        code = failed.code
        await hub.store.write(lambda tx: meta.set_cursor(tx, connection.id, UNPROVIDED, code))
        raise

    def work(tx: Tx) -> None:
        if meta.cursor(tx, connection.id, UNPROVIDED):
            meta.set_cursor(tx, connection.id, UNPROVIDED, "")

    await hub.store.write(work)
    await show(hub, connection.id, found)
    return found


async def _rest(hub: Hub, account: str, asked: PauseError) -> None:
    def work(tx: Tx) -> None:
        accounts.pause(tx, account, rest_until(hub.now(), asked), asked.code)

    await hub.store.write(work)


async def provide_again(hub: Hub) -> None:
    """Go on with the connections whose setting up was interrupted, unless an account of theirs is to be left alone."""

    def waiting(tx: Tx) -> list[Connection]:
        resting = {one.id for one in accounts.every(tx, hub.vault) if one.state != "ok" or one.paused_until > hub.now()}
        return [
            one
            for one in connections.every(tx)
            if meta.cursor(tx, one.id, UNPROVIDED) and resting.isdisjoint(one.accounts.values())
        ]

    for connection in await hub.store.read(waiting):
        try:
            await provide(hub, connection)
        except DeliveryError as failed:
            log.warning("connection %s is not set up yet: %s", connection.id, failed.code)


async def _patiently(hub: Hub, connection: Connection, system: str, account: str) -> Sequence[Difference]:
    for seconds in (*PATIENCE_SECONDS, None):
        try:
            return await _one_side(hub, connection, system, account)
        except (RetryableError, AmbiguousError):
            if seconds is None:
                raise
            await asyncio.sleep(seconds)
    return ()


async def _one_side(hub: Hub, connection: Connection, system: str, account: str) -> Sequence[Difference]:
    row = await hub.account(account)
    if row is None or not has(hub.systems[system].connector, Provisioner):
        return ()
    urls = await hook_urls(hub, system, account)
    need = wanted(hub.book(connection), system)
    need = msgspec.structs.replace(need, hooks=tuple(Hook(topic=topic, url=url) for topic, url in urls.items()))
    async with hub.open(row) as desk:
        differences: Sequence[Difference] = await desk.connector.provide(need)
        return differences


async def show(hub: Hub, connection: str, found: Sequence[Difference]) -> None:
    """Open a repair for each code, with all that it is about, and close those of the last time that are mended."""
    texts: dict[str, list[str]] = {}
    for one in found:
        texts.setdefault(one.code, []).append(f"{one.subject}: {one.text}")

    def work(tx: Tx) -> None:
        for code in (meta.cursor(tx, connection, SHOWN) or "").split():
            if code not in texts:
                repairs.close(tx, connection, code, hub.now())
        for code, lines in texts.items():
            repairs.open_(tx, connection, code, "; ".join(lines), hub.now())
        meta.set_cursor(tx, connection, SHOWN, " ".join(sorted(texts)))

    await hub.store.write(work)

"""The composition root: the only place that wires file, plugins, store, lanes and routes together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from litestar import Litestar
from litestar.di import Provide

from stellwerk.config.load import Loaded, ruleset
from stellwerk.errors import ConfigError, StoreError
from stellwerk.registry import Registry
from stellwerk.relay import instance
from stellwerk.relay.connect import bring_in_file
from stellwerk.relay.housekeeping import Housekeeping
from stellwerk.relay.hub import Hub, System
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.orders import listening
from stellwerk.relay.rulebook import Rulebook, rulebook
from stellwerk.store.address import database_file, open_store
from stellwerk.store.connections import IN_FILE, Connection
from stellwerk.store.store import Store
from stellwerk.store.vault import Vault
from stellwerk.web.routes import route_handlers, site

log = logging.getLogger("stellwerk")


async def create_hub(loaded: Loaded, registry: Registry, *, folder: Path, store: Store | None = None) -> Hub:
    """A hub for a file without problems, its keys taken from the database. Raises `ConfigError`, `StoreError`."""
    integration = loaded.integration
    if integration is None:
        raise ConfigError(loaded.problems)
    before = integration.hub.secret_key_before
    vault = Vault(integration.hub.secret_key.reveal(), None if before is None else before.reveal())
    opened = store or open_store(integration.hub.database, folder)
    hub = Hub(
        integration=integration,
        systems={
            name: System(name=name, connector=registry.connectors[system.connector], settings=system.settings)
            for name, system in integration.systems.items()
        },
        make_book=partial(book_of, loaded),
        store=opened,
        vault=vault,
        now=opened.now,
        database=None if store is not None else database_file(integration.hub.database, folder),
    )
    try:
        await hub.ready_keys()
    except StoreError:
        await hub.close()
        raise
    return hub


def book_of(loaded: Loaded, connection: Connection) -> Rulebook:
    """The rules for one connection, from the file's own entry where it has one."""
    entries = () if loaded.integration is None else loaded.integration.connections
    entry = next((one for one in entries if connection.origin == IN_FILE and one.id == connection.id), None)
    return rulebook(ruleset(loaded, entry, brand=connection.brand or None))


def create_app(hub: Hub) -> Litestar:
    """The web application; starting it starts the lanes, stopping it lets them finish and closes the store."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await bring_in_file(hub)
        lanes = Lanes(hub)
        housekeeping = Housekeeping(hub)
        await instance.begin(hub)
        await lanes.start()
        housekeeping.start()
        try:
            async with listening(hub, hub.database):
                yield
        finally:
            await housekeeping.stop()
            await lanes.stop()
            with suppress(StoreError):
                await instance.beat(hub)
            await hub.close()

    return Litestar(
        route_handlers=route_handlers(hub),
        dependencies={"hub": Provide(lambda: hub, sync_to_thread=False)},
        lifespan=[lifespan],
        **site(hub),
    )

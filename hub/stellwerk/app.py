"""The composition root: the only place that wires file, plugins, store, engine and routes together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from litestar import Litestar
from litestar.di import Provide

from stellwerk.config.load import Loaded, ruleset
from stellwerk.errors import ConfigError, StoreError
from stellwerk.registry import Registry
from stellwerk.relay import instance
from stellwerk.relay.connect import bring_in_file
from stellwerk.relay.drain import drain
from stellwerk.relay.duties import in_turn, leave_duties
from stellwerk.relay.engine import Engine, Process, take_over
from stellwerk.relay.housekeeping import ROUND_SECONDS, arrange, attentive
from stellwerk.relay.hub import Hub, System
from stellwerk.relay.keys import Keyring
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.notifying import tell_of_repairs
from stellwerk.relay.orders import listening
from stellwerk.relay.place import Place
from stellwerk.relay.rulebook import Rulebook, rulebook
from stellwerk.store import meta
from stellwerk.store.address import database_file, open_store
from stellwerk.store.connections import IN_FILE, Connection
from stellwerk.store.store import Store
from stellwerk.store.vault import Vault
from stellwerk.web.notification_letter import letter
from stellwerk.web.routes import probes, route_handlers, site

Role: TypeAlias = Literal["all", "web", "worker"]
BRINGING_IN_SECONDS = 120.0
log = logging.getLogger("stellwerk")


async def create_hub(
    loaded: Loaded, registry: Registry, *, folder: Path, store: Store | None = None, place: Place | None = None
) -> Hub:
    """A hub for a file without problems, its keys taken from the database. Raises `ConfigError`, `StoreError`.

    `place` is for one that is to run on a database that others may have too.
    """
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
        store=opened if opened.alone else Keyring(opened, vault),
        vault=vault,
        now=opened.now,
        database=None if store is not None else database_file(integration.hub.database, folder),
        place=place,
        engine=Lanes if opened.alone else _jobs(integration.hub.database),
    )
    try:
        await _refuse_moved(hub)
        await hub.ready_keys()
    except StoreError:
        await hub.close()
        raise
    return hub


def _jobs(url: str) -> Callable[[Process], Engine]:
    """The engine of several processes. Its package is there where the store's is."""
    from stellwerk.relay.jobs import Jobs

    return partial(Jobs, url=url)


async def _refuse_moved(hub: Hub) -> None:
    """Raises `StoreError` for a file whose contents went to a server: run here as well, everybody would be mailed twice."""
    moved = await hub.store.read(lambda tx: meta.value(tx, meta.MOVED))
    if moved is not None:
        raise StoreError(
            f"this database was moved to {moved.decode()}: put that under hub.database; if moving was interrupted, do it again"
        )


def book_of(loaded: Loaded, connection: Connection) -> Rulebook:
    """The rules for one connection, from the file's own entry where it has one."""
    entries = () if loaded.integration is None else loaded.integration.connections
    entry = next((one for one in entries if connection.origin == IN_FILE and one.id == connection.id), None)
    return rulebook(ruleset(loaded, entry, brand=connection.brand or None))


def create_app(hub: Hub, role: Role = "all") -> Litestar:
    """The web application; starting it starts the engine, stopping it lets that finish and closes the store.

    As `web` it drains nothing: others do, and are woken. As `worker` it answers only whether it lives and can work.
    """

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            async with listening(hub, hub.database), working(hub) if role != "web" else hub.engine.run(None):
                yield
        finally:
            await hub.close()

    return Litestar(
        route_handlers=list(probes) if role == "worker" else route_handlers(hub),
        dependencies={"hub": Provide(lambda: hub, sync_to_thread=False)},
        lifespan=[lifespan],
        **site(hub),
    )


@asynccontextmanager
async def working(hub: Hub) -> AsyncIterator[None]:
    """Accounts are drained and the house is kept meanwhile."""
    await take_over(hub)
    async with in_turn(hub, "bringing in the file", BRINGING_IN_SECONDS):
        await bring_in_file(hub)
    await instance.begin(hub)
    arrange(hub)
    hub.engine.every(ROUND_SECONDS, "telling of repairs", partial(tell_of_repairs, hub, letter))
    try:
        async with hub.engine.run(partial(drain, hub)), attentive(hub):
            yield
    finally:
        with suppress(StoreError):
            await leave_duties(hub)
            await instance.beat(hub)

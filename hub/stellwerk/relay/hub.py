"""A running hub: the file, the plugins, the store and the clock, and how an account is opened."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.config.spec import Integration
from stellwerk.errors import DeliveryError, ReauthorizeError, RetryableError
from stellwerk.relay.budget import Budget
from stellwerk.relay.engine import Engine, Process
from stellwerk.relay.grip import Grip, GrippedHttp
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.place import Place
from stellwerk.relay.rulebook import Chosen, Rulebook, choose
from stellwerk.relay.tokens import Tokens
from stellwerk.sdk.connector import Connector, FieldSpec, Services
from stellwerk.sdk.http import Http
from stellwerk.sdk.settings import Secret
from stellwerk.store import accounts, connections, meta, rotation
from stellwerk.store.accounts import AccountRow
from stellwerk.store.connections import IN_FILE, Connection
from stellwerk.store.store import Store, Tx
from stellwerk.store.vault import Vault

log = logging.getLogger("stellwerk")

LEARNT_ZONE = "learnt_zone"
"""In what the remote told of an account: the zone of the times it prints, learnt from what was written there."""


class System(Struct, frozen=True, kw_only=True):
    """One side of the file: its connector's class and its settings."""

    name: str
    connector: type[Connector]
    settings: Any


class Pulse:
    """How an account took its calls since it was opened: how many it answered, how many failed without an answer."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed = 0

    def fails(self, failed: DeliveryError) -> None:
        """One call failed; who asks to be left alone for a while has answered."""
        if isinstance(failed, RetryableError) and failed.retry_after is not None:
            self.answered += 1
        else:
            self.failed += 1


class Desk(Struct, frozen=True, kw_only=True):
    """An open account. `zones` has what was learnt of the zone of its times since it was opened, `parts` how the parts of its
    poll answered since somebody looked: a code each, None where it went well. `unread` what was last said of fields, `stages` their
    order where it was read.
    """

    account: AccountRow
    system: System
    connector: Any
    budget: Budget
    zones: list[str]
    pulse: Pulse
    parts: dict[str, str | None]
    unread: dict[str, dict[str, list[str]]]
    stages: list[tuple[str, ...]]


class Hub:
    """Made by `app.create_hub`; started and stopped by the lifespan of the app.

    `database` is its file, where it is one; `place` is what it has on its host where it is not.
    """

    def __init__(
        self,
        *,
        integration: Integration,
        systems: Mapping[str, System],
        make_book: Callable[[Connection], Rulebook],
        store: Store,
        vault: Vault,
        now: Callable[[], float] = time.time,
        http: Http | None = None,
        database: Path | None = None,
        place: Place | None = None,
        engine: Callable[[Process], Engine] = Lanes,
    ) -> None:
        self.integration = integration
        self.systems = systems
        self.store = store
        self.vault = vault
        self.now = now
        self.database = database
        self.place = place
        self.name = f"{'' if place is None else place.seat}{os.getpid()}-{secrets.token_hex(4)}"
        """Of this process, among all that have the database."""
        self.tokens = Tokens(store, vault, now, self.name)
        self._make_book = make_book
        self._books: dict[tuple[str, str], Rulebook] = {}
        self._chosen: dict[str, Chosen] = {}
        self._http = http
        self._clients: dict[str, Http] = {}
        self.started = now()
        self.draining: set[tuple[str, int]] = set()
        """Accounts that this process drains at this moment, each with the epoch of its lease."""
        self.counted: tuple[str, int] | None = None
        """The row that counts for this host, and how far it had come at least; None while nothing tells."""
        self.strangers: set[str] = set()
        """Connections that stand in another file than this process has, as far as the log was told of them."""
        self.clocks: dict[str, float] = {}
        """By account, how many seconds its system's clock is ahead of ours, as it was last told."""
        self.heard: dict[str, set[str]] = {}
        """By account, the fields of which an event has come to this process: what it need not write down again."""
        self.public_url = integration.hub.public_url.rstrip("/")
        self.webhook_url = (integration.hub.webhook_url or integration.hub.public_url).rstrip("/")
        self.gives_way: asyncio.Event | None = None
        """Of a command that has the file because no hub had it: set when one asks for it. A hub gives it to nobody."""
        self.engine = engine(self)

    def wake(self) -> None:
        """Tell the engine, after the commit, that something is due."""
        self.engine.wake()

    async def ready_keys(self) -> None:
        """Take the hash key from the database, or put one in; a new secret_key wraps all keys anew.

        Raises `StoreError` for another secret_key.
        """
        fresh = self.vault.new_key("hash")
        await self.store.write(partial(rotation.begin, vault=self.vault))
        self.vault.use_hash_key(await self.store.write(lambda tx: meta.first_value(tx, "hash_key", fresh)))
        await self.store.read(lambda tx: accounts.every(tx, self.vault))

    def time(self) -> datetime:
        return self.moment(self.now())

    @staticmethod
    def moment(seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    def book(self, connection: Connection) -> Rulebook:
        """The rules as this connection has them: its `{brand}` filled in, and only for who belongs to it."""
        key = (connection.id if connection.origin == IN_FILE else "", connection.brand)
        if key not in self._books:
            self._books[key] = self._make_book(connection)
        return self._books[key]

    def chosen(self, connection: Connection) -> Chosen:
        """Its rules and settings, worked out once until somebody saves others."""
        book, held = self.book(connection), self._chosen.get(connection.id)
        if held is None or held.of is not book or held.stored != connection.settings:
            held = self._chosen[connection.id] = choose(book, connection.settings)
        return held

    def http(self, system: System) -> Http:
        if self._http is not None:
            return self._http
        if system.name not in self._clients:
            self._clients[system.name] = Http(timeout_seconds=self.timeout_seconds(system))
        return self._clients[system.name]

    @staticmethod
    def timeout_seconds(system: System) -> float:
        return float(getattr(system.settings, "timeout_seconds", 30.0))

    async def account(self, one: str) -> AccountRow | None:
        def load(tx: Tx) -> AccountRow | None:
            return accounts.by_id(tx, self.vault, one)

        return await self.store.read(load)

    def has_rules_of(self, connection: Connection) -> bool:
        """Whether this process knows whom the connection is for: one of the file may stand in a file that only others have."""
        return connection.origin != IN_FILE or any(one.id == connection.id for one in self.integration.connections)

    async def connections_of(self, account: str) -> list[Connection]:
        return await self.store.read(lambda tx: connections.of_account(tx, account))

    @asynccontextmanager
    async def open(
        self, account: AccountRow, calls: bytes | None = None, grip: Grip | None = None
    ) -> AsyncIterator[Desk]:
        """The account's connector, opened. `calls` is the rate window of the former holder. Raises `ReauthorizeError`.

        With a `grip` it is the holder's own: nothing is called any more once its lease has ended.
        """
        system = self.systems[account.system]
        budget = Budget(*system.connector.rate, self.now, calls)
        fields: dict[str, FieldSpec] = {}
        for connection in await self.connections_of(account.id):
            fields |= {spec.name: spec for spec in self.book(connection).fields[system.name]}
        zones: list[str] = []
        parts: dict[str, str | None] = {}

        def part_asked(part: str, failed: DeliveryError | None) -> None:
            parts[part] = None if failed is None else failed.code

        services = msgspec.structs.replace(
            self.services(system, budget, fields, account.id),
            zone=account.info.get(LEARNT_ZONE),
            zone_seen=zones.append,
            part_asked=part_asked,
        )
        if grip is not None:
            services = msgspec.structs.replace(services, http=GrippedHttp(services.http, grip))
        settings = self.account_settings(system, account)
        async with system.connector.open(system.settings, settings, services) as connector:
            yield Desk(
                account=account,
                system=system,
                connector=connector,
                budget=budget,
                zones=zones,
                pulse=Pulse(),
                parts=parts,
                unread={},
                stages=[],
            )

    def services(
        self, system: System, budget: Budget, fields: Mapping[str, FieldSpec], account: str | None
    ) -> Services:
        http = self.http(system)

        async def token(stale: str | None) -> str:
            if account is None:
                raise ReauthorizeError("not-connected", "nobody has logged in to this account", for_good=True)
            return await self.tokens.token(account, stale, system.connector, system.settings, http)  # type: ignore[arg-type]

        def clock_seen(seconds: float) -> None:
            if account is not None:
                self.clocks[account] = seconds

        return Services(
            http=http,
            now=self.time,
            log=logging.getLogger(f"stellwerk.{system.name}"),
            token=token,
            spend=budget.spend,
            rate_seen=budget.resize,
            clock_seen=clock_seen,
            timeout_seconds=self.timeout_seconds(system),
            fields=fields,
        )

    def account_settings(self, system: System, account: AccountRow) -> Any:
        """The account's settings Struct, secrets opened. Raises `ReauthorizeError` when they were never stored."""
        if account.secrets is None:
            raise ReauthorizeError("not-connected", "no credentials are stored for this account", for_good=True)
        return open_settings(system.connector.account_type, self.vault.open(account.id, account.secrets))

    def seal_settings(self, account: str, settings: Any) -> bytes:
        return self.vault.seal(account, msgspec.json.encode(settings, enc_hook=_reveal))

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        await self.store.close()
        if self.place is not None:
            self.place.close()


def open_settings(kind: type[Any], clear: bytes) -> Any:
    return msgspec.json.decode(clear, type=kind, dec_hook=_hide)


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value).__name__)


def _hide(kind: type[Any], value: Any) -> Any:
    if kind is Secret:
        return Secret(value)
    raise NotImplementedError(kind.__name__)

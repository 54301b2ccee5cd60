"""One process of the hub after the other, over one database: started, ended without a word, restored from a back-up."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from stellwerk.app import book_of
from stellwerk.config.load import Loaded, load
from stellwerk.errors import StellwerkError, WebhookError
from stellwerk.registry import load_connectors
from stellwerk.relay import connect, instance
from stellwerk.relay.drain import drain
from stellwerk.relay.engine import LANES, take_over
from stellwerk.relay.hub import Hub, System
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.provide import provide, provide_again
from stellwerk.relay.receive import receive
from stellwerk.sdk.connector import WebhookRequest
from stellwerk.sdk.http import Http
from stellwerk.store import connections, lease
from stellwerk.store.connections import Connection
from stellwerk.store.vault import Vault
from stellwerk_rules.model import Agreement
from stellwerk_simulation.fate import Fate, Gone
from stellwerk_simulation.store import SimulatedStore
from stellwerk_simulation.vendors import APP, CLIENT, HUB, KEY, PORTALS, SECRET

ENVIRON = {
    "STELLWERK_PUBLIC_URL": "https://hub.test",
    "STELLWERK_WEBHOOK_URL": HUB,
    "STELLWERK_SECRET_KEY": "the simulated hub's secret key, 32 or more",
    "HUBSPOT_CLIENT_ID": CLIENT,
    "HUBSPOT_CLIENT_SECRET": SECRET,
    "HUBSPOT_APP_ID": APP,
}
CONNECTIONS = ("acme", "acme-sports")
ROUND_SECONDS = 900.0
LONGEST_SLEEP_SECONDS = 3600.0
TICK_SECONDS = (
    1e-3  # less may be no step of the world's clock, whose seconds count from 1970: nothing would ever be due
)


registry = cache(load_connectors)


@cache
def loaded(path: Path) -> Loaded:
    found = load(path, ENVIRON, registry())
    assert found.integration is not None, [str(problem) for problem in found.problems]
    return found


class DrawnVault(Vault):
    """Keys as the seed says, so that every digest and every order by one is the same in a replay."""

    dice: random.Random

    def new_key(self, name: str) -> bytes:
        return self._seal(self._wrapper, name, self.dice.randbytes(32))


class SimulatedLanes(Lanes):
    """They sleep until something is due instead of looking each second."""

    async def woken(self, seconds: float) -> None:
        process = self._process
        due = await process.store.read(lease.next_wake)
        wait = LONGEST_SLEEP_SECONDS if due is None else min(due - process.now(), LONGEST_SLEEP_SECONDS)
        await super().woken(wait if wait > TICK_SECONDS else seconds)


class _Wire(httpx.AsyncBaseTransport):
    """The hub's way out: ends with its process."""

    def __init__(self, network: httpx.AsyncBaseTransport, fate: Fate) -> None:
        self._network = network
        self._fate = fate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._fate.turn()
        answer = await self._network.handle_async_request(request)
        await self._fate.turn()
        return answer


class Process:
    """`skew` is how far the hub's clock is ahead of the world's, in seconds."""

    hub: Hub
    store: SimulatedStore
    fate: Fate

    def __init__(
        self, folder: Path, file: Path, network: httpx.AsyncBaseTransport, dice: random.Random, reached: Counter[str]
    ) -> None:
        self.path = folder / "simulated.db"
        self.loaded = loaded(file)
        self.network = network
        self.dice = dice
        self.reached = reached
        self.skew = 0.0
        self.running = False
        self.crashes = 0
        self.crash_next: int | None = None
        """Which step the next process does not survive."""
        self._tasks: list[asyncio.Task[Any]] = []
        self.ended = asyncio.Event()

    async def start(self) -> None:
        integration = self.loaded.integration
        assert integration is not None
        loop = asyncio.get_running_loop()
        store = self.store = SimulatedStore.open(self.path)  # type: ignore[assignment]
        fate = self.fate = store.fate = Fate(self.dice, self._die, self.reached)
        fate.crash_at, self.crash_next = self.crash_next, None
        vault = DrawnVault(integration.hub.secret_key.reveal())
        vault.dice = self.dice
        connectors = registry().connectors
        hub = self.hub = Hub(
            integration=integration,
            systems={
                name: System(name=name, connector=connectors[system.connector], settings=system.settings)
                for name, system in integration.systems.items()
            },
            make_book=partial(book_of, self.loaded),
            store=store,
            vault=vault,
            now=lambda: loop.time() + self.skew,
            http=Http(transport=_Wire(self.network, fate)),
            database=self.path,
            engine=SimulatedLanes,
        )
        store.wake = hub.wake
        self.ended.clear()
        await hub.ready_keys()
        await instance.begin(hub)
        await take_over(hub)
        lanes: Any = hub.engine
        self._tasks = [loop.create_task(lanes.lane(partial(drain, hub)), name=f"lane {one}") for one in range(LANES)]
        self._tasks.append(loop.create_task(self._keep_house()))
        self.running = True

    async def _keep_house(self) -> None:
        """What housekeeping does, less often: each of its rounds would cost more than all the rest."""
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            try:
                await instance.end_pause(self.hub)
                await instance.beat(self.hub)
                await provide_again(self.hub)
            except StellwerkError:
                continue

    def _die(self) -> None:
        """The process ends here: what its tasks wait for never comes."""
        self.crashes += 1
        self.running = False
        self.store.drop()
        for task in self._tasks:
            task.cancel()
        self.ended.set()

    async def gone(self) -> None:
        """Wait until every task of the ended process has left."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def kill(self) -> None:
        self.fate.dead = True
        self._die()

    async def restart(self) -> None:
        if self.running:
            self.kill()
        await self.gone()
        while not self.running:
            try:
                await self.start()
            except (Gone, asyncio.CancelledError):
                self.reached["process ended while it began"] += 1
                await self.gone()

    async def back_up(self, name: str) -> None:
        """A copy of the database; soon after it the hub's heart beats, which a copy younger than a minute would not show."""
        self.store.copy(self.path.with_name(name))
        with suppress(StellwerkError, Gone, asyncio.CancelledError):
            await instance.beat(self.hub)

    async def restore(self, name: str) -> None:
        """Another day's database in the place of today's; the small file beside it stays."""
        if self.running:
            self.kill()
        await self.gone()
        for end in ("-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)
        self.path.write_bytes(self.path.with_name(name).read_bytes())
        await self.restart()

    async def needs_login(self) -> bool:
        """Whether a page tells a person to log in again."""
        waits = "select id from account where state = 'reauthorize' and system = 'crm'"
        return self.running and self.store._read(lambda tx: tx.one(waits)) is not None

    # --- what a customer does on the pages ----------------------------------------------------------------------------

    async def log_in(self, portal: int, consent: Callable[..., str]) -> str:
        hub, system = self.hub, self.hub.systems["crm"]
        connector: Any = system.connector
        verifier = "v" * 64
        hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        redirect = f"{hub.public_url}/oauth/crm/callback"
        asked = urllib.parse.parse_qs(
            urllib.parse.urlsplit(
                connector.authorize_url(system.settings, redirect_uri=redirect, state="s", challenge=hashed)
            ).query
        )
        scopes = tuple(" ".join((*asked.get("scope", ()), *asked.get("optional_scope", ()))).split())
        grant = await connector.exchange(
            system.settings,
            hub.http(system),
            code=consent(portal, redirect, hashed, scopes),
            redirect_uri=redirect,
            verifier=verifier,
        )
        assert grant.account == str(portal)
        return await connect.keep_login(hub, "crm", grant)

    async def connect(self, number: int, settings: Mapping[str, Any], consent: Callable[..., str]) -> None:
        """The portal of this number with the newsletter, on these settings."""
        hub = self.hub
        crm = await self.log_in(PORTALS[number][0], consent)
        chosen = hub.systems["mail"].connector.account_type(api_key=_secret(KEY))  # type: ignore[call-arg]
        account = await connect.check_settings(hub, "mail", chosen)
        mail = await connect.keep_settings(hub, "mail", chosen, account)
        fresh = Connection(
            id=CONNECTIONS[number],
            origin="page",
            accounts={"crm": crm, "mail": mail},
            settings=settings,
            agreed=Agreement(by="Jo Doe", at=hub.time(), words="words"),
        )
        await provide(hub, await connect.save(hub, fresh, who="jo"))

    async def save(self, connection: str, settings: Mapping[str, Any]) -> None:
        before = await self.hub.store.read(lambda tx: connections.by_id(tx, connection))
        assert before is not None
        await connect.save(self.hub, msgspec.structs.replace(before, settings=settings), who="jo")

    # --- where webhooks arrive ----------------------------------------------------------------------------------------

    async def answer(self, request: httpx.Request) -> int:
        """The status that the vendor gets, as the web layer answers."""
        body = await request.aread()
        path = request.url.raw_path.partition(b"?")[0].decode("latin-1")
        parts = tuple(urllib.parse.unquote(part) for part in path.strip("/").split("/"))
        hub, fate = self.hub, self.fate
        try:
            await fate.turn()
            await receive(
                hub,
                parts[1],
                WebhookRequest(
                    method=request.method,
                    url=hub.webhook_url + request.url.raw_path.decode("latin-1"),
                    path=parts[2:],
                    query=dict(urllib.parse.parse_qsl(request.url.query.decode("latin-1"), keep_blank_values=True)),
                    headers=dict(request.headers.items()),
                    body=body,
                    received_at=hub.time(),
                ),
            )
            await fate.turn()
        except WebhookError as refused:
            return refused.status
        except StellwerkError:
            return 503
        except (Gone, asyncio.CancelledError):
            raise httpx.RemoteProtocolError("the hub went away", request=request) from None
        return 200


def _secret(text: str) -> Any:
    from stellwerk.sdk import Secret

    return Secret(text)

"""A hub over two toys, moved by hand: no task runs by itself and no second passes unless the test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from stellwerk.app import book_of
from stellwerk.config.load import Loaded, load
from stellwerk.registry import Registry
from stellwerk.relay import connect
from stellwerk.relay.drain import drain
from stellwerk.relay.hub import Hub, System
from stellwerk.relay.keys import Keyring
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.place import Place
from stellwerk.relay.provide import provide
from stellwerk.relay.receive import receive
from stellwerk.sdk import Secret, WebhookRequest
from stellwerk.sdk.http import Http
from stellwerk.store import connections, lease
from stellwerk.store.connections import Connection
from stellwerk.store.lease import Lease
from stellwerk.store.sqlite import SqliteStore
from stellwerk.store.store import Store, Tx
from stellwerk.store.vault import Vault
from stellwerk_rules.model import Agreement
from stellwerk_toys.clear_text import assert_no_clear_text
from stellwerk_toys.post import Post
from stellwerk_toys.stopping import StoppingStore
from stellwerk_toys.toycrm import ToyCrm, ToyCrmAccount
from stellwerk_toys.toymail import ToyMail, ToyMailAccount
from stellwerk_toys.world import HOOK_KEY, MAIL_KEY, World

T = TypeVar("T")
FILE = Path(__file__).parent.parent / "integration-toys.yaml"
TOYS = Registry(connectors={"toycrm": ToyCrm, "toymail": ToyMail})
ENVIRON = {"TOYS_SECRET_KEY": "the secret key of the toys' hub, 32 or more", "TOYS_HOOK_KEY": HOOK_KEY}
MOST_TURNS = 500


def load_toys(path: Path = FILE) -> Loaded:
    return load(path, ENVIRON, TOYS)


class Yard:
    """One process of the hub after the other, over one database and one world. `store` counts and may stop the process."""

    keys: tuple[str, ...] = ()
    """The `secret_key` of the next process, and the one it replaces, where they are not the file's."""

    http: Http | None = None
    """Shared by all processes where many are started: a client of one's own costs more than a short history."""

    place: Place | None = None
    """What the next process has on its host, where the database is on a server."""

    def __init__(self, folder: Path, world: World, loaded: Loaded | None = None) -> None:
        self.path = folder / "toys.db"
        self.world = world
        self.delivered: list[Post] = []
        self._loaded = loaded or load_toys()
        assert self._loaded.integration is not None, [str(problem) for problem in self._loaded.problems]

    async def start(self) -> None:
        """A new process on the same database."""
        integration = self._loaded.integration
        assert integration is not None
        vault = Vault(*(self.keys or (integration.hub.secret_key.reveal(),)))
        self.store = StoppingStore(self.open_store())
        self.hub = Hub(
            integration=integration,
            systems={
                name: System(name=name, connector=TOYS.connectors[system.connector], settings=system.settings)
                for name, system in integration.systems.items()
            },
            make_book=partial(book_of, self._loaded),
            store=self.store if self.store.alone else Keyring(self.store, vault),
            vault=vault,
            now=self.world.clock,
            http=self.http,
            place=self.place,
        )
        await self.hub.ready_keys()
        if self.store.alone:
            await self.store.write(lease.expire_all)
        self.lanes = Lanes(self.hub)

    def open_store(self) -> Store:
        """What the next process opens; a test may put another in its place."""
        return SqliteStore.open(self.path)

    def assert_no_clear_text(self, *texts: str) -> None:
        """Fail when one of `texts` stands in what a thief of the database would get."""
        assert_no_clear_text(self.path, *texts)

    async def stop(self) -> None:
        await self.hub.close()

    async def restart(self) -> None:
        """After a crash or not: what the process had in memory is gone."""
        await self.stop()
        await self.start()

    async def connect(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        agreed: bool = True,
        confirmation_given: str | None = None,
        name: str = "toys",
        shop: World | None = None,
        news: World | None = None,
        brand: str = "",
    ) -> Connection:
        """Do what a customer does on the page: both accounts, settings, save; what is needed is created over there.

        `shop` and `news` are the worlds of another shop or newsletter. A name that is there already is saved anew.
        """
        ids = {}
        for system, chosen in (
            ("shop", ToyCrmAccount(world=(shop or self.world).name)),
            ("news", ToyMailAccount(world=(news or self.world).name, key=Secret(MAIL_KEY))),
        ):
            account = await connect.check_settings(self.hub, system, chosen)
            ids[system] = await connect.keep_settings(self.hub, system, chosen, account)
        before = await self.look(lambda tx: connections.by_id(tx, name))
        connection = Connection(
            id=name,
            origin="page",
            brand=brand,
            version=1 if before is None else before.version,
            began=None if before is None else before.began,
            accounts=ids,
            settings=settings or {},
            agreed=Agreement(by="Jo Doe", at=self.hub.time(), words="words", confirmation_given=confirmation_given)
            if agreed
            else None,
        )
        saved = await connect.save(self.hub, connection, who="jo")
        await provide(self.hub, saved)
        await self.run()
        return saved

    # --- letting things happen ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Turn by turn until nothing is due at this moment."""
        for _ in range(MOST_TURNS):
            if not await self.turn():
                return
        raise AssertionError(f"the hub does not come to rest: still due after {MOST_TURNS} turns")

    async def turn(self, lanes: Lanes | None = None) -> bool:
        """One account that is due, whichever waits longest; False when none is."""
        return await (lanes or self.lanes).turn(partial(drain, self.hub))

    async def post(self, post: Post) -> None:
        """One webhook, as the web layer hands it on."""
        headers = dict(post.headers)
        await receive(
            self.hub,
            post.connector,
            WebhookRequest(
                method="POST",
                url="/".join((self.hub.webhook_url, "webhooks", post.connector, *post.path)),
                path=post.path,
                query={},
                headers=headers,
                body=post.body,
                received_at=self.hub.time(),
            ),
        )
        self.delivered.append(post)

    async def take_in(self) -> None:
        """Deliver what is posted; nothing is decided on it yet."""
        while self.world.posts:
            await self.post(self.world.posts[0])
            self.world.posts.pop(0)

    async def drain(self, system: str) -> None:
        """One turn of the system's first account alone, whatever is due elsewhere."""

        def claim(tx: Tx) -> Lease | None:
            tx.run("update lease set wake = 0, until = 0 where account like :start", start=f"{system}:%")
            tx.run("update lease set served = -1 where account like :start", start=f"{system}:%")
            return lease.claim(tx, "by hand", self.world.clock())

        held = await self.store.write(claim)
        assert held is not None, f"no account of {system}"
        assert held.account.startswith(f"{system}:")
        await drain(self.hub, held)

    async def settle(self, seconds: float = 0.0) -> None:
        """Deliver what is posted and run, again and again, until all is quiet; then let `seconds` pass in the same way."""
        until = self.world.clock.now + seconds
        for _ in range(MOST_TURNS):
            while self.world.posts:
                await self.post(self.world.posts[0])
                self.world.posts.pop(0)
            await self.run()
            if self.world.posts:
                continue
            due = await self.store.read(lease.next_wake)
            if due is None or due > until:
                self.world.clock.now = max(self.world.clock.now, until)
                return
            self.world.clock.now = max(self.world.clock.now, due)
        raise AssertionError(f"hub and world do not come to rest: still at it after {MOST_TURNS} rounds")

    async def look(self, work: Callable[[Tx], T]) -> T:
        return await self.store.read(work)

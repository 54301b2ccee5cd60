"""Everything of one history: the vendors, the hub's process, the network between them, and what time does to all."""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from stellwerk.cli.connector_commands import command_context
from stellwerk.sdk.connector import CommandContext
from stellwerk.store import inbox, outbox
from stellwerk.store.store import Tx
from stellwerk_hubspot.project import project_files
from stellwerk_simulation import process, vendors
from stellwerk_simulation.network import Network
from stellwerk_simulation.process import Process
from stellwerk_simulation.telling import Telling
from stellwerk_simulation.vendors import Vendors

SAMPLE = Path(__file__).parents[3] / "integration.yaml"
POLL_SECONDS = 1800
MOST_REST_SECONDS = 6 * 3600.0
STEP_SECONDS = 5.0
RESTART_SECONDS = 3.0


class _Answering(httpx.AsyncBaseTransport):
    """A vendor's way to the hub. `troubled` says what becomes of the next call: lost for good, unheard, or None."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world = self._world
        world.telling.of(request)
        trouble = world.trouble_of(request)
        if trouble is not None:
            world.reached[f"webhook {trouble}"] += 1
        await asyncio.sleep(world.dice.uniform(0.01, 0.05))
        if trouble == "lost":
            return httpx.Response(200, request=request)
        try:
            if not world.process.running:
                world.reached["webhook while the hub was gone"] += 1
                raise httpx.ConnectError("nobody listens", request=request)
            status = await world.process.answer(request)
        except httpx.HTTPError:
            world.told_by_polls += 1  # one of the vendors never tries again
            raise
        if status >= 400:
            world.told_by_polls += 1
        if trouble == "unheard":
            raise httpx.ReadTimeout("unheard", request=request)
        return httpx.Response(status, request=request)


@cache
def prepared() -> tuple[Path, Any]:
    """The sample, with the vendors where the simulation has them, and the app's project deployed from it."""
    folder = Path(tempfile.mkdtemp(prefix="stellwerk-simulated-"))
    yaml = YAML()
    document = yaml.load(SAMPLE.read_text(encoding="utf-8"))
    document["systems"]["crm"].update(
        api_url="http://hubspot.test", app_url="http://hubspot.test", poll_seconds=POLL_SECONDS
    )
    document["systems"]["mail"].update(api_url="http://maileon.test/1.0", poll_seconds=POLL_SECONDS)
    file = folder / "integration.yaml"
    with file.open("w") as output:
        yaml.dump(document, output)
    context: CommandContext = command_context(process.loaded(file), "hubspot")
    for path, content in project_files(context).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return file, vendors.project(folder)


class World:
    """`folder` holds the database. `dice` decide everything that a seed decides."""

    def __init__(self, folder: Path, seed: int, connections: int = 1) -> None:
        self.dice = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        file, deployed = prepared()
        self.vendors = Vendors(deployed, self.dice, self.loop.time, _Answering(self), connections)
        self.faults: list[tuple[int, str]] = []
        self.lose_hooks = 0
        self.deaf_hooks = 0
        self.told_by_polls = 0
        hosts = {"hubspot.test": self.vendors.hubspot_app, "maileon.test": self.vendors.maileon_app}
        self.network = Network(hosts, self.dice, self._fault)
        self.reached = self.network.reached
        self.process = Process(folder, file, self.network, self.dice, self.reached)
        self.telling = Telling(self.reached)

    async def begin(self, connections: Sequence[Mapping[str, Any]]) -> None:
        await self.process.start()
        for number, settings in enumerate(connections):
            await self.process.connect(number, settings, self.vendors.code)

    def now(self) -> float:
        return self.loop.time()

    # --- faults -------------------------------------------------------------------------------------------------------

    def _fault(self) -> str | None:
        """The fault planned for this call, if any: each is for the call of that number from now on."""
        for planned in self.faults:
            if self.network.calls >= planned[0]:
                self.faults.remove(planned)
                if planned[1] == "token":
                    self.vendors.forget_tokens()
                    self.reached["tokens ended"] += 1
                    return None
                return planned[1]
        return None

    def trouble_of(self, request: httpx.Request) -> str | None:
        hubspot = request.url.path.startswith("/webhooks/hubspot")
        if self.lose_hooks and not (hubspot and _tells_more_than_values(request.content)):
            self.lose_hooks -= 1
            self.told_by_polls += 1
            return "lost"
        if self.deaf_hooks:
            self.deaf_hooks -= 1
            return "unheard"
        return None

    # --- time ---------------------------------------------------------------------------------------------------------

    async def rest(self) -> None:
        """Let time pass until everything that happened has had all its effects; polls where nothing else tells."""
        until = self.now() + MOST_REST_SECONDS
        if self.told_by_polls:
            self.told_by_polls = 0
            await self.sleep(2 * POLL_SECONDS + 10)
        quiet = 0
        while quiet < 2:
            await self.sleep(STEP_SECONDS)
            if await self.process.needs_login():
                raise Unrest("a person is asked to log in again, though nobody took back what was consented to")
            if self.now() > until:
                raise Unrest(f"still at it after {MOST_REST_SECONDS / 3600:.0f} hours: {await self.undone()}")
            quiet = 0 if await self.undone() else quiet + 1

    async def sleep(self, seconds: float) -> None:
        """Time passes; a process that ends meanwhile is started again."""
        until = self.now() + seconds
        while True:
            if not self.process.running:
                await self.pass_time(RESTART_SECONDS)
                await self.process.restart()
            if self.now() >= until:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.ended.wait(), until - self.now())

    async def pass_time(self, seconds: float) -> None:
        """Time passes, whether the hub runs or not."""
        await asyncio.sleep(seconds)

    async def undone(self) -> dict[str, Any]:
        """What still has to happen; empty when nothing has."""
        store = self.process.store

        def look(tx: Tx) -> dict[str, Any]:
            inside, out = inbox.counts(tx), outbox.counts(tx)
            return {
                "inbox": inside.get("waiting", 0),
                "outbox": out.get("waiting", 0) + out.get("sent", 0),
                "telling": self.vendors.telling,
                "late": self.network.under_way,
            }

        found = store._read(look)
        return found if any(found.values()) else {}


class Unrest(AssertionError):
    """Hub and vendors do not come to rest."""


def _tells_more_than_values(body: bytes) -> bool:
    """Deletions, merges and restores are told by webhook alone: without one nobody could know of them."""
    return any(word in body for word in (b"deletion", b"merge", b"restore", b"privacyDeletion"))

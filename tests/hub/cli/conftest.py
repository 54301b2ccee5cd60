"""Runs the command line in this process, on copies of the sample, with its secrets set."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stellwerk.app import create_hub
from stellwerk.cli import cli
from stellwerk.config.load import load
from stellwerk.errors import InUse
from stellwerk.registry import load_connectors
from stellwerk.relay.hub import Hub
from stellwerk.relay.orders import listening
from stellwerk.store import accounts, connections, consent, counts, inbox, meta, outbox, repairs, syncs
from stellwerk.store.connections import Connection
from stellwerk.store.inbox import NewEvent
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.store import Tx
from stellwerk_rules.model import Fact, FactKind

NOON = 1_790_000_000.0
SAMPLE = Path(__file__).parents[3] / "integration.yaml"

ENVIRON = {
    "STELLWERK_PUBLIC_URL": "https://hub.example",
    "STELLWERK_SECRET_KEY": "k" * 40,
    "HUBSPOT_CLIENT_ID": "client",
    "HUBSPOT_CLIENT_SECRET": "very-hidden-secret",
    "HUBSPOT_APP_ID": "77",
}


class Running:
    """A hub that has the database in a thread of its own, and listens."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._up, self._down = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        hub = await self._opened()
        try:
            async with listening(hub, hub.database):
                self._up.set()
                await asyncio.to_thread(self._down.wait)
        finally:
            await hub.close()

    async def _opened(self) -> Hub:
        """As soon as whoever had the file before let go of it."""
        registry = load_connectors()
        for _ in range(200):
            with contextlib.suppress(InUse):
                return await create_hub(load(self._config, ENVIRON, registry), registry, folder=self._config.parent)
            await asyncio.sleep(0.05)
        raise AssertionError("somebody still has the file")

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._down.set()
        self._thread.join(20)


def furnish(config: Path) -> None:
    """One held ask, one dead letter, one repair, one address that opted out, one dry run."""

    async def run() -> None:
        registry = load_connectors()
        hub = await create_hub(load(config, ENVIRON, registry), registry, folder=config.parent)

        def work(tx: Tx) -> None:
            crm = accounts.add(tx, hub.vault, system="crm", remote="4711", name="Acme", now=NOON)
            mail = accounts.add(tx, hub.vault, system="mail", remote="9", name="Letters", now=NOON)
            connections.save(
                tx,
                Connection(id="acme", origin="web", accounts={"crm": crm, "mail": mail}, settings={}),
                who="Jo",
                now=NOON,
            )
            event = NewEvent(
                account=crm,
                dedup=None,
                subject="id:1",
                kind="changed",
                body=b"x",
                occurred=None,
                received=NOON,
                urgency=1,
            )
            meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, [event, event]))
            inbox.end(tx, [1], "decided", "", NOON)
            inbox.end(tx, [2], "dead", "unreachable", NOON)
            delivery = NewDelivery(
                account=mail,
                connection="acme",
                contact=1,
                tag="enter",
                once="enter:1",
                urgency=1,
                due=NOON,
                body=b"sealed",
                event="1",
                created=NOON,
                state="held",
                code="too-many-asks",
                text="more than 3 double opt-ins within an hour",
                origin="import",
            )
            outbox.put(tx, delivery)
            repairs.open_(tx, "acme", "too-many-asks", "more than 3", NOON)
            gone = Fact(kind=FactKind.OPTED_OUT, key="o", at=hub.moment(NOON), event="9", told_by="mail")
            consent.add(tx, mail, hub.vault.address("gone@x.example"), "acme", [gone], NOON)
            run = syncs.Run(
                connection="acme", account=crm, kind="dry", made_by="jo", started=NOON, version=1, plan="p", due=NOON
            )
            syncs.go(tx, syncs.add(tx, run), "done", NOON)

        await hub.store.write(work)
        await hub.close()

    asyncio.run(run())


@pytest.fixture
def environ() -> Mapping[str, str]:
    """What the sample's references mean."""
    return ENVIRON


@pytest.fixture
def running() -> Callable[[Path], Running]:
    """`with running(file):` a hub has the database of the file."""
    return Running


@pytest.fixture
def stellwerk() -> Callable[..., Result]:
    """`stellwerk("check", file)`: what it printed and its exit code."""

    def run(*arguments: object, environ: dict[str, str] | None = None) -> Result:
        variables: dict[str, str | None] = dict.fromkeys(ENVIRON)
        variables.update(ENVIRON if environ is None else environ)
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], env=variables)

    return run


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the sample with pieces replaced: `sample((old, new), …)`; every old piece must stand there."""

    def write(*pieces: tuple[str, str]) -> Path:
        text = SAMPLE.read_text("utf-8")
        for old, new in pieces:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "integration.yaml"
        file.write_text(text, "utf-8")
        return file

    return write


@pytest.fixture
def furnished(sample: Callable[..., Path]) -> Callable[..., Path]:
    """`furnished()`: the file of a hub that has run, and has left something for a person. Pieces are replaced as by `sample`."""

    def make(*pieces: tuple[str, str]) -> Path:
        file = sample(*pieces)
        furnish(file)
        return file

    return make

"""`stellwerk sync` as it is typed: what it says, what it refuses, and its exit codes. What it does is tested end to end."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from msgspec.structs import replace

from stellwerk.app import create_hub
from stellwerk.cli import watching
from stellwerk.cli.beside import beside
from stellwerk.cli.give import listens
from stellwerk.cli.run import _gives_way, _opened
from stellwerk.cli.sync import _harmless, _listed
from stellwerk.cli.watching import watched
from stellwerk.config.load import load
from stellwerk.errors import InUse, StellwerkError
from stellwerk.registry import load_connectors
from stellwerk.relay.hub import Hub
from stellwerk.relay.orders import named, socket_of
from stellwerk.store import syncs
from stellwerk.store.syncs import Run
from stellwerk_rules.model import Permission

Command = Callable[..., Result]
Hubs = Callable[[Path], AbstractContextManager[None]]
NOON = 1_790_000_000.0
NEW = Run(connection="acme", account="crm:4711", kind="sync", made_by="jo", started=NOON, version=1, plan="h", due=NOON)


def put(config: Path, environ: Mapping[str, str], **more: Any) -> None:
    """A run of the connection acme as it stands in the database."""

    async def run() -> None:
        registry = load_connectors()
        hub = await create_hub(load(config, environ, registry), registry, folder=config.parent)

        def work(tx: Any) -> None:
            counts = more.pop("counts", {})
            begun = syncs.add(tx, replace(NEW, **more))
            syncs.count(tx, begun.id, [what for what, count in counts.items() for _ in range(count)])
            syncs.turned(tx, begun, "17", 100, NOON)

        await hub.store.write(work)
        await hub.close()

    asyncio.run(run())


@pytest.fixture
def config(furnished: Callable[[], Path]) -> Path:
    return furnished()


def test_before_any_sync_the_status_says_so(stellwerk: Command, config: Path) -> None:
    told = stellwerk("sync", "status", "nobody", "--config", config)
    assert (told.output, told.exit_code) == ("there was no sync yet\n", 0)


def test_status_says_how_far_it_is_and_what_came_of_it(
    stellwerk: Command, config: Path, environ: Mapping[str, str]
) -> None:
    put(config, environ, total=312, permission=Permission.SINGLE, counts={"granted": 2, "skipped": 1})
    told = stellwerk("sync", "status", "acme", "--config", config)
    assert told.output.splitlines()[1:] == [
        "sync 2 of acme, grants single: running, 100 of 312 contacts, since 2026-09-21T14:13:20+00:00 by jo",
        "    2 granted",
        "    1 skipped",
    ]
    _, one = json.loads(stellwerk("sync", "status", "--json", "--config", config).output)
    assert (one["state"], one["contacts"], one["total"], one["counts"]["granted"]) == ("running", 100, 312, 2)


def test_the_list_of_a_dry_run_is_its_users_own_also_where_the_file_was_there_and_open_to_others(
    config: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    path = config.parent / "list.csv"
    path.write_text("of before")
    path.chmod(0o644)
    with beside(config) as view:
        _listed(view, 1, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("id,address,")


def test_a_sync_that_failed_is_exit_code_1(stellwerk: Command, config: Path, environ: Mapping[str, str]) -> None:
    put(config, environ, state="failed")
    told = stellwerk("sync", "status", "--config", config)
    assert (told.exit_code, "failed" in told.output) == (1, True)


@pytest.mark.parametrize("order", ["dry-run", "start"])
@pytest.mark.parametrize(
    ("connection", "why"), [("nobody", "there is no connection nobody"), ("acme", "acme is not set up yet")]
)
def test_what_cannot_be_synced_is_refused_with_what_to_do(
    stellwerk: Command, config: Path, order: str, connection: str, why: str
) -> None:
    refused = stellwerk("sync", order, connection, "--config", config)
    assert refused.exit_code != 0
    assert why in str(refused.exception or refused.output)


@pytest.mark.parametrize("order", ["stop", "resume", "cancel"])
def test_without_a_sync_there_is_nothing_to_stop(stellwerk: Command, config: Path, order: str) -> None:
    refused = stellwerk("sync", order, "acme", "--config", config)
    assert "no sync of connection acme is going on" in str(refused.exception or refused.output)


def test_a_sync_is_stopped_and_cancelled(stellwerk: Command, config: Path, environ: Mapping[str, str]) -> None:
    put(config, environ)
    assert "sync 2 of acme: stopped" in stellwerk("sync", "stop", "acme", "--config", config).output
    assert "sync 2 of acme: cancelled" in stellwerk("sync", "cancel", "acme", "--config", config).output


@pytest.mark.parametrize(
    ("cell", "written"), [("=1+1", "'=1+1"), ("+ada@x.example", "'+ada@x.example"), ("ada@x.example", "ada@x.example")]
)
def test_an_address_is_no_formula_in_a_spreadsheet(cell: str, written: str) -> None:
    assert _harmless(cell) == written


class TestAHubThatEndsAndComesBack:
    """The one that has the file is a hub wherever one runs; a command has it only until then."""

    @pytest.fixture(autouse=True)
    def secrets(self, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)

    def test_whoever_gave_an_order_to_a_hub_does_not_take_the_file_after_it(
        self, config: Path, environ: Mapping[str, str], running: Hubs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(config, environ)
        monkeypatch.setattr(watching, "PATIENCE_SECONDS", 10.0)
        looks = threading.Semaphore(0)

        def looked(database: Path) -> bool:
            looks.release()
            return listens(database)

        monkeypatch.setattr(watching, "listens", looked)
        with ThreadPoolExecutor(1) as aside:
            with running(config):
                looking_on = aside.submit(watched, config, "sync resume", quiet=True, connection="acme")
                assert looks.acquire(timeout=20)
            with running(config):  # the next one, which no command keeps from starting
                while looks.acquire(blocking=False):
                    pass
                assert looks.acquire(timeout=20)
                assert not looking_on.done()
            monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.5)
            with pytest.raises(StellwerkError, match="goes on when one runs again"):
                looking_on.result(20)

    def test_a_command_that_has_the_file_gives_it_to_a_hub_that_starts_and_goes_on_looking(
        self, stellwerk: Command, config: Path, environ: Mapping[str, str], running: Hubs
    ) -> None:
        put(config, environ)
        database = config.parent / "stellwerk.db"
        with ThreadPoolExecutor(1) as aside:
            looking_on = aside.submit(watched, config, "sync resume", quiet=True, connection="acme")
            assert soon(lambda: listens(database))
            assert _gives_way(database)
            assert soon(lambda: not listens(database))
            with running(config):
                assert _gives_way(database) is False, "a hub gives way to nobody"
                assert "cancelled" in stellwerk("sync", "cancel", "acme", "--config", config).output
                assert looking_on.result(20)["state"] == "cancelled"

    def test_a_hub_that_starts_has_the_file_as_soon_as_the_command_let_go(
        self, config: Path, environ: Mapping[str, str]
    ) -> None:
        put(config, environ)
        database = config.parent / "stellwerk.db"

        with ThreadPoolExecutor(1) as aside:
            looking_on = aside.submit(watched, config, "sync resume", quiet=True, connection="acme")
            assert soon(lambda: listens(database))
            asyncio.run(starts_and_cancels(config, environ))
            assert looking_on.result(20)["state"] == "cancelled"

    def test_a_hub_that_starts_does_not_wait_for_a_vendor_that_a_beginning_command_waits_for(
        self, config: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(config, environ)
        begins = threading.Event()

        @asynccontextmanager
        async def waits(_: Hub) -> AsyncIterator[None]:
            begins.set()
            await asyncio.sleep(300)
            yield

        monkeypatch.setattr(watching, "working", waits)
        with ThreadPoolExecutor(1) as aside:
            looking_on = aside.submit(watched, config, "sync resume", quiet=True, connection="acme")
            assert begins.wait(20)
            asyncio.run(asyncio.wait_for(starts_and_cancels(config, environ), 20))
            assert looking_on.result(20)["state"] == "cancelled"

    def test_a_hub_that_starts_waits_a_little_for_whoever_has_the_file_and_does_not_listen(
        self, config: Path, environ: Mapping[str, str]
    ) -> None:
        put(config, environ)

        async def run() -> None:
            registry = load_connectors()
            hub = await create_hub(load(config, environ, registry), registry, folder=config.parent)
            starting = asyncio.create_task(starts_and_cancels(config, environ))
            await asyncio.sleep(0.5)
            assert not starting.done()
            await hub.close()
            await asyncio.wait_for(starting, 20)

        asyncio.run(run())

    def test_beside_a_hub_that_runs_another_is_refused_at_once(
        self, config: Path, environ: Mapping[str, str], running: Hubs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stellwerk.cli.run.ASK_SECONDS", 300.0)
        with running(config), pytest.raises(InUse):
            asyncio.run(asyncio.wait_for(starts_and_cancels(config, environ), 20))

    def test_who_does_not_answer_is_waited_for_a_little_while_the_loop_goes_on(
        self, config: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stellwerk.cli.run.SHORT_SECONDS", 0.5)
        monkeypatch.setattr("stellwerk.cli.run.ASK_SECONDS", 1.0)

        async def run() -> None:
            registry = load_connectors()
            hub = await create_hub(load(config, environ, registry), registry, folder=config.parent)
            with silent(config.parent / "stellwerk.db"):
                starting = asyncio.create_task(starts_and_cancels(config, environ))
                ticks = 0
                while not starting.done():
                    await asyncio.sleep(0.05)
                    ticks += 1
            assert isinstance(starting.exception(), InUse)
            assert 5 < ticks < 200
            await hub.close()

        asyncio.run(run())

    def test_a_hub_that_takes_no_line_any_more_does_not_listen(
        self, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stellwerk.cli.give.SHORT_SECONDS", 0.2)
        database = config.parent / "stellwerk.db"
        with silent(database), ExitStack() as lines:
            for _ in range(2):
                line = lines.enter_context(socket.socket(socket.AF_UNIX))
                line.setblocking(False)
                with suppress(BlockingIOError), named(socket_of(database)) as name:
                    line.connect(name)
            assert not listens(database)


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it holds within twenty seconds."""
    until = time.monotonic() + 20
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


async def starts_and_cancels(config: Path, environ: Mapping[str, str]) -> None:
    """A hub that starts as `stellwerk run` does it, ends the sync and itself."""
    registry = load_connectors()
    hub = await _opened(load(config, environ, registry), registry, None)

    def work(tx: Any) -> None:
        found = syncs.last(tx, "acme", "sync")
        assert found is not None
        syncs.go(tx, found, "cancelled", NOON)

    await hub.store.write(work)
    await hub.close()


@contextmanager
def silent(database: Path) -> Iterator[None]:
    """Somebody listens beside the database and never answers."""
    with named(socket_of(database)) as name, socket.socket(socket.AF_UNIX) as line:
        line.bind(name)
        line.listen(0)
        yield

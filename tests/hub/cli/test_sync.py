"""`stellwerk sync` as it is typed: what it says, what it refuses, and its exit codes. What it does is tested end to end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from msgspec.structs import replace

from stellwerk.app import create_hub
from stellwerk.cli.sync import _harmless
from stellwerk.config.load import load
from stellwerk.registry import load_connectors
from stellwerk.store import syncs
from stellwerk.store.syncs import Run
from stellwerk_rules.model import Permission

Command = Callable[..., Result]
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

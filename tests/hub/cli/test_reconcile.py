"""`stellwerk reconcile` as it is typed: what it lists, what it refuses, and its exit codes. What it does is tested with the toys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from stellwerk.app import create_hub
from stellwerk.cli import reconcile as command
from stellwerk.config.load import load
from stellwerk.registry import load_connectors
from stellwerk.relay import reconcile
from stellwerk.store import comparisons
from stellwerk.store.comparisons import Drift
from stellwerk.store.store import Tx

Command = Callable[..., Result]
NOON = 1_790_000_000.0
FOUND = (
    Drift(remote="m1", contact=1, address=None, kind="opt_out", event="unsubscribed"),
    Drift(remote="c2", contact=2, address=None, kind="entry", event=None),
)


@pytest.fixture
def config(furnished: Callable[[], Path]) -> Path:
    return furnished()


def put(config: Path, environ: Mapping[str, str], *found: Drift, mend: bool) -> dict[str, Any]:
    """A comparison of the connection acme that is over, as it is told."""

    async def run() -> dict[str, Any]:
        registry = load_connectors()
        hub = await create_hub(load(config, environ, registry), registry, folder=config.parent)

        def work(tx: Tx) -> dict[str, Any]:
            number = comparisons.begin(tx, "acme", [("crm:4711", "crm", "known")], mend=mend, by="jo", now=NOON)
            part = comparisons.next_part(tx, "crm:4711", NOON)
            assert part is not None
            comparisons.turned(tx, part, None, 12, found, NOON)
            if mend:
                comparisons.mended(tx, part, [row["id"] for row in comparisons.to_mend(tx, part, 10)], NOON)
                comparisons.part_done(tx, part, NOON)
            told = reconcile.status(tx, number or 0)
            assert told is not None
            return told

        try:
            return await hub.store.write(work)
        finally:
            await hub.close()

    return asyncio.run(run())


@pytest.fixture
def typed(stellwerk: Command, config: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the command says of a comparison that found this."""

    def run(*found: Drift, options: tuple[str, ...] = ()) -> Result:
        told = put(config, environ, *found, mend="--dry-run" not in options)
        monkeypatch.setattr(command, "_looked_on", lambda *_, **__: [told])
        return stellwerk("reconcile", "acme", *options, "--config", config)

    return run


def test_two_sides_that_agree_are_good(typed: Any) -> None:
    done = typed()
    assert done.output.splitlines()[1:] == ["    nothing differs"]
    assert done.exit_code == 0


def test_a_dry_run_lists_what_differs_the_gravest_first_and_says_how_to_mend_it(typed: Any) -> None:
    done = typed(*FOUND, options=("--dry-run",))
    assert done.output.splitlines() == [
        "comparison 1 of acme: done, 12 contacts, since 2026-09-21T14:13:20+00:00 by jo",
        "          1  opt_out      seen at crm",
        "          1  entry        seen at crm; left to a person or an event of its own",
        "    opt_out of m1 at crm",
        "    entry of c2 at crm",
        "    nothing was mended; to mend: stellwerk reconcile acme",
    ]
    assert done.exit_code == 1


def test_what_was_mended_is_good_and_what_is_left_is_not(typed: Any) -> None:
    done = typed(FOUND[0])
    assert (done.output.splitlines()[-1], done.exit_code) == ("    1 looked at again", 0)
    assert typed(*FOUND).exit_code == 1


def test_programs_are_told_all_of_it(typed: Any) -> None:
    (one,) = json.loads(typed(*FOUND, options=("--dry-run", "--json")).output)
    assert one["drift"][0] == {"kind": "opt_out", "system": "crm", "count": 1, "mends": 1}
    assert one["found"][1] == {"system": "crm", "id": "c2", "kind": "entry", "mends": False}


def test_a_connection_that_is_not_there_or_not_set_up_is_refused(stellwerk: Command, config: Path) -> None:
    told = stellwerk("reconcile", "nobody", "--config", config)
    assert "there is no connection nobody" in str(told.exception)
    told = stellwerk("reconcile", "acme", "--config", config)
    assert "not set up: acme" in str(told.exception)


def test_a_hub_that_has_the_database_is_given_the_order(
    stellwerk: Command, config: Path, running: Callable[[Path], Any]
) -> None:
    with running(config):
        told = stellwerk("reconcile", "acme", "--config", config)
    assert "not set up: acme" in str(told.exception)

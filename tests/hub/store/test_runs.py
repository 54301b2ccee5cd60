"""What syncs and comparisons said of single contacts goes with the address, with the connection, and after its days."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from stellwerk.store import comparisons, runs, syncs
from stellwerk.store.comparisons import Drift
from stellwerk.store.store import Store, Tx
from stellwerk.store.syncs import DryRow, Run

pytestmark = pytest.mark.anyio
NOW = 1_000.0
NEW = Run(connection="", account="crm:1", kind="dry", made_by="jo", started=NOW, version=3, plan="h", due=NOW)
PEOPLE = ("ada", "bob", "eve")


def a_dry_run(tx: Tx, connection: str) -> None:
    """It said something of everybody, and ended."""
    run = syncs.add(tx, structs.replace(NEW, connection=connection))
    syncs.put_rows(tx, run.id, [DryRow(remote=one, address=one, what="mailed", code="", body=b"") for one in PEOPLE])
    syncs.go(tx, run, "done", NOW)


def a_comparison(tx: Tx, connection: str) -> None:
    """It found everybody to differ, and ended."""
    comparisons.begin(tx, connection, [(f"crm:{connection}", "crm", "known")], mend=False, by="jo", now=NOW)
    part = comparisons.next_part(tx, f"crm:{connection}", NOW)
    assert part is not None
    found = [Drift(remote=one, contact=None, address=one, kind="fields", event=None) for one in PEOPLE]
    comparisons.turned(tx, part, None, len(PEOPLE), found, NOW)


kinds = pytest.mark.parametrize(
    ("begun", "lines"),
    [(a_dry_run, "select * from sync_row order by id"), (a_comparison, "select * from drift order by id")],
    ids=["dry run", "comparison"],
)
Begun = Callable[[Tx, str], None]


async def both(store: Store, begun: Begun) -> None:
    for connection in ("acme", "brook"):
        await store.write(lambda tx, connection=connection: begun(tx, connection))


async def of_whom(store: Store, lines: str) -> list[str]:
    return [row["address"] for row in await store.read(lambda tx: tx.all(lines))]


@kinds
async def test_what_was_said_of_an_address_goes_at_one_connection_or_at_all(
    store: Store, begun: Begun, lines: str
) -> None:
    await both(store, begun)
    assert await store.write(lambda tx: runs.forget_address(tx, "ada", "acme")) == 1
    assert sorted(await of_whom(store, lines)) == ["ada", "bob", "bob", "eve", "eve"]
    assert await store.write(lambda tx: runs.forget_address(tx, "eve")) == 2
    assert sorted(await of_whom(store, lines)) == ["ada", "bob", "bob"]


@kinds
async def test_of_a_connection_that_is_forgotten_no_run_is_left_and_the_others_keep_theirs(
    store: Store, begun: Begun, lines: str
) -> None:
    await both(store, begun)
    await store.write(lambda tx: runs.forget(tx, "acme"))
    assert await of_whom(store, lines) == list(PEOPLE)
    left = "select connection from sync_run union all select connection from comparison"
    assert [row["connection"] for row in await store.read(lambda tx: tx.all(left))] == ["brook"]
    accounts = await store.read(lambda tx: [row["account"] for row in tx.all("select account from comparison_part")])
    assert accounts in ([], ["crm:brook"])


@kinds
async def test_what_was_said_goes_after_its_days_in_slices_and_the_runs_stay(
    store: Store, begun: Begun, lines: str
) -> None:
    await both(store, begun)
    assert await store.write(lambda tx: runs.purge(tx, NOW, 100)) == 0
    assert await store.write(lambda tx: runs.purge(tx, NOW + 1, 4)) == 4
    assert await store.write(lambda tx: runs.purge(tx, NOW + 1, 4)) == 2
    assert await of_whom(store, lines) == []
    stand = "select id from sync_run union all select id from comparison"
    assert len(await store.read(lambda tx: tx.all(stand))) == 2

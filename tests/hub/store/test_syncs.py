"""Syncs in the store: one a connection at a time, a page with its cursor, what a dry run said, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.store import inbox, lease, leaving, outbox, runs, syncs
from stellwerk.store.inbox import NewEvent
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.store import Store, Tx
from stellwerk.store.syncs import DryRow, Run
from stellwerk_rules.model import Backfill, Permission

pytestmark = pytest.mark.anyio
NOW = 1_000.0
NEW = Run(connection="acme", account="crm:1", kind="sync", made_by="jo", started=NOW, version=3, plan="h", due=NOW)


async def begun(store: Store, **more: Any) -> Run:
    return await store.write(lambda tx: syncs.add(tx, replace(NEW, **more)))


async def test_a_run_is_found_as_it_was_begun(store: Store) -> None:
    run = await begun(store, ask=True, confirmed=7, permission=Permission.NONE)
    assert await store.read(lambda tx: syncs.by_id(tx, run.id)) == run
    assert await store.read(lambda tx: syncs.going_on(tx, "acme")) == run
    assert await store.read(lambda tx: syncs.last(tx, "acme")) == run
    assert await store.read(lambda tx: syncs.last(tx, "acme", "dry")) is None
    assert await store.read(syncs.connections_with_any) == ["acme"]


async def test_one_is_going_on_at_a_time_and_another_may_follow(store: Store) -> None:
    run = await begun(store)
    assert await store.write(lambda tx: syncs.go(tx, run, "stopped", NOW))
    assert await store.write(lambda tx: syncs.go(tx, run, "done", NOW))
    assert not await store.write(lambda tx: syncs.go(tx, run, "running", NOW))
    after = await begun(store)
    assert await store.read(lambda tx: syncs.going_on(tx, "acme")) == after


async def test_a_run_has_its_turn_when_it_is_due_and_not_while_it_is_stopped(store: Store) -> None:
    run = await begun(store)

    async def next_at(now: float) -> int | None:
        found = await store.read(lambda tx: syncs.next_of(tx, "crm:1", now))
        return None if found is None else found.id

    assert (await next_at(NOW - 1), await next_at(NOW)) == (None, run.id)
    await store.write(lambda tx: syncs.put_off(tx, run, NOW + 60, attempts=2, code="unreachable"))
    assert await next_at(NOW) is None
    assert await store.read(lambda tx: syncs.next_due(tx, "crm:1")) == NOW + 60
    await store.write(lambda tx: syncs.go(tx, run, "stopped", NOW))
    assert await next_at(NOW + 60) is None
    assert await store.read(lambda tx: syncs.next_due(tx, "crm:1")) is None


async def test_a_page_moves_the_cursor_and_the_last_one_says_so(store: Store) -> None:
    run = await begun(store)
    await store.write(lambda tx: syncs.know_total(tx, run, 150))
    await store.write(lambda tx: syncs.turned(tx, run, "100", 100, NOW))
    half = await store.read(lambda tx: syncs.by_id(tx, run.id))
    assert half is not None
    assert (half.cursor, half.listed, half.pages, half.contacts, half.total) == ("100", False, 1, 100, 150)
    await store.write(lambda tx: syncs.turned(tx, run, None, 49, NOW))
    whole = await store.read(lambda tx: syncs.by_id(tx, run.id))
    assert whole is not None
    # What was counted at the start was an estimate.
    assert (whole.listed, whole.pages, whole.contacts, whole.total) == (True, 2, 149, 149)


async def test_the_terms_have_as_many_left_as_were_confirmed_and_not_used(store: Store) -> None:
    run = await begun(store, ask=True, confirmed=3)
    await store.write(lambda tx: syncs.count(tx, run.id, ["mailed", "skipped", "mailed"]))
    now = await store.read(lambda tx: syncs.by_id(tx, run.id))
    assert now is not None
    assert now.counts == {"mailed": 2, "skipped": 1}
    assert now.terms() == Backfill(run=run.id, began_at=now.terms().began_at, ask=True, left=1)
    assert replace(now, kind="dry").terms().left is None


async def test_what_a_dry_run_said_is_kept_once_a_contact_told_in_order_and_purged_when_it_is_old(store: Store) -> None:
    run = await begun(store, kind="dry")
    rows = [
        DryRow(
            remote=str(number), address=f"d{number}", what="mailed" if number % 2 else "skipped", code="c", body=b"x"
        )
        for number in range(5)
    ]
    await store.write(lambda tx: syncs.put_rows(tx, run.id, rows))
    await store.write(lambda tx: syncs.put_rows(tx, run.id, [replace(rows[0], what="held")]))
    assert await store.read(lambda tx: syncs.rows(tx, run.id, "", 100)) == rows
    assert await store.read(lambda tx: syncs.rows(tx, run.id, "1", 1, "mailed")) == [rows[3]]
    told = await store.read(lambda tx: syncs.reasons(tx, run.id))
    assert [(row["what"], row["count"]) for row in told] == [("skipped", 3), ("mailed", 2)]
    assert await store.write(lambda tx: runs.forget_address(tx, "d3")) == 1
    await store.write(lambda tx: syncs.go(tx, run, "done", NOW))
    assert await store.write(lambda tx: runs.purge(tx, NOW, 100)) == 0
    assert await store.write(lambda tx: runs.purge(tx, NOW + 1, 3)) == 3
    assert await store.write(lambda tx: runs.purge(tx, NOW + 1, 3)) == 1


async def test_events_and_deliveries_of_a_run_are_counted_and_can_be_dropped(
    store: Store, event: Callable[..., NewEvent], delivery: Callable[..., NewDelivery]
) -> None:
    run = await begun(store)

    def put(tx: Tx) -> None:
        inbox.put(tx, [replace(event("id:1"), run=run.id), event("id:2")])
        outbox.put(tx, replace(delivery(1, tag="enter"), run=run.id))
        outbox.put(tx, replace(delivery(2), run=run.id))
        outbox.put(tx, delivery(3, tag="enter"))

    await store.write(put)
    assert await store.read(lambda tx: syncs.waiting_events(tx, run.id)) == 1
    assert await store.read(lambda tx: syncs.deliveries(tx, run.id)) == {"waiting": 2}
    assert [row["contact"] for row in await store.read(lambda tx: syncs.entries_to_drop(tx, run.id, 10))] == [1]
    assert await store.write(lambda tx: syncs.drop_events(tx, run.id, "sync-cancelled", NOW)) == 1
    assert await store.read(lambda tx: syncs.waiting_events(tx, run.id)) == 0


async def test_the_deliveries_of_a_stopped_run_wait_and_hold_up_nothing_live_of_their_contact(
    store: Store, delivery: Callable[..., NewDelivery]
) -> None:
    run = await begun(store)

    def put(tx: Tx) -> None:
        outbox.put(tx, replace(delivery(1, tag="enter", urgency=3), run=run.id))
        outbox.put(tx, delivery(1, tag="set_peer", urgency=1))
        outbox.put(tx, replace(delivery(2, tag="set_peer", urgency=1), run=run.id))

    async def ready() -> list[tuple[int, str]]:
        rows = await store.read(lambda tx: outbox.ready(tx, "mail:1", NOW, 10))
        return [(row.contact, row.tag) for row in rows]

    await store.write(put)
    assert await ready() == [(2, "set_peer"), (1, "enter")]
    await store.write(lambda tx: syncs.go(tx, run, "stopped", NOW))
    assert await ready() == [(1, "set_peer"), (2, "set_peer")]
    await store.write(lambda tx: syncs.go(tx, run, "running", NOW))
    assert await ready() == [(2, "set_peer"), (1, "enter")]


async def test_a_connection_that_is_left_takes_its_run_along_and_one_that_is_forgotten_everything(store: Store) -> None:
    run = await begun(store)
    await store.write(
        lambda tx: syncs.put_rows(tx, run.id, [DryRow(remote="1", address=None, what="x", code="", body=b"")])
    )
    await store.write(lambda tx: leaving.leave(tx, "acme", "left", NOW))
    ended = await store.read(lambda tx: syncs.by_id(tx, run.id))
    assert ended is not None
    assert (ended.state, ended.going_on) == ("cancelled", False)
    await store.write(lambda tx: runs.forget(tx, "acme"))
    assert await store.read(lambda tx: syncs.by_id(tx, run.id)) is None
    assert await store.read(lambda tx: syncs.rows(tx, run.id, "", 10)) == []


async def test_whatever_ends_of_a_run_brings_it_forward_and_wakes_its_account(
    store: Store, delivery: Callable[..., NewDelivery]
) -> None:
    run = await begun(store)

    def put_off(tx: Tx) -> None:
        outbox.put(tx, replace(delivery(1, tag="enter"), run=run.id))
        outbox.put(tx, delivery(2, tag="enter"))
        syncs.put_off(tx, run, NOW + 9_000, attempts=20)

    def end(tx: Tx, one: int) -> None:
        outbox.settle(tx, one, "done", code="", text="", answer=None, now=NOW)

    await store.write(put_off)
    await store.write(lambda tx: end(tx, 2))
    assert await store.read(lambda tx: syncs.next_due(tx, "crm:1")) == NOW + 9_000
    await store.write(lambda tx: end(tx, 1))
    assert await store.read(lambda tx: syncs.next_due(tx, "crm:1")) == NOW + 1
    assert await store.read(lease.next_wake) == NOW + 1

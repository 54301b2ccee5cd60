"""A dry run: who would be brought in, mailed or left out, and why, while nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stellwerk.relay import sync
from stellwerk.relay.housekeeping import tidy
from stellwerk.sdk import Contact, DeliveryError, Ref, RejectedError, RetryableError
from stellwerk.store import runs
from stellwerk_toys.faults import Fault, Stopped
from stellwerk_toys.syncing import DAY, MANY, dry, said
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio


@pytest.mark.behaviour("sync-dry-run")
async def test_a_dry_run_says_of_everybody_what_would_happen_and_writes_nothing(
    yard: Yard, world: World, old: list[str]
) -> None:
    before = world.picture()
    done = await dry(yard)
    assert (done["state"], done["contacts"], done["counts"]["created"]) == ("done", MANY, MANY)
    assert await said(yard, done["run"]) == dict.fromkeys(old, ("created", "sync", True))
    assert world.picture() == before
    assert await yard.look(lambda tx: tx.all("select id from outbox")) == []
    assert await yard.look(lambda tx: tx.all("select id from contact")) == []


@pytest.mark.behaviour("sync-dry-run")
async def test_a_dry_run_counts_who_would_be_mailed_and_who_is_skipped_and_why(
    yard: Yard, world: World, old: list[str]
) -> None:
    world.form(old[0], {"wants_news": "no"})
    world.person_edits("c2", "wants_news", "no")
    world.person_creates(None, {"name": "Nobody", "wants_news": "yes"})
    world.posts.clear()
    world.clock.now += 2 * DAY
    done = await dry(yard, ask=True)
    reasons = {(row["what"], row["code"]): row["count"] for row in done["reasons"]}
    assert reasons == {
        ("mailed", "sync"): MANY - 2,
        ("skipped", "said-no"): 1,
        ("skipped", "no-address"): 1,
        ("changed", "changed"): 1,
    }
    assert (done["counts"]["mailed"], done["counts"]["skipped"]) == (MANY - 2, 2)


async def test_what_a_dry_run_says_is_sealed_and_goes_after_its_days_or_with_the_address(
    yard: Yard, world: World, old: list[str]
) -> None:
    done = await dry(yard)
    rows = await yard.look(lambda tx: tx.all("select * from sync_row"))
    assert all(old[0].encode() not in row["body"] and old[0] not in str(row) for row in rows)
    address = yard.hub.vault.address(old[0])
    assert await yard.store.write(lambda tx: runs.forget_address(tx, address)) == 1
    world.clock.now += 15 * DAY
    await tidy(yard.hub)
    assert await said(yard, done["run"]) == {}
    assert (await sync.one_status(yard.hub, done["run"]))["counts"]["created"] == MANY


@pytest.mark.parametrize("turn", range(1, 6))
async def test_a_dry_run_goes_on_at_its_page_after_a_crash(yard: Yard, turn: int) -> None:
    begun = await sync.dry_run(yard.hub, connection="toys", by="jo")
    yard.store.stop_at = yard.store.writes + turn
    with pytest.raises(Stopped):
        await yard.settle(30)
    await yard.restart()
    await yard.settle(30)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["contacts"], done["counts"]["created"]) == ("done", MANY, MANY)


@pytest.mark.parametrize("failed", [RetryableError("unreadable-answer"), RejectedError("too-long")])
async def test_a_contact_that_cannot_be_read_holds_up_nobody_and_is_said_to_be_left_out(
    yard: Yard, old: list[str], monkeypatch: pytest.MonkeyPatch, failed: DeliveryError
) -> None:
    right = ToyCrm.read

    async def reads(self: ToyCrm, refs: Sequence[Ref], *rest: Any) -> Sequence[Contact]:
        if any(ref.value == "c3" for ref in refs):
            raise failed
        return await right(self, refs, *rest)

    monkeypatch.setattr(ToyCrm, "read", reads)
    done = await dry(yard)
    assert (done["state"], done["contacts"], done["counts"]["created"]) == ("done", MANY, MANY - 1)
    assert {(row["what"], row["code"]): row["count"] for row in done["reasons"]}[("skipped", failed.code)] == 1
    assert set(await said(yard, done["run"])) == {"", *old} - {old[2]}


async def test_where_nobody_can_be_read_a_dry_run_waits(yard: Yard, world: World) -> None:
    begun = await sync.dry_run(yard.hub, connection="toys", by="jo")
    world.faults.sometimes(1.0, Fault.REFUSED)
    await yard.settle(120)
    assert (await sync.one_status(yard.hub, begun["run"]))["contacts"] == 0
    world.faults.none_any_more()
    await yard.settle(7200)
    done = await sync.one_status(yard.hub, begun["run"])
    assert (done["state"], done["counts"]["created"]) == ("done", MANY)

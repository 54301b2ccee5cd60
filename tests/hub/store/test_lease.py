"""Who drains an account."""

from __future__ import annotations

import pytest

from stellwerk.store import lease
from stellwerk.store.lease import Lease, LeaseLost
from stellwerk.store.store import Store, Tx

pytestmark = pytest.mark.anyio


async def claimed(store: Store, owner: str, now: float) -> Lease:
    found = await store.write(lambda tx: lease.claim(tx, owner, now))
    assert found is not None
    return found


async def nobody_waits(store: Store, now: float) -> bool:
    return await store.write(lambda tx: lease.claim(tx, "asker", now)) is None


async def wake(store: Store, account: str, at: float) -> None:
    await store.write(lambda tx: lease.wake(tx, account, at))


async def let_go(store: Store, held: Lease, wake_at: float | None) -> None:
    await store.write(lambda tx: lease.release(tx, held, wake_at))


async def test_an_account_that_nobody_woke_is_not_drained(store: Store) -> None:
    assert await nobody_waits(store, now=1000)


async def test_an_account_is_drained_when_its_time_has_come_and_not_before(store: Store) -> None:
    await wake(store, "mail:1", at=50)
    assert await nobody_waits(store, now=49)
    assert (await claimed(store, "a", now=50)).account == "mail:1"


async def test_an_account_has_one_holder(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=1)
    assert await nobody_waits(store, now=2)


async def test_the_earliest_of_several_wakings_counts(store: Store) -> None:
    for at in (30, 10, 20):
        await wake(store, "mail:1", at=at)
    assert await store.read(lease.next_wake) == 10


async def test_a_holder_that_does_not_renew_loses_the_account(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    frozen = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=1)
    taken_over = await claimed(store, "b", now=1 + lease.SECONDS)
    assert taken_over.epoch == frozen.epoch + 1
    with pytest.raises(LeaseLost):
        await store.write(lambda tx: lease.fence(tx, frozen, 2 + lease.SECONDS))
    await store.write(lambda tx: lease.fence(tx, taken_over, 2 + lease.SECONDS))


async def test_a_holder_that_lost_the_account_writes_nothing(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    frozen = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=1)
    await claimed(store, "b", now=1 + lease.SECONDS)

    def late(tx: Tx) -> None:
        lease.fence(tx, frozen, 2 + lease.SECONDS)
        lease.wake(tx, "mail:2", 0)

    with pytest.raises(LeaseLost):
        await store.write(late)
    assert await nobody_waits(store, now=2 + lease.SECONDS)


async def test_a_holder_that_dies_without_letting_go_is_followed_by_another(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    await claimed(store, "a", now=1)
    at = await store.read(lease.next_wake)
    assert at == 1 + lease.SECONDS
    assert await nobody_waits(store, now=at - 1)
    assert (await claimed(store, "b", now=at)).account == "mail:1"


async def test_a_holder_that_renews_keeps_the_account(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    held = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=1)
    await store.write(lambda tx: lease.fence(tx, held, 15))
    assert await nobody_waits(store, now=15 + lease.SECONDS - 1)


async def test_a_holder_that_let_go_holds_no_longer(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    held = await claimed(store, "a", now=1)
    await store.write(lambda tx: lease.release(tx, held, 5))
    with pytest.raises(LeaseLost):
        await store.write(lambda tx: lease.fence(tx, held, 2))
    assert (await claimed(store, "b", now=5)).account == "mail:1"


async def test_letting_go_after_a_take_over_changes_nothing(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    frozen = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=1)
    holder = await claimed(store, "b", now=1 + lease.SECONDS)
    await store.write(lambda tx: lease.release(tx, frozen, 0))
    assert await nobody_waits(store, now=2 + lease.SECONDS)
    await store.write(lambda tx: lease.fence(tx, holder, 2 + lease.SECONDS))


async def test_a_waking_during_a_drain_is_not_lost(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    held = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=2)
    await store.write(lambda tx: lease.release(tx, held, None))
    assert (await claimed(store, "b", now=2)).account == "mail:1"


async def test_the_earlier_of_a_waking_and_the_holders_own_next_time_counts(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    held = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=9)
    await store.write(lambda tx: lease.release(tx, held, 5))
    assert await store.read(lease.next_wake) == 5


async def test_an_account_with_nothing_to_do_sleeps(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    held = await claimed(store, "a", now=1)
    await store.write(lambda tx: lease.release(tx, held, None))
    assert await store.read(lease.next_wake) is None
    assert await nobody_waits(store, now=10_000)


async def test_a_held_account_that_was_woken_is_looked_at_when_its_lease_ends(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=2)
    at = await store.read(lease.next_wake)
    assert at == 1 + lease.SECONDS
    assert (await claimed(store, "b", now=at)).account == "mail:1"


async def test_a_busy_account_does_not_keep_the_others_waiting(store: Store) -> None:
    for account in ("busy", "quiet 1", "quiet 2"):
        await wake(store, account, at=0)
    order = []
    for now in range(1, 7):
        held = await claimed(store, "a", now=now)
        order.append(held.account)
        await let_go(store, held, now)
    assert order == ["busy", "quiet 1", "quiet 2"] * 2


async def test_the_rate_window_goes_from_one_holder_to_the_next(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    held = await claimed(store, "a", now=1)
    await store.write(lambda tx: lease.keep_calls(tx, held, b"window"))
    await store.write(lambda tx: lease.release(tx, held, 2))
    assert (await claimed(store, "b", now=2)).calls == b"window"


async def test_a_holder_that_lost_the_account_cannot_change_the_rate_window(store: Store) -> None:
    await wake(store, "mail:1", at=0)
    frozen = await claimed(store, "a", now=1)
    await wake(store, "mail:1", at=1)
    holder = await claimed(store, "b", now=1 + lease.SECONDS)
    await store.write(lambda tx: lease.keep_calls(tx, frozen, b"old"))
    await store.write(lambda tx: lease.release(tx, holder, 2 + lease.SECONDS))
    assert (await claimed(store, "c", now=2 + lease.SECONDS)).calls is None


async def test_after_a_restart_every_account_is_looked_at(store: Store) -> None:
    await wake(store, "asleep", at=0)
    await wake(store, "held", at=0)
    held = {(found := await claimed(store, "a", now=1)).account: found for _ in range(2)}
    await store.write(lambda tx: lease.release(tx, held["asleep"], None))
    await store.write(lease.expire_all)
    assert {(await claimed(store, "b", now=2)).account for _ in range(2)} == {"asleep", "held"}
    with pytest.raises(LeaseLost):
        await store.write(lambda tx: lease.fence(tx, held["held"], 3))

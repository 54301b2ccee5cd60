"""The six counts of law 8: every acknowledged event is exactly one of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from stellwerk.store import counts, inbox, keeping, meta, outbox
from stellwerk.store.inbox import NewEvent
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.store import Store, Tx

pytestmark = pytest.mark.anyio
Events = Callable[..., NewEvent]
Deliveries = Callable[..., NewDelivery]


def settled(tx: Tx, one: int, state: str) -> None:
    outbox.settle(tx, one, state, code="", text="", answer=None, now=5)


async def counted(store: Store) -> dict[str, int]:
    return {name: n for name, n in (await store.read(counts.six)).items() if n}


async def decided(store: Store, event: Events, delivery: Deliveries, *states: str) -> None:
    """One event that led to a delivery of each of `states`."""

    def work(tx: Tx) -> None:
        inbox.put(tx, [event("id:1")])
        for number, state in enumerate(states, start=1):
            outbox.put(tx, replace(delivery(number), event="1"))
            if state not in ("waiting", "sent"):
                settled(tx, number, state)
            elif state == "sent":
                outbox.sent(tx, [number], 4)
        inbox.end(tx, [1], "decided", "", 5)

    await store.write(work)


async def test_an_event_waits_until_it_is_decided(store: Store, event: Events) -> None:
    await store.write(lambda tx: inbox.put(tx, [event("id:1"), event("id:2")]))
    assert await counted(store) == {"waiting": 2}


@pytest.mark.parametrize(
    ("states", "fate"),
    [
        (("waiting", "done"), "waiting"),
        (("sent", "dead"), "waiting"),
        (("held", "dead", "done"), "held"),
        (("dead", "done", "skipped"), "dead"),
        (("done", "skipped"), "delivered"),
        (("not_needed", "opted_out"), "delivered"),
        (("erased", "skipped"), "erased"),
        (("skipped", "skipped"), "skipped"),
    ],
)
async def test_a_decided_event_is_what_the_least_finished_of_its_changes_is(
    store: Store, event: Events, delivery: Deliveries, states: tuple[str, ...], fate: str
) -> None:
    await decided(store, event, delivery, *states)
    assert await counted(store) == {fate: 1}


async def test_events_that_were_read_together_share_their_end(
    store: Store, event: Events, delivery: Deliveries
) -> None:
    def work(tx: Tx) -> None:
        inbox.put(tx, [event("id:1")] * 3)
        outbox.put(tx, replace(delivery(1), event="1"))
        inbox.end(tx, [1, 2, 3], "decided", "", 5)

    await store.write(work)
    assert await counted(store) == {"waiting": 3}
    await store.write(lambda tx: settled(tx, 1, "done"))
    assert await counted(store) == {"delivered": 3}


async def test_an_event_whose_change_was_joined_into_an_earlier_one_waits_with_it(
    store: Store, event: Events, delivery: Deliveries
) -> None:
    def work(tx: Tx) -> None:
        inbox.put(tx, [event("id:1"), event("id:1")])
        for one in ("1", "2"):
            outbox.put(tx, replace(delivery(1), event=one), lambda old, new: old + new)
            inbox.end(tx, [int(one)], "decided", "", 5)

    await store.write(work)
    assert await counted(store) == {"waiting": 2}


async def test_an_event_whose_effect_stands_already_shares_its_end(
    store: Store, event: Events, delivery: Deliveries
) -> None:
    def work(tx: Tx) -> None:
        inbox.put(tx, [event("id:1"), event("id:1")])
        for one in ("1", "2"):
            outbox.put(tx, replace(delivery(1, once="o"), event=one))
            inbox.end(tx, [int(one)], "decided", "", 5)
        settled(tx, 1, "dead")

    await store.write(work)
    assert await counted(store) == {"dead": 2}


async def test_a_state_that_is_none_of_the_six_is_counted_nowhere(
    store: Store, event: Events, delivery: Deliveries
) -> None:
    await decided(store, event, delivery, "vanished")
    assert await counted(store) == {}


async def test_events_that_are_no_longer_kept_stay_counted(store: Store, event: Events, delivery: Deliveries) -> None:
    def drop(tx: Tx) -> int:
        return keeping.drop_events(tx, counts.fates(tx))

    def work(tx: Tx) -> int:
        inbox.put(tx, [event("id:1")] * 3 + [event("id:2")])
        outbox.put(tx, replace(delivery(1), event="1"))
        inbox.end(tx, [1, 2], "decided", "", 5)
        inbox.end(tx, [3], "skipped", "unchanged", 5)
        assert drop(tx) == 1
        settled(tx, 1, "done")
        return drop(tx)

    assert await store.write(work) == 2
    assert await counted(store) == {"delivered": 2, "skipped": 1, "waiting": 1}
    assert [row["id"] for row in await store.read(counts.fates)] == [4]
    assert await store.read(lambda tx: tx.all("select * from effect")) == []


async def test_what_was_acknowledged_is_counted_where_it_was_taken_in(store: Store) -> None:
    assert await store.read(counts.acknowledged) == 0
    await store.write(lambda tx: meta.count(tx, counts.ACKNOWLEDGED, 3))
    assert await store.read(counts.acknowledged) == 3

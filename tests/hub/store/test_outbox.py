"""Deliveries to go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stellwerk.store import held, lease, opt_outs, outbox, traces
from stellwerk.store.outbox import NewDelivery
from stellwerk.store.store import Store

pytestmark = pytest.mark.anyio
Make = Callable[..., NewDelivery]


async def put(store: Store, *new: NewDelivery) -> list[bool]:
    return await store.write(lambda tx: [outbox.put(tx, one) for one in new])


async def ready(store: Store, now: float = 100.0, limit: int = 10) -> list[int]:
    return [row.id for row in await store.read(lambda tx: outbox.ready(tx, "mail:1", now, limit))]


async def send(store: Store, *ids: int) -> None:
    await store.write(lambda tx: outbox.sent(tx, ids, 50))


async def settle(store: Store, one: int, state: str = "done") -> None:
    await store.write(lambda tx: outbox.settle(tx, one, state, code=state, text="", answer=None, now=60))


async def again(store: Store, one: int, due: float, state: str = "waiting") -> None:
    await store.write(lambda tx: outbox.again(tx, one, due, code="unreachable", text="", answer=None, state=state))


def glue(waiting: bytes, new: bytes) -> bytes | None:
    return None if new == b"apart" else waiting + b"+" + new


async def test_deliveries_of_different_contacts_go_out_together_in_their_order(store: Store, delivery: Make) -> None:
    await put(store, delivery(3), delivery(1), delivery(2))
    assert await ready(store) == [1, 2, 3]
    assert await ready(store, limit=2) == [1, 2]


async def test_a_contacts_deliveries_go_out_one_after_the_other(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, tag="set_fields"), delivery(1, tag="add_entry"))
    assert await ready(store) == [1]
    await send(store, 1)
    assert await ready(store) == []
    await settle(store, 1)
    assert await ready(store) == [2]


async def test_nothing_overtakes_a_delivery_that_waits_for_its_next_attempt(store: Store, delivery: Make) -> None:
    await put(store, delivery(1), delivery(1, tag="add_entry"), delivery(2))
    await send(store, 1)
    await again(store, 1, due=200)
    assert await ready(store) == [3]
    assert await ready(store, now=200) == [1, 3]


async def test_what_waits_for_another_delivery_wakes_nobody_before_that_one_is_due(
    store: Store, delivery: Make
) -> None:
    async def next_due() -> float | None:
        return await store.read(lambda tx: outbox.next_due(tx, "mail:1"))

    assert await next_due() is None
    await put(store, delivery(1, due=10), delivery(1, tag="add_entry", due=20))
    assert await next_due() == 10
    await send(store, 1)
    await again(store, 1, due=200)
    assert await next_due() == 200
    await put(store, delivery(1, tag="unsubscribe", urgency=0, due=30))
    assert await next_due() == 30
    await put(store, delivery(2, due=25))
    assert await next_due() == 25


async def test_an_opt_out_overtakes_what_waits(store: Store, delivery: Make) -> None:
    await put(store, delivery(2), delivery(1), delivery(1, tag="unsubscribe", urgency=0))
    assert await ready(store) == [3, 1]


async def test_an_opt_out_does_not_overtake_what_is_in_flight(store: Store, delivery: Make) -> None:
    await put(store, delivery(1), delivery(1, tag="unsubscribe", urgency=0))
    await send(store, 1)
    assert await ready(store) == []


async def test_several_opt_outs_of_a_contact_go_out_one_after_the_other(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, tag="unsubscribe", urgency=0), delivery(1, tag="opt_out", urgency=0))
    assert await ready(store) == [1]


async def test_what_came_after_an_opt_out_waits_for_it(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, urgency=0, due=500), delivery(1))
    assert await ready(store) == []


async def test_live_goes_before_back_fill(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, urgency=2), delivery(2, urgency=1))
    assert await ready(store) == [2, 1]


async def test_an_interrupted_delivery_is_the_first_to_go_on(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, urgency=0), delivery(2, tag="move_stage"), delivery(2, tag="opt_out", urgency=0))
    await send(store, 2)
    await store.write(lambda tx: outbox.progress(tx, 2, "cleared"))
    await again(store, 2, due=0)
    assert await ready(store) == [2, 1]
    await settle(store, 2)
    assert await ready(store) == [1, 3]


async def test_another_accounts_deliveries_of_the_same_contact_do_not_wait_for_each_other(
    store: Store, delivery: Make
) -> None:
    await put(store, delivery(1, account="crm:1"), delivery(1))
    await send(store, 1)
    assert await ready(store) == [2]


async def test_a_parked_delivery_does_not_go_out_and_holds_nothing_up(store: Store, delivery: Make) -> None:
    await put(store, delivery(1), delivery(1, tag="add_entry"))
    await again(store, 1, due=0, state="parked")
    assert await ready(store) == [2]
    await again(store, 1, due=0)
    assert await ready(store) == [1]


async def test_an_effect_that_may_happen_once_is_planned_once_for_ever(store: Store, delivery: Make) -> None:
    assert await put(store, delivery(1, once="ask:w1"), delivery(1, once="ask:w1")) == [True, False]
    await settle(store, 1)
    assert await put(store, delivery(1, once="ask:w1"), delivery(1, once="ask:w2")) == [False, True]
    assert await put(store, delivery(1, once="ask:w1", connection="other")) == [True]


async def test_a_payload_that_outlived_its_days_does_not_free_its_effect(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, once="ask:w1"))
    await settle(store, 1)
    assert await store.write(lambda tx: traces.purge_payloads(tx, 100, 100)) == 1
    assert await put(store, delivery(1, once="ask:w1")) == [False]


async def test_a_change_joins_the_contacts_last_waiting_delivery_of_its_kind(store: Store, delivery: Make) -> None:
    def work(tx: Any) -> list[bool]:
        return [
            outbox.put(tx, delivery(1, body=b"a"), glue),
            outbox.put(tx, delivery(1, body=b"b"), glue),
            outbox.put(tx, delivery(2, body=b"c"), glue),
        ]

    assert await store.write(work) == [True, True, True]
    rows = await store.read(lambda tx: outbox.ready(tx, "mail:1", 100, 10))
    assert [(row.contact, row.body) for row in rows] == [(1, b"a+b"), (2, b"c")]


@pytest.mark.parametrize("between", ["sent", "parked", "done", "other kind", "apart"])
async def test_a_change_joins_nothing_that_is_not_the_last_that_waits(
    store: Store, delivery: Make, between: str
) -> None:
    await put(store, delivery(1, body=b"a"))
    new = b"apart" if between == "apart" else b"b"
    if between == "sent":
        await send(store, 1)
    elif between == "parked":
        await again(store, 1, due=0, state="parked")
    elif between == "done":
        await settle(store, 1)
    elif between == "other kind":
        await put(store, delivery(1, tag="add_entry"))
    assert await store.write(lambda tx: outbox.put(tx, delivery(1, body=new), glue))
    waiting = await store.read(lambda tx: outbox.undone_of(tx, 1))
    assert sum(row["tag"] == "set_fields" for row in waiting) == (1 if between == "done" else 2)


async def test_a_live_change_that_joins_back_fill_makes_it_live(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, urgency=2), delivery(2, urgency=2), delivery(3, urgency=1))
    await store.write(lambda tx: outbox.put(tx, delivery(2, urgency=1), glue))
    assert await ready(store) == [2, 3, 1]


async def test_back_fill_that_joins_a_live_change_leaves_it_live(store: Store, delivery: Make) -> None:
    await put(store, delivery(1, urgency=2), delivery(2, urgency=1))
    await store.write(lambda tx: outbox.put(tx, delivery(2, urgency=2), glue))
    assert await ready(store) == [2, 1]


async def test_what_was_in_flight_is_known_after_a_crash(store: Store, delivery: Make, database: Any) -> None:
    await put(store, delivery(1, once="ask:w1"), delivery(2))
    await send(store, 1)
    survivor = database.as_after_a_crash().open()
    (row,) = await survivor.read(lambda tx: outbox.in_flight(tx, "mail:1"))
    assert (row.id, row.contact, row.once, row.sent, row.attempts) == (1, 1, "ask:w1", 50, 1)
    assert await ready(survivor) == [2]
    await survivor.close()


async def test_a_delivery_whose_call_did_not_happen_counts_no_attempt(store: Store, delivery: Make) -> None:
    await put(store, delivery(1))
    await send(store, 1)
    await store.write(lambda tx: outbox.untried(tx, [1]))
    (row,) = await store.read(lambda tx: outbox.ready(tx, "mail:1", 100, 1))
    assert (row.attempts, row.sent) == (0, None)


async def test_what_a_remote_said_last_stays_readable_while_nothing_new_is_answered(
    store: Store, delivery: Make
) -> None:
    await put(store, delivery(1))
    for answer, readable in ((b"one", b"one"), (None, b"one"), (b"two", b"two")):
        await store.write(lambda tx, said=answer: outbox.again(tx, 1, 90, code="c", text="", answer=said))
        (row,) = await store.read(lambda tx: tx.all("select answer from outbox"))
        assert bytes(row["answer"]) == readable


async def test_a_delivery_of_unknown_outcome_stays_in_flight_until_it_is_looked_for(
    store: Store, delivery: Make
) -> None:
    await put(store, delivery(1))
    await send(store, 1)
    await again(store, 1, due=300, state="sent")
    assert await ready(store, now=400) == []
    assert await store.read(lambda tx: outbox.next_due(tx, "mail:1")) == 300
    assert [row.id for row in await store.read(lambda tx: outbox.in_flight(tx, "mail:1"))] == [1]


@pytest.mark.parametrize("state", ["done", "skipped", "dead"])
async def test_what_has_ended_stays_as_it_ended(store: Store, delivery: Make, state: str) -> None:
    await put(store, delivery(1))
    await send(store, 1)
    await settle(store, 1, state)
    await send(store, 1)
    await again(store, 1, due=0)
    await settle(store, 1, "held")
    await store.write(lambda tx: outbox.untried(tx, [1]))
    assert await store.read(outbox.counts) == {state: 1}


async def test_what_was_parked_between_choosing_and_sending_is_not_marked_as_sent(store: Store, delivery: Make) -> None:
    await put(store, delivery(1))
    await again(store, 1, due=0, state="parked")
    await send(store, 1)
    assert await store.read(outbox.counts) == {"parked": 1}


@pytest.mark.parametrize("state", ["dead", "held"])
async def test_a_dead_or_held_delivery_put_back_starts_anew(store: Store, delivery: Make, state: str) -> None:
    await put(store, delivery(1))
    await send(store, 1)
    await settle(store, 1, state)
    assert await store.write(lambda tx: outbox.replay(tx, 1, 70))
    (row,) = await store.read(lambda tx: outbox.ready(tx, "mail:1", 70, 1))
    assert row.attempts == 0


async def test_what_is_held_can_be_discarded(store: Store, delivery: Make) -> None:
    await put(store, delivery(1))
    await settle(store, 1, "held")
    await settle(store, 1, "skipped")
    assert await store.read(outbox.counts) == {"skipped": 1}


@pytest.mark.parametrize("state", ["done", "skipped"])
async def test_what_was_done_or_skipped_cannot_be_put_back(store: Store, delivery: Make, state: str) -> None:
    await put(store, delivery(1))
    await settle(store, 1, state)
    assert not await store.write(lambda tx: outbox.replay(tx, 1, 70))


async def test_a_delivery_whose_payload_outlived_its_days_cannot_be_put_back(store: Store, delivery: Make) -> None:
    await put(store, delivery(1))
    await settle(store, 1, "dead")
    await store.write(lambda tx: traces.purge_payloads(tx, 100, 100))
    assert not await store.write(lambda tx: outbox.replay(tx, 1, 70))


async def test_the_oldest_opt_out_that_is_not_delivered_is_told(store: Store, delivery: Make) -> None:
    assert await store.read(opt_outs.oldest) is None
    await put(store, delivery(1, due=5), delivery(2, urgency=0, due=7), delivery(3, urgency=0, due=9))
    assert await store.read(opt_outs.oldest) == 7
    await settle(store, 2)
    assert await store.read(opt_outs.oldest) == 9


async def test_what_is_held_for_a_person_keeps_its_payload_until_it_outlives_its_days(
    store: Store, delivery: Make
) -> None:
    await put(store, delivery(1), delivery(2), delivery(3, due=500))
    await settle(store, 1, "held")
    assert await store.write(lambda tx: traces.purge_payloads(tx, 1000, 1000)) == 0
    assert await store.write(lambda tx: traces.outlive(tx, 100, 1000)) == 2
    rows = await store.read(lambda tx: tx.all("select state, body from outbox order by id"))
    assert [(row["state"], row["body"]) for row in rows] == [("dead", None), ("dead", None), ("waiting", b"sealed")]
    assert await store.write(lambda tx: traces.outlive(tx, 100, 1000)) == 0


async def test_a_delivery_no_longer_stands_once_something_was_joined_into_it_or_it_ended(
    store: Store, delivery: Make
) -> None:
    await put(store, delivery(1))
    assert await store.read(lambda tx: outbox.stands(tx, 1, b"sealed"))
    await store.write(lambda tx: outbox.put(tx, delivery(1, body=b"more"), glue))
    assert not await store.read(lambda tx: outbox.stands(tx, 1, b"sealed"))
    assert await store.read(lambda tx: outbox.stands(tx, 1, b"sealed+more"))
    await settle(store, 1)
    assert not await store.read(lambda tx: outbox.stands(tx, 1, b"sealed+more"))


async def test_what_is_in_flight_when_an_account_is_back_is_looked_for_at_once(store: Store, delivery: Make) -> None:
    await store.write(lambda tx: outbox.put(tx, delivery(1)))
    await store.write(lambda tx: outbox.sent(tx, [1], 5.0))
    await store.write(lambda tx: outbox.again(tx, 1, 5000.0, code="away", text="", answer=None, state="sent"))
    await store.write(lambda tx: outbox.forgive(tx, "mail:1", 10.0))
    (row,) = await store.read(lambda tx: outbox.in_flight(tx, "mail:1"))
    assert (row.due, row.attempts) == (10.0, 1)


async def test_what_nobody_decided_anew_waits_as_before_and_wakes_its_account_for_it(
    store: Store, delivery: Make
) -> None:
    await store.write(lambda tx: outbox.put(tx, delivery(1)))
    await store.write(lambda tx: held.renew_first(tx, 1, 10.0))
    assert await store.write(lambda tx: held.unrelease(tx, [1], 10.0)) == []
    later = 10.0 + held.ANEW_LATER_SECONDS
    assert await store.read(lambda tx: (lease.due(tx, 10.0), lease.due(tx, later))) == ([], ["mail:1"])


async def test_what_is_taken_up_at_once_wakes_its_account(store: Store, delivery: Make) -> None:
    await store.write(lambda tx: outbox.put(tx, delivery(1)))
    await store.write(lambda tx: outbox.again(tx, 1, 5000.0, code="claimed", text="", answer=None))
    await store.write(lambda tx: outbox.due_now(tx, 1, "claimed", 10.0))
    assert await store.read(lambda tx: lease.due(tx, 10.0)) == ["mail:1"]

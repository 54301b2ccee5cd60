"""Events taken in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from stellwerk.store import inbox, traces
from stellwerk.store.inbox import NewEvent
from stellwerk.store.store import Store

pytestmark = pytest.mark.anyio
Event = Callable[..., NewEvent]


async def put(store: Store, *events: NewEvent) -> int:
    return await store.write(lambda tx: inbox.put(tx, events))


async def take(store: Store, contacts: int = 10, now: float = 100.0) -> list[tuple[int, str]]:
    rows = await store.read(lambda tx: inbox.take(tx, "crm:1", now, contacts))
    return [(row.id, row.subject) for row in rows]


async def test_a_redelivery_with_the_vendors_key_is_stored_once(store: Store, event: Event) -> None:
    assert await put(store, event("ada", dedup="v1"), event("ada", dedup="v1")) == 1
    assert await put(store, event("ada", dedup="v1")) == 0
    assert len(await take(store)) == 1


async def test_a_redelivery_is_recognised_after_its_event_was_handled_and_after_a_restart(
    store: Store, event: Event, database: Any
) -> None:
    await put(store, event("ada", dedup="v1"))
    await store.write(lambda tx: inbox.end(tx, [1], "decided", "", 5))
    await store.close()
    reopened = database.open()
    assert await put(reopened, event("ada", dedup="v1", at=72 * 3600)) == 0
    await reopened.close()


async def test_without_a_key_of_the_vendor_nothing_is_a_redelivery(store: Store, event: Event) -> None:
    assert await put(store, event("ada"), event("ada"), event("ada")) == 3
    assert len(await take(store)) == 3


async def test_the_same_key_at_another_account_is_another_event(store: Store, event: Event) -> None:
    assert await put(store, event("ada", dedup="v1"), event("ada", dedup="v1", account="crm:2")) == 2


async def test_the_contacts_waiting_longest_come_with_all_their_events(store: Store, event: Event) -> None:
    await put(store, *(event(name) for name in ("ada", "ben", "cem", "ben", "ada", "dot", "ada")))
    assert await take(store, contacts=2) == [(1, "ada"), (5, "ada"), (7, "ada"), (2, "ben"), (4, "ben")]


async def test_a_contact_with_very_many_events_has_them_all_taken(store: Store, event: Event) -> None:
    await put(store, *(event("storm") for _ in range(500)), event("ada"))
    taken = await take(store, contacts=2)
    assert [subject for _, subject in taken].count("storm") == 500


async def test_an_opt_out_is_taken_before_what_waits_longer(store: Store, event: Event) -> None:
    await put(store, event("ada"), event("ben"), event("cem", urgency=0), event("dot", urgency=2))
    assert await take(store, contacts=3) == [(3, "cem"), (1, "ada"), (2, "ben")]


async def test_a_contact_with_an_opt_out_brings_its_older_events_along(store: Store, event: Event) -> None:
    await put(store, event("ada"), event("ben"), event("ben", urgency=0))
    assert await take(store, contacts=1) == [(2, "ben"), (3, "ben")]


async def test_another_accounts_events_are_not_taken(store: Store, event: Event) -> None:
    await put(store, event("ada", account="crm:2"))
    assert await take(store) == []


async def test_an_event_put_off_waits_until_then_with_its_attempts_counted(store: Store, event: Event) -> None:
    await put(store, event("ada"))
    await store.write(lambda tx: inbox.later(tx, [1], 200, "unreachable"))
    assert await take(store, now=199) == []
    assert await store.read(lambda tx: inbox.next_due(tx, "crm:1")) == 200
    (row,) = await store.read(lambda tx: inbox.take(tx, "crm:1", 200, 1))
    assert row.attempts == 1


async def test_what_has_ended_is_not_taken_and_ends_once(store: Store, event: Event) -> None:
    await put(store, event("ada"))
    await store.write(lambda tx: inbox.end(tx, [1], "skipped", "not-for-us", 5))
    await store.write(lambda tx: inbox.end(tx, [1], "dead", "late", 6))
    await store.write(lambda tx: inbox.later(tx, [1], 7, "late"))
    assert await take(store) == []
    assert await store.read(inbox.counts) == {"skipped": 1}
    assert await store.read(lambda tx: inbox.next_due(tx, "crm:1")) is None


async def test_a_dead_letter_put_back_is_taken_again(store: Store, event: Event) -> None:
    await put(store, event("ada"))
    await store.write(lambda tx: inbox.end(tx, [1], "dead", "gone", 5))
    assert await store.write(lambda tx: inbox.replay(tx, 1, 50))
    assert await take(store) == [(1, "ada")]


@pytest.mark.parametrize("state", ["decided", "skipped", "erased"])
async def test_only_a_dead_letter_can_be_put_back(store: Store, event: Event, state: Any) -> None:
    await put(store, event("ada"))
    await store.write(lambda tx: inbox.end(tx, [1], state, "", 5))
    assert not await store.write(lambda tx: inbox.replay(tx, 1, 50))
    assert await take(store) == []


async def test_what_was_not_understood_is_a_dead_letter_that_cannot_be_put_back(store: Store) -> None:
    await store.write(lambda tx: inbox.put_dead(tx, account="crm:1", body=b"sealed", code="not-json", now=5))
    assert await store.read(inbox.counts) == {"dead": 1}
    assert not await store.write(lambda tx: inbox.replay(tx, 1, 50))


async def test_a_dead_letter_whose_payload_outlived_its_days_cannot_be_put_back(store: Store, event: Event) -> None:
    await put(store, event("ada"), event("ben"))
    await store.write(lambda tx: inbox.end(tx, [1], "dead", "gone", 5))
    await store.write(lambda tx: inbox.end(tx, [2], "dead", "gone", 50))
    await store.write(lambda tx: traces.purge_payloads(tx, 60, 20))
    assert not await store.write(lambda tx: inbox.replay(tx, 1, 50))
    assert await store.write(lambda tx: inbox.replay(tx, 2, 50))


async def test_payloads_of_handled_events_go_and_the_counts_stay(store: Store, event: Event) -> None:
    await put(store, event("ada"), event("ben"), event("cem"))
    await store.write(lambda tx: inbox.end(tx, [1, 2], "decided", "", 5))
    assert await store.write(lambda tx: traces.purge_payloads(tx, 20, 20)) == 2
    assert await store.write(lambda tx: traces.purge_payloads(tx, 20, 20)) == 0
    assert await store.read(inbox.counts) == {"decided": 2, "waiting": 1}
    assert await take(store) == [(3, "cem")]


async def test_looking_again_counts_no_failure_and_a_confirmation_brings_it_forward(store: Store, event: Event) -> None:
    goodbye = structs.replace(event("ada"), kind="unsubscribed")
    await put(store, goodbye, event("ben"))
    await store.write(lambda tx: inbox.later(tx, [1], 50, "unreachable"))
    await store.write(lambda tx: inbox.look_again(tx, [1], 500))
    await store.write(lambda tx: inbox.later(tx, [2], 500, "unreachable"))
    assert await take(store) == []
    await put(store, structs.replace(event("ada", at=90), kind="confirmed"))
    await put(store, structs.replace(event("ben", at=90), kind="confirmed"))
    assert await take(store) == [(1, "ada"), (3, "ada"), (4, "ben")]
    rows = await store.read(lambda tx: tx.all("select attempts from inbox where id = 1"))
    assert [row["attempts"] for row in rows] == [0]


async def test_what_waits_too_long_becomes_a_dead_letter_without_its_payload(store: Store, event: Event) -> None:
    await put(store, event("ada", at=1), event("ben", at=500))
    assert await store.write(lambda tx: traces.outlive(tx, 100, 1000)) == 1
    rows = await store.read(lambda tx: tx.all("select state, code, body from inbox order by id"))
    assert [(row["state"], row["code"], row["body"]) for row in rows] == [
        ("dead", "outlived", None),
        ("waiting", "", b"sealed"),
    ]

"""What every adapter promises of a write and of a read."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from stellwerk.errors import StoreError
from stellwerk.store import meta
from stellwerk.store.store import Store, Tx

pytestmark = pytest.mark.anyio


async def counters(store: Store) -> dict[str, int]:
    return await store.read(meta.counters)


async def one_group(store: Store, *works: Any) -> list[Any]:
    """Hand over all of `works` while the writer is busy, so that they are committed together."""
    busy = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))
    await asyncio.sleep(0.02)
    others = [asyncio.ensure_future(store.write(work)) for work in works]
    await asyncio.sleep(0)
    busy.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


async def test_a_write_answers_with_what_its_function_returned(store: Store) -> None:
    assert await store.write(lambda tx: meta.first_value(tx, "colour", b"red")) == b"red"


async def test_what_a_write_did_is_there_for_the_next_read(store: Store) -> None:
    await store.write(lambda tx: meta.count(tx, "seen"))
    assert await counters(store) == {"seen": 1}


async def test_an_exception_undoes_its_own_write_and_no_other_of_the_same_group(store: Store) -> None:
    def fails(tx: Tx) -> None:
        meta.count(tx, "undone")
        raise LookupError("not this one")

    answers = await one_group(store, lambda tx: meta.count(tx, "before"), fails, lambda tx: meta.count(tx, "after"))
    assert [type(answer) for answer in answers] == [type(None), LookupError, type(None)]
    assert await counters(store) == {"before": 1, "after": 1}


async def test_a_refused_statement_undoes_its_own_write_and_no_other_of_the_same_group(store: Store) -> None:
    def refused(tx: Tx) -> None:
        meta.count(tx, "undone")
        tx.run("insert into no_such_table (name) values (:name)", name="x")

    answers = await one_group(store, lambda tx: meta.count(tx, "before"), refused, lambda tx: meta.count(tx, "after"))
    assert [type(answer) for answer in answers] == [type(None), StoreError, type(None)]
    assert await counters(store) == {"before": 1, "after": 1}


async def test_a_later_write_of_a_group_sees_the_earlier_one(store: Store) -> None:
    assert (await one_group(store, lambda tx: meta.count(tx, "seen"), meta.counters))[1] == {"seen": 1}


async def test_each_write_of_a_group_is_on_disk_when_it_answers(store: Store, database: Any) -> None:
    lost: list[int] = []

    async def put(number: int) -> None:
        await store.write(lambda tx: meta.count(tx, f"n{number}"))
        crashed = database.as_after_a_crash()
        survivor = crashed.open()
        if f"n{number}" not in await counters(survivor):
            lost.append(number)
        await survivor.close()

    busy = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))
    await asyncio.sleep(0.02)
    others = [asyncio.ensure_future(put(number)) for number in range(5)]
    await asyncio.sleep(0)
    busy.set()
    await asyncio.gather(first, *others)
    assert lost == []


async def test_what_was_not_committed_when_the_machine_stopped_is_not_there(store: Store, database: Any) -> None:
    written, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        meta.count(tx, "half")
        written.set()
        go_on.wait(10)

    waiting = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(written.wait, 10)
    crashed = database.as_after_a_crash()
    go_on.set()
    await waiting
    survivor = crashed.open()
    assert await counters(survivor) == {}
    await survivor.close()


async def test_a_caller_that_gives_up_does_not_undo_what_it_handed_over(store: Store) -> None:
    busy = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))
    impatient = asyncio.ensure_future(store.write(lambda tx: meta.count(tx, "handed over")))
    await asyncio.sleep(0.02)
    impatient.cancel()
    busy.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await store.write(lambda _: None)
    assert await counters(store) == {"handed over": 1}


async def test_an_error_that_a_caller_who_gave_up_does_not_look_at_is_not_logged(store: Store) -> None:
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    busy = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))

    def fails(tx: Tx) -> None:
        raise LookupError("nobody looks at this")

    impatient = asyncio.ensure_future(store.write(fails))
    await asyncio.sleep(0.02)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    busy.set()
    await first
    await store.write(lambda _: None)
    del impatient
    gc.collect()
    await asyncio.sleep(0)
    assert told == []


async def test_a_caller_whose_loop_is_gone_leaves_the_store_usable_for_the_others(store: Store) -> None:
    busy = threading.Event()

    def abandon() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(store.write(lambda _: busy.wait(10)))
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()

    await asyncio.to_thread(abandon)
    busy.set()
    await asyncio.wait_for(store.write(lambda tx: meta.count(tx, "later")), 5)
    assert await counters(store) == {"later": 1}


async def test_a_read_sees_one_moment_however_long_it_takes(store: Store) -> None:
    looked, written = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[dict[str, int], dict[str, int]]:
        before = meta.counters(tx)
        looked.set()
        written.wait(10)
        return before, meta.counters(tx)

    reading = asyncio.ensure_future(store.read(twice))
    await asyncio.to_thread(looked.wait, 10)
    await store.write(lambda tx: meta.count(tx, "meanwhile"))
    written.set()
    assert await reading == ({}, {})
    assert await counters(store) == {"meanwhile": 1}


async def test_a_read_that_is_not_finished_sees_nothing_of_a_write_that_is_not_committed(store: Store) -> None:
    written, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        meta.count(tx, "half")
        written.set()
        go_on.wait(10)

    waiting = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(written.wait, 10)
    assert await counters(store) == {}
    go_on.set()
    await waiting


async def test_a_function_that_only_reads_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only"):
        await store.read(lambda tx: meta.count(tx, "seen"))
    assert await counters(store) == {}


async def test_closing_finishes_what_was_handed_over(store: Store, database: Any) -> None:
    busy = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: busy.wait(10)))
    second = asyncio.ensure_future(store.write(lambda tx: meta.count(tx, "last")))
    await asyncio.sleep(0.02)
    closing = asyncio.ensure_future(store.close())
    await asyncio.sleep(0)
    busy.set()
    await asyncio.gather(first, second, closing)
    reopened = database.open()
    assert await counters(reopened) == {"last": 1}
    await reopened.close()


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.write(lambda _: None)
    with pytest.raises(StoreError, match="closed"):
        await store.read(lambda _: None)


async def test_counters_cursors_and_values_keep_what_they_are_given(store: Store) -> None:
    def use(tx: Tx) -> None:
        meta.count(tx, "forged", 2)
        meta.count(tx, "forged", 3)
        meta.set_cursor(tx, "mail:1", "reports", "page 1")
        meta.set_cursor(tx, "mail:1", "reports", "page 2")
        meta.set_value(tx, "instance", b"one")
        meta.set_value(tx, "instance", b"two")
        meta.first_value(tx, "instance", b"three")

    await store.write(use)
    assert await counters(store) == {"forged": 5}
    assert await store.read(lambda tx: meta.cursor(tx, "mail:1", "reports")) == "page 2"
    assert await store.read(lambda tx: meta.cursor(tx, "mail:2", "reports")) is None
    assert await store.read(lambda tx: meta.value(tx, "instance")) == b"two"

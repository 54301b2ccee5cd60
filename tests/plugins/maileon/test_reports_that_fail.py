"""A report that fails keeps nothing else from being read, and misses nothing once it answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stellwerk.sdk import DeliveryError, EventKind, PauseError, ReauthorizeError, RetryableError
from stellwerk_toys.reports import (
    BLOCKS,
    BOUNCE,
    BOUNCES,
    CONTACTS,
    IN,
    OUT,
    contact,
    contacts,
    entries,
    numbers,
    quiet,
    run,
)

pytestmark = pytest.mark.anyio


FAILURES = {
    "refused": (400, "<error><message>no such report</message></error>"),
    "without the right": (403, ""),
    "broken": (500, ""),
    "empty": (200, ""),
    "unknown": (200, "<something/>"),
}


@pytest.mark.parametrize("path", [IN, CONTACTS, BOUNCES, BLOCKS])
@pytest.mark.parametrize("how", FAILURES)
async def test_a_source_that_fails_keeps_nothing_else_from_being_asked_in_this_run_and_the_next(
    canned: Any, path: str, how: str
) -> None:
    quiet(canned)
    status, body = FAILURES[how]
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.replies["GET", path].clear()
        canned.on("GET", path, status, body)
        canned.asked.clear()
        canned.spent = 0
        _, cursor = await run(connector, cursor)
        asked = canned.calls()
        canned.replies["GET", OUT].clear()
        canned.on("GET", OUT, body=entries("unsubscriptions", 1))
        found, _ = await run(connector, cursor)
    assert asked == [f"GET {path}" for path in (OUT, IN, CONTACTS, BOUNCES, BLOCKS)]
    assert [signal.kind for signal in found] == [EventKind.UNSUBSCRIBED]


@pytest.mark.parametrize("path", [IN, BOUNCES, BLOCKS])
async def test_a_report_that_failed_is_asked_from_where_it_stood_until_it_answers(canned: Any, path: str) -> None:
    quiet(canned)
    canned.replies["GET", path].clear()
    canned.on("GET", path, 500)
    canned.on("GET", path, 500)
    canned.on("GET", path, body=entries(path.rpartition("/")[2]))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        for _ in range(4):
            canned.now += timedelta(hours=2)
            _, cursor = await run(connector, cursor)
    windows = [
        (int(request.url.params["from_date"]), int(request.url.params["to_date"]))
        for request in canned.asked
        if request.url.path.endswith(path)
    ]
    hour = 3_600_000
    start = windows[0][0]
    assert windows == [(start, start + until * hour) for until in (3, 5, 7)] + [(start + 6 * hour, start + 9 * hour)]


async def test_what_a_report_told_before_it_failed_is_not_told_again(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", BOUNCES].clear()
    first, second = (entries("bounces", number, more=BOUNCE.format("permanent")) for number in (1, 2))
    canned.on("GET", BOUNCES, body=first)
    canned.on("GET", BOUNCES, body=second, headers={"X-Pages": "2"})
    canned.on("GET", BOUNCES, 500)
    canned.on("GET", BOUNCES, 500)
    canned.on("GET", BOUNCES, body=entries("bounces", 1, 2, 3, more=BOUNCE.format("permanent")))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        rounds = []
        for _ in range(4):
            found, cursor = await run(connector, cursor)
            rounds.append([signal.ref.value for signal in found])
    assert rounds == [["1"], ["2"], [], ["3"]]


@pytest.mark.parametrize("path", [IN, CONTACTS, BOUNCES, BLOCKS])
async def test_a_rate_limit_ends_the_run_where_it_is(canned: Any, path: str) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.replies["GET", path].clear()
        canned.on("GET", path, 429)
        with pytest.raises(PauseError) as failed:
            await run(connector, cursor)
    assert (failed.value.code, failed.value.seconds) == ("rate-limited", 30)
    assert canned.calls()[-1] == f"GET {path}"


@pytest.mark.parametrize("how", ["refused", "broken", "empty", "unknown"])
async def test_while_unsubscriptions_cannot_be_asked_for_the_rest_is_and_the_poll_counts_as_failed(
    canned: Any, how: str
) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.replies["GET", OUT].clear()
        canned.on("GET", OUT, *FAILURES[how])
        canned.replies["GET", IN].clear()
        canned.on("GET", IN, body=entries("subscribers", 1))
        found, more = [], True
        canned.asked.clear()
        while not canned.calls()[:1] or canned.calls()[-1] != f"GET {BLOCKS}":
            signals, cursor, more = await connector.poll(cursor)
            found += signals
        assert ([signal.kind for signal in found], more) == ([EventKind.CONFIRMED], True)
        with pytest.raises(DeliveryError):
            await connector.poll(cursor)
    assert canned.calls() == [f"GET {path}" for path in (OUT, IN, CONTACTS, BOUNCES, BLOCKS, OUT)]


async def test_the_rest_is_asked_again_every_few_minutes_while_unsubscriptions_fail_and_they_miss_nothing(
    canned: Any,
) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.replies["GET", OUT].clear()
        canned.on("GET", OUT, 500)
        for _ in range(2):
            canned.now += timedelta(minutes=6)
            for _ in (OUT, CONTACTS, BOUNCES, BLOCKS):
                _, cursor, _ = await connector.poll(cursor)
            with pytest.raises(DeliveryError):
                await connector.poll(cursor)
            canned.now += timedelta(minutes=1)
            with pytest.raises(DeliveryError):
                await connector.poll(cursor)
        asked = canned.calls().count(f"GET {BLOCKS}")
        canned.replies["GET", OUT].clear()
        canned.on("GET", OUT, body=entries("unsubscriptions", 1))
        found, _ = await run(connector, cursor)
    assert asked == 2
    assert [signal.kind for signal in found] == [EventKind.UNSUBSCRIBED]
    windows = [int(one.url.params["from_date"]) for one in canned.asked if one.url.path.endswith(OUT)]
    assert len(set(windows)) == 1


async def test_a_key_that_is_refused_ends_the_run_at_once(canned: Any) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.replies["GET", OUT].clear()
        canned.on("GET", OUT, 401)
        canned.asked.clear()
        with pytest.raises(ReauthorizeError):
            await connector.poll(cursor)
    assert canned.calls() == [f"GET {OUT}"]


async def test_where_nothing_answers_the_poll_fails_and_the_cursor_stays(canned: Any) -> None:
    async with canned.open() as connector:
        quiet(canned)
        _, cursor = await run(connector, None)
        for path in (OUT, IN, CONTACTS, BOUNCES, BLOCKS):
            canned.replies["GET", path].clear()
            canned.on("GET", path, 500)
        with pytest.raises(RetryableError):
            await connector.poll(cursor)
        with pytest.raises(RetryableError):
            await connector.poll(cursor)


async def test_contacts_that_cannot_be_asked_for_from_the_start_do_not_keep_the_reports_from_being_read(
    canned: Any,
) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, 500)
    canned.on("GET", CONTACTS, 500)
    canned.on("GET", CONTACTS, body=contacts(contact(1)))
    canned.on("GET", CONTACTS, body=contacts(contact(2, "2026-11-24 12:40:00.0"), contact(1)))
    canned.replies["GET", OUT].clear()
    canned.on("GET", OUT, body=entries("unsubscriptions", 1))
    rounds, cursor = [], None
    async with canned.open() as connector:
        for _ in range(3):
            canned.now += timedelta(minutes=5)
            found, cursor = await run(connector, cursor)
            rounds.append([(signal.kind, signal.ref.value) for signal in found])
    out = (EventKind.UNSUBSCRIBED, "a1@example.com")
    assert rounds[:2] == [[out], []]
    assert (EventKind.CHANGED, "2") in rounds[2]


async def test_changes_of_the_time_in_which_contacts_could_not_be_asked_for_are_told_afterwards(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    newest = contact(9, "2026-11-24 12:40:00.0")
    canned.on("GET", CONTACTS, body=contacts(contact(1), newest))
    canned.on("GET", CONTACTS, 500)
    changed = contact(2, "2026-11-24 12:35:00.0")
    canned.on("GET", CONTACTS, body=contacts(changed), headers={"X-Pages": "2"})
    canned.on("GET", CONTACTS, 500)
    canned.on("GET", CONTACTS, body=contacts(contact(1), changed, contact(3, "2026-11-24 12:36:00.0"), newest))
    cursor, rounds = None, []
    async with canned.open() as connector:
        for _ in range(4):
            found, cursor = await run(connector, cursor)
            rounds.append(numbers(found))
    assert rounds[:3] == [[], [], ["2"]]
    assert {"2", "3"} & set(rounds[3]) == {"3"}


async def test_the_hub_is_told_how_each_source_answered(canned: Any) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.parts.clear()
        canned.replies["GET", CONTACTS].clear()
        canned.on("GET", CONTACTS, 500)
        await run(connector, cursor)
    assert canned.parts == {
        "unsubscriptions": None, "subscribers": None, "contacts": "server-error", "bounces": None, "blocks": None
    }  # fmt: skip

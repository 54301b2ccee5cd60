"""Polling: changed contacts, and lost webhooks found again in the reports (reference, sections 6.5 and 9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from stellwerk.sdk import EventKind, PauseError, Signal, Unread
from stellwerk_maileon import cursor as cursors
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
    windows,
)

pytestmark = pytest.mark.anyio


async def test_the_first_run_only_learns_what_is_there(canned: Any) -> None:
    canned.on("GET", CONTACTS, body=contacts(contact(1), contact(2)))
    async with canned.open() as connector:
        found, _ = await run(connector, None)
    assert found == []
    assert canned.calls() == ["GET /contacts"]


async def test_a_quiet_run_takes_five_requests(canned: Any) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.asked.clear()
        canned.spent = 0
        found, _ = await run(connector, cursor)
    assert found == []
    assert canned.calls() == [f"GET {path}" for path in (OUT, IN, CONTACTS, BOUNCES, BLOCKS)]


async def test_a_changed_contact_is_signalled_by_id_and_only_what_is_new(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    known, newest = contact(1), contact(9, "2026-11-24 12:40:00.0")
    canned.on("GET", CONTACTS, body=contacts(known, newest))
    canned.on("GET", CONTACTS, body=contacts(known, contact(2, "2026-11-24 12:35:00.0"), newest))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        _, cursor = await run(connector, cursor)
        canned.on("GET", CONTACTS, body=contacts(known, contact(3, "2026-11-24 12:36:00.0"), newest))
        canned.replies["GET", CONTACTS].pop(0)
        found, cursor = await run(connector, cursor)
        again, _ = await run(connector, cursor)
    key = f"changed/{cursors.name('contacts', '3', '2026-11-24 12:36:00.0')}"
    assert [(s.kind, s.ref.by, s.ref.value, s.key) for s in found] == [(EventKind.CHANGED, "id", "3", key)]
    assert again == []


async def test_what_changed_at_the_newest_second_is_told_once_more_since_it_may_change_within_it(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, body=contacts())
    canned.on("GET", CONTACTS, body=contacts(contact(1), contact(2)))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        rounds, keys = [], set()
        for _ in range(3):
            found, cursor = await run(connector, cursor)
            rounds.append(numbers(found))
            keys |= {one.key for one in found}
    assert rounds == [["1", "2"], ["1", "2"], []]
    assert len(keys) == 4


async def test_a_second_change_of_the_same_contact_is_signalled_again(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    newest = contact(9, "2026-11-24 12:40:00.0")
    canned.on("GET", CONTACTS, body=contacts(contact(1), newest))
    canned.on("GET", CONTACTS, body=contacts(contact(1), newest))
    canned.on("GET", CONTACTS, body=contacts(contact(1, "2026-11-24 12:30:01.0"), newest))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        _, cursor = await run(connector, cursor)
        found, _ = await run(connector, cursor)
    assert numbers(found) == ["1"]


async def test_a_change_in_the_hour_that_a_clock_change_repeats_is_not_missed(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, body=contacts(contact(1, "2026-10-25 02:59:00.0")))
    canned.on("GET", CONTACTS, body=contacts(contact(2, "2026-10-25 02:01:00.0")))
    canned.now = datetime.fromisoformat("2026-10-25T00:59:30+00:00")
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        found, _ = await run(connector, cursor)
    assert "2" in numbers(found)


async def test_the_window_reaches_a_day_behind_the_newest_change_as_long_as_no_zone_is_learnt(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, body=contacts(contact(1, "2026-11-24 12:30:00.0")))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        await run(connector, cursor)
    assert canned.calls()[-3] == "GET /contacts"
    assert dict(canned.query(-3))["updated_after"] == "2026-11-23 12:30:00"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "+13:00"])
async def test_once_the_zone_is_learnt_the_window_reaches_two_hours_back(canned: Any, zone: str) -> None:
    assert await windows(canned, zone, contacts(contact(1))) == ["2026-11-24 10:30:00"]


async def test_a_run_that_does_not_meet_the_newest_contact_again_asks_a_whole_day_back(canned: Any) -> None:
    asked = await windows(canned, "UTC", contacts(contact(1)), contacts(), contacts(contact(1)))
    assert asked == ["2026-11-24 10:30:00", "2026-11-23 12:30:00"]


async def test_whoever_else_changed_a_run_that_does_not_meet_the_newest_contact_again_asks_a_whole_day_back(
    canned: Any,
) -> None:
    known, hidden, late = contact(1), contact(2, "2026-11-24 14:00:00.0"), contact(3, "2026-11-24 16:00:00.0")
    asked = await windows(canned, "UTC", contacts(known), contacts(late), contacts(known, hidden, late))
    assert asked == ["2026-11-24 10:30:00", "2026-11-23 12:30:00"]


async def test_what_the_narrow_window_told_is_not_told_again_by_the_wide_one(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    early, late = contact(2, "2026-11-24 11:00:00.0"), contact(3, "2026-11-24 11:30:00.0")
    for page in (contacts(contact(1)), contacts(early), contacts(early, late)):
        canned.on("GET", CONTACTS, body=page)
    async with canned.open(learnt="UTC") as connector:
        _, cursor = await run(connector, None)
        found, _ = await run(connector, cursor)
    assert numbers(found) == ["2", "3"]


async def test_old_changes_inside_the_window_are_not_signalled(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, body=contacts(contact(1)))
    canned.on("GET", CONTACTS, body=contacts(contact(3, "2026-11-24 08:00:00.0")))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        found, _ = await run(connector, cursor)
    assert found == []


async def test_a_contact_without_a_time_is_signalled_when_first_met(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, body=contacts())
    canned.on("GET", CONTACTS, body=contacts(contact(5, None)))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        found, cursor = await run(connector, cursor)
        again, _ = await run(connector, cursor)
    assert ([signal.ref.value for signal in found], again) == (["5"], [])


async def test_pages_are_taken_one_a_call_and_survive_a_restart(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    canned.on("GET", CONTACTS, body=contacts())
    canned.on("GET", CONTACTS, body=contacts(contact(1)), headers={"X-Pages": "2"})
    canned.on("GET", CONTACTS, body=contacts(contact(2)), headers={"X-Pages": "2"})
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
    found: list[str] = []
    more, calls = True, 0
    while more:
        async with canned.open() as connector:
            signals, cursor, more = await connector.poll(cursor)
        found += [signal.ref.value for signal in signals]
        calls += 1
    assert (found, calls) == (["1", "2"], 6)


@pytest.mark.behaviour("confirmed-lost")
async def test_lost_webhooks_are_found_again_once(canned: Any) -> None:
    quiet(canned)
    for path, root in ((OUT, "unsubscriptions"), (IN, "subscribers")):
        canned.replies["GET", path].clear()
        canned.on("GET", path, body=entries(root, 1))
        canned.on("GET", path, body=entries(root, 1, 2))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        first, cursor = await run(connector, cursor)
        second, _ = await run(connector, cursor)
    assert [(s.kind, s.ref.by, s.ref.value) for s in first] == [
        (EventKind.UNSUBSCRIBED, "email", "a1@example.com"),
        (EventKind.CONFIRMED, "email", "a1@example.com"),
    ]
    assert [(s.kind, s.ref.value, s.details["msg_id"]) for s in second] == [
        (EventKind.UNSUBSCRIBED, "a2@example.com", "m"),
        (EventKind.CONFIRMED, "a2@example.com", "m"),
    ]
    assert all(signal.key is None and signal.details["entry"] for signal in (*first, *second))


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("<id>{n}</id>", [("id", "1")]),
        ("<external_id>p{n}</external_id>", [("peer_id", "p1")]),
        ("<permission>1</permission>", []),
    ],
)
async def test_an_entry_without_an_address_is_named_by_what_is_left(
    canned: Any, who: str, expected: list[tuple[str, str]]
) -> None:
    quiet(canned)
    canned.replies["GET", OUT].clear()
    canned.on("GET", OUT, body=entries("unsubscriptions", 1, who=who))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        found, _ = await run(connector, cursor)
    assert [(one.ref.by, one.ref.value) for one in found if isinstance(one, Signal)] == expected
    unread = [one.because for one in found if isinstance(one, Unread)]
    assert unread == ([] if expected else ["names-nobody"])


@pytest.mark.parametrize("who", ["<permission>1</permission>", "<email>a{n}@example.com</email>"])
async def test_entries_of_one_second_that_no_id_tells_apart_are_all_told_and_once(canned: Any, who: str) -> None:
    quiet(canned)
    canned.replies["GET", OUT].clear()
    canned.on("GET", OUT, body=entries("unsubscriptions", 1, 2, who=who))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        found, cursor = await run(connector, cursor)
        again, _ = await run(connector, cursor)
    told = [one.raw if isinstance(one, Unread) else one.ref.value for one in found]
    assert len(set(told)) == 2
    assert again == []


async def test_an_entry_that_names_nobody_is_told_with_its_place(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", OUT].clear()
    canned.on("GET", OUT, body=entries("unsubscriptions", 1, who="<permission>1</permission>"))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        (unread,), _ = await run(connector, cursor)
    assert unread.raw.startswith(b"unsubscriptions, page 1, entry 1: {")


async def test_report_windows_join_without_a_gap_and_overlap_by_an_hour(canned: Any) -> None:
    quiet(canned)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        canned.now += timedelta(minutes=5)
        _, cursor = await run(connector, cursor)
        canned.now += timedelta(minutes=5)
        await run(connector, cursor)
    windows = [
        (int(request.url.params["from_date"]), int(request.url.params["to_date"]))
        for request in canned.asked
        if request.url.path.endswith("/unsubscriptions")
    ]
    assert len(windows) == 2
    assert windows[1][0] == windows[0][1] - 3_600_000


async def test_a_cursor_holds_no_address_and_does_not_grow_without_end(canned: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(cursors, "MOST_MET", 3)
    quiet(canned)
    canned.replies["GET", OUT].clear()
    canned.on("GET", OUT, body=entries("unsubscriptions", *range(9)))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        _, cursor = await run(connector, cursor)
    assert "example.com" not in cursor
    assert len(cursor) < 400


async def test_a_change_that_the_cursor_could_not_hold_is_the_same_event_when_it_is_told_again(
    canned: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(cursors, "MOST_MET", 3)
    quiet(canned)
    canned.replies["GET", CONTACTS].clear()
    many = [contact(number, f"2026-11-24 12:{number:02}:00.0") for number in range(1, 9)]
    canned.on("GET", CONTACTS, body=contacts())
    canned.on("GET", CONTACTS, body=contacts(*many, contact(9, "2026-11-24 12:40:00.0")))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        first, cursor = await run(connector, cursor)
        again, _ = await run(connector, cursor)
    told = {one.ref.value: one.key for one in first}
    assert len(set(told.values())) == 9
    assert {one.ref.value: one.key for one in again if one.ref.value != "9"} == {
        str(number): told[str(number)] for number in range(1, 7)
    }


async def test_a_failed_page_leaves_the_cursor_where_it_was(canned: Any) -> None:
    quiet(canned)
    canned.replies["GET", OUT].clear()
    canned.on("GET", OUT, 429)
    canned.on("GET", OUT, body=entries("unsubscriptions", 1))
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        with pytest.raises(PauseError):
            await connector.poll(cursor)
        found, _ = await run(connector, cursor)
    assert len(found) == 1


async def test_the_seconds_between_polls_come_from_the_file(canned: Any) -> None:
    async with canned.open(poll_seconds=42) as connector:
        assert connector.poll_seconds == 42


# --- bounces and blocks


BLOCK = "<old_status>{}</old_status><new_status>{}</new_status><reason>bounce_policy</reason>"


async def polled(canned: Any, path: str, body: str) -> list[Any]:
    """What the run after the first tells, and the one after that, which must be nothing."""
    quiet(canned)
    canned.replies["GET", path].clear()
    canned.on("GET", path, body=body)
    async with canned.open() as connector:
        _, cursor = await run(connector, None)
        found, cursor = await run(connector, cursor)
        again, _ = await run(connector, cursor)
    assert again == []
    return found


async def test_a_bounce_that_lasts_is_told_once_with_what_the_mail_server_said(canned: Any) -> None:
    (found,) = await polled(canned, BOUNCES, entries("bounces", 1, more=BOUNCE.format("permanent")))
    assert (found.kind, found.ref.by, found.ref.value) == (EventKind.BOUNCED, "id", "1")
    told = {name: text for name, text in found.details.items() if name != "entry"}
    assert told == {"type": "permanent", "status_code": "5.1.1", "msg_id": "m", "method": "mta-listener"}


@pytest.mark.behaviour("bounced-passing")
async def test_a_bounce_that_may_pass_is_no_event(canned: Any) -> None:
    assert await polled(canned, BOUNCES, entries("bounces", 1, more=BOUNCE.format("transient"))) == []


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("allowed", "blocked", EventKind.BLOCKED),
        ("blocked", "allowed", EventKind.UNBLOCKED),
        ("allowed", "undecided", EventKind.CHANGED),
    ],
)
async def test_a_block_and_its_end_are_told_with_the_reason(canned: Any, old: str, new: str, kind: EventKind) -> None:
    (found,) = await polled(canned, BLOCKS, entries("blocks", 1, more=BLOCK.format(old, new)))
    assert (found.kind, found.details["reason"]) == (kind, "bounce_policy")


async def test_blocked_and_let_go_within_a_second_are_two_events(canned: Any) -> None:
    both = "".join(
        entries("blocks", 1, more=BLOCK.format(*states)).removeprefix("<blocks>").removesuffix("</blocks>")
        for states in (("allowed", "blocked"), ("blocked", "allowed"))
    )
    found = await polled(canned, BLOCKS, f"<blocks>{both}</blocks>")
    assert len({signal.details["entry"] for signal in found}) == 2


async def test_after_a_clock_was_put_back_what_was_reported_meanwhile_is_asked_for(canned: Any) -> None:
    quiet(canned)
    async with canned.open() as connector:
        canned.now += timedelta(hours=3)
        _, cursor = await run(connector, None)
        _, cursor = await run(connector, cursor)
        canned.now -= timedelta(hours=3)
        canned.asked.clear()
        canned.spent = 0
        await run(connector, cursor)
    asked = [request.url.params for request in canned.asked if request.url.path.endswith(OUT)]
    now = int(canned.now.timestamp() * 1000)
    assert [(int(one["from_date"]), int(one["to_date"])) for one in asked] == [(now - 3_600_000, now)]

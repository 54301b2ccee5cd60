"""The zone of the times that Maileon prints, learnt from what was written there (reference, section 12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk.sdk import Create, Permission, Ref
from stellwerk_maileon import zone

anyio = pytest.mark.anyio
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
PATH = "/contacts/email/ada%2Bnews%40example.com"


def printed(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.0")


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("2026-11-24 13:00:00.0", NOON, "Europe/Berlin"),
        ("2026-07-01 14:00:20.0", SUMMER, "Europe/Berlin"),
        ("2026-11-24 12:00:05.0", NOON, "+00:00"),
        ("2026-11-24 07:00:00.0", NOON, "-05:00"),
        ("2026-11-24 17:44:00.0", NOON, "+05:45"),
        ("2026-11-25 01:59:00.0", NOON, "+14:00"),
    ],
)
def test_a_time_that_was_just_written_tells_its_zone(text: str, at: datetime, expected: str) -> None:
    assert zone.learnt(text, at, "Europe/Berlin") == expected


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2026-11-24 12:07:00.0", "2026-11-25 12:00:00.0", "2026-11-24T13:00:00+0100"]
)
def test_a_time_that_is_not_believable_teaches_nothing(text: str | None) -> None:
    assert zone.learnt(text, NOON, "Europe/Berlin") is None


@given(st.integers(-14 * 4, 14 * 4), st.integers(-119, 119))
def test_what_was_learnt_says_the_time_of_the_write(quarters: int, seconds: int) -> None:
    told = NOON + quarters * zone.QUARTER + timedelta(seconds=seconds)
    found = zone.learnt(printed(told), NOON, "Europe/Berlin")
    assert found is not None
    assert abs(told.replace(tzinfo=zone.named(found)) - NOON) < zone.NEAR


def asked(canned: Any, updated: str) -> None:
    canned.on("GET", f"{PATH}/unsubscription", 404)
    canned.on("POST", PATH, 201, "<id>17</id>")
    canned.on("GET", "/contacts/contact", body=f"<contact><id>17</id><updated>{updated}</updated></contact>")


@anyio
async def test_an_ask_teaches_the_zone(canned: Any, asking: Callable[..., Any], delivery: Callable[..., Any]) -> None:
    asked(canned, "2026-11-24 12:00:01.0")
    async with canned.open() as connector:
        await connector.apply([delivery(asking())])
    assert canned.zones == ["+00:00"]


@anyio
async def test_nothing_is_learnt_from_an_ask_whose_contact_reads_unchanged(
    canned: Any, asking: Callable[..., Any], delivery: Callable[..., Any]
) -> None:
    asked(canned, "2026-11-20 09:03:11.0")
    async with canned.open() as connector:
        await connector.apply([delivery(asking())])
    assert canned.zones == []


def created(canned: Any, new: int, updated: str) -> None:
    canned.on(
        "POST",
        "/contacts",
        body=f"<report><success>true</success><count_new_contacts>{new}</count_new_contacts></report>",
    )
    canned.on(
        "GET",
        "/contacts/emails/ada%40example.com",
        body=f"<contacts><contact><id>17</id><email>ada@example.com</email><external_id>hs-1</external_id>"
        f"<created>2026-11-24 12:00:01.0</created><updated>{updated}</updated></contact></contacts>",
    )
    canned.on("GET", "/contacts/email/ada%40example.com/unsubscription", 404)


@anyio
@pytest.mark.parametrize(
    ("new", "updated", "seen"),
    [
        (1, "2026-11-24 12:00:01.0", ["+00:00"]),
        (0, "2026-11-24 12:00:01.0", []),
        (1, "2026-11-24 12:00:03.0", []),
    ],
)
async def test_only_a_contact_that_was_surely_created_now_teaches_the_zone(
    canned: Any, delivery: Callable[..., Any], new: int, updated: str, seen: list[str]
) -> None:
    created(canned, new, updated)
    change = Create(email="ada@example.com", peer_id="hs-1", permission=Permission.NONE, fields={})
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(change)])
    assert (receipt.id, canned.zones) == ("17", seen)


@anyio
async def test_times_are_read_in_the_zone_that_was_learnt_and_not_in_the_one_of_the_file(canned: Any) -> None:
    body = "<contact><id>17</id><updated>2026-11-24 12:00:00.0</updated></contact>"
    canned.on("GET", "/contacts/contact", body=body)
    times = []
    for learnt in (None, "-05:00"):
        async with canned.open(learnt=learnt, zone="Europe/Berlin") as connector:
            (contact,) = await connector.read([Ref(by="id", value="17")], [])
        times.append(contact.updated_at)
    assert times == [NOON - timedelta(hours=1), NOON + timedelta(hours=5)]

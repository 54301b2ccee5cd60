"""The evidence for an opt-out (reference, sections 7 and 9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stellwerk.sdk import Presence
from stellwerk_maileon import reportentry

pytestmark = pytest.mark.anyio

SINCE = datetime(2026, 11, 24, 11, 0, 0, 500_000, tzinfo=UTC)
REPORT = "/reports/unsubscriptions"
HITS = "/contacts/emails/ada%40example.com"
MARKER = "/contacts/email/ada%40example.com/unsubscription"


def entry(contact: int, at: str = "2026-11-24 12:30:00", msg_id: str = "m1", email: str = "") -> str:
    address = f"<email>{email}</email>" if email else ""
    return (
        f"<unsubscription><contact><id>{contact}</id>{address}</contact><timestamp>{at}</timestamp>"
        f"<source>link</source><msg_id>{msg_id}</msg_id></unsubscription>"
    )


def page(*entries: str) -> str:
    return f"<unsubscriptions>{''.join(entries)}</unsubscriptions>"


async def opt_outs(canned: Any, **given: Any) -> Any:
    asked = {"email": "ada@example.com", "contact_id": "77", "since": SINCE, **given}
    async with canned.open() as connector:
        return await connector.opt_outs(**asked)


def gone(canned: Any) -> None:
    canned.on("GET", HITS, 404)
    canned.on("GET", MARKER, 200)
    canned.on("GET", "/contacts/contact", body='<contact anonymous="true"><id>77</id></contact>')


async def test_an_anonymised_contact_is_found_by_id_and_its_entries_by_id_and_by_address(canned: Any) -> None:
    gone(canned)
    canned.on("GET", REPORT, body=page(entry(77)))
    canned.on("GET", REPORT, body=page(entry(77, email="ada@example.com"), entry(50, "2026-11-24 12:10:00")))
    found = await opt_outs(canned)
    assert (found.contact.presence, found.contact.id, found.marker) == (Presence.ANONYMOUS, "77", True)
    assert [(one.contact_id, dict(one.details)) for one in found.entries] == [
        ("50", {"msg_id": "m1", "method": "link"}),
        ("77", {"msg_id": "m1", "method": "link"}),
    ]
    assert found.entries[1].at == datetime(2026, 11, 24, 11, 30, tzinfo=UTC)


async def test_the_report_is_asked_with_anonymised_people_from_the_millisecond_on(canned: Any) -> None:
    gone(canned)
    canned.on("GET", REPORT, body=page())
    await opt_outs(canned)
    assert canned.query(-2) == [
        ("exclude_anonymous", "false"),
        ("from_date", "1795518000500"),
        ("ids", "77"),
        ("page_index", "1"),
        ("page_size", "1000"),
    ]
    assert ("emails", "ada@example.com") in canned.query(-1)
    assert "ids" not in dict(canned.query(-1))


async def test_without_a_known_confirmation_the_whole_report_counts(canned: Any) -> None:
    gone(canned)
    canned.on("GET", REPORT, body=page())
    await opt_outs(canned, since=None)
    assert dict(canned.query())["from_date"] == "0"


async def test_every_page_is_read(canned: Any) -> None:
    gone(canned)
    canned.on("GET", REPORT, body=page(entry(77, msg_id="a")), headers={"X-Pages": "2"})
    canned.on("GET", REPORT, body=page(entry(77, msg_id="b")), headers={"X-Pages": "2"})
    found = await opt_outs(canned, email=None)
    assert [one.details["msg_id"] for one in found.entries] == ["a", "b"]
    assert dict(canned.query())["page_index"] == "2"


async def test_somebody_who_came_back_is_present_with_both_ids_asked_for(canned: Any) -> None:
    canned.on("GET", HITS, body="<contacts><contact><id>78</id><email>ada@example.com</email></contact></contacts>")
    canned.on("GET", MARKER, 200)
    canned.on("GET", REPORT, body=page())
    found = await opt_outs(canned)
    assert (found.contact.presence, found.contact.id, found.marker) == (Presence.PRESENT, "78", True)
    assert [value for name, value in canned.query(-2) if name == "ids"] == ["77", "78"]


async def test_an_address_nobody_knows_has_no_evidence(canned: Any) -> None:
    canned.on("GET", HITS, 404)
    canned.on("GET", MARKER, 404)
    canned.on("GET", "/contacts/contact", 404)
    canned.on("GET", REPORT, body=page())
    found = await opt_outs(canned)
    assert (found.contact.presence, found.marker, found.entries) == (Presence.ABSENT, False, ())


async def test_by_id_alone_the_marker_of_the_contacts_address_is_looked_for(canned: Any) -> None:
    canned.on("GET", "/contacts/contact", body="<contact><id>77</id><email>ada@example.com</email></contact>")
    canned.on("GET", MARKER, 200)
    canned.on("GET", REPORT, body=page())
    found = await opt_outs(canned, email=None)
    assert (found.contact.presence, found.marker) == (Presence.PRESENT, True)


async def test_by_address_alone_no_id_is_asked_for(canned: Any) -> None:
    canned.on("GET", HITS, 404)
    canned.on("GET", MARKER, 200)
    canned.on("GET", REPORT, body=page(entry(77)))
    found = await opt_outs(canned, contact_id=None)
    assert (found.marker, len(found.entries)) == (True, 1)
    assert canned.calls().count("GET /reports/unsubscriptions") == 1


async def test_asked_about_nobody_it_asks_nobody(canned: Any) -> None:
    found = await opt_outs(canned, email=None, contact_id=None)
    assert (found.contact.presence, found.entries, canned.asked) == (Presence.ABSENT, (), [])


async def test_an_entry_whose_time_cannot_be_read_counts_as_of_now(canned: Any) -> None:
    gone(canned)
    canned.on("GET", REPORT, body=page(entry(77, at="soon")))
    found = await opt_outs(canned, email=None)
    assert found.entries[0].at == canned.now


async def test_the_configured_zone_resolves_the_times(canned: Any) -> None:
    gone(canned)
    canned.on("GET", REPORT, body=page(entry(77)))
    async with canned.open(zone="UTC") as connector:
        found = await connector.opt_outs(email=None, contact_id="77", since=SINCE - timedelta(days=1))
    assert found.entries[0].at == datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def test_an_entrys_key_outlives_the_address_and_differs_by_contact_time_and_mailing() -> None:
    def key(text: str) -> str:
        (found,) = reportentry.read(page(text).encode())
        return found.key

    assert key(entry(77)) == key(entry(77, email="ada@example.com"))
    assert (
        len({key(entry(77)), key(entry(78)), key(entry(77, msg_id="m2")), key(entry(77, "2026-11-24 12:30:01"))}) == 4
    )


def test_an_entry_without_a_contact_is_read_and_names_nobody() -> None:
    (found,) = reportentry.read(b"<unsubscriptions><unsubscription/></unsubscriptions>")
    assert (found.contact.id, found.details) == (None, {})

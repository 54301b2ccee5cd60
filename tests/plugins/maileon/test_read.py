"""Reading contacts (reference, section 6.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.sdk import Permission, Presence, Ref, RejectedError

pytestmark = pytest.mark.anyio


def contact(number: int, email: str = "ada@example.com", **more: str) -> str:
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f"<contact><id>{number}</id><email>{email}</email><permission>4</permission>{extra}</contact>"


async def test_every_field_asked_for_is_named_in_the_query_together_with_mark_and_blocking(canned: Any) -> None:
    canned.on("GET", "/contacts/contact", body=contact(77))
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="id", value="77")], ["FIRSTNAME", "custom:Position"])
    assert canned.query() == [
        ("id", "77"),
        ("ignore_checksum", "true"),
        ("standard_field", "FIRSTNAME"),
        ("standard_field", "SENDOUT_STATUS"),
        ("custom_field", "Position"),
        ("custom_field", "Stellwerk Ask"),
    ]
    assert (found.permission, dict(found.fields)) == (
        Permission.DOUBLE,
        {"FIRSTNAME": None, "custom:Position": None},
    )


async def test_a_read_by_address_also_looks_for_the_marker(canned: Any) -> None:
    canned.on("GET", "/contacts/emails/ada%40example.com", body=f"<contacts>{contact(77)}</contacts>")
    canned.on("GET", "/contacts/email/ada%40example.com/unsubscription")
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="email", value="ada@example.com")], ())
    assert (found.id, found.opted_out) == ("77", True)


def entry(at: str, email: str = "ada@example.com") -> str:
    named = f"<email>{email}</email>" if email else ""
    return f"<unsubscription><contact><id>5</id>{named}</contact><timestamp>{at}</timestamp><source>link</source></unsubscription>"


@pytest.mark.parametrize(
    ("entries", "at"),
    [
        ([], None),
        (["2026-11-20 10:00:00"], datetime(2026, 11, 20, 9, tzinfo=UTC)),
        (["2026-11-20 10:00:00", "2026-11-21 10:00:00", "some day"], datetime(2026, 11, 21, 9, tzinfo=UTC)),
    ],
)
async def test_when_somebody_left_who_is_not_there_any_more_is_as_the_report_tells(
    canned: Any, entries: list[str], at: datetime | None
) -> None:
    canned.on("GET", "/contacts/emails/ada%40example.com", 404)
    canned.on("GET", "/contacts/email/ada%40example.com/unsubscription")
    told = "".join(entry(one) for one in entries)
    canned.on("GET", "/reports/unsubscriptions", body=f"<unsubscriptions>{told}</unsubscriptions>")
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="email", value="ada@example.com")], ())
    assert (found.opted_out, found.opted_out_at) == (True, at)
    assert ("emails", "ada@example.com") in canned.query()
    assert ("exclude_anonymous", "false") in canned.query()


async def test_an_address_that_stands_twice_is_said_to_and_linked_to_none(canned: Any) -> None:
    canned.on("GET", "/contacts/emails/ada%40example.com", body=f"<contacts>{contact(1)}{contact(2)}</contacts>")
    canned.on("GET", "/contacts/email/ada%40example.com/unsubscription", 404)
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="email", value="ada@example.com")], ["FIRSTNAME"])
    assert (found.presence, found.id, found.email) == (Presence.TWICE, None, "ada@example.com")


@pytest.mark.parametrize(("there", "twice"), [((1, 2), True), ((1,), False), ((), False)])
async def test_whether_an_address_stands_twice_is_one_call(canned: Any, there: tuple[int, ...], twice: bool) -> None:
    gone = '<contact anonymous="true"><id>9</id></contact>'
    found = "".join(map(contact, there))
    canned.on("GET", "/contacts/emails/ada%40example.com", body=f"<contacts>{gone}{found}</contacts>")
    async with canned.open() as connector:
        assert await connector.stands_twice("ada@example.com") is twice
    assert len(canned.asked) == 1


async def test_an_anonymised_holder_of_an_external_id_leaves_it_to_the_living_one(canned: Any) -> None:
    gone = '<contact anonymous="true"><id>1</id><external_id>p1</external_id></contact>'
    canned.on("GET", "/contacts/externalid/p1", body=f"<contacts>{gone}{contact(2)}</contacts>")
    canned.on("GET", "/contacts/externalid/p2", body=f"<contacts>{gone}</contacts>")
    async with canned.open() as connector:
        living, dead = await connector.read([Ref(by="peer_id", value="p1"), Ref(by="peer_id", value="p2")], ())
    assert (living.presence, living.id) == (Presence.PRESENT, "2")
    assert (dead.presence, dead.id) == (Presence.ANONYMOUS, "1")


@pytest.mark.parametrize("ref", [Ref(by="id", value="9"), Ref(by="peer_id", value="9")])
async def test_what_maileon_does_not_know_is_absent(canned: Any, ref: Ref) -> None:
    canned.on("GET", "/contacts/contact", 404)
    canned.on("GET", "/contacts/externalid/9", 404)
    async with canned.open() as connector:
        (found,) = await connector.read([ref], ["FIRSTNAME"])
    assert (found.presence, found.id, dict(found.fields)) == (Presence.ABSENT, None, {"FIRSTNAME": None})


async def test_of_a_custom_field_that_is_not_there_nothing_is_told_and_nothing_else_is_lost(canned: Any) -> None:
    canned.on("GET", "/contacts/contact", 400, "<error><message>not declared</message></error>")
    canned.on("GET", "/contacts/contact", body=contact(77))
    fields = "<custom_fields><custom_field><name>Position</name><type>string</type></custom_field></custom_fields>"
    canned.on("GET", "/contacts/fields/custom", body=fields)
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="id", value="77")], ["custom:Position", "custom:Gone"])
    assert found.fields == {"custom:Position": None}
    assert [value for name, value in canned.query() if name == "custom_field"] == ["Position"]


async def test_a_standard_field_that_maileon_does_not_have_is_not_asked_for_and_nothing_is_told_of_it(
    canned: Any,
) -> None:
    canned.on("GET", "/contacts/contact", body=contact(77))
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="id", value="77")], ["CITY", "company", "CUSTOM_SOURCE"])
    assert found.fields == {"CITY": None, "CUSTOM_SOURCE": None}
    asked = [value for name, value in canned.query() if name == "standard_field"]
    assert asked == ["CITY", "CUSTOM_SOURCE", "SENDOUT_STATUS"]


async def test_a_refused_read_for_another_reason_stays_refused(canned: Any) -> None:
    canned.on("GET", "/contacts/contact", 400)
    names = ("Stellwerk Ask",)
    listed = "".join(f"<custom_field><name>{name}</name></custom_field>" for name in names)
    canned.on("GET", "/contacts/fields/custom", body=f"<custom_fields>{listed}</custom_fields>")
    async with canned.open() as connector:
        with pytest.raises(RejectedError, match="bad-request"):
            await connector.read([Ref(by="id", value="77")], ())

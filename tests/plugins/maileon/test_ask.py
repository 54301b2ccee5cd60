"""Starting a double opt-in, the only use of the single create (reference, section 6.1)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stellwerk.sdk import AskTerms, LeftOut, MarkState, Outcome, Permission, RetryableError, Unsubscribe

pytestmark = pytest.mark.anyio

CREATE = "/contacts/email/ada%2Bnews%40example.com"
MARKER = f"{CREATE}/unsubscription"
HITS = "/contacts/emails/ada%2Bnews%40example.com"


def ready(canned: Any, *, marker: int = 404, created: int = 201, body: str = "<id>77</id>") -> None:
    canned.on("GET", MARKER, marker)
    canned.on("POST", CREATE, created, body)
    stored = "<contact><id>77</id><permission>1</permission><updated>2026-11-24 13:00:05.0</updated></contact>"
    canned.on("GET", "/contacts/contact", body=stored)


async def test_marker_then_start_then_read_back(canned: Any, asking: Any, delivery: Any) -> None:
    ready(canned)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert [call.partition(" ")[0] for call in canned.calls()] == ["GET", "POST", "GET"]
    assert (receipt.outcome, receipt.id, receipt.permission) == (Outcome.DONE, "77", Permission.NONE)
    assert receipt.at is not None
    assert receipt.at.hour == 12


async def test_the_start_claims_no_permission_and_names_mailing_and_source(
    canned: Any, asking: Any, delivery: Any
) -> None:
    ready(canned)
    async with canned.open() as connector:
        await connector.apply([delivery(asking())])
    assert canned.query(1) == [
        ("permission", "1"),
        ("doi", "true"),
        ("doimailing", "K1"),
        ("sync_mode", "1"),
        ("src", "Stellwerk"),
    ]


async def test_personal_tracking_is_asked_for_only_where_the_terms_say_so(
    canned: Any, asking: Any, delivery: Any
) -> None:
    ready(canned)
    async with canned.open() as connector:
        await connector.apply([delivery(asking(plus=True))])
        await connector.apply([delivery(asking(plus=False))])
    starts = [request.url.params for request in canned.asked if request.method == "POST"]
    assert [params.get("doiplus") for params in starts] == ["true", None]


async def test_without_a_mailing_key_maileon_chooses_its_default(canned: Any, asking: Any, delivery: Any) -> None:
    ready(canned)
    async with canned.open() as connector:
        await connector.apply([delivery(asking(terms=AskTerms()))])
    assert "doimailing" not in dict(canned.query(1))


async def test_data_mark_and_external_id_go_in_the_body_and_the_address_does_not(
    canned: Any, asking: Any, delivery: Any
) -> None:
    ready(canned)
    async with canned.open() as connector:
        await connector.apply([delivery(asking(fields={"FIRSTNAME": "A<d>a", "custom:Is Customer": "yes"}))])
    root = ElementTree.fromstring(canned.asked[1].content)
    assert root.find("email") is None
    assert root.findtext("external_id") == "hs-1001"
    fields = {field.findtext("name"): field.findtext("value") for field in root.iter("field")}
    assert fields == {"FIRSTNAME": "A<d>a", "Is Customer": "true", "Stellwerk Ask": "wish-7"}


async def test_a_marked_address_is_not_asked(canned: Any, asking: Any, delivery: Any) -> None:
    canned.on("GET", MARKER, 200)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, len(canned.asked)) == (Outcome.OPTED_OUT, 1)


async def test_a_marked_address_is_asked_on_the_way_back(canned: Any, asking: Any, delivery: Any) -> None:
    ready(canned, marker=200)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(way_back=True))])
    assert receipt.outcome is Outcome.DONE


async def test_without_knowing_the_marker_nothing_is_sent(canned: Any, asking: Any, delivery: Any) -> None:
    canned.reply("GET", MARKER, httpx.ReadTimeout("slow"))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, len(canned.asked)) == (Outcome.RETRY, 1)


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")])
async def test_a_start_without_an_answer_is_ambiguous(
    canned: Any, asking: Any, delivery: Any, failure: Exception
) -> None:
    canned.on("GET", MARKER, 404)
    canned.reply("POST", CREATE, failure)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, receipt.code) == (Outcome.AMBIGUOUS, "no-answer")


@pytest.mark.parametrize("body", ["<id/>", "<id>seven</id>", "<html>busy</html>", '<id nil="true"/>'])
async def test_a_start_whose_answer_names_no_contact_is_ambiguous(
    canned: Any, asking: Any, delivery: Any, body: str
) -> None:
    ready(canned, created=200, body=body)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, receipt.code) == (Outcome.AMBIGUOUS, "unreadable-answer")


async def test_a_refused_start_is_rejected_with_the_reason_and_without_the_person(
    canned: Any, asking: Any, delivery: Any
) -> None:
    ready(canned, created=400, body="<error><message>Ada of hs-1001 (ada+news@example.com) is bad</message></error>")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "bad-request")
    assert receipt.answer == "<…> of <…> (<address>) is bad"


async def test_a_field_that_maileon_does_not_have_keeps_nobody_from_being_asked(
    canned: Any, asking: Any, delivery: Any
) -> None:
    ready(canned)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(fields={"PHONE": "1", "FIRSTNAME": "Ada"}))])
    assert receipt.outcome is Outcome.DONE
    assert receipt.left_out == (LeftOut(field="PHONE", code="field-unknown"),)
    assert b"PHONE" not in canned.asked[1].content


async def test_a_value_that_maileon_refuses_keeps_nobody_from_being_asked(
    canned: Any, asking: Any, delivery: Any
) -> None:
    canned.on("POST", CREATE, 400)
    ready(canned)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(fields={"GENDER": "x"}, plus=True))])
    assert (receipt.outcome, receipt.left_out) == (Outcome.DONE, (LeftOut(field="GENDER", code="bad-request"),))
    first, second = (request for request in canned.asked if request.method == "POST")
    assert b"GENDER" in first.content
    assert b"GENDER" not in second.content
    assert b"wish-7" in second.content
    assert first.url == second.url


async def test_who_is_refused_without_any_field_is_refused_once(canned: Any, asking: Any, delivery: Any) -> None:
    ready(canned, created=400)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(fields={}, peer_id=None))])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "bad-request")
    assert [request.method for request in canned.asked] == ["GET", "POST"]


@pytest.mark.parametrize("status", [404, 503])
async def test_a_start_that_cannot_be_read_back_was_still_done(
    canned: Any, asking: Any, delivery: Any, status: int
) -> None:
    canned.on("GET", MARKER, 404)
    canned.on("POST", CREATE, 201, "<id>77</id>")
    canned.on("GET", "/contacts/contact", status)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, receipt.id, receipt.permission) == (Outcome.DONE, "77", None)


# --- the mark


FIRSTNAME = "<standard_fields><field><name>FIRSTNAME</name><value>Ada</value></field></standard_fields>"


def marked(*marks: str) -> str:
    field = "<custom_fields><field><name>Stellwerk Ask</name><value>{}</value></field></custom_fields>"
    contacts = (f"<contact><id>{n}</id>{field.format(mark)}</contact>" for n, mark in enumerate(marks, 1))
    return f"<contacts>{''.join(contacts)}</contacts>"


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, marked("wish-7"), MarkState.FOUND),
        (200, marked("other", "wish-7"), MarkState.FOUND),
        (200, marked("wish-6"), MarkState.ABSENT),
        (200, "<contacts/>", MarkState.ABSENT),
        (404, "", MarkState.ABSENT),
        (400, "", MarkState.UNREADABLE),
    ],
)
async def test_the_mark_settles_what_became_of_a_start(
    canned: Any, asking: Any, delivery: Any, status: int, body: str, state: MarkState
) -> None:
    canned.on("GET", HITS, status, body)
    async with canned.open() as connector:
        found, receipt = await connector.find_mark(delivery(asking()))
    assert found is state
    assert (receipt is not None) == (state is MarkState.FOUND)


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (200, marked("wish-7"), ["FIRSTNAME"]),
        (200, marked("wish-7").replace("</contact>", FIRSTNAME + "</contact>"), []),
        (200, marked("other").replace("</contact>", FIRSTNAME + "</contact>"), ["FIRSTNAME"]),
        (503, "", ["FIRSTNAME"]),
    ],
)
async def test_fields_that_nobody_saw_arrive_with_an_ask_count_as_left_out(
    canned: Any, asking: Any, delivery: Any, status: int, body: str, missing: list[str]
) -> None:
    canned.on("GET", HITS, 200, marked("wish-7"))
    canned.on("GET", HITS, status, body)
    async with canned.open() as connector:
        _, receipt = await connector.find_mark(delivery(asking()))
    assert [one.field for one in receipt.left_out] == missing


async def test_a_mark_that_cannot_be_read_now_is_looked_for_later(canned: Any, asking: Any, delivery: Any) -> None:
    canned.on("GET", HITS, 503)
    async with canned.open() as connector:
        with pytest.raises(RetryableError):
            await connector.find_mark(delivery(asking()))


async def test_changes_without_a_mark_have_none_to_read(canned: Any, delivery: Any) -> None:
    async with canned.open() as connector:
        assert await connector.find_mark(delivery(Unsubscribe(), id="7")) == (MarkState.UNREADABLE, None)

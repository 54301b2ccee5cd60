"""What the reference leaves open about Maileon's answers is read either way; only what it says there is is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from stellwerk.sdk import (
    Create,
    EventKind,
    FieldSpec,
    Outcome,
    Permission,
    Presence,
    Ref,
    RejectedError,
    RetryableError,
    Signal,
    Unread,
    Wanted,
    WebhookRequest,
)
from stellwerk_maileon import accountinfo, bulkreport, hooks, mailinglist, reportentry, wire
from stellwerk_maileon.connector import MaileonConnector
from stellwerk_maileon.problem import WireError
from stellwerk_maileon.settings import MaileonSystem

pytestmark = pytest.mark.anyio

SPACE = 'xmlns="http://schemas.example/maileon" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
GONE = "<error><message>no such thing</message></error>"
CREATE = "/contacts/email/ada%2Bnews%40example.com"
HITS = "/contacts/emails/ada%2Bnews%40example.com"


# --- contacts ----------------------------------------------------------------------------------------------------------


def test_a_namespace_and_its_nil_change_nothing() -> None:
    body = f"""<contacts {SPACE}><contact anonymous="1"><id> 77 </id><external_id xsi:nil="1">old</external_id>
      <permission> DOI+ </permission><standard_fields><field><name>sendout_status</name><value>blocked</value></field>
      <field><name>TITLE</name><value xsi:nil="true">x</value></field></standard_fields></contact></contacts>"""
    (found,) = wire.read_contacts(body.encode())
    assert (found.id, found.external_id, found.anonymous) == ("77", None, True)
    assert found.permission is Permission.DOUBLE_PLUS
    assert found.standard == {"SENDOUT_STATUS": "blocked", "TITLE": None}


@pytest.mark.parametrize(("status", "body"), [(204, ""), (404, ""), (404, GONE), (200, "<contacts/>")])
async def test_nobody_may_be_said_in_several_ways(canned: Any, status: int, body: str) -> None:
    canned.on("GET", "/contacts/contact", status, body)
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="id", value="77")], ())
    assert found.presence is Presence.ABSENT


# --- lists -------------------------------------------------------------------------------------------------------------

LISTS = ["/reports/unsubscriptions", "/reports/subscribers", "/contacts", "/mailings/filter/types"]


async def page(canned: Any, path: str) -> Any:
    async with canned.open() as connector:
        client = connector._session.client
        calls = {
            "/reports/unsubscriptions": lambda: client.unsubscriptions((), 1),
            "/reports/subscribers": lambda: client.subscribers((), 1),
            "/contacts": lambda: client.contacts_updated_after("2026-11-24 00:00:00", 1),
            "/mailings/filter/types": lambda: client.doi_mailings(1),
        }
        return await calls[path]()


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("status", "body"), [(204, ""), (404, GONE)])
async def test_an_empty_list_may_be_said_by_the_status(canned: Any, path: str, status: int, body: str) -> None:
    canned.on("GET", path, status, body)
    assert await page(canned, path) == ((), False)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("body", ["", "<html>no such page</html>"])
async def test_a_path_that_is_not_there_is_no_empty_list(canned: Any, path: str, body: str) -> None:
    canned.on("GET", path, 404, body)
    with pytest.raises(RejectedError, match="not-found"):
        await page(canned, path)


@pytest.mark.parametrize("path", LISTS)
async def test_a_good_answer_without_a_body_was_cut_off(canned: Any, path: str) -> None:
    canned.on("GET", path, 200, "")
    with pytest.raises(RetryableError, match="unreadable-answer"):
        await page(canned, path)


@pytest.mark.parametrize(("status", "body"), [(204, ""), (404, GONE), (200, "<custom_fields/>")])
async def test_an_account_without_custom_fields_gets_them(canned: Any, status: int, body: str) -> None:
    canned.on("GET", "/contacts/fields/custom", status, body)
    canned.on("POST", "/contacts/fields/custom/Stellwerk%20Ask", 200)
    canned.on("POST", "/contacts/fields/custom/Position", 201)
    async with canned.open() as connector:
        assert await connector.provide(Wanted(used=(FieldSpec(name="custom:Position"),))) == []


def test_a_report_of_empty_elements_is_read() -> None:
    body = f"<unsubscriptions {SPACE}><unsubscription><contact><id>7</id><email/></contact><msg_id/></unsubscription></unsubscriptions>"
    (entry,) = reportentry.read(body.encode())
    assert (entry.contact.id, entry.contact.email, entry.msg_id, entry.timestamp) == ("7", None, None, None)


# --- writing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<id>77</id>"),
        (201, "<contact><id>77</id></contact>"),
        (201, '{"id": 77}'),
        (201, "77"),
        (201, "<id> 77 </id>"),
    ],
)
async def test_the_new_contact_s_id_is_found_in_any_answer(
    canned: Any, asking: Any, delivery: Any, status: int, body: str
) -> None:
    canned.on("GET", f"{CREATE}/unsubscription", 404)
    canned.on("POST", CREATE, status, body)
    canned.on("GET", "/contacts/contact", body="<contact><id>77</id><permission>none</permission></contact>")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, receipt.id, receipt.permission) == (Outcome.DONE, "77", Permission.NONE)


MARKED = """<contacts><contact><id>77</id><permission>1</permission><custom_fields><field><name>Stellwerk Ask</name>
  <value>wish-7</value></field></custom_fields></contact></contacts>"""


@pytest.mark.parametrize(
    ("there", "outcome"), [(MARKED, Outcome.DONE), ("<contacts/>", Outcome.AMBIGUOUS), ("nonsense", Outcome.AMBIGUOUS)]
)
async def test_a_start_that_is_accepted_without_a_word_is_known_by_its_mark(
    canned: Any, asking: Any, delivery: Any, there: str, outcome: Outcome
) -> None:
    canned.on("GET", f"{CREATE}/unsubscription", 404)
    canned.on("POST", CREATE, 204)
    canned.on("GET", HITS, body=there)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert receipt.outcome is outcome
    assert sum(call.startswith("POST") for call in canned.calls()) == 1


def test_a_refused_contact_may_have_another_name_and_its_error_another_nest() -> None:
    body = f"""<report {SPACE}><success>1</success><invalid_contacts>
      <invalid_contact><email> bad@@example </email><errors><error><code>3</code></error></errors></invalid_contact>
      </invalid_contacts></report>"""
    report = bulkreport.read(body.encode())
    assert report.success
    assert (report.invalid_count, report.invalid[0].email) == (1, "bad@@example")
    assert report.invalid[0].faults[0].reason == "address-syntax"


async def test_an_address_that_the_report_leaves_out_may_carry_a_marker(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body="<report><success>true</success></report>")
    canned.on("GET", "/contacts/emails/ada%40example.com", 404)
    canned.on("GET", "/contacts/email/ada%40example.com/unsubscription", 200)
    change = Create(email="ada@example.com", permission=Permission.NONE, peer_id=None, fields={})
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(change)])
    assert (receipt.outcome, receipt.code) == (Outcome.OPTED_OUT, "marker")


async def test_a_bulk_call_says_only_what_the_reference_knows(canned: Any, delivery: Any) -> None:
    canned.on(
        "POST", "/contacts", body="<report><success>true</success><count_new_contacts>1</count_new_contacts></report>"
    )
    canned.on("GET", "/contacts/emails/ada%40example.com", body="<contacts><contact><id>7</id></contact></contacts>")
    change = Create(email="ada@example.com", permission=Permission.SINGLE, peer_id=None, fields={})
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(change)])
    assert receipt.outcome is Outcome.DONE
    assert set(dict(canned.query(0))) == {
        "permission",
        "sync_mode",
        "update_only",
        "override_permission",
        "ignore_invalid_contacts",
        "reimport_unsubscribed_contacts",
    }
    assert not canned.asked[1].url.query


def test_an_account_is_known_by_its_id_whatever_stands_around_it() -> None:
    body = f"<info {SPACE}><id>4</id><name>Acme</name><created>2020-07-06T09:41:00+0200</created></info>"
    found = accountinfo.read(body.encode())
    assert (found.id, found.name, found.zone) == ("4", "Acme", "+02:00")
    with pytest.raises(WireError):
        accountinfo.read(b"<html><body>busy</body></html>")


# --- mailings and webhooks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"<doi_key> K1 </doi_key>", b"K1\n", b'"K1"', f"<doi_key {SPACE}>K1</doi_key>".encode()]
)
def test_a_mailing_s_key_may_come_as_xml_or_as_text(body: bytes) -> None:
    assert mailinglist.read_text(body) == "K1"


def test_a_mailing_may_have_its_name_beside_its_id() -> None:
    body = b"<mailings><mailing><id>5</id><name>Welcome</name><state>released</state></mailing></mailings>"
    assert mailinglist.read(body) == (mailinglist.StoredMailing(id="5", name="Welcome", state="released"),)


@pytest.mark.parametrize(
    "more",
    [
        {"newsletterAccountId": 4, "standardFields": ["EMAIL"]},
        {"nlAccountId": "4", "bodySpec": {"standardFields": ["email"]}},
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_registered_webhooks_may_stand_in_an_object(more: dict[str, Any], wrapped: bool) -> None:
    listed = [{"id": "1", "url": "https://x.example/", "event": "DOI", **more}]
    body = msgspec.json.encode({"webhooks": listed, "count": 1} if wrapped else listed)
    (found,) = hooks.read(body)
    assert (found.id, found.event, set(found.fields)) == ("1", "doi", {"email"})


@pytest.mark.parametrize("body", [b"", b"{}", b'{"a": [], "b": []}', b"[1]", b"<html/>"])
def test_what_is_no_list_of_webhooks_is_not_taken_for_an_empty_one(body: bytes) -> None:
    with pytest.raises(WireError):
        hooks.read(body)


# --- calls from Maileon ------------------------------------------------------------------------------------------------


def receive(body: Any, **query: str) -> list[Signal | Unread]:
    request = WebhookRequest(
        method="POST",
        url="https://hub.example/webhooks/maileon/secret/doi",
        path=("doi",),
        query=query,
        headers={},
        body=body if isinstance(body, bytes) else msgspec.json.encode(body),
        received_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )
    return list(MaileonConnector.receive(request, MaileonSystem()))


def address(found: Signal | Unread) -> str | None:
    return found.ref.value if isinstance(found, Signal) else None


def test_calls_that_come_together_are_one_each() -> None:
    found = receive([{"email": "ada@example.com"}, {"email": None}, {"email": "bob@example.com"}])
    assert [address(one) for one in found] == ["ada@example.com", None, "bob@example.com"]


def test_names_count_in_any_case() -> None:
    (found,) = receive({"EMAIL": "ada@example.com", "Timestamp": "2026-11-24T12:00:00+0100"})
    assert isinstance(found, Signal)
    assert (found.kind, found.ref.value) == (EventKind.CONFIRMED, "ada@example.com")
    assert found.occurred_at == datetime(2026, 11, 24, 11, tzinfo=UTC)


@pytest.mark.parametrize("body", [{}, {"src": "maileon"}, b"", b" "])
def test_the_address_may_stand_in_the_url_beside_a_body(body: Any) -> None:
    (found,) = receive(body, email="ada b@example.com")
    assert address(found) == "ada+b@example.com"


@pytest.mark.parametrize("body", [[], b"[1]", b"7", b"null", b"{"])
def test_what_names_nobody_is_kept_unread(body: Any) -> None:
    (found,) = receive(body)
    assert isinstance(found, Unread)

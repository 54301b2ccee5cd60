"""Bulk calls: field updates and plain creations (reference, section 6.4)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stellwerk.sdk import Create, FieldSpec, FieldValue, LeftOut, Outcome, Permission, SetFields
from stellwerk_maileon import bulkreport
from stellwerk_maileon.left_out import meant
from stellwerk_toys.bulk_reports import invalid, report

pytestmark = pytest.mark.anyio

NOBODY = 404


def fields(**values: str | None) -> SetFields:
    return SetFields(fields={name: FieldValue(value=value) for name, value in values.items()})


def create(email: str, permission: Permission = Permission.SINGLE, peer_id: str | None = "p1") -> Create:
    return Create(email=email, peer_id=peer_id, permission=permission, fields={"FIRSTNAME": "Ada"})


def there(
    canned: Any, email: str, *, peer_id: str = "p1", marker: int = NOBODY, contact: bool = True, permission: int = 2
) -> None:
    coded = email.replace("@", "%40")
    body = f"<contact><id>77</id><email>{email}</email><external_id>{peer_id}</external_id><permission>{permission}</permission></contact>"
    canned.on("GET", f"/contacts/emails/{coded}", body=f"<contacts>{body if contact else ''}</contacts>")
    canned.on("GET", f"/contacts/email/{coded}/unsubscription", marker)


# --- field updates


@pytest.mark.behaviour("fields-permission")
async def test_updates_never_create_never_touch_a_permission_and_survive_a_bad_neighbour(
    canned: Any, delivery: Any
) -> None:
    canned.on("POST", "/contacts", body=report(existing=1))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(fields(FIRSTNAME="Ada"), id="77", email="ada@example.com")])
    assert receipt.outcome is Outcome.DONE
    assert dict(canned.query()) == {
        "sync_mode": "1",
        "update_only": "true",
        "override_permission": "false",
        "ignore_invalid_contacts": "true",
        "reimport_unsubscribed_contacts": "true",
    }


async def test_a_batch_is_one_call_and_each_bad_row_is_told_with_its_reason(canned: Any, delivery: Any) -> None:
    rows = invalid("BAD@example.com", 19) + invalid("ben@example.com", 4, "external_id")
    canned.on("POST", "/contacts", body=report(existing=1, invalid=rows))
    batch = [
        delivery(fields(FIRSTNAME="Ada"), email="ada@example.com"),
        delivery(fields(GENDER="x"), email="bad@Example.com"),
        delivery(fields(FIRSTNAME="Ben"), email="ben@example.com"),
    ]
    async with canned.open() as connector:
        good, bad, taken = await connector.apply(batch)
    assert len(canned.asked) == 1
    assert good.outcome is Outcome.DONE
    assert (bad.outcome, bad.code, bad.text) == (Outcome.NOT_NEEDED, "fields-left-out", "left out: GENDER")
    assert bad.left_out == (
        LeftOut(field="GENDER", code="gender-value", text="use m, f or d, or give the row a table"),
    )
    assert (taken.outcome, taken.code) == (Outcome.REJECTED, "external-id-taken")
    assert taken.text.startswith("Maileon's error 4 (external_id): ")


async def test_values_are_written_with_their_kinds(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(existing=1))
    change = SetFields(fields={"custom:Is Customer": FieldValue(value="no"), "CITY": FieldValue(value=None)})
    async with canned.open() as connector:
        await connector.apply([delivery(change, email="ada@example.com")])
    contact = ElementTree.fromstring(canned.asked[0].content)[0]
    assert contact.findtext("email") == "ada@example.com"
    assert contact.findtext("custom_fields/field/value") == "false"
    emptied = contact.find("standard_fields/field/value")
    assert emptied is not None
    assert emptied.attrib == {"nil": "true"}


async def test_the_same_address_twice_goes_in_two_calls_in_order(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(existing=1))
    first = delivery(fields(FIRSTNAME="Ada"), email="ada@example.com")
    second = delivery(fields(FIRSTNAME="Adele"), email="Ada@Example.com")
    async with canned.open() as connector:
        receipts = await connector.apply([first, second])
    assert [receipt.outcome for receipt in receipts] == [Outcome.DONE, Outcome.DONE]
    written = [ElementTree.fromstring(request.content).findtext(".//value") for request in canned.asked]
    assert written == ["Ada", "Adele"]


async def test_a_change_that_cannot_be_sent_holds_up_no_other(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(existing=1))
    batch = [
        delivery(fields(FIRSTNAME="Ada")),
        delivery(fields(PHONE="1"), email="ben@example.com"),
        delivery(fields(FIRSTNAME="Cy"), email="cy@example.com"),
    ]
    async with canned.open() as connector:
        receipts = await connector.apply(batch)
    assert [receipt.code for receipt in receipts] == ["no-address", "fields-left-out", "done"]
    assert canned.asked[0].content.count(b"<contact>") == 1


@pytest.mark.parametrize(("count", "whole"), [(2, True), (1, False)])
@pytest.mark.parametrize(
    ("status", "outcome"), [(400, Outcome.REJECTED), (413, Outcome.REJECTED), (500, Outcome.RETRY)]
)
async def test_a_call_that_fails_as_a_whole_may_be_bisected(
    canned: Any, delivery: Any, count: int, whole: bool, status: int, outcome: Outcome
) -> None:
    canned.on("POST", "/contacts", status)
    batch = [delivery(fields(FIRSTNAME="A"), email=f"a{number}@example.com") for number in range(count)]
    async with canned.open() as connector:
        receipts = await connector.apply(batch)
    assert {(receipt.outcome, receipt.whole) for receipt in receipts} == {(outcome, whole)}


@pytest.mark.parametrize("status", [401, 429])
async def test_a_failure_that_no_contact_can_have_caused_is_not_bisected(
    canned: Any, delivery: Any, status: int
) -> None:
    canned.on("POST", "/contacts", status)
    batch = [delivery(fields(FIRSTNAME="A"), email=f"a{number}@example.com") for number in range(2)]
    async with canned.open() as connector:
        assert not any(receipt.whole for receipt in await connector.apply(batch))


@pytest.mark.parametrize(
    "body",
    [
        report(existing=1, invalid=invalid("stranger@example.com", 3)),
        report(existing=1, count=1),
        report(existing=2).replace("true", "false"),
    ],
)
async def test_a_report_that_does_not_say_which_row_failed_is_bisected(canned: Any, delivery: Any, body: str) -> None:
    canned.on("POST", "/contacts", body=body)
    batch = [delivery(fields(FIRSTNAME="A"), email=f"a{number}@example.com") for number in range(2)]
    async with canned.open() as connector:
        receipts = await connector.apply(batch)
    assert {(receipt.outcome, receipt.whole) for receipt in receipts} == {(Outcome.REJECTED, True)}


async def test_a_refused_contact_without_a_name_is_the_only_one_sent(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(invalid=invalid("", 2)))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(fields(FIRSTNAME="A"), email="a@example.com")])
    assert (receipt.outcome, receipt.code, receipt.whole) == (Outcome.REJECTED, "address-missing", False)


def names_written(request: Any) -> list[str]:
    return [name.text or "" for name in ElementTree.fromstring(request.content).iter("name")]


CUSTOM = SetFields(
    fields={"CITY": FieldValue(value="Ulm"), "custom:A": FieldValue(value="1"), "custom:B": FieldValue(value="2")}
)


async def test_a_contact_goes_on_without_the_field_that_maileon_names(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(invalid=invalid("a@example.com", 26, "A")))
    canned.on("POST", "/contacts", body=report(existing=1))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(CUSTOM, email="a@example.com")])
    assert receipt.outcome is Outcome.DONE
    assert [(one.field, one.code) for one in receipt.left_out] == [("custom:A", "text-too-long")]
    assert [names_written(one) for one in canned.asked] == [["CITY", "A", "B"], ["CITY", "B"]]


async def test_where_maileon_names_no_field_each_that_it_can_mean_is_tried_singly(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(invalid=invalid("a@example.com", 21, "")))
    canned.on("POST", "/contacts", body=report(existing=1))
    canned.on("POST", "/contacts", body=report(invalid=invalid("a@example.com", 21, "")))
    canned.on("POST", "/contacts", body=report(existing=1))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(CUSTOM, email="a@example.com")])
    assert receipt.outcome is Outcome.DONE
    assert [(one.field, one.code) for one in receipt.left_out] == [("custom:A", "custom-field-not-declared")]
    assert [names_written(one) for one in canned.asked] == [["CITY", "A", "B"], ["CITY"], ["A"], ["B"]]


async def test_an_outage_while_fields_are_tried_singly_is_for_later(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(invalid=invalid("a@example.com", 21, "")))
    canned.on("POST", "/contacts", body=report(existing=1))
    canned.on("POST", "/contacts", 503)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(CUSTOM, email="a@example.com")])
    assert (receipt.outcome, receipt.left_out) == (Outcome.RETRY, ())


async def test_a_refusal_of_the_contact_itself_is_no_fields(canned: Any, delivery: Any) -> None:
    row = invalid("a@example.com", 19).replace("</contact>", '<error code="5"/></contact>')
    canned.on("POST", "/contacts", body=report(invalid=row))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(fields(GENDER="x"), email="a@example.com")])
    assert (receipt.outcome, receipt.left_out) == (Outcome.REJECTED, ())


@pytest.mark.parametrize(
    ("code", "field", "expected"),
    [
        (6, "", ("ADDRESS",)),
        (7, "", ()),
        (17, "birthday", ("BIRTHDAY",)),
        (25, "custom:n", ("custom:N",)),
        (25, "", ("custom:N",)),
        (22, "", ()),
        (26, "", ("custom:N", "custom:T")),
        (21, "T", ("custom:T",)),
        (3, "ADDRESS", ()),
        (None, "", ()),
    ],
)
def test_what_a_code_is_about(code: int | None, field: str, expected: tuple[str, ...]) -> None:
    specs = {"custom:N": FieldSpec(name="custom:N", kind="integer")}
    fault = bulkreport.Fault(code=code, field=field)
    assert meant(fault, ("ADDRESS", "BIRTHDAY", "custom:N", "custom:T"), specs) == expected


# --- creations


async def test_a_creation_refused_for_a_field_creates_without_it(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(invalid=invalid("ada@example.com", 8, "FIRSTNAME")))
    canned.on("POST", "/contacts", body=report(new=1))
    there(canned, "ada@example.com")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com"))])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "77")
    assert [one.field for one in receipt.left_out] == ["FIRSTNAME"]


async def test_a_creation_leaves_existing_and_marked_addresses_alone(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=1))
    there(canned, "ada@example.com")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com"))])
    assert dict(canned.query(0)) == {
        "permission": "2",
        "sync_mode": "2",
        "update_only": "false",
        "override_permission": "false",
        "ignore_invalid_contacts": "true",
        "reimport_unsubscribed_contacts": "false",
    }
    assert (receipt.outcome, receipt.id, receipt.permission) == (Outcome.DONE, "77", Permission.SINGLE)


async def test_permissions_are_not_mixed_in_one_call(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=2))
    for name in ("a", "b", "c"):
        there(canned, f"{name}@example.com")
    batch = [
        delivery(create("a@example.com", Permission.NONE)),
        delivery(create("b@example.com", Permission.CONFIRMED)),
        delivery(create("c@example.com", Permission.NONE)),
    ]
    async with canned.open() as connector:
        await connector.apply(batch)
    posts = [request for request in canned.asked if request.method == "POST"]
    assert [(post.url.params["permission"], post.content.count(b"<contact>")) for post in posts] == [("1", 2), ("3", 1)]


async def test_an_address_that_a_marker_kept_out_is_opted_out(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=1, marked=1))
    there(canned, "ada@example.com")
    there(canned, "out@example.com", marker=200, contact=False)
    async with canned.open() as connector:
        ada, out = await connector.apply([delivery(create("ada@example.com")), delivery(create("out@example.com"))])
    assert (ada.outcome, out.outcome) == (Outcome.DONE, Outcome.OPTED_OUT)


async def test_an_opted_out_contact_that_is_still_readable_is_opted_out(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(marked=1))
    there(canned, "out@example.com", marker=200)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("out@example.com"))])
    assert receipt.outcome is Outcome.OPTED_OUT


async def test_an_address_that_was_there_already_is_told_and_not_claimed(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(existing=1))
    there(canned, "ada@example.com", peer_id="someone-else")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com"))])
    assert (receipt.outcome, receipt.code, receipt.id) == (Outcome.NOT_NEEDED, "exists", "77")


async def test_a_repeated_creation_finds_its_own_contact(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(existing=1))
    there(canned, "ada@example.com", permission=1)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com", Permission.NONE))])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "77")


@pytest.mark.parametrize(
    ("permission", "outcome", "code"),
    [(Permission.CONFIRMED, Outcome.NOT_NEEDED, "exists"), (Permission.SINGLE, Outcome.RETRY, "not-sure-created")],
)
async def test_a_permission_that_was_there_before_counts_as_granted_by_nobody(
    canned: Any, delivery: Any, permission: Permission, outcome: Outcome, code: str
) -> None:
    """With the very one that was to be granted it may be our own contact of a lost answer: the hub reads it again."""
    canned.on("POST", "/contacts", body=report(existing=1))
    there(canned, "ada@example.com")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com", permission))])
    assert (receipt.outcome, receipt.code) == (outcome, code)


async def test_a_creation_whose_id_cannot_be_read_was_still_done(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=1))
    canned.reply("GET", "/contacts/emails/ada%40example.com", httpx.ReadTimeout("slow"))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com"))])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, None)


async def test_a_creation_that_cannot_be_read_yet_was_still_done(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=1))
    there(canned, "ada@example.com", contact=False)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(create("ada@example.com"))])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, None)


async def test_a_doubtful_creation_is_tried_again(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(marked=1))
    there(canned, "ada@example.com", contact=False)
    canned.on("GET", "/contacts/email/ben%40example.com/unsubscription", 503)
    async with canned.open() as connector:
        receipts = await connector.apply([delivery(create("ada@example.com")), delivery(create("ben@example.com"))])
    assert [(r.outcome, r.code) for r in receipts] == [
        (Outcome.RETRY, "not-created"),
        (Outcome.RETRY, "not-read-back"),
    ]


async def test_a_large_creation_without_doubt_leaves_the_ids_to_paging(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=60))
    batch = [delivery(create(f"a{number}@example.com", peer_id=f"p{number}")) for number in range(60)]
    async with canned.open() as connector:
        receipts = await connector.apply(batch)
    assert {(receipt.outcome, receipt.id) for receipt in receipts} == {(Outcome.DONE, None)}
    assert len(canned.asked) == 1

"""Writes to one contact: external id, opt-out, deletion (reference, sections 6.2, 6.3, 7.1)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from stellwerk.sdk import AddEntry, DeleteContact, MoveAddress, Outcome, SetPeer, Unsubscribe

pytestmark = pytest.mark.anyio

ONE = "/contacts/contact"
GONE = "/contacts/contact/unsubscribe"
SAME = "/contacts/emails/ada%40example.com"
NOBODY = "<contacts/>"
EMAIL = "/contacts/email/ada%40example.com"


def stored(external_id: str = "", **marks: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in marks.items())
    return f"<contact{attributes}><id>77</id><external_id>{external_id}</external_id></contact>"


async def set_peer(canned: Any, delivery: Any, contact_id: str | None = "77") -> Any:
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(SetPeer(peer_id="p1"), id=contact_id, email="ada@example.com")])
    return receipt


@pytest.mark.behaviour("known-external-id")
async def test_an_external_id_is_written_by_id_to_a_living_contact_without_one(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored())
    canned.on("GET", "/contacts/externalid/p1", 404)
    canned.on("PUT", ONE, 200)
    receipt = await set_peer(canned, delivery)
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "77")
    assert canned.query() == [("id", "77"), ("ignore_checksum", "true")]
    body = ElementTree.fromstring(canned.asked[-1].content)
    assert [(child.tag, child.text) for child in body] == [("external_id", "p1")]


async def test_an_external_id_that_stands_already_is_not_written_again(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored("p1"))
    assert (await set_peer(canned, delivery)).outcome is Outcome.DONE
    assert len(canned.asked) == 1


@pytest.mark.behaviour("known-external-id")
async def test_an_external_id_of_someone_elses_is_kept(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored("shop-9"))
    receipt = await set_peer(canned, delivery)
    assert (receipt.outcome, receipt.code) == (Outcome.NOT_NEEDED, "external-id-kept")


async def test_an_external_id_that_a_living_contact_holds_is_for_a_person(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored())
    canned.on("GET", "/contacts/externalid/p1", body="<contacts><contact><id>9</id></contact></contacts>")
    receipt = await set_peer(canned, delivery)
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "external-id-taken")


async def test_an_anonymised_holder_leaves_the_external_id_free(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored())
    holder = '<contacts><contact anonymous="true"><id>9</id></contact></contacts>'
    canned.on("GET", "/contacts/externalid/p1", body=holder)
    canned.on("PUT", ONE, 201)
    assert (await set_peer(canned, delivery)).outcome is Outcome.DONE


@pytest.mark.behaviour("deleted-in-mail")
@pytest.mark.parametrize(("status", "body"), [(404, ""), (200, stored(anonymous="true"))])
async def test_nothing_is_written_to_a_contact_that_is_gone(canned: Any, delivery: Any, status: int, body: str) -> None:
    canned.on("GET", ONE, status, body)
    receipt = await set_peer(canned, delivery)
    assert (receipt.outcome, receipt.code, len(canned.asked)) == (Outcome.NOT_NEEDED, "contact-gone", 1)


async def test_a_contact_that_goes_between_read_and_write_is_gone(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored())
    canned.on("GET", "/contacts/externalid/p1", 404)
    canned.on("PUT", ONE, 404)
    assert (await set_peer(canned, delivery)).outcome is Outcome.NOT_NEEDED


async def test_without_maileons_id_no_external_id_is_written(canned: Any, delivery: Any) -> None:
    receipt = await set_peer(canned, delivery, None)
    assert (receipt.outcome, receipt.code, canned.asked) == (Outcome.REJECTED, "no-id", [])


async def test_a_failed_read_writes_nothing(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, 503)
    assert (await set_peer(canned, delivery)).outcome is Outcome.RETRY


# --- opting out and deleting


async def test_an_opt_out_goes_by_id(canned: Any, delivery: Any) -> None:
    canned.on("GET", SAME, body=NOBODY)
    canned.on("DELETE", GONE, 204)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert (receipt.outcome, canned.query(0)) == (Outcome.DONE, [("id", "77")])
    assert [request.method for request in canned.asked] == ["DELETE", "GET"]


async def test_an_opt_out_reaches_an_address_whose_known_contact_is_gone(canned: Any, delivery: Any) -> None:
    canned.on("GET", SAME, body=NOBODY)
    canned.on("DELETE", GONE, 404)
    canned.on("DELETE", f"{EMAIL}/unsubscribe", 204)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert receipt.outcome is Outcome.DONE


@pytest.mark.parametrize(("change", "path"), [(Unsubscribe(), f"{EMAIL}/unsubscribe"), (DeleteContact(), EMAIL)])
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(204, Outcome.DONE), (404, Outcome.NOT_NEEDED), (403, Outcome.REAUTHORIZE), (500, Outcome.RETRY)],
)
async def test_without_an_id_the_address_serves(
    canned: Any, delivery: Any, change: Any, path: str, status: int, outcome: Outcome
) -> None:
    canned.on("GET", SAME, body=NOBODY)
    canned.on("DELETE", path, status)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(change, email="ada@example.com")])
    assert receipt.outcome is outcome


@pytest.mark.behaviour("known-twice")
async def test_an_opt_out_reaches_every_contact_that_has_the_address_and_each_by_its_id(
    canned: Any, delivery: Any
) -> None:
    rows = [("77", ""), ("78", ""), ("79", ' anonymous="true"')]
    body = "".join(f"<contact{marks}><id>{one}</id></contact>" for one, marks in rows)
    canned.on("GET", SAME, body=f"<contacts>{body}</contacts>")
    canned.on("DELETE", GONE, 204)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert receipt.outcome is Outcome.DONE
    assert [dict(request.url.params)["id"] for request in canned.asked if request.method == "DELETE"] == ["77", "78"]


async def test_an_opt_out_that_reached_only_one_of_two_is_repeated(canned: Any, delivery: Any) -> None:
    canned.on("GET", SAME, body="<contacts><contact><id>77</id></contact><contact><id>78</id></contact></contacts>")
    canned.on("DELETE", GONE, 204)
    canned.on("DELETE", GONE, 503)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert receipt.outcome is Outcome.RETRY


@pytest.mark.parametrize("status", [400, 403, 429, 500])
@pytest.mark.parametrize(("contact_id", "path"), [("77", GONE), (None, f"{EMAIL}/unsubscribe")])
async def test_an_opt_out_goes_out_though_the_search_for_doubles_fails_which_is_tried_again(
    canned: Any, delivery: Any, contact_id: str | None, path: str, status: int
) -> None:
    canned.on("GET", SAME, status)
    canned.on("DELETE", path, 204)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id=contact_id, email="ada@example.com")])
    assert receipt.outcome is Outcome.RETRY
    assert canned.calls().count(f"DELETE {path.replace('%40', '@')}") == 1


async def test_an_opt_out_reaches_the_doubles_behind_one_that_fails(canned: Any, delivery: Any) -> None:
    listed = "".join(f"<contact><id>{one}</id></contact>" for one in (77, 78, 79))
    canned.on("GET", SAME, body=f"<contacts>{listed}</contacts>")
    for status in (204, 400, 204):
        canned.on("DELETE", GONE, status)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert receipt.outcome is Outcome.RETRY
    asked = [dict(request.url.params)["id"] for request in canned.asked if request.method == "DELETE"]
    assert asked == ["77", "78", "79"]


async def test_an_id_that_is_refused_keeps_no_opt_out_from_the_address_and_is_shown(canned: Any, delivery: Any) -> None:
    canned.on("DELETE", GONE, 400)
    canned.on("GET", SAME, body=NOBODY)
    canned.on("DELETE", f"{EMAIL}/unsubscribe", 204)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert receipt.outcome is Outcome.REJECTED
    assert canned.calls()[-1] == "DELETE /contacts/email/ada@example.com/unsubscribe"


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_where_the_account_is_refused_an_opt_out_tries_nothing_more(
    canned: Any, delivery: Any, status: int
) -> None:
    canned.on("DELETE", GONE, status)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77", email="ada@example.com")])
    assert (receipt.outcome in (Outcome.REAUTHORIZE, Outcome.PAUSE), len(canned.asked)) == (True, 1)


@pytest.mark.parametrize("change", [Unsubscribe(), DeleteContact()])
async def test_with_neither_id_nor_address_there_is_nobody_to_write_to(canned: Any, delivery: Any, change: Any) -> None:
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(change)])
    assert (receipt.outcome, receipt.code, canned.asked) == (Outcome.REJECTED, "no-address", [])


async def test_a_deletion_by_id_never_falls_back_on_the_address(canned: Any, delivery: Any) -> None:
    canned.on("DELETE", ONE, 404)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(DeleteContact(), id="77", email="ada@example.com")])
    assert (receipt.outcome, len(canned.asked)) == (Outcome.NOT_NEEDED, 1)


async def test_what_maileon_has_no_place_for_is_rejected(canned: Any, delivery: Any) -> None:
    entry = AddEntry(text={}, shown=(), at=canned.now, mark="m", form="note", fact="f")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(entry, id="77")])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "change-unknown")


async def change(canned: Any, delivery: Any, what: Any, contact_id: str | None = "77") -> Any:
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(what, id=contact_id, email="ada@example.com")])
    return receipt


async def test_an_external_id_is_replaced_only_where_it_is_the_one_that_was_ours(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored("p1"))
    canned.on("GET", "/contacts/externalid/p2", 404)
    canned.on("PUT", ONE, 200)
    assert (await change(canned, delivery, SetPeer(peer_id="p2", replaces="p9"))).code == "external-id-kept"
    assert (await change(canned, delivery, SetPeer(peer_id="p2", replaces="p1"))).outcome is Outcome.DONE
    body = ElementTree.fromstring(canned.asked[-1].content)
    assert [(child.tag, child.text) for child in body] == [("external_id", "p2")]


TAKE_AWAY = SetPeer(peer_id=None, replaces="p1")


def written(canned: Any) -> list[list[tuple[str, str | None, dict[str, str]]]]:
    """The children of each body that was written."""
    bodies = [ElementTree.fromstring(one.content) for one in canned.asked if one.method == "PUT"]
    return [[(child.tag, child.text, child.attrib) for child in body] for body in bodies]


NIL, EMPTY = [("external_id", None, {"nil": "true"})], [("external_id", None, {})]


async def test_our_external_id_is_taken_away_from_a_contact_that_ours_has_left(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored("p1"))
    canned.on("GET", ONE, body=stored())
    canned.on("PUT", ONE, 200)
    assert (await change(canned, delivery, TAKE_AWAY)).outcome is Outcome.DONE
    assert written(canned) == [NIL]


async def test_an_external_id_that_null_does_not_take_away_is_emptied(canned: Any, delivery: Any) -> None:
    for stands in ("p1", "p1", ""):
        canned.on("GET", ONE, body=stored(stands))
    canned.on("PUT", ONE, 200)
    assert (await change(canned, delivery, TAKE_AWAY)).outcome is Outcome.DONE
    assert written(canned) == [NIL, EMPTY]


async def test_an_external_id_that_stays_whatever_is_written_is_for_a_person(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=stored("p1"))
    canned.on("PUT", ONE, 200)
    receipt = await change(canned, delivery, TAKE_AWAY)
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "external-id-stays")
    assert written(canned) == [NIL, EMPTY]


NEW = MoveAddress(email="new@example.com", former="digest", seen="digest")
MARKER = "/contacts/email/new%40example.com/unsubscription"
HOLDERS = "/contacts/emails/new%40example.com"
LIVING = "<contact><id>77</id><email>ada@example.com</email></contact>"


async def test_an_address_is_changed_by_id_after_a_read_that_found_the_contact_alive(
    canned: Any, delivery: Any
) -> None:
    canned.on("GET", ONE, body=LIVING)
    canned.on("GET", MARKER, 404)
    canned.on("GET", HOLDERS, 404)
    canned.on("PUT", ONE, 200)
    assert (await change(canned, delivery, NEW)).outcome is Outcome.DONE
    assert canned.query() == [("id", "77"), ("ignore_checksum", "true")]
    body = ElementTree.fromstring(canned.asked[-1].content)
    assert [(child.tag, child.text) for child in body] == [("email", "new@example.com")]


async def test_an_address_that_was_changed_already_is_not_changed_again(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body="<contact><id>77</id><email>New@example.com</email></contact>")
    assert (await change(canned, delivery, NEW)).outcome is Outcome.DONE
    assert len(canned.asked) == 1


async def test_an_address_that_opted_out_gets_nobodys_permission(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=LIVING)
    canned.on("GET", MARKER, 200)
    receipt = await change(canned, delivery, NEW)
    assert (receipt.outcome, receipt.code) == (Outcome.OPTED_OUT, "marker")
    assert all(asked.method == "GET" for asked in canned.asked)


async def test_an_address_that_another_contact_has_is_left_to_it(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=LIVING)
    canned.on("GET", MARKER, 404)
    canned.on("GET", HOLDERS, body="<contacts><contact><id>9</id><email>new@example.com</email></contact></contacts>")
    receipt = await change(canned, delivery, NEW)
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "address-taken")


@pytest.mark.parametrize(("status", "body"), [(404, ""), (200, stored(anonymous="true"))])
async def test_the_address_of_a_contact_that_is_gone_is_not_changed(
    canned: Any, delivery: Any, status: int, body: str
) -> None:
    canned.on("GET", ONE, status, body)
    receipt = await change(canned, delivery, NEW)
    assert (receipt.outcome, receipt.code, len(canned.asked)) == (Outcome.NOT_NEEDED, "contact-gone", 1)


async def test_a_contact_that_goes_before_its_address_is_changed_is_gone(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, body=LIVING)
    canned.on("GET", MARKER, 404)
    canned.on("GET", HOLDERS, 404)
    canned.on("PUT", ONE, 404)
    assert (await change(canned, delivery, NEW)).outcome is Outcome.NOT_NEEDED


async def test_without_maileons_id_no_address_is_changed(canned: Any, delivery: Any) -> None:
    assert (await change(canned, delivery, NEW, None)).code == "no-id"


async def test_an_address_is_not_changed_where_a_read_fails(canned: Any, delivery: Any) -> None:
    canned.on("GET", ONE, 503)
    assert (await change(canned, delivery, NEW)).outcome is Outcome.RETRY

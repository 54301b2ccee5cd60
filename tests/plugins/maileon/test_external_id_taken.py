"""An external id that somebody else holds, perhaps a contact that is anonymous by now, keeps nobody out (sections 3, 5.5, 6.4)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stellwerk.sdk import Create, Outcome, Permission

pytestmark = pytest.mark.anyio
CREATE = "/contacts/email/ada%2Bnews%40example.com"
BEN = "ben@example.com"


def report(*, new: int = 0, codes: tuple[int, ...] = ()) -> str:
    errors = "".join(f'<error code="{code}"><error_field/></error>' for code in codes)
    invalid = f"<contact><email/><external_id>p2</external_id>{errors}</contact>" if codes else ""
    counts = f"<count_new_contacts>{new}</count_new_contacts><count_invalid_contacts>{len(codes[:1])}</count_invalid_contacts>"
    return f"<report><success>true</success>{counts}<invalid_contacts>{invalid}</invalid_contacts></report>"


def contact(number: int, email: str, external_id: str = "") -> str:
    return f"<contact><id>{number}</id><email>{email}</email><external_id>{external_id}</external_id></contact>"


def written(canned: Any) -> list[Any]:
    return [ElementTree.fromstring(one.content) for one in canned.asked if one.method == "POST"]


def creating(email: str, peer_id: str) -> Create:
    return Create(email=email, peer_id=peer_id, permission=Permission.NONE, fields={"FIRSTNAME": "B"})


async def test_who_is_refused_for_it_is_made_without_it_and_nobody_else_waits(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=1, codes=(4,)))
    canned.on("POST", "/contacts", body=report(new=1))
    for number, email, peer_id in ((7, "ada@example.com", "p1"), (8, BEN, "")):
        coded = email.replace("@", "%40")
        canned.on("GET", f"/contacts/emails/{coded}", body=f"<contacts>{contact(number, email, peer_id)}</contacts>")
        canned.on("GET", f"/contacts/email/{coded}/unsubscription", 404)
    async with canned.open() as connector:
        ada, ben = await connector.apply([delivery(creating("ada@example.com", "p1")), delivery(creating(BEN, "p2"))])
    assert (ada.outcome, ada.id, ada.text) == (Outcome.DONE, "7", "")
    assert (ben.outcome, ben.id, ben.text.partition(",")[0]) == (Outcome.DONE, "8", "made without its external id")
    (again,) = written(canned)[1]
    assert (again.findtext("email"), again.find("external_id")) == (BEN, None)


async def test_who_is_refused_for_more_than_that_stays_refused(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(codes=(4, 3)))
    async with canned.open() as connector:
        (ben,) = await connector.apply([delivery(creating(BEN, "p2"))])
    assert (ben.outcome, ben.code, len(canned.asked)) == (Outcome.REJECTED, "external-id-taken", 1)


@pytest.mark.parametrize("statuses", [(409,), (400,), (400, 409), (400, 400)], ids=str)
async def test_it_keeps_nobody_from_being_asked(
    canned: Any, asking: Any, delivery: Any, statuses: tuple[int, ...]
) -> None:
    fields = {} if len(statuses) == 1 else {"FIRSTNAME": "Ada"}
    canned.on("GET", f"{CREATE}/unsubscription", 404)
    for status in statuses:
        canned.on("POST", CREATE, status)
    canned.on("POST", CREATE, 201, "<id>77</id>")
    canned.on("GET", "/contacts/contact", body=contact(77, "ada+news@example.com"))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(fields=fields))])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "77")
    assert [root.find("external_id") is None for root in written(canned)] == [False] * len(statuses) + [True]
    assert all(b"wish-7" in one.content for one in canned.asked if one.method == "POST")
    assert [one.field for one in receipt.left_out] == list(fields)


async def test_a_start_that_may_have_been_made_is_not_made_again(canned: Any, asking: Any, delivery: Any) -> None:
    canned.on("GET", f"{CREATE}/unsubscription", 404)
    canned.on("POST", CREATE, 409)
    canned.reply("POST", CREATE, httpx.ReadTimeout("slow"))
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking(fields={}))])
    assert (receipt.outcome, len(written(canned))) == (Outcome.AMBIGUOUS, 2)

"""Many created in one call: nobody is read singly, and where somebody was left alone all are tried again (reference, section 6.4)."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.sdk import Create, Outcome, Permission

pytestmark = pytest.mark.anyio
MANY = 20


def report(new: int, existing: int = 0, marked: int = 0) -> str:
    return (
        f"<report><success>true</success><count_new_contacts>{new}</count_new_contacts>"
        f"<count_existing_contacts>{existing}</count_existing_contacts>"
        f"<count_unsubscribed_contacts>{marked}</count_unsubscribed_contacts>"
        "<count_invalid_contacts>0</count_invalid_contacts><invalid_contacts/></report>"
    )


def batch(delivery: Any) -> list[Any]:
    fields = {"FIRSTNAME": "Ada"}
    return [
        delivery(Create(email=f"p{n}@example.com", peer_id=f"p{n}", permission=Permission.NONE, fields=fields))
        for n in range(MANY)
    ]


async def test_where_all_were_new_all_are_done_by_one_call(canned: Any, delivery: Any) -> None:
    canned.on("POST", "/contacts", body=report(new=MANY))
    async with canned.open() as connector:
        receipts = await connector.apply(batch(delivery))
    assert {one.outcome for one in receipts} == {Outcome.DONE}
    assert len(canned.asked) == 1


@pytest.mark.parametrize("left_alone", [{"existing": 1}, {"marked": 1}, {}])
async def test_where_one_was_left_alone_all_are_tried_again_and_nobody_is_taken_for_made(
    canned: Any, delivery: Any, left_alone: dict[str, int]
) -> None:
    canned.on("POST", "/contacts", body=report(new=MANY - 1, **left_alone))
    async with canned.open() as connector:
        receipts = await connector.apply(batch(delivery))
    assert {(one.outcome, one.code, one.seconds) for one in receipts} == {(Outcome.RETRY, "some-not-created", 1.0)}
    assert len(canned.asked) == 1

"""What an account has to choose from (reference, sections 5 and 11.1)."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.sdk import RejectedError, RetryableError
from stellwerk_maileon import mailinglist
from stellwerk_maileon.problem import WireError

pytestmark = pytest.mark.anyio

LIST = "/mailings/filter/types"


def mailing(number: int, **fields: str) -> str:
    rows = "".join(f"<field><name>{name}</name><value>{value}</value></field>" for name, value in fields.items())
    return f"<mailing><id>{number}</id><fields>{rows}</fields></mailing>"


def keys(canned: Any, **by_number: str) -> None:
    for number, key in by_number.items():
        canned.on("GET", f"/mailings/{number[1:]}/settings/doi_key", body=f"<doi_key>{key}</doi_key>")


async def options(canned: Any) -> list[tuple[str, str, bool]]:
    async with canned.open() as connector:
        return [(one.value, one.label, one.active) for one in await connector.options("doi_mailings")]


async def test_doi_mailings_are_offered_by_key_with_name_and_state(canned: Any) -> None:
    rows = mailing(1, name="Welcome", state="released") + mailing(2, name="Old", state="archived")
    canned.on("GET", LIST, body=f"<mailings>{rows}</mailings>")
    keys(canned, m1="K1", m2="K2")
    assert await options(canned) == [("K1", "Welcome", True), ("K2", "Old", False)]
    assert canned.query(0)[:3] == [("types", "doi"), ("fields", "name"), ("fields", "state")]


async def test_what_the_list_leaves_out_is_read_singly(canned: Any) -> None:
    canned.on("GET", LIST, body=f"<mailings>{mailing(1)}</mailings>")
    canned.on("GET", "/mailings/1/settings/doi_key", body="K1", media="text/html")
    canned.on("GET", "/mailings/1/name", body="<name>Welcome</name>")
    canned.on("GET", "/mailings/1/state", body="<state>draft</state>")
    assert await options(canned) == [("K1", "Welcome", False)]


async def test_a_mailing_without_a_key_is_left_out_and_one_without_a_name_shows_its_key(canned: Any) -> None:
    canned.on("GET", LIST, body=f"<mailings>{mailing(1)}{mailing(2, state='released')}</mailings>")
    canned.on("GET", "/mailings/1/settings/doi_key", 404)
    keys(canned, m2="K2")
    canned.on("GET", "/mailings/2/name", 404)
    assert await options(canned) == [("K2", "K2", True)]


async def test_every_page_of_the_list_is_read(canned: Any) -> None:
    for number in (1, 2):
        row = mailing(number, name=f"M{number}", state="released")
        canned.on("GET", LIST, body=f"<mailings>{row}</mailings>", headers={"X-Pages": "2"})
    keys(canned, m1="K1", m2="K2")
    assert [value for value, _, _ in await options(canned)] == ["K1", "K2"]


async def test_an_unknown_list_is_refused_without_a_call(canned: Any) -> None:
    async with canned.open() as connector:
        with pytest.raises(RejectedError, match="list-unknown"):
            await connector.options("stages")
    assert canned.asked == []


async def test_a_list_without_ids_is_for_later(canned: Any) -> None:
    canned.on("GET", LIST, body="<mailings><mailing/></mailings>")
    with pytest.raises(RetryableError):
        await options(canned)


def test_a_key_that_is_no_text_is_not_believed() -> None:
    with pytest.raises(WireError):
        mailinglist.read_text(b"\xff\xfe")
    assert mailinglist.read_text(b"  ") is None


async def test_the_fields_are_maileons_writable_ones_and_the_accounts_own(canned: Any) -> None:
    rows = "".join(
        f"<custom_field><name>{name}</name><type>{type_}</type></custom_field>"
        for name, type_ in (("Vip", "boolean"), ("Score", "float"), ("Note", "string"), ("Odd", "matrix"))
    )
    canned.on("GET", "/contacts/fields/custom", body=f"<custom_fields>{rows}<custom_field/></custom_fields>")
    async with canned.open() as connector:
        kinds = {field.name: field.kind for field in await connector.fields()}
    assert (kinds["FIRSTNAME"], kinds["BIRTHDAY"], kinds["custom:Vip"]) == ("text", "date", "yes_no")
    assert (kinds["custom:Score"], kinds["custom:Note"], kinds["custom:Odd"]) == ("number", "text", "text")
    assert "SENDOUT_STATUS" not in kinds


async def test_neither_our_own_mark_nor_what_is_spelt_in_a_way_of_its_own_is_suggested(canned: Any) -> None:
    row = "<custom_field><name>Stellwerk Ask</name><type>string</type></custom_field>"
    canned.on("GET", "/contacts/fields/custom", body=f"<custom_fields>{row}</custom_fields>")
    async with canned.open() as connector:
        held_back = {field.name for field in await connector.fields() if not field.suggested}
    assert held_back == {"GENDER", "LOCALE", "custom:Stellwerk Ask"}

"""Testing an API key (reference, section 1)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from stellwerk.sdk import ReauthorizeError, RejectedError, RetryableError, Wanted
from stellwerk_maileon import refusal
from stellwerk_maileon.refusal import looks_encoded

pytestmark = pytest.mark.anyio

INFO = '{"id": 4711, "name": "Acme", "created": "2020-07-06T09:41:00+0200", "type": "production"}'


def pings(canned: Any, **statuses: int) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        canned.on(method, "/ping", statuses.get(method, 200))
    canned.on("GET", "/account/info", body=INFO, media="application/json")


async def test_a_good_key_names_account_and_zone_after_four_pings(canned: Any) -> None:
    pings(canned)
    async with canned.open() as connector:
        account = await connector.check()
    assert (account.id, account.name, account.missing, account.zone) == ("4711", "Acme", (), "+02:00")
    assert account.rights == ("GET", "POST", "PUT", "DELETE")
    assert canned.calls() == ["GET /ping", "POST /ping", "PUT /ping", "DELETE /ping", "GET /account/info"]


async def test_the_header_is_the_bare_key_in_base64_without_a_colon(canned: Any) -> None:
    pings(canned)
    async with canned.open(key="bare-key-0815") as connector:
        await connector.check()
    assert canned.asked[0].headers["authorization"] == "Basic " + base64.b64encode(b"bare-key-0815").decode()


async def test_rights_that_are_missing_are_named_by_method(canned: Any) -> None:
    pings(canned, PUT=403, DELETE=403)
    async with canned.open() as connector:
        assert (await connector.check()).missing == ("PUT", "DELETE")


async def test_a_key_that_may_not_even_read_is_refused_with_all_it_lacks(canned: Any) -> None:
    pings(canned, GET=403, DELETE=403)
    async with canned.open() as connector:
        with pytest.raises(ReauthorizeError) as caught:
            await connector.check()
    assert (caught.value.code, caught.value.text) == ("right-missing", "the API key lacks the right for GET, DELETE")


async def test_a_wrong_key_is_refused(canned: Any) -> None:
    canned.on("GET", "/ping", 401, "<error><message>no</message></error>")
    async with canned.open(key="wrong-key-0815") as connector:
        with pytest.raises(ReauthorizeError) as caught:
            await connector.check()
    assert (caught.value.code, caught.value.answer) == ("key-refused", "no")


async def test_a_key_pasted_in_base64_is_recognised(canned: Any) -> None:
    canned.on("GET", "/ping", 401)
    async with canned.open(key=base64.b64encode(b"the-real-key-0815").decode()) as connector:
        with pytest.raises(ReauthorizeError) as caught:
            await connector.check()
    assert caught.value.code == "key-pre-encoded"


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        (base64.b64encode(b"the-real-key-0815").decode(), True),
        (base64.b64encode(b"the-real-key-0815:").decode(), True),
        ("a1B2c3D4e5F6g7H8i9J0k1L2", False),
        ("9f3b-not-base64-at-all", False),
        (base64.b64encode(b"short").decode(), False),
        ("schlüssel-mit-umlaut", False),
    ],
)
async def test_only_the_base64_of_a_possible_key_looks_encoded(key: str, encoded: bool) -> None:
    assert looks_encoded(key) is encoded


async def test_an_outage_while_pinging_is_no_verdict_on_the_key(canned: Any) -> None:
    canned.on("GET", "/ping")
    canned.reply("POST", "/ping", httpx.ReadTimeout("slow"))
    async with canned.open() as connector:
        with pytest.raises(RetryableError) as caught:
            await connector.check()
    assert caught.value.code == "no-answer"


async def test_a_wrong_base_address_is_not_taken_for_a_wrong_key(canned: Any) -> None:
    canned.on("GET", "/ping", 404)
    async with canned.open() as connector:
        with pytest.raises(RejectedError) as caught:
            await connector.check()
    assert caught.value.code == "not-found"


async def test_account_info_in_xml_is_read_too(canned: Any) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        canned.on(method, "/ping")
    canned.on("GET", "/account/info", body="<account><id>12</id><name>Acme</name></account>")
    async with canned.open() as connector:
        account = await connector.check()
    assert (account.id, account.name, account.zone) == ("12", "Acme", None)


def said(text: str) -> str:
    return f"<error><message>{text}</message></error>"


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("the API key has expired", "key-expired"),
        ("API-Key ist abgelaufen", "key-expired"),
        ("the API key is deactivated", "key-deactivated"),
        ("This key is inactive", "key-deactivated"),
        ("key disabled", "key-deactivated"),
        ("the account is blocked", "account-blocked"),
        ("the key is wrong, expired or deactivated", "key-refused"),
        ("unknown key", "key-refused"),
    ],
)
async def test_a_refused_key_is_named_by_what_maileon_says_in_the_test_and_at_run_time(
    canned: Any, sentence: str, code: str
) -> None:
    canned.on("GET", "/ping", 401, said(sentence))
    canned.on("GET", "/contacts/fields/custom", 401, said(sentence))
    async with canned.open() as connector:
        for step in (connector.check, connector.fields):
            with pytest.raises(ReauthorizeError) as caught:
                await step()
            assert (caught.value.code, caught.value.text) == (code, refusal.REASONS[code])


@pytest.mark.parametrize(
    ("key", "code"), [("cut-off", "key-cut-off"), (base64.b64encode(b"the-real-key-0815").decode(), "key-pre-encoded")]
)
async def test_a_key_that_cannot_be_one_is_named_by_its_form_at_run_time_too(canned: Any, key: str, code: str) -> None:
    canned.on("GET", "/contacts/fields/custom", 401, said("the API key has expired"))
    async with canned.open(key=key) as connector:
        with pytest.raises(ReauthorizeError) as caught:
            await connector.fields()
    assert caught.value.code == code


async def test_a_right_that_is_missing_at_run_time_is_named_by_its_method(canned: Any) -> None:
    canned.on("POST", "/contacts/fields/custom/Position", 403)
    canned.on("GET", "/contacts/fields/custom", body="<custom_fields/>")
    canned.on("POST", "/contacts/fields/custom/Stellwerk%20Ask", 403)
    async with canned.open() as connector:
        with pytest.raises(ReauthorizeError) as caught:
            await connector.provide(Wanted())
    assert (caught.value.code, caught.value.text) == ("right-missing", "the API key lacks the right for POST")

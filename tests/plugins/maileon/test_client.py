"""Every answer of Maileon, and every missing one, becomes a named error (reference, section 3)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from stellwerk.sdk import (
    AmbiguousError,
    Outcome,
    PauseError,
    ReauthorizeError,
    Ref,
    RejectedError,
    RetryableError,
    Unsubscribe,
)
from stellwerk_maileon import receipts
from stellwerk_maileon.redaction import LONGEST, kept

pytestmark = pytest.mark.anyio

ADA = (Ref(by="id", value="77"),)
READ = "/contacts/contact"
GONE = "/contacts/contact/unsubscribe"


async def read_error(canned: Any) -> Any:
    async with canned.open() as connector:
        with pytest.raises((RetryableError, PauseError, AmbiguousError, RejectedError, ReauthorizeError)) as caught:
            await connector.read(ADA, ())
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, RejectedError, "bad-request"),
        (401, ReauthorizeError, "key-refused"),
        (403, ReauthorizeError, "right-missing"),
        (405, RejectedError, "not-accepted"),
        (409, RejectedError, "external-id-shared"),
        (410, RejectedError, "refused"),
        (413, RejectedError, "too-large"),
        (415, RejectedError, "not-accepted"),
        (408, RetryableError, "later"),
        (423, RetryableError, "later"),
        (429, PauseError, "rate-limited"),
        (500, RetryableError, "server-error"),
        (503, RetryableError, "unavailable"),
        (505, RejectedError, "not-accepted"),
        (302, RetryableError, "unexpected-answer"),
    ],
)
async def test_each_status_of_a_read_has_a_named_error(canned: Any, status: int, kind: type, code: str) -> None:
    canned.on("GET", READ, status, "<error><message>because</message></error>")
    canned.on("GET", "/contacts/fields/custom", body="<custom_fields/>")
    error = await read_error(canned)
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("no"),
        httpx.ConnectTimeout("no"),
        httpx.ReadTimeout("no"),
        httpx.ReadError("no"),
        httpx.RemoteProtocolError("cut"),
        httpx.DecodingError("not gzip"),
    ],
)
async def test_a_read_without_an_answer_is_for_later(canned: Any, failure: Exception) -> None:
    canned.reply("GET", READ, failure)
    assert isinstance(await read_error(canned), RetryableError)


@pytest.mark.parametrize("body", ["", "no xml", "<contact", "<html>busy</html>", "<contact/>", "<contacts/", "{}"])
async def test_an_answer_that_cannot_be_read_is_for_later(canned: Any, body: str) -> None:
    canned.on("GET", READ, body=body)
    error = await read_error(canned)
    assert (type(error), error.code) == (RetryableError, "unreadable-answer")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 24 Nov 2026 12:00:20 GMT", 20.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 30.0),
        ("Tue, 24 Nov 2026 12:00:20 -0000", 30.0),
        ("soon", 30.0),
        ("", 30.0),
    ],
)
async def test_a_rate_limit_says_when(canned: Any, header: str, seconds: float) -> None:
    canned.on("GET", READ, 429, headers={"retry-after": header})
    assert (await read_error(canned)).seconds == seconds


async def test_an_outage_without_a_time_leaves_the_pause_to_the_hub(canned: Any) -> None:
    canned.on("GET", READ, 503)
    assert (await read_error(canned)).retry_after is None


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_write_that_a_server_error_answers_may_have_been_done(
    canned: Any, asking: Any, delivery: Any, status: int
) -> None:
    canned.on("GET", "/contacts/email/ada%2Bnews%40example.com/unsubscription", 404)
    canned.on("POST", "/contacts/email/ada%2Bnews%40example.com", status)
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert receipt.outcome is Outcome.AMBIGUOUS


async def test_a_pause_keeps_its_seconds() -> None:
    receipt = receipts.from_error(PauseError("resting", seconds=12))
    assert (receipt.outcome, receipt.seconds) == (Outcome.PAUSE, 12)


async def test_every_request_carries_xml_accept_and_no_expect(canned: Any, delivery: Any) -> None:
    canned.on("DELETE", GONE, 204)
    async with canned.open() as connector:
        await connector.apply([delivery(Unsubscribe(), id="77")])
    assert canned.asked[0].headers["accept"].startswith("application/vnd.maileon.api+xml")
    assert "expect" not in canned.asked[0].headers


async def test_path_parts_are_percent_encoded(canned: Any) -> None:
    canned.on("GET", "/contacts/emails/a%2Bb%2F%3F%20c%40ex.com", body="<contacts/>")
    canned.on("GET", "/contacts/email/a%2Bb%2F%3F%20c%40ex.com/unsubscription", 404)
    async with canned.open() as connector:
        (found,) = await connector.read([Ref(by="email", value="a+b/? c@ex.com")], ())
    assert found.presence == "absent"


# --- what is kept of an answer


def test_of_an_error_the_sentence_is_kept_without_addresses_urls_values_and_keys() -> None:
    coded = base64.b64encode(b"secret-key").decode()
    body = (
        "<error><message><![CDATA[Ada's record ada@example.com at https://hub.example/webhooks/maileon/SECRET "
        f"was refused for xsecret-keyx {coded}]]></message></error>"
    )
    said = kept(body.encode(), secrets=["secret-key", coded], hidden=["Ada", "Ada Lovelace"]) or ""
    assert said == "<…>'s record <address> at <url> was refused for x<…>x <…>"


def test_of_any_other_answer_only_the_structure_is_kept() -> None:
    assert kept(b"<contact><name>Ada</name><id>7</id></contact> tail") == "<contact><name></name><id></id></contact>"
    assert kept(b'[{"url": "https://x/SECRET", "id": 7, "name": "Ada"}]') == '[{"url": "…", "id": 7, "name": "…"}]'


def test_a_percent_encoded_address_is_an_address() -> None:
    assert kept(b"no contact ada%2Bx%40example.com here") == "no contact <address> here"


def test_long_answers_are_cut_and_empty_ones_are_none() -> None:
    assert len(kept(b"x " * 5000) or "") == LONGEST
    assert kept(b"  ") is None


def test_a_hidden_value_of_one_letter_does_not_eat_the_sentence() -> None:
    assert kept(b"gender m is a value", hidden=["m", ""]) == "gender m is a value"


PAGES = ["<html>busy</html>", "\n<!DOCTYPE html><title>Sign in</title>"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_web_page_in_place_of_an_answer_unsubscribes_nobody(canned: Any, delivery: Any, page: str) -> None:
    canned.on("DELETE", GONE, 200, page, media="text/html")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(Unsubscribe(), id="77")])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "unreadable-answer")


@pytest.mark.parametrize("page", PAGES)
async def test_a_web_page_in_place_of_an_answer_is_no_marker(
    canned: Any, asking: Any, delivery: Any, page: str
) -> None:
    canned.on("GET", "/contacts/email/ada%2Bnews%40example.com/unsubscription", 200, page, media="text/html")
    async with canned.open() as connector:
        (receipt,) = await connector.apply([delivery(asking())])
    assert (receipt.outcome, receipt.code) == (Outcome.RETRY, "unreadable-answer")

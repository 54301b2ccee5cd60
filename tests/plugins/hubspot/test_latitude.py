"""What the reference leaves open about HubSpot's answers is read either way; what we write is to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from stellwerk.sdk import (
    AddEntry,
    Delivery,
    FieldSpec,
    FieldValue,
    Http,
    MarkState,
    Outcome,
    PauseError,
    Presence,
    Ref,
    RejectedError,
    RetryableError,
    SetFields,
    Wanted,
)
from stellwerk_hubspot import oauth
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.note import reference_of
from stellwerk_hubspot.settings import HubspotSystem

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOT_THERE = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "resource not found"}
ENTRY = AddEntry(text={"en": "Confirmed"}, shown=(), at=NOW, mark="m-1", form="note", fact="f-1")


def write(fields: Mapping[str, str], contact_id: str = "7") -> Delivery:
    change = SetFields(fields={name: FieldValue(value=value) for name, value in fields.items()})
    return Delivery(key=f"set-{contact_id}", id=contact_id, email=None, change=change, created_at=NOW)


# --- contacts ----------------------------------------------------------------------------------------------------------


async def test_numbers_and_truth_values_are_as_good_as_text(script: Any, scripted: Opener) -> None:
    row = {
        "id": 7,
        "properties": {"email": "ada@example.com", "hs_email_optout": True, "numemployees": 5, "createdate": 0},
        "propertiesWithHistory": {
            "numemployees": [
                {"value": 5, "timestamp": 1_795_521_600_000, "sourceType": "INTEGRATION", "sourceId": 1234567}
            ]
        },
        "archived": "false",
    }
    script.add(200, {"status": "COMPLETE", "results": [row], "numErrors": 0, "errors": None})
    async with scripted() as connector:
        (found,) = await connector.read([Ref(by="id", value="7")], ("numemployees",), ("numemployees",))
    assert (found.id, found.opted_out, found.fields) == ("7", True, {"numemployees": "5"})
    assert found.presence is Presence.PRESENT
    assert found.history["numemployees"][0].ours
    # What leaves the connector is stored: plain text.
    assert msgspec.json.encode(found)


async def test_a_history_that_is_oldest_first_is_turned(script: Any, scripted: Opener) -> None:
    times = ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z", "2026-11-24T11:00:00Z")
    entries = [
        {"value": value, "timestamp": at, "sourceType": "CRM_UI"} for value, at in zip("abc", times, strict=True)
    ]
    script.add(200, {"results": [{"id": "7", "properties": {"city": "c"}, "propertiesWithHistory": {"city": entries}}]})
    async with scripted() as connector:
        (found,) = await connector.read([Ref(by="id", value="7")], ("city",), ("city",))
    assert [one.value for one in found.history["city"]] == ["c", "b", "a"]


async def test_a_batch_that_is_not_found_for_one_of_its_ids_is_read_singly(script: Any, scripted: Opener) -> None:
    script.add(404, NOT_THERE).add(200, {"id": "7", "properties": {}}).add(404, NOT_THERE).add(404, NOT_THERE)
    async with scripted() as connector:
        found = await connector.read([Ref(by="id", value="7"), Ref(by="id", value="8")], ())
    assert [one.presence for one in found] == [Presence.PRESENT, Presence.ABSENT]


async def test_a_path_that_is_not_known_is_no_contact_that_is_gone(script: Any, scripted: Opener) -> None:
    script.add(404, b"<html>no such page</html>")
    async with scripted() as connector:
        with pytest.raises(RetryableError, match="no-such-call"):
            await connector.read([Ref(by="id", value="7")], ())


async def test_one_address_that_is_refused_does_not_hold_up_the_others(
    script: Any, scripted: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404, json=NOT_THERE)
        asked = [one["id"] for one in json.loads(request.content)["inputs"]]
        if "bad@" in asked:
            return httpx.Response(400, json={"status": "error", "message": "Invalid input JSON"})
        rows = [{"id": str(place), "properties": {"email": one}} for place, one in enumerate(asked, 1)]
        return httpx.Response(200, json={"results": rows})

    monkeypatch.setattr(type(script), "__call__", lambda _, request: play(request))
    names = ("a@example.com", "bad@", "b@example.com")
    async with scripted() as connector:
        found = await connector.read([Ref(by="email", value=name) for name in names], ())
    assert [one.presence for one in found] == [Presence.PRESENT, Presence.ABSENT, Presence.PRESENT]


async def test_an_update_that_is_not_found_is_bisected_and_the_last_row_follows_a_merged_id(
    script: Any, scripted: Opener
) -> None:
    script.add(404, NOT_THERE)
    async with scripted() as connector:
        both = await connector.apply([write({"city": "Rom"}), write({"city": "Rom"}, "8")])
        script.answers.clear()
        script.add(404, NOT_THERE).add(200, {"id": "9", "properties": {}})
        (alone,) = await connector.apply([write({"city": "Rom"})])
    assert [(one.outcome, one.whole) for one in both] == [(Outcome.REJECTED, True)] * 2
    assert (alone.outcome, alone.id) == (Outcome.DONE, "9")


@pytest.mark.parametrize(
    "context", [{"ids": [7]}, {"id": "7"}, {"objectWriteTraceId": "0"}, {"objectWriteTraceId": [0]}]
)
async def test_a_row_is_found_by_whatever_its_error_names(script: Any, scripted: Opener, context: Any) -> None:
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "context": context}
    script.add(207, {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]})
    async with scripted() as connector:
        (receipt,) = await connector.apply([write({"city": "Rom"})])
    assert (receipt.outcome, len(script.asked)) == (Outcome.REJECTED, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"category": "VALIDATION_ERROR", "errors": [{"message": "m", "code": "MISSING_CONDITIONAL_REQUIRED_PROPERTY"}]},
        {"category": "VALIDATION_ERROR", "subCategory": "PropertyValidationError.MISSING_REQUIRED_PROPERTY"},
        {"category": "MISSING_REQUIRED_PROPERTY", "message": "m"},
    ],
)
async def test_a_refusal_is_known_by_its_word_wherever_it_stands(script: Any, scripted: Opener, body: Any) -> None:
    script.add(400, body)
    async with scripted() as connector:
        (receipt,) = await connector.apply([write({"city": "Rom"})])
    assert receipt.code == "required-field-missing"


async def test_an_unknown_property_is_known_by_the_sentence_alone(script: Any, scripted: Opener) -> None:
    detail = {"message": 'Property "city" does not exist', "code": "PROPERTY_DOESNT_EXIST"}
    script.add(400, {"errors": [detail]}).add(200, {"results": [{"id": "7", "properties": {}}]})
    async with scripted() as connector:
        (receipt,) = await connector.apply([write({"city": "Rom", "zip": "1"})])
    assert (receipt.code, receipt.text) == ("fields-left-out", "left out: city")


async def test_a_date_tells_how_long_to_wait(script: Any, scripted: Opener) -> None:
    script.add(429, {"policyName": "SECONDLY"}, retry_after="Tue, 24 Nov 2026 12:00:07 GMT")
    async with scripted() as connector:
        with pytest.raises(PauseError) as caught:
            await connector.read([Ref(by="id", value="7")], ())
    assert caught.value.seconds == 7


# --- notes -------------------------------------------------------------------------------------------------------------


def notes_of(*ids: Any, **more: Any) -> dict[str, Any]:
    results = [{"id": one, "type": kind} for one in ids for kind in ("contact_to_note", "contact_to_note_unlabeled")]
    return {"id": "7", "properties": {}, "associations": {"0-46": {"results": results, **more}}}


async def test_notes_are_found_by_number_under_any_name_and_inside_html(script: Any, scripted: Opener) -> None:
    text = f"<div><p>Confirmed</p><p>Ref. {reference_of(ENTRY.mark)}</p></div>"
    note = {"id": 31, "properties": {"hs_note_body": text}, "createdAt": "2026-11-24T12:00:00Z"}
    script.add(200, notes_of(31, 30, paging={})).add(200, {"results": [note]})
    delivery = Delivery(key="k", id="7", email=None, change=ENTRY, created_at=NOW)
    async with scripted() as connector:
        state, receipt = await connector.find_mark(delivery)
    assert state is MarkState.FOUND
    assert receipt is not None
    assert script.bodies()[1] == {
        "inputs": [{"id": "31"}, {"id": "30"}],
        "properties": ["hs_note_body"],
        "propertiesWithHistory": [],
    }


@pytest.mark.parametrize(
    ("paging", "state"),
    [({}, MarkState.ABSENT), (None, MarkState.ABSENT), ({"next": {"after": "5"}}, MarkState.UNREADABLE)],
)
async def test_only_a_next_page_hides_notes(script: Any, scripted: Opener, paging: Any, state: MarkState) -> None:
    script.add(200, notes_of(31, paging=paging)).add(200, {"results": [{"id": "31", "properties": {}}]})
    async with scripted() as connector:
        found, _ = await connector.find_mark(Delivery(key="k", id="7", email=None, change=ENTRY, created_at=NOW))
    assert found is state


async def test_notes_that_are_not_found_prove_nothing(script: Any, scripted: Opener) -> None:
    script.add(200, notes_of(31, 30)).add(404, NOT_THERE)
    async with scripted() as connector:
        found, _ = await connector.find_mark(Delivery(key="k", id="7", email=None, change=ENTRY, created_at=NOW))
    assert found is MarkState.UNREADABLE


# --- properties --------------------------------------------------------------------------------------------------------

WANTED = Wanted(
    group=("news", "News"),
    created=(FieldSpec(name="news_answer", kind="yes_no", label="Answer"), FieldSpec(name="news_key", label="Key")),
)


async def test_a_definition_has_what_is_asked_for_and_no_empty_list(script: Any, scripted: Opener) -> None:
    made = {"name": "x", "type": "bool", "options": [{"value": True}, {"value": False}]}
    script.add(200, {"name": "news", "label": "News"}).add(200, {"results": []}).add(201, made)
    script.add(201, {"name": "news_key", "type": "string", "options": None, "formField": None})
    async with scripted() as connector:
        assert await connector.provide(WANTED) == []
    answer_, key = script.bodies()[2:]
    assert answer_["options"] == [
        {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": False},
        {"label": "No", "value": "false", "displayOrder": 1, "hidden": False},
    ]
    assert sorted(key) == ["fieldType", "formField", "groupName", "label", "name", "type"]


async def test_what_exists_may_be_refused_by_any_status(script: Any, scripted: Opener) -> None:
    refused = {"status": "error", "category": "VALIDATION_ERROR", "message": "already exists"}
    script.add(404, NOT_THERE).add(400, refused).add(200, {"name": "news", "label": "News"}).add(200, {"results": []})
    script.add(400, refused).add(200, {"name": "news_key", "label": "Key", "type": "string"})
    async with scripted() as connector:
        wanted = Wanted(group=("news", "News"), created=(FieldSpec(name="news_key", label="Key"),))
        assert await connector.provide(wanted) == []


async def test_a_group_that_cannot_be_made_is_told(script: Any, scripted: Opener) -> None:
    script.add(404, NOT_THERE).add(400, {"message": "no more groups"}).add(404, NOT_THERE)
    async with scripted() as connector:
        with pytest.raises(RejectedError):
            await connector.provide(WANTED)


async def test_a_portal_s_own_options_stay_as_they_are_when_one_is_added(script: Any, scripted: Opener) -> None:
    own = {"value": "true", "label": "Ja", "displayOrder": None, "hidden": None, "description": "seit 2020"}
    there = {"name": "news_answer", "label": "Answer", "type": "bool", "options": [own]}
    script.add(200, {"name": "news"}).add(200, {"results": [there]}).add(200, there)
    async with scripted() as connector:
        wanted = Wanted(group=("news", "News"), created=(WANTED.created[0],))
        assert await connector.provide(wanted) == []
    assert script.bodies()[2] == {
        "options": [
            {"label": "Ja", "value": "true", "displayOrder": -1, "hidden": False, "description": "seit 2020"},
            {"label": "No", "value": "false", "displayOrder": 0, "hidden": False},
        ]
    }


async def test_stages_without_a_place_keep_the_order_of_the_answer(script: Any, scripted: Opener) -> None:
    options = [{"label": None, "value": 1001, "displayOrder": "0"}, {"label": "Customer", "value": "customer"}]
    script.add(200, {"name": "lifecyclestage", "label": "Stage", "type": "enumeration", "options": options})
    async with scripted() as connector:
        found = await connector.options("stages")
    assert [(one.value, one.label, one.active) for one in found] == [
        ("customer", "Customer", True),
        ("1001", "1001", True),
    ]


# --- login -------------------------------------------------------------------------------------------------------------


class Tokens:
    """The token endpoints, with answers by path."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "token": (200, {"access_token": "A", "refresh_token": "R", "expires_in": "1800", "token_type": "bearer"}),
            "introspect": (200, {"active": True, "hub_id": "4711", "scopes": "oauth crm.objects.contacts.read"}),
            "details": (200, {"portalId": "4711"}),
            **answers,
        }
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        last = request.url.path.rpartition("/")[2]
        self.asked.append((last, dict(parse_qsl(request.content.decode()))))
        found = self.answers[last]
        status, body = found(self.asked[-1][1]) if callable(found) else found
        return httpx.Response(status, json=body)


async def login(system: HubspotSystem, tokens: Tokens) -> Any:
    async with Http(transport=httpx.MockTransport(tokens)) as http:
        return await oauth.Login.exchange(system, http, code="c", redirect_uri="https://hub.example/cb", verifier="v")


async def test_a_login_reads_numbers_in_quotes_and_scopes_in_one_text(system: HubspotSystem) -> None:
    grant = await login(system, Tokens())
    assert (grant.account, grant.expires_in, grant.refresh_token) == ("4711", 1800, "R")
    assert grant.scopes == ("oauth", "crm.objects.contacts.read")


async def test_the_token_is_introspected_under_its_other_name_where_the_first_is_refused(system: HubspotSystem) -> None:
    def introspect(form: dict[str, str]) -> tuple[int, Any]:
        if "token" in form:
            return 400, {"status": "error", "message": "unknown field"}
        return 200, {"active": True, "hub_id": 4711, "hub_domain": "example.com"}

    tokens = Tokens(introspect=introspect)
    grant = await login(system, tokens)
    assert (grant.account, grant.account_name) == ("4711", "example.com")
    assert tokens.asked[-1][1]["access_token"] == "A"


async def test_a_portal_that_introspection_does_not_tell_is_asked_for_itself(system: HubspotSystem) -> None:
    grant = await login(system, Tokens(introspect=(500, {})))
    assert (grant.account, grant.account_name) == ("4711", "HubSpot 4711")


async def test_a_portal_that_nothing_tells_ends_the_login(system: HubspotSystem) -> None:
    with pytest.raises(RetryableError):
        await login(system, Tokens(introspect=(500, {}), details=(403, {})))


async def test_a_login_without_a_refresh_token_is_none(system: HubspotSystem) -> None:
    with pytest.raises(RetryableError, match="refresh token"):
        await login(system, Tokens(token=(200, {"access_token": "A", "expires_in": 1800})))


async def test_a_refresh_that_names_no_refresh_token_leaves_the_old_one(system: HubspotSystem) -> None:
    tokens = Tokens(token=(200, {"access_token": "B", "expires_in": 1800}))
    async with Http(transport=httpx.MockTransport(tokens)) as http:
        grant = await oauth.Login.refresh(system, http, refresh_token="old", account="4711")
    assert (grant.access_token, grant.refresh_token) == ("B", "old")


@pytest.mark.parametrize("status", ["error", "400", 400, None])
async def test_the_word_of_rfc_6749_counts_where_hubspot_s_own_is_missing(system: HubspotSystem, status: Any) -> None:
    tokens = Tokens(token=(400, {"status": status, "error": "invalid_grant"}))
    with pytest.raises(RejectedError, match="invalid-grant"):
        await login(system, tokens)

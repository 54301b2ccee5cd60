"""Webhooks: the signature on the raw bytes, and what events mean (sections 8 and 16)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.sdk import EventKind, Origin, Secret, Signal, Unread, WebhookError, WebhookRequest
from stellwerk_hubspot.settings import HubspotSystem
from stellwerk_hubspot.webhook import Webhooks, signature_v3

URL = "https://hub.example/webhooks/hubspot"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
EVENT: dict[str, Any] = {
    "eventId": 100,
    "subscriptionId": 1,
    "portalId": 4711,
    "appId": 1234567,
    "occurredAt": 1_795_521_600_000,
    "subscriptionType": "contact.propertyChange",
    "attemptNumber": 0,
    "objectId": 7,
    "propertyName": "firstname",
    "propertyValue": "Ada",
    "changeSource": "CRM_UI",
    "sourceId": "userId:1",
}


def request(body: Any, *, secret: str = SECRET, sent_at: datetime = NOW, url: str = URL) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = str(int(sent_at.timestamp() * 1000))
    headers = {
        "x-hubspot-signature-v3": signature_v3(secret, "POST", url, raw, stamp),
        "x-hubspot-request-timestamp": stamp,
    }
    return WebhookRequest(method="POST", url=url, path=(), query={}, headers=headers, body=raw, received_at=NOW)


def only(system: HubspotSystem, **changes: Any) -> Signal | Unread:
    event = {name: value for name, value in {**EVENT, **changes}.items() if value is not None}
    (found,) = Webhooks.receive(request([event]), system)
    return found


def signal(system: HubspotSystem, **changes: Any) -> Signal:
    found = only(system, **changes)
    assert isinstance(found, Signal)
    return found


# --- the signature -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        ("1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
        ("1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
    ],
)
def test_the_signature_is_the_one_of_hubspots_own_vectors(stamp: str, signature: str) -> None:
    body = b"{'example_field':'example_value'}"
    assert signature_v3(SECRET, "POST", "https://www.example.com/webhook_uri", body, stamp) == signature


def test_only_the_escapes_hubspot_decodes_are_decoded() -> None:
    def sign(url: str) -> str:
        return signature_v3(SECRET, "POST", url, b"", "1")

    assert sign("https://h.example/a%3ab%2F%40?x=%2c") == sign("https://h.example/a:b/@?x=,")
    assert sign("https://h.example/a%20b") != sign("https://h.example/a b")


@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_five_minutes_either_way_are_taken(system: HubspotSystem, minutes: int) -> None:
    assert Webhooks.receive(request([EVENT], sent_at=NOW + timedelta(minutes=minutes)), system)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_more_than_five_minutes_either_way_are_not(system: HubspotSystem, seconds: int) -> None:
    with pytest.raises(WebhookError, match="stale"):
        Webhooks.receive(request([EVENT], sent_at=NOW + timedelta(seconds=seconds)), system)


@pytest.mark.parametrize("stamp", ["", "soon", "²", "-1", "9" * 40])
def test_a_time_that_is_none_is_refused(system: HubspotSystem, stamp: str) -> None:
    good = request([EVENT])
    headers = {
        "x-hubspot-signature-v3": signature_v3(SECRET, "POST", URL, good.body, stamp),
        "x-hubspot-request-timestamp": stamp,
    }
    with pytest.raises(WebhookError, match="stale"):
        Webhooks.receive(replace(good, headers=headers), system)


@pytest.mark.parametrize("signature", ["", "é", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="])
def test_another_signature_is_refused(system: HubspotSystem, signature: str) -> None:
    good = request([EVENT])
    headers = {**good.headers, "x-hubspot-signature-v3": signature}
    with pytest.raises(WebhookError) as caught:
        Webhooks.receive(replace(good, headers=headers), system)
    assert caught.value.status == 401


def test_the_bytes_count_and_not_what_they_mean(system: HubspotSystem) -> None:
    good = request([EVENT])
    with pytest.raises(WebhookError):
        Webhooks.receive(replace(good, body=good.body.replace(b", ", b",")), system)


def test_another_url_or_method_is_refused(system: HubspotSystem) -> None:
    for change in ({"url": "https://hub.example/webhooks/other"}, {"method": "PUT"}):
        with pytest.raises(WebhookError):
            Webhooks.receive(replace(request([EVENT]), **change), system)


def test_a_fragment_is_not_signed(system: HubspotSystem) -> None:
    assert Webhooks.receive(replace(request([EVENT]), url=f"{URL}#part"), system)


def test_while_rotating_both_secrets_count(system: HubspotSystem) -> None:
    rotating = replace(system, client_secret=Secret("new"), previous_client_secret=Secret(SECRET))
    assert Webhooks.receive(request([EVENT], secret="new"), rotating)
    assert Webhooks.receive(request([EVENT]), rotating)
    with pytest.raises(WebhookError):
        Webhooks.receive(request([EVENT], secret="older"), rotating)


# --- what events mean --------------------------------------------------------------------------------------------------


def test_a_change_tells_who_when_what_and_where(system: HubspotSystem) -> None:
    found = signal(system)
    assert (found.kind, found.ref.by, found.ref.value, found.account) == (EventKind.CHANGED, "id", "7", "4711")
    assert (found.field_name, found.origin, found.occurred_at) == ("firstname", Origin.PERSON, NOW)
    assert found.details == {}


def test_no_value_of_the_contact_is_taken_from_the_event(system: HubspotSystem) -> None:
    assert "Ada" not in repr(signal(system))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("creation", EventKind.CREATED),
        ("deletion", EventKind.DELETED),
        ("restore", EventKind.RESTORED),
        ("merge", EventKind.MERGED),
        ("propertyChange", EventKind.CHANGED),
    ],
)
def test_classic_and_generic_events_mean_the_same(system: HubspotSystem, kind: str, expected: EventKind) -> None:
    assert signal(system, subscriptionType=f"contact.{kind}").kind is expected
    assert signal(system, subscriptionType=f"object.{kind}", objectTypeId="0-1").kind is expected


def test_a_privacy_deletion_is_an_erasure(system: HubspotSystem) -> None:
    assert signal(system, subscriptionType="contact.privacyDeletion").kind is EventKind.ERASED


def test_a_new_address_is_a_move(system: HubspotSystem) -> None:
    assert signal(system, propertyName="email").kind is EventKind.MOVED


def test_the_type_may_be_called_event_type(system: HubspotSystem) -> None:
    assert signal(system, subscriptionType=None, eventType="contact.creation").kind is EventKind.CREATED


def test_a_merge_leads_to_the_survivor_and_names_the_merged(system: HubspotSystem) -> None:
    merge = {"primaryObjectId": 5, "mergedObjectIds": [6, 8], "newObjectId": 9, "objectId": 5}
    found = signal(system, subscriptionType="contact.merge", propertyName=None, **merge)
    assert found.ref.value == "9"
    assert found.details == {"primary_id": "5", "merged_ids": "6;8"}


def test_a_merge_without_a_new_id_leads_to_the_primary(system: HubspotSystem) -> None:
    found = signal(system, subscriptionType="contact.merge", primaryObjectId=5, mergedObjectIds=[6], objectId=6)
    assert found.ref.value == "5"


def test_our_own_write_is_marked(system: HubspotSystem) -> None:
    ours = signal(system, changeSource="INTEGRATION", sourceId=system.app_id)
    others = signal(system, changeSource="INTEGRATION", sourceId="99")
    assert (ours.origin, ours.details) == (Origin.INTEGRATION, {"ours": "yes"})
    assert (others.origin, others.details) == (Origin.INTEGRATION, {})


def test_an_event_that_does_not_say_who_has_no_origin(system: HubspotSystem) -> None:
    assert signal(system, changeSource=None).origin is None


@pytest.mark.parametrize(
    "other",
    [
        {"eventId": 101},
        {"objectId": 8},
        {"portalId": 4712},
        {"occurredAt": 1},
        {"propertyName": "company"},
        {"subscriptionType": "contact.creation"},
    ],
)
def test_events_that_differ_in_what_names_them_have_other_keys(system: HubspotSystem, other: dict[str, Any]) -> None:
    assert signal(system).key != signal(system, **other).key


def test_a_redelivery_has_the_same_key(system: HubspotSystem) -> None:
    assert signal(system).key == signal(system, attemptNumber=3, subscriptionId=9, propertyValue="Eda").key


def test_a_request_of_a_hundred_events_of_two_portals_gives_a_hundred_signals(system: HubspotSystem) -> None:
    events = [EVENT | {"objectId": number, "portalId": 4711 + number % 2} for number in range(1, 101)]
    found = Webhooks.receive(request(events), system)
    assert len(found) == 100
    assert {one.account for one in found} == {"4711", "4712"}


# --- not understood ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "account"),
    [
        (EVENT | {"objectId": "seven"}, "4711"),
        (EVENT | {"portalId": "none"}, None),
        ({"portalId": 4711}, "4711"),
        ("text", None),
        (EVENT | {"subscriptionType": "company.creation"}, "4711"),
        (EVENT | {"subscriptionType": "object.creation", "objectTypeId": "0-2"}, "4711"),
        (EVENT | {"subscriptionType": "object.creation"}, "4711"),
        (EVENT | {"subscriptionType": "contact.associationChange"}, "4711"),
        (EVENT | {"subscriptionType": ""}, "4711"),
        ({key: value for key, value in EVENT.items() if key != "objectId"}, "4711"),
    ],
)
def test_one_that_is_not_understood_is_kept_and_the_others_go_on(
    system: HubspotSystem, event: Any, account: str | None
) -> None:
    bad, good = Webhooks.receive(request([event, EVENT]), system)
    assert isinstance(good, Signal)
    assert isinstance(bad, Unread)
    assert json.loads(bad.raw) == event
    assert bad.account == account
    assert bad.because in ("not-as-described", "unknown-kind", "names-nobody")


@pytest.mark.parametrize("body", [b"", b"{}", b"[1", b"\xff", b"null"])
def test_a_body_that_is_no_array_is_kept_whole(system: HubspotSystem, body: bytes) -> None:
    (found,) = Webhooks.receive(request(body), system)
    assert found == Unread(raw=body, because="not-as-described")


# --- what other senders may spell otherwise ----------------------------------------------------------------------------


def test_numbers_in_quotes_are_the_same_event(system: HubspotSystem) -> None:
    quoted = {name: str(value) for name, value in EVENT.items()}
    assert signal(system, **quoted) == signal(system)


def test_the_writing_app_may_be_named_by_a_number(system: HubspotSystem) -> None:
    assert signal(system, changeSource="INTEGRATION", sourceId=1234567).details == {"ours": "yes"}


def test_an_event_without_a_time_is_an_event(system: HubspotSystem) -> None:
    assert signal(system, occurredAt=None).occurred_at is None


def test_one_event_may_stand_without_a_list(system: HubspotSystem) -> None:
    (found,) = Webhooks.receive(request(EVENT), system)
    assert found == signal(system)


def test_a_large_id_keeps_every_digit(system: HubspotSystem) -> None:
    assert signal(system, objectId=9_007_199_254_740_993).ref.value == "9007199254740993"


def test_several_portals_and_unknown_events_in_one_request_keep_to_themselves(system: HubspotSystem) -> None:
    events = [EVENT, {**EVENT, "portalId": 42}, {**EVENT, "subscriptionType": "deal.creation"}, {"portalId": "5"}, "?"]
    found = Webhooks.receive(request(events), system)
    assert [(type(one), one.account) for one in found] == [
        (Signal, "4711"),
        (Signal, "42"),
        (Unread, "4711"),
        (Unread, "5"),
        (Unread, None),
    ]


def test_merged_ids_may_be_text(system: HubspotSystem) -> None:
    found = signal(
        system, subscriptionType="contact.merge", primaryObjectId="7", mergedObjectIds=["7", "8"], newObjectId="9"
    )
    assert (found.ref.value, found.details["merged_ids"]) == ("9", "7;8")

"""What arrives at a running hub's webhook addresses and is not as it should be."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.parse
from typing import Any

import pytest

pytestmark = pytest.mark.slow

HOOK = "/webhooks/hubspot"
LIMIT = 1_000_000
STORED = "select (select count(*) from inbox) + (select count(*) from outbox) + (select count(*) from ledger)"


def event(**values: Any) -> bytes:
    told = {
        "eventId": time.time_ns() % 10**12, "subscriptionId": 1, "portalId": 4711, "appId": 1, "occurredAt": int(time.time() * 1000),
        "subscriptionType": "object.propertyChange", "attemptNumber": 0, "objectId": 1, "changeSource": "FORM",
        "objectTypeId": "0-1", "propertyName": "firstname", "propertyValue": "Eve",
    }  # fmt: skip
    return json.dumps([{name: value for name, value in {**told, **values}.items() if value is not None}]).encode()


def stored(here: Any) -> int:
    return int(here.database(STORED)[0][0])


def refuses(here: Any, path: str, body: bytes, headers: dict[str, str], status: int) -> None:
    """Answered with `status`, nothing stored, and of all numbers only the counter of refusals has moved."""
    before, rows = here.metrics(), stored(here)
    assert here.post(path, body, headers) == status
    assert here.moved(before) == {f"stellwerk_webhooks_refused_{status}_total": 1.0}
    assert stored(here) == rows


def test_an_unsigned_webhook_leaves_a_counter_only(here: Any) -> None:
    refuses(here, HOOK, event(), {"content-type": "application/json"}, 401)


def test_a_forged_webhook_leaves_a_counter_only(here: Any) -> None:
    body = event()
    refuses(here, HOOK, body + b" ", here.signed(body), 401)


@pytest.mark.parametrize("age_seconds", [301.0, -301.0], ids=["older", "younger"])
def test_a_webhook_more_than_five_minutes_off_leaves_a_counter_only(here: Any, age_seconds: float) -> None:
    body = event()
    refuses(here, HOOK, body, here.signed(body, age_seconds=age_seconds), 401)


@pytest.mark.parametrize("age_seconds", [290.0, -290.0], ids=["older", "younger"])
def test_a_webhook_less_than_five_minutes_off_is_taken(here: Any, age_seconds: float) -> None:
    body = event(portalId=99)
    assert here.post(HOOK, body, here.signed(body, age_seconds=age_seconds)) == 200


def test_a_signature_for_another_address_leaves_a_counter_only(here: Any) -> None:
    body = event()
    refuses(here, HOOK + "?again=1", body, here.signed(body), 401)


def test_a_connection_that_was_idle_for_a_while_still_takes_a_webhook(here: Any) -> None:
    """A caller that reuses a connection in the moment we close it has lost its webhook, and may not repeat it."""
    address = urllib.parse.urlsplit(here.scene.url)
    caller = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    caller.auto_open = 0
    caller.connect()
    for pause_seconds in (0.0, 6.5):
        time.sleep(pause_seconds)
        body = event()
        caller.request("POST", HOOK, body, here.signed(body))
        answer = caller.getresponse()
        answer.read()
        assert answer.status == 200
    caller.close()


def test_an_oversized_webhook_leaves_a_counter_only(here: Any) -> None:
    body = b"[" + b" " * LIMIT + b"]"
    refuses(here, HOOK, body, here.signed(body), 413)


def test_an_oversized_webhook_that_does_not_tell_its_length_leaves_a_counter_only(here: Any) -> None:
    before, rows = here.metrics(), stored(here)
    assert chunked(here.scene.port, HOOK, LIMIT + 100) == 413
    assert here.moved(before) == {"stellwerk_webhooks_refused_413_total": 1.0}
    assert stored(here) == rows


def test_the_largest_webhook_that_is_allowed_is_taken(here: Any) -> None:
    body = event(portalId=99).ljust(LIMIT)
    assert here.post(HOOK, body, here.signed(body)) == 200


def chunked(port: int, path: str, size: int) -> int:
    """The status of a POST of `size` bytes in chunks, without content-length."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for start in range(0, size, 10_000):
            piece = b"x" * min(10_000, size - start)
            line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        return int(line.recv(100).split()[1])


def test_a_wrong_secret_in_the_path_leaves_a_counter_only(here: Any) -> None:
    right = here.maileon_hook("unsubscription")
    wrong = right.replace(right.split("/")[3], "x" * 43)
    body = json.dumps({"email": "eve@visitors.example"}).encode()
    refuses(here, wrong, body, {"content-type": "application/json"}, 401)


def test_a_path_without_a_secret_leaves_a_counter_only(here: Any) -> None:
    refuses(here, "/webhooks/maileon", b"{}", {}, 401)
    refuses(here, "/webhooks/maileon/doi", b"{}", {}, 401)


def test_an_unknown_connector_leaves_a_counter_only(here: Any) -> None:
    refuses(here, "/webhooks/nobody", b"{}", {}, 404)


def becomes_a_dead_letter(here: Any, path: str, body: bytes, headers: dict[str, str], because: str) -> None:
    before = here.metrics()
    assert here.post(path, body, headers) == 200
    assert here.moved(before) == {
        "stellwerk_events_received_total": 1.0,
        "stellwerk_events_acknowledged_total": 1.0,
        'stellwerk_events{state="dead"}': 1.0,
        'stellwerk_inbox_events{state="dead"}': 1.0,
    }
    ((code,),) = here.database("select code from inbox where state = 'dead' order by id desc limit 1")
    assert code == because


@pytest.mark.parametrize(
    ("values", "because"),
    [
        ({"subscriptionType": "contact.associationChange"}, "unknown-kind"),
        ({"subscriptionType": "deal.creation", "objectTypeId": None}, "unknown-kind"),
        ({"subscriptionType": None}, "unknown-kind"),
        ({"objectId": None}, "names-nobody"),
        ({"occurredAt": "yesterday"}, "not-as-described"),
        ({"objectId": {"id": 1}}, "not-as-described"),
    ],
    ids=["type", "object", "no type", "no contact", "text for a time", "object for an id"],
)
def test_an_authentic_event_that_is_not_understood_becomes_a_dead_letter(
    here: Any, values: dict[str, Any], because: str
) -> None:
    body = event(**values)
    becomes_a_dead_letter(here, HOOK, body, here.signed(body), because)


@pytest.mark.parametrize(
    "body",
    [b"<xml/>", b"", b"{}", b"[1, 2", b"\xff\xfe", b"null"],
    ids=["xml", "empty", "object", "cut", "not text", "null"],
)
def test_an_authentic_body_that_is_no_list_of_events_becomes_a_dead_letter(here: Any, body: bytes) -> None:
    becomes_a_dead_letter(here, HOOK, body, here.signed(body), "not-as-described")


def test_an_event_that_comes_without_its_list_is_looked_at_as_one(here: Any) -> None:
    body = event(objectId=None)[1:-1]
    becomes_a_dead_letter(here, HOOK, body, here.signed(body), "names-nobody")


def test_good_events_of_a_request_are_taken_beside_one_that_is_not_understood(here: Any) -> None:
    good, bad = json.loads(event(objectId=987654))[0], json.loads(event(objectId=None))[0]
    body = json.dumps([bad, good, 5]).encode()
    before = here.metrics()
    assert here.post(HOOK, body, here.signed(body)) == 200
    here.quiet()
    moved = here.moved(before)
    assert moved["stellwerk_events_received_total"] + moved.get("stellwerk_events_of_unknown_accounts_total", 0.0) == 3
    assert moved['stellwerk_inbox_events{state="skipped"}'] == 1


def test_an_unknown_portal_is_counted_and_answered_with_200(here: Any) -> None:
    body, rows, before = event(portalId=123_456), stored(here), here.metrics()
    assert here.post(HOOK, body, here.signed(body)) == 200
    assert here.moved(before) == {"stellwerk_events_of_unknown_accounts_total": 1.0}
    assert stored(here) == rows


@pytest.mark.parametrize(
    ("body", "because"),
    [
        (b"email=eve@visitors.example", "not-as-described"),
        (b"[]", "not-as-described"),
        (b"\xff", "not-as-described"),
        (b"{}", "names-nobody"),
        (b'{"email": "nobody"}', "names-nobody"),
        (b'{"email": ["eve@visitors.example"]}', "names-nobody"),
        (b'{"email": null, "external_id": null}', "names-nobody"),
        (b"", "names-nobody"),
    ],
    ids=["form", "list", "not text", "no address", "no address in it", "list of addresses", "nulls", "empty"],
)
@pytest.mark.parametrize("topic", ["doi", "unsubscription"])
def test_a_call_of_maileons_that_is_not_understood_becomes_a_dead_letter(
    here: Any, topic: str, body: bytes, because: str
) -> None:
    becomes_a_dead_letter(here, here.maileon_hook(topic), body, {"content-type": "application/json"}, because)


def test_an_unknown_topic_of_maileons_becomes_a_dead_letter(here: Any) -> None:
    path = here.maileon_hook("doi").rpartition("/")[0] + "/bounce"
    becomes_a_dead_letter(here, path, b'{"email": "eve@visitors.example"}', {}, "unknown-kind")


def test_dead_letters_hold_nothing_in_the_clear(here: Any) -> None:
    who = here.visitor("Klara")
    path = here.maileon_hook("doi").rpartition("/")[0] + "/bounce"
    assert here.post(path, json.dumps({"email": who.email}).encode()) == 200
    everything = b"".join(path.read_bytes() for path in here.scene.folder.glob("demo.db*") if path.is_file())
    assert who.email.encode() not in everything
    assert who.email not in here.scene.hub_log


def test_a_query_cannot_stand_in_for_the_body_of_a_signed_request(here: Any) -> None:
    body = event()
    path = f"{HOOK}?{urllib.parse.urlencode({'portalId': 4711})}"
    assert here.post(path, body, here.signed(body, path=path)) == 200

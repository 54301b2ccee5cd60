"""Webhooks from Maileon (reference, section 10.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from stellwerk.sdk import EventKind, Signal, Unread, WebhookRequest
from stellwerk_maileon.connector import MaileonConnector
from stellwerk_maileon.settings import MaileonSystem


def receive(body: Any, *path: str, query: dict[str, str] | None = None) -> Any:
    request = WebhookRequest(
        method="POST",
        url="https://hub.example/webhooks/maileon/secret/doi",
        path=path or ("unsubscription",),
        query=query or {},
        headers={},
        body=body if isinstance(body, bytes) else msgspec.json.encode(body),
        received_at=datetime(2026, 11, 24, tzinfo=UTC),
    )
    (found,) = MaileonConnector.receive(request, MaileonSystem())
    return found


def test_the_hub_checks_the_secret_in_the_path() -> None:
    assert MaileonConnector.webhook_trust == "path"


@pytest.mark.parametrize(("topic", "kind"), [("doi", EventKind.CONFIRMED), ("unsubscription", EventKind.UNSUBSCRIBED)])
def test_each_topic_means_look_at_this_address_now_without_a_key(topic: str, kind: EventKind) -> None:
    found = receive({"email": "ada@example.com"}, topic)
    assert (found.kind, found.ref.by, found.ref.value, found.key) == (kind, "email", "ada@example.com", None)


def test_an_unsubscription_brings_mailing_method_and_time() -> None:
    body = {"email": "ada@example.com", "msg_id": 815, "method": "link", "timestamp": "2026-11-24 12:30:00"}
    found = receive(body)
    assert found.details == {"msg_id": "815", "method": "link"}
    assert found.occurred_at == datetime(2026, 11, 24, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [None, "", "soon", True, 1.5])
def test_a_time_that_is_not_understood_is_left_out(timestamp: Any) -> None:
    assert receive({"email": "ada@example.com", "timestamp": timestamp}).occurred_at is None


@pytest.mark.behaviour("unsubscribed-plus-sign")
def test_blanks_in_the_local_part_are_tried_as_plus() -> None:
    assert receive({"email": " ada news@example.com "}).ref.value == "ada+news@example.com"


def test_a_hand_made_webhook_without_a_body_is_read_from_its_url() -> None:
    found = receive(b"", "doi", query={"email": "ada news@example.com"})
    assert found.ref.value == "ada+news@example.com"


@pytest.mark.parametrize("email", [None, "", "no address", "a@b c", 7, ["ada@example.com"]])
def test_without_an_address_the_external_id_serves(email: Any) -> None:
    found = receive({"email": email, "external_id": 1001})
    assert (found.ref.by, found.ref.value) == ("peer_id", "1001")


@pytest.mark.parametrize(
    ("body", "because"),
    [
        (b"not json", "not-as-described"),
        (b"[]", "not-as-described"),
        (b"\xff", "not-as-described"),
        (b"{}", "names-nobody"),
        (b"", "names-nobody"),
        (b'{"email": "nobody"}', "names-nobody"),
    ],
)
def test_what_is_not_understood_is_kept_with_the_reason(body: bytes, because: str) -> None:
    found = receive(body)
    assert found == Unread(raw=body, because=because)


@pytest.mark.parametrize("path", [("bounce",), ("doi", "more")])
def test_an_unknown_topic_is_kept(path: tuple[str, ...]) -> None:
    assert receive({"email": "ada@example.com"}, *path).because == "unknown-kind"


def test_a_long_detail_is_cut() -> None:
    found = receive({"email": "ada@example.com", "method": "x" * 5000})
    assert isinstance(found, Signal)
    assert len(found.details["method"]) == 200

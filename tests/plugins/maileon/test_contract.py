"""The contract of every connector, kept against Maileon's twin over real HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.sdk import (
    Ask,
    AskTerms,
    Create,
    DeleteContact,
    Delivery,
    FieldValue,
    Http,
    MoveAddress,
    Permission,
    Ref,
    Secret,
    SetFields,
    SetPeer,
    Unsubscribe,
    WebhookRequest,
)
from stellwerk.sdk.testing import ConnectorContract, ReaderContract, Remote, TargetContract, WebhookContract
from stellwerk_maileon.connector import MaileonConnector
from stellwerk_maileon.settings import MaileonAccount


class TwinRemote(Remote):
    """An account at the twin."""

    connector = MaileonConnector

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.system = twin.system()
        self.account = MaileonAccount(api_key=Secret(twin.key))
        self.secrets = (twin.key,)
        self.numbers = itertools.count(1)

    def http(self) -> Http:
        return Http()

    def seeded(self) -> tuple[str, str]:
        email = f"seeded{next(self.numbers)}@example.com"
        (contact_id,) = self.twin.seed({"email": email, "permission": 4})
        return contact_id, email

    def known(self) -> tuple[Ref, ...]:
        return (Ref(by="id", value=self.seeded()[0]), Ref(by="email", value=self.seeded()[1]))

    def unknown(self) -> Ref:
        return Ref(by="email", value="nobody@example.com")

    def count(self) -> int:
        return len(self.twin.dump()["contacts"])

    def effects(self) -> int:
        return len(self.twin.dump()["mails"])

    def deliveries(self, tag: str, count: int) -> Sequence[Delivery]:
        return [self.delivery(tag, next(self.numbers)) for _ in range(count)]

    def delivery(self, tag: str, number: int) -> Delivery:
        email = f"new{number}@example.com"
        contact_id: str | None = None
        if tag not in ("ask", "create"):
            contact_id, email = self.seeded()
        terms = AskTerms(options={"mailing": "K1"})
        changes: dict[str, Callable[[], Any]] = {
            "ask": lambda: Ask(
                email=email, peer_id=f"p{number}", mark=f"wish-{number}", terms=terms, fields={}, existing=False
            ),
            "create": lambda: Create(email=email, peer_id=f"p{number}", permission=Permission.NONE, fields={}),
            "set_fields": lambda: SetFields(fields={"FIRSTNAME": FieldValue(value=f"Ada {number}")}),
            "set_peer": lambda: SetPeer(peer_id=f"p{number}"),
            "move_address": lambda: MoveAddress(email=f"moved{number}@example.com", former="digest", seen="digest"),
            "unsubscribe": Unsubscribe,
            "delete_contact": DeleteContact,
        }
        return Delivery(
            key=f"effect-{number}", id=contact_id, email=email, change=changes[tag](), created_at=datetime.now(UTC)
        )

    def refused(self) -> Delivery:
        change = Create(email="no address", peer_id="p9", permission=Permission.SINGLE, fields={})
        return Delivery(key="refused", id=None, email=None, change=change, created_at=datetime.now(UTC))

    def webhook(self, body: bytes | None = None) -> WebhookRequest:
        return WebhookRequest(
            method="POST",
            url="https://hub.example/webhooks/maileon/secret/doi",
            path=("doi",),
            query={},
            headers={"content-type": "application/json"},
            body=b'{"email": "ada@example.com"}' if body is None else body,
            received_at=datetime.now(UTC),
        )


class TestMaileon(ConnectorContract, ReaderContract, TargetContract, WebhookContract):
    @pytest.fixture
    def remote(self, twin: Any) -> Remote:
        return TwinRemote(twin)

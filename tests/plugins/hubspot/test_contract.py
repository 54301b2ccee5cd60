"""The contract of all connectors, kept by this one against its twin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace

from stellwerk.sdk import (
    AddEntry,
    Change,
    ClearStage,
    Create,
    Delivery,
    FieldSpec,
    FieldValue,
    Http,
    OptOut,
    Permission,
    Ref,
    Secret,
    SetFields,
    SetStage,
    WebhookRequest,
)
from stellwerk.sdk.testing import (
    ConnectorContract,
    ListerContract,
    ReaderContract,
    Remote,
    SignatureContract,
    TargetContract,
    WebhookContract,
)
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem
from stellwerk_hubspot.webhook import signature_v3

FAR = "999999999"


class OptOutsAside(httpx.AsyncBaseTransport):
    """The twin knows no communication preferences: the opt-out alone is answered here."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/communication-preferences/" in request.url.path:
            return httpx.Response(200, json={"status": "COMPLETE", "results": []})
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


class HubspotRemote(Remote):
    connector = HubspotConnector

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.system = HubspotSystem(
            client_id="client-1", client_secret=Secret(twin.client_secret), app_id=twin.app_id, api_url=twin.url
        )
        self.account = HubspotAccount(account="4711", access_token=Secret(twin.token))
        self.fields = {"firstname": FieldSpec(name="firstname")}
        self.secrets = (twin.client_secret, twin.token)

    def http(self) -> Http:
        return Http(transport=OptOutsAside())

    def known(self) -> tuple[Ref, ...]:
        address = self.twin.address()
        (by_address,) = self.twin.plant({"email": address})
        assert by_address
        return Ref(by="id", value=self.twin.new()), Ref(by="email", value=address.upper())

    def unknown(self) -> Ref:
        return Ref(by="id", value=FAR)

    def count(self) -> int:
        return len(self.twin.contacts())

    def effects(self) -> int:
        return sum(len(contact["notes"]) for contact in self.twin.contacts())

    def deliveries(self, tag: str, count: int) -> Sequence[Delivery]:
        return [self._delivery(self._change(tag)) for _ in range(count)]

    def _change(self, tag: str) -> Change:
        match tag:
            case "set_fields":
                return SetFields(fields={"firstname": FieldValue(value=uuid4().hex)})
            case "clear_stage":
                return ClearStage()
            case "set_stage":
                return SetStage(stage="customer")
            case "opt_out":
                return OptOut()
            case "create":
                return Create(email=self.twin.address(), peer_id=None, permission=Permission.NONE, fields={})
        assert tag == "add_entry"
        return AddEntry(
            text={"en": "Confirmed", "de": "Bestätigt"},
            shown=(),
            at=datetime.now(UTC),
            mark=uuid4().hex,
            form="note",
            fact=uuid4().hex,
        )

    def _delivery(self, change: Change) -> Delivery:
        if isinstance(change, Create):
            return Delivery(key=uuid4().hex, id=None, email=change.email, change=change, created_at=datetime.now(UTC))
        address = self.twin.address()
        (contact_id,) = self.twin.plant({"email": address})
        return Delivery(key=uuid4().hex, id=contact_id, email=address, change=change, created_at=datetime.now(UTC))

    def refused(self) -> Delivery:
        return self._delivery(SetStage(stage="no_such_stage"))

    def webhook(self, body: bytes | None = None) -> WebhookRequest:
        event = {
            "eventId": 1,
            "subscriptionId": 2,
            "portalId": 4711,
            "appId": 1234567,
            "occurredAt": 1_793_000_000_000,
            "subscriptionType": "contact.creation",
            "attemptNumber": 0,
            "objectId": 17,
            "changeSource": "FORM",
            "changeFlag": "CREATED",
        }
        body = json.dumps([event]).encode() if body is None else body
        now = datetime.now(UTC)
        stamp = str(int(now.timestamp() * 1000))
        url = "https://hub.example/webhooks/hubspot"
        signature = signature_v3(self.twin.client_secret, "POST", url, body, stamp)
        return WebhookRequest(
            method="POST",
            url=url,
            path=(),
            query={},
            headers={"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp},
            body=body,
            received_at=now,
        )


class TestHubspot(
    ConnectorContract, ReaderContract, ListerContract, TargetContract, WebhookContract, SignatureContract
):
    @pytest.fixture
    def remote(self, twin: Any) -> Remote:
        return HubspotRemote(twin)


class TestHubspotByLogin(ConnectorContract):
    """The same with a token that comes from a login: a refused one is renewed once."""

    @pytest.fixture
    def remote(self, twin: Any) -> Remote:
        class ByLogin(HubspotRemote):
            async def token(self, stale: str | None) -> str:
                return str(self.twin.token)

        remote = ByLogin(twin)
        remote.account = replace(remote.account, access_token=None)
        return remote

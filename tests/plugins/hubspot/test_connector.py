"""The class, its settings, and what it can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

import stellwerk_hubspot
from stellwerk.sdk import (
    Batched,
    Catalogue,
    Change,
    Commands,
    Connector,
    Counter,
    Delivery,
    FieldValue,
    Lister,
    OAuth,
    Outcome,
    Provisioner,
    Reader,
    ReauthorizeError,
    Sampler,
    Secret,
    SetFields,
    SetPeer,
    Sized,
    Target,
    Titled,
    Twin,
    WebhookSource,
)
from stellwerk_hubspot.batch import Writing
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
CONNECTOR: type[Connector] = HubspotConnector
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_the_class_is_a_connector_for_the_type_checker() -> None:
    assert CONNECTOR.name == "hubspot"


def hide(kind: type[Any], value: Any) -> Any:
    return Secret(value)


async def test_the_hook_brings_a_connector_with_its_abilities(scripted: Opener) -> None:
    assert stellwerk_hubspot.stellwerk_connector() is HubspotConnector
    async with scripted() as connector:
        for ability in (
            Reader,
            Lister,
            Target,
            Provisioner,
            Catalogue,
            WebhookSource,
            OAuth,
            Commands,
            Counter,
            Sampler,
            Batched,
            Sized,
            Titled,
            Twin,
        ):
            assert isinstance(connector, ability), ability


async def test_a_token_of_another_portal_is_not_taken(script: Any, scripted: Opener) -> None:
    script.add(200, {"portalId": 4712})
    async with scripted(access_token="t") as connector:
        with pytest.raises(ReauthorizeError, match="4712"):
            await connector.check()


async def test_scopes_that_were_not_granted_are_missing(script: Any, scripted: Opener) -> None:
    script.add(200, {"portalId": 4711}).add(200, {"active": True, "scopes": ["oauth", "crm.objects.contacts.read"]})
    async with scripted() as connector:
        account = await connector.check()
    assert len(account.rights) == 5
    assert account.missing == ("crm.objects.contacts.write", "crm.schemas.contacts.read", "crm.schemas.contacts.write")


@pytest.mark.parametrize(("status", "body"), [(503, {}), (200, {"active": False}), (200, {"active": True})])
async def test_scopes_that_cannot_be_asked_for_are_not_missing(
    script: Any, scripted: Opener, status: int, body: dict[str, Any]
) -> None:
    script.add(200, {"portalId": 4711}).add(status, body)
    async with scripted() as connector:
        account = await connector.check()
    assert (account.missing, account.rights) == ((), ())


async def test_a_change_hubspot_does_not_take_is_rejected(scripted: Opener) -> None:
    delivery = Delivery(key="k", id="7", email=None, change=SetPeer(peer_id="1"), created_at=NOW)
    async with scripted() as connector:
        (receipt,) = await connector.apply([delivery])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "not-possible")


async def test_a_contact_without_an_id_is_rejected_without_a_call(script: Any, scripted: Opener) -> None:
    delivery = Delivery(key="k", id="ada", email=None, change=SetPeer(peer_id="1"), created_at=NOW)
    async with scripted() as connector:
        (receipt,) = await connector.apply([delivery])
    assert (receipt.code, script.asked) == ("no-contact", [])


async def test_tags_in_one_call_are_taken_one_by_one(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": [{"id": "7"}]})
    fields = SetFields(fields={"firstname": FieldValue(value="Ada")})
    changes: tuple[Change, ...] = (fields, SetPeer(peer_id="1"))
    deliveries = [Delivery(key=str(n), id="7", email=None, change=one, created_at=NOW) for n, one in enumerate(changes)]
    async with scripted() as connector:
        receipts = await connector.apply(deliveries)
    assert [receipt.code for receipt in receipts] == ["done", "not-possible"]


async def test_another_change_is_no_field_update(scripted: Opener) -> None:
    delivery = Delivery(key="k", id="7", email=None, change=SetPeer(peer_id="1"), created_at=NOW)
    async with scripted() as connector:
        with pytest.raises(TypeError, match="SetPeer"):
            await Writing.set_fields(connector, [delivery])


def test_the_settings_of_the_file_are_read_with_their_defaults() -> None:
    given = {"client_id": "c", "client_secret": "s", "app_id": "17"}
    system = msgspec.convert(given, HubspotSystem, dec_hook=hide)
    assert (system.api_url, system.app_url) == ("https://api.hubapi.com", "https://app.hubspot.com")
    assert (system.timeout_seconds, system.previous_client_secret) == (30, None)
    assert "'s'" not in repr(system)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (HubspotSystem, {"client_id": "", "client_secret": "s", "app_id": "17"}),
        (HubspotSystem, {"client_id": "c", "client_secret": "s", "app_id": "my app"}),
        (HubspotSystem, {"client_id": "c", "client_secret": "s", "app_id": "17", "api_url": "ftp://x"}),
        (HubspotSystem, {"client_id": "c", "client_secret": "s", "app_id": "17", "timeout_seconds": 0}),
        (HubspotSystem, {"client_id": "c", "client_secret": "s", "app_id": "17", "colour": "red"}),
        (HubspotAccount, {"account": "acme"}),
    ],
)
def test_a_setting_that_cannot_be_is_refused(kind: type[Any], given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, kind, dec_hook=hide)


@pytest.mark.parametrize("kind", [HubspotSystem, HubspotAccount])
def test_every_setting_is_described(kind: type[Any]) -> None:
    hints = msgspec.inspect.type_info(kind)
    assert isinstance(hints, msgspec.inspect.StructType)
    for one in hints.fields:
        described = isinstance(one.type, msgspec.inspect.Metadata)
        assert described, one.name
        assert isinstance(one.type, msgspec.inspect.Metadata)
        assert (one.type.extra_json_schema or {}).get("description"), one.name


def test_every_rule_of_the_grading_is_done_or_exempt_with_a_reason() -> None:
    text = (Path(stellwerk_hubspot.__file__).parent / "quality.yaml").read_text(encoding="utf-8")
    graded = YAML(typ="safe", pure=True).load(text)
    assert graded["connector"] == HubspotConnector.name
    rules = {rule: state for grade in ("bronze", "silver", "gold") for rule, state in graded[grade].items()}
    assert rules.keys() == {
        "typed-settings",
        "checked-before-saving",
        "same-account-refused-twice",
        "contract-kit",
        "reauthorization",
        "one-log-line-per-outage",
        "rate-limits",
        "echoes",
        "redacted-diagnostics",
        "quirks-documented",
        "removal-described",
        "replay-tried",
    }
    for rule, state in rules.items():
        assert state["state"] in ("done", "exempt"), rule
        assert state["how"], rule

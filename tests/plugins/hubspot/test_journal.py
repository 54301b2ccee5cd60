"""The webhooks journal as a source (section 9): subscribed once, read file by file, and never a reason to stop."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from stellwerk.sdk import EventKind, Http, Signal, Unread
from stellwerk_hubspot import poll
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem

pytestmark = pytest.mark.anyio
FILE = "https://files.example/one?signature=s"
EVENTS = [
    {"portalId": 4711, "action": "CREATE", "objectTypeId": "0-1", "objectId": 7, "occurredAt": 1_790_000_000_000},
    {"portalId": "4711", "action": "UPDATE", "objectTypeId": "0-1", "objectId": "7", "occurredAt": "2026-11-24T12:00:00Z",
     "propertyChanges": {"email": "a@example.com", "company": "A"}},
    {"portalId": 4711, "action": "GDPR_DELETE", "objectTypeId": "0-1", "objectId": 8},
    {"portalId": 4712, "action": "UPDATE", "objectTypeId": "0-1", "objectId": 9},
    {"portalId": 4711, "action": "UPDATE", "objectTypeId": "0-2", "objectId": 10},
    {"portalId": 4711, "action": "SNAPSHOT", "objectTypeId": "0-1", "objectId": 11},
    "no event at all",
    {"portalId": 4711, "action": "RENAME", "objectTypeId": "0-1", "objectId": 12},
    {"portalId": 4711, "action": "UPDATE", "objectTypeId": "0-1"},
]  # fmt: skip


class Vendor:
    """Answers by path; what is not named is a search that finds nothing."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        known = self.answers.get(request.url.path)
        if known is None:
            return httpx.Response(200, json={"total": 0, "results": []})
        status, body = known.pop(0) if len(known) > 1 else known[0]
        return httpx.Response(status, json=body) if body is not None else httpx.Response(status)

    def paths(self) -> list[str]:
        return [request.url.path.rpartition("/2026-03/")[2] or request.url.path for request in self.asked]


@pytest.fixture
def vendor() -> Vendor:
    found = Vendor()
    found.answers = {
        "/oauth/2026-03/token": [(200, {"access_token": "app-token", "expires_in": 1800})],
        "/webhooks-journal/subscriptions/2026-03": [(200, {"results": []}), (201, {"id": 1})],
        "/webhooks-journal/journal-local/2026-03/earliest": [(200, {"url": FILE, "currentOffset": "o1"})],
        "/one": [(200, {"offset": "o1", "journalEvents": EVENTS})],
        "/webhooks-journal/journal-local/2026-03/offset/o1/next": [(204, None)],
    }
    return found


Opened = Callable[..., Any]


@pytest.fixture
def parts() -> dict[str, str | None]:
    return {}


@pytest.fixture
def opened(vendor: Vendor, hub: Any, system: HubspotSystem, parts: dict[str, str | None]) -> Opened:
    @asynccontextmanager
    async def run(events: Any = "journal") -> AsyncIterator[HubspotConnector]:
        hub.now = datetime.now(UTC)
        async with Http(transport=httpx.MockTransport(vendor)) as http:
            services = replace(
                hub.services(http, {}),
                part_asked=lambda part, failed: parts.update({part: None if failed is None else failed.code}),
            )
            account = HubspotAccount(account="4711")
            async with HubspotConnector.open(replace(system, events=events), account, services) as connector:
                yield connector

    return run


@pytest.fixture(autouse=True)
def no_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll, "SPACE_SECONDS", 0.0)


async def test_it_subscribes_to_every_property_of_the_portals_contacts_and_reads_the_earliest_file(
    opened: Opened, vendor: Vendor, parts: Mapping[str, str | None]
) -> None:
    async with opened() as connector:
        found, _, more = await connector.poll(None)
    signals = [one for one in found if isinstance(one, Signal)]
    told = [(one.kind, one.ref.value, one.field_name) for one in signals]
    assert told == [
        (EventKind.CREATED, "7", None),
        (EventKind.CHANGED, "7", "company"),
        (EventKind.MOVED, "7", "email"),
        (EventKind.ERASED, "8", None),
    ]
    assert more
    assert len({one.key for one in signals}) == 4
    assert [one.occurred_at is not None for one in signals] == [True, True, True, False]
    made = json.loads(
        next(
            one for one in vendor.asked if one.url.path.endswith("subscriptions/2026-03") and one.method == "POST"
        ).content
    )
    assert (made["portalId"], made["objectTypeId"], made["properties"], made["objectIds"]) == (4711, "0-1", [], [])
    assert dict(parts) == {"journal": None}


async def test_what_is_not_understood_is_told_with_its_place_and_nothing_vanishes(opened: Opened) -> None:
    async with opened() as connector:
        found, _, _ = await connector.poll(None)
    unread = [(one.because, one.raw.decode()[:16]) for one in found if isinstance(one, Unread)]
    assert unread == [
        ("not-as-described", "file o1, event 6"),
        ("unknown-kind", "file o1, event 7"),
        ("names-nobody", "file o1, event 8"),
    ]


@pytest.mark.parametrize(
    "whose", [{"portalId": 4711, "objectTypeId": "0-2"}, {"portalId": 4712, "objectTypeId": "0-1"}]
)
@pytest.mark.parametrize("event", [{"action": "RENAME"}, {"action": ["UPDATE"]}, {"action": "UPDATE"}])
async def test_nothing_is_kept_of_another_portal_or_object_understood_or_not(
    opened: Opened, vendor: Vendor, whose: dict[str, Any], event: dict[str, Any]
) -> None:
    told = {**whose, **event, "propertyChanges": {"name": "very-hidden"}}
    vendor.answers["/one"] = [(200, {"journalEvents": [told]})]
    async with opened() as connector:
        found, _, _ = await connector.poll(None)
    assert found == []


async def test_an_event_that_does_not_say_whose_it_is_counts_as_this_portals_contact(
    opened: Opened, vendor: Vendor
) -> None:
    vendor.answers["/one"] = [(200, {"journalEvents": [{"action": "DELETE", "objectId": 7}]})]
    async with opened() as connector:
        found, _, _ = await connector.poll(None)
    assert [(one.kind, one.ref.value) for one in found if isinstance(one, Signal)] == [(EventKind.DELETED, "7")]


async def test_the_file_is_fetched_without_any_token_of_ours(opened: Opened, vendor: Vendor) -> None:
    async with opened() as connector:
        await connector.poll(None)
    (fetched,) = [request for request in vendor.asked if request.url.host == "files.example"]
    assert "authorization" not in fetched.headers


async def test_it_goes_on_behind_the_last_file_and_searches_where_there_is_none(opened: Opened, vendor: Vendor) -> None:
    async with opened() as connector:
        _, cursor, _ = await connector.poll(None)
        vendor.asked.clear()
        signals, cursor, more = await connector.poll(cursor)
    assert (signals, more) == ([], False)
    assert vendor.paths()[1:] == ["offset/o1/next", "/crm/objects/2026-09/contacts/search"]
    assert json.loads(cursor)["journal"] == "o1"


async def test_the_same_file_again_is_the_same_events(opened: Opened) -> None:
    async with opened() as connector:
        first, _, _ = await connector.poll(None)
        again, _, _ = await connector.poll(None)
    assert first == again


async def test_a_subscription_that_stands_is_not_made_again(opened: Opened, vendor: Vendor) -> None:
    stands = [{"portalId": "4711", "objectTypeId": "0-1", "id": 1}]
    for answer in ({"results": stands}, stands):
        vendor.answers["/webhooks-journal/subscriptions/2026-03"] = [(200, answer)]
        async with opened() as connector:
            await connector.poll(None)
    assert [one.method for one in vendor.asked if "subscriptions" in one.url.path] == ["GET", "GET"]


async def test_an_offset_that_has_expired_begins_anew_at_the_earliest(opened: Opened, vendor: Vendor) -> None:
    vendor.answers["/webhooks-journal/journal-local/2026-03/offset/o1/next"] = [(404, {"category": "OBJECT_NOT_FOUND"})]
    async with opened() as connector:
        _, cursor, _ = await connector.poll(None)
        signals, cursor, more = await connector.poll(cursor)
        assert (signals, more, json.loads(cursor)["journal"]) == ([], True, "")
        signals, _, _ = await connector.poll(cursor)
    assert len(signals) == 7


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("/oauth/2026-03/token", (400, {"status": "BAD_SCOPES"}), "bad-scopes"),
        ("/oauth/2026-03/token", (500, {}), "outage"),
        ("/webhooks-journal/subscriptions/2026-03", (403, {"category": "MISSING_SCOPES"}), "missing-scopes"),
        ("/webhooks-journal/journal-local/2026-03/earliest", (401, {}), "journal-refused"),
        ("/webhooks-journal/journal-local/2026-03/earliest", (200, {"nothing": "known"}), "unreadable-answer"),
        ("/webhooks-journal/journal-local/2026-03/earliest", (200, {"url": "ftp://x/y", "currentOffset": "o"}), "unsafe-address"),
        ("/one", (403, {}), "no-journal-file"),
        ("/one", (200, {"nothing": "known"}), "unreadable-answer"),
    ],
)  # fmt: skip
async def test_where_the_journal_fails_it_is_named_and_the_search_goes_on(
    opened: Opened, vendor: Vendor, parts: Mapping[str, str | None], path: str, answer: Any, code: str
) -> None:
    vendor.answers[path] = [answer]
    async with opened() as connector:
        signals, cursor, more = await connector.poll(None)
    assert (signals, more, dict(parts)) == ([], False, {"journal": code})
    assert vendor.asked[-1].url.path.endswith("/contacts/search")
    assert json.loads(cursor)["journal"] == ""


async def test_without_the_setting_it_is_never_asked(opened: Opened, vendor: Vendor) -> None:
    async with opened(events="webhooks") as connector:
        await connector.poll(None)
    assert vendor.paths() == ["/crm/objects/2026-09/contacts/search"]


async def test_a_cursor_of_before_goes_on_in_the_search(opened: Opened, vendor: Vendor) -> None:
    async with opened(events="webhooks") as connector:
        _, cursor, _ = await connector.poll(None)
    vendor.answers["/webhooks-journal/journal-local/2026-03/earliest"] = [(204, None)]
    async with opened() as connector:
        _, after, _ = await connector.poll(cursor)
    assert json.loads(json.loads(after)["search"])["since"] >= json.loads(cursor)["since"]


async def test_where_the_journal_is_asked_for_no_more_the_search_goes_on_where_it_was(
    opened: Opened, vendor: Vendor
) -> None:
    cursor = json.dumps({"journal": "o1", "search": json.dumps({"since": 1_790_000_000_000})})
    async with opened(events="webhooks") as connector:
        await connector.poll(cursor)
    (searched,) = vendor.asked
    assert json.loads(searched.content)["filterGroups"][0]["filters"][0]["value"] == "1790000000000"

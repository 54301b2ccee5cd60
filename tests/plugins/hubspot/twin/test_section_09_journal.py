"""Section 9: the webhooks journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio
LOCAL = "/webhooks-journal/journal-local/2026-03"
SUBSCRIPTIONS = "/webhooks-journal/subscriptions/2026-03"
SCOPES = (
    "developer.webhooks_journal.read developer.webhooks_journal.subscriptions.read"
    " developer.webhooks_journal.subscriptions.write crm.objects.contacts.read"
)
WANTED: dict[str, Any] = {
    "subscriptionType": "OBJECT",
    "portalId": 4711,
    "objectTypeId": "0-1",
    "actions": [],
    "properties": [],
    "objectIds": [],
}


class Reader:
    """An app with a token of its own."""

    def __init__(self, world: Any, token: str) -> None:
        self.world = world
        self.headers = {"authorization": f"Bearer {token}"}

    async def get(self, path: str, portal: str = "4711") -> httpx.Response:
        answer: httpx.Response = await self.world.api.get(
            path, params={"installPortalId": portal}, headers=self.headers
        )
        return answer

    async def subscribe(self, **changes: Any) -> httpx.Response:
        answer: httpx.Response = await self.world.api.post(
            SUBSCRIPTIONS, json={**WANTED, **changes}, headers=self.headers
        )
        return answer

    async def later(self, seconds: float) -> None:
        await self.world.control.post("/clock", json={"offset_seconds": seconds})

    async def file(self, pointer: httpx.Response) -> dict[str, Any]:
        assert pointer.status_code == 200, pointer.text
        # The address is signed by itself.
        answer = await self.world.api.get(pointer.json()["url"], headers={"authorization": ""})
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def reader(world: Any) -> Reader:
    answer = await world.token(grant_type="client_credentials", scope=SCOPES)
    assert answer.status_code == 200, answer.text
    return Reader(world, answer.json()["access_token"])


async def test_its_token_is_the_apps_own_for_just_these_scopes(world: Any) -> None:
    good = await world.token(grant_type="client_credentials", scope=SCOPES)
    assert "hub_id" not in good.json()
    assert "refresh_token" not in good.json()
    for scope in ("", "crm.objects.contacts.write"):
        refused = await world.token(grant_type="client_credentials", scope=scope)
        assert (refused.status_code, refused.json()["status"]) == (400, "BAD_SCOPES")
    await world.control.post("/settings", json={"journal_granted": False})
    refused = await world.token(grant_type="client_credentials", scope=SCOPES)
    assert (refused.status_code, refused.json()["status"]) == (400, "BAD_SCOPES")


async def test_a_portals_token_reads_no_journal_and_a_journals_no_contacts(world: Any, reader: Reader) -> None:
    assert (await world.api.get(f"{LOCAL}/earliest", params={"installPortalId": "4711"})).status_code == 401
    assert (await world.api.get(world.contacts, headers=reader.headers)).status_code == 401


async def test_each_right_is_a_scope_of_its_own(world: Any) -> None:
    answer = await world.token(grant_type="client_credentials", scope="developer.webhooks_journal.read")
    reader = Reader(world, answer.json()["access_token"])
    assert (await reader.subscribe()).status_code == 403
    assert (await reader.get(f"{LOCAL}/earliest")).status_code == 204


async def test_nothing_is_written_before_somebody_subscribes_and_nothing_at_once(world: Any, reader: Reader) -> None:
    await world.create(email="before@example.com")
    assert (await reader.subscribe()).status_code == 201
    ada = await world.create(email="ada@example.com")
    assert (await reader.get(f"{LOCAL}/earliest")).status_code == 204, "a file is written after a while"
    await reader.later(2)
    told = await reader.file(await reader.get(f"{LOCAL}/earliest"))
    assert {event["objectId"] for event in told["journalEvents"]} == {int(ada)}
    assert "CREATE" in {event["action"] for event in told["journalEvents"]}
    assert not {"sourceId", "changeSource"} & set(told["journalEvents"][0]), "no field names the writing app"


async def test_an_offset_leads_to_the_next_file_and_to_nothing_while_there_is_none(world: Any, reader: Reader) -> None:
    await reader.subscribe(actions=["UPDATE"], properties=["company", "nickname"])
    await world.define("nickname")
    ada = await world.create(email="ada@example.com")
    await world.update(ada, company="One", firstname="Ada")
    await reader.later(2)
    first = await reader.get(f"{LOCAL}/earliest")
    offset = first.json()["currentOffset"]
    assert [event["propertyChanges"] for event in (await reader.file(first))["journalEvents"]] == [{"company": "One"}]
    assert (await reader.get(f"{LOCAL}/offset/{offset}/next")).status_code == 204
    await world.update(ada, nickname="A")  # no webhook of the project names this one
    await reader.later(4)
    second = await reader.get(f"{LOCAL}/offset/{offset}/next")
    assert [event["propertyChanges"] for event in (await reader.file(second))["journalEvents"]] == [{"nickname": "A"}]
    assert (await reader.get(f"{LOCAL}/latest")).json()["currentOffset"] == second.json()["currentOffset"]


async def test_files_and_offsets_go_after_three_days_and_an_address_after_a_minute(world: Any, reader: Reader) -> None:
    await reader.subscribe()
    await world.create(email="ada@example.com")
    await reader.later(2)
    first = await reader.get(f"{LOCAL}/earliest")
    await reader.later(70)
    assert (await world.api.get(first.json()["url"], headers={"authorization": ""})).status_code == 403
    await reader.later(3 * 86_400 + 10)
    assert (await reader.get(f"{LOCAL}/offset/{first.json()['currentOffset']}/next")).status_code == 404
    assert (await reader.get(f"{LOCAL}/earliest")).status_code == 204


async def test_only_portals_that_have_installed_the_app_have_one(reader: Reader) -> None:
    assert (await reader.get(f"{LOCAL}/earliest", portal="4712")).status_code == 400
    assert (await reader.subscribe(portalId=4712)).status_code == 400


async def test_subscriptions_are_listed_and_deleted_and_what_the_reference_does_not_know_is_refused(
    world: Any, start: Callable[..., Awaitable[Any]], reader: Reader
) -> None:
    number = (await reader.subscribe()).json()["id"]
    listed = (await world.api.get(SUBSCRIPTIONS, headers=reader.headers)).json()["results"]
    assert [(one["id"], one["portalId"], one["objectTypeId"]) for one in listed] == [(number, 4711, "0-1")]
    assert (await reader.subscribe(actions=["FORGET"])).status_code == 400
    assert (await reader.subscribe(colour="red")).status_code == 400
    deleted = await world.api.delete(f"{SUBSCRIPTIONS}/{number}", headers=reader.headers)
    assert deleted.status_code == 204
    assert (await world.api.get(SUBSCRIPTIONS, headers=reader.headers)).json()["results"] == []

"""Section 8: webhook deliveries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def deliveries(world: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.control.get("/webhooks")).json()["deliveries"]
    return found


async def fresh(world: Any, **properties: str) -> str:
    """A contact whose creation has been told and forgotten."""
    number: str = await world.create(email="ada@example.com", **properties)
    await world.settled()
    world.inbox.arrived.clear()
    return number


async def test_section_8_a_creation_is_told_with_the_fields_of_the_table(world: Any) -> None:
    number = await world.create(email="ada@example.com")
    await world.settled()
    (told,) = world.inbox.of_type("contact.creation")
    assert told["objectId"] == int(number)
    assert told["portalId"] == 4711
    assert told["appId"] == int(world.app_id)
    assert told["attemptNumber"] == 0
    assert told["changeFlag"] == "CREATED"
    assert isinstance(told["eventId"], int)
    assert isinstance(told["subscriptionId"], int)
    assert 1_700_000_000_000 < told["occurredAt"] < 5_000_000_000_000
    assert "objectTypeId" not in told


async def test_section_8_api_writes_are_told_by_the_app_id_as_a_string(world: Any) -> None:
    await world.update(await fresh(world), firstname="Ada")
    await world.settled()
    (told,) = world.inbox.events
    assert (told["changeSource"], told["sourceId"]) == ("INTEGRATION", world.app_id)
    assert (told["propertyName"], told["propertyValue"]) == ("firstname", "Ada")


async def test_section_8_a_persons_change_is_told_as_crm_ui_with_the_user(world: Any) -> None:
    number = await fresh(world)
    await world.browser.post(f"/contacts/4711/record/0-1/{number}", data={"firstname": "Ada"})
    await world.settled()
    (told,) = world.inbox.events
    assert (told["changeSource"], told["sourceId"]) == ("CRM_UI", "userId:1")


async def test_section_8_an_import_is_told_as_import(world: Any) -> None:
    await world.control.post("/seed", json={"contacts": [{"email": "a@b.de"}]})
    await world.settled()
    assert {one["changeSource"] for one in world.inbox.events} == {"IMPORT"}


async def test_section_16_a_property_change_is_told_only_when_the_value_changes(world: Any) -> None:
    number = await fresh(world, firstname="Ada")
    await world.update(number, firstname="Ada")
    await world.settled()
    assert world.inbox.arrived == []


async def test_section_8_one_entry_per_property_and_only_for_those_subscribed(world: Any) -> None:
    number = await fresh(world)
    await world.update(number, firstname="Ada", company="Acme", city="Ulm")
    await world.settled()
    assert {one["propertyName"] for one in world.inbox.events} == {"firstname", "company"}


async def test_section_8_event_ids_are_not_unique(world: Any) -> None:
    number = await fresh(world)
    await world.update(number, firstname="Ada", company="Acme")
    await world.settled()
    assert len({one["eventId"] for one in world.inbox.events}) == 1


async def test_section_8_a_portal_that_has_not_installed_the_app_is_not_told_of(world: Any) -> None:
    await world.browser.post("/contacts/4712", data={"email": "a@b.de"})
    await world.settled()
    assert world.inbox.arrived == []


async def test_section_8_generic_subscriptions_carry_the_type_id(start: Any, files: Any) -> None:
    subscriptions = files["src/app/webhooks/webhooks-hsmeta.json"]["config"]["subscriptions"]
    subscriptions["legacyCrmObjects"] = []
    subscriptions["crmObjects"] = [
        {"subscriptionType": "object.creation", "objectType": "contact", "active": True},
        {"subscriptionType": "object.propertyChange", "objectType": "contact", "propertyName": "email", "active": True},
        {"subscriptionType": "object.deletion", "objectType": "contact", "active": False},
    ]
    world = await start()
    number = await world.create(email="ada@example.com")
    await world.api.delete(f"{world.contacts}/{number}")
    await world.settled()
    assert {one["subscriptionType"] for one in world.inbox.events} == {"object.creation", "object.propertyChange"}
    assert {one["objectTypeId"] for one in world.inbox.events} == {"0-1"}
    assert {one["isSensitive"] for one in world.inbox.events} == {False}


async def test_section_8_a_body_is_an_array_of_up_to_100_events(world: Any) -> None:
    await world.control.post("/seed", json={"contacts": [{"email": f"c{n}@b.de"} for n in range(90)]})
    await world.settled()
    sizes = [len(one.events) for one in world.inbox.arrived]
    assert max(sizes) == 100
    assert sum(sizes) == 90 * 3


@pytest.mark.parametrize("status", [0, 400, 404, 500, 503])
async def test_section_8_a_failed_delivery_is_repeated_with_a_higher_attempt_number(world: Any, status: int) -> None:
    number = await fresh(world)
    world.inbox.statuses = [status, status]
    await world.update(number, firstname="Ada")
    await world.settled()
    assert [one.events[0]["attemptNumber"] for one in world.inbox.arrived] == [0, 1, 2]
    assert len({one.events[0]["eventId"] for one in world.inbox.arrived}) == 1
    assert (await deliveries(world))[-1]["state"] == "done"


async def test_section_8_after_ten_retries_a_delivery_is_given_up(start: Any) -> None:
    world = await start(retry_seconds=0.001)
    number = await fresh(world)
    world.inbox.statuses = [500] * 20
    await world.update(number, firstname="Ada")
    await world.settled()
    assert len(world.inbox.arrived) == 11
    assert (await deliveries(world))[-1]["state"] == "failed"


async def test_section_8_ten_retries_are_spread_over_24_hours_unless_told_otherwise() -> None:
    from stellwerk_hubspot.twin.webhooks import DEFAULT_RETRIES, spread

    assert len(DEFAULT_RETRIES) == len(spread(0.5)) == 10
    assert 20 * 3600 < sum(DEFAULT_RETRIES) <= 24 * 3600
    assert list(DEFAULT_RETRIES) == sorted(DEFAULT_RETRIES)


async def test_section_8_no_answer_within_the_time_out_is_a_failure(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stellwerk_hubspot.twin import webhooks

    assert webhooks.TIMEOUT_SECONDS == 5.0
    monkeypatch.setattr(webhooks, "TIMEOUT_SECONDS", 0.2)
    number = await fresh(world)
    world.inbox.gate.clear()
    await world.update(number, firstname="Ada")
    await world.arrivals(2)
    world.inbox.gate.set()
    await world.settled()
    last = (await deliveries(world))[-1]
    assert last["attempts"][0]["status"] is None
    assert last["state"] == "done"


async def test_section_8_each_attempt_is_signed_at_its_own_time(world: Any) -> None:
    number = await fresh(world)
    world.inbox.statuses = [500]
    await world.update(number, firstname="Ada")
    await world.settled()
    stamps = [int(one.headers["x-hubspot-request-timestamp"]) for one in world.inbox.arrived]
    assert stamps[1] - stamps[0] >= 40


async def test_section_8_no_more_requests_at_once_than_declared(world: Any) -> None:
    world.inbox.gate.clear()
    await world.control.post("/seed", json={"contacts": [{"email": f"c{n}@b.de"} for n in range(400)]})
    await world.arrivals(6)
    await asyncio.sleep(0.1)
    assert len(world.inbox.arrived) == 6
    world.inbox.gate.set()
    await world.settled()
    assert world.inbox.most_at_once == 6


async def test_section_8_without_a_reach_the_target_is_called_by_https(start: Any, files: Any) -> None:
    files["src/app/webhooks/webhooks-hsmeta.json"]["config"]["settings"]["targetUrl"] = "https://localhost:1/hook"
    world = await start(reach={}, retry_seconds=0.001)
    await world.create(email="ada@example.com")
    await world.settled()
    found = await deliveries(world)
    assert {one["state"] for one in found} == {"failed"}
    assert {one["url"] for one in found} == {"https://localhost:1/hook"}


async def test_control_webhooks_sent_again_are_the_same_bytes_freshly_signed(world: Any) -> None:
    await world.update(await fresh(world), firstname="Ada")
    await world.settled()
    first = world.inbox.arrived[-1]
    await asyncio.sleep(0.002)
    number = (await deliveries(world))[-1]["number"]
    answer = await world.control.post("/webhooks/resend", json={"numbers": [number], "times": 2, "shuffle": True})
    assert answer.json()["sent"] == [{"number": number, "status": 200}] * 2
    assert [one.body for one in world.inbox.arrived[-2:]] == [first.body] * 2
    stamps = {one.headers["x-hubspot-request-timestamp"] for one in world.inbox.arrived}
    assert len(stamps) > 1


async def test_control_all_webhooks_can_be_sent_again(world: Any) -> None:
    await world.control.post("/seed", json={"contacts": [{"email": f"c{n}@b.de"} for n in range(90)]})
    await world.settled()
    before = len(world.inbox.arrived)
    await world.control.post("/webhooks/resend", json={"all": True, "shuffle": True, "times": 2})
    assert len(world.inbox.arrived) == 3 * before


async def test_control_a_pause_lets_events_wait(world: Any) -> None:
    await world.control.post("/webhooks", json={"pause": True})
    await world.create(email="ada@example.com")
    await asyncio.sleep(0.1)
    assert world.inbox.arrived == []
    assert (await world.control.get("/idle")).json()["pending"] > 0
    await world.control.post("/webhooks", json={"pause": False})
    await world.settled()
    assert world.inbox.of_type("contact.creation")


async def test_control_duplicates_loss_and_disorder(world: Any) -> None:
    await world.control.post("/webhooks", json={"duplicates": 1.0})
    await world.create(email="a@b.de")
    await world.settled()
    assert len(world.inbox.of_type("contact.creation")) == 2
    await world.control.post("/webhooks", json={"lose": 1.0})
    await world.create(email="b@b.de")
    await world.settled()
    assert len(world.inbox.of_type("contact.creation")) == 2
    assert (await deliveries(world))[-1]["state"] == "lost"
    await world.control.post("/webhooks", json={"reorder_seconds": [0.0, 0.1]})
    world.inbox.arrived.clear()
    await world.control.post("/seed", json={"contacts": [{"email": f"c{n}@b.de"} for n in range(30)]})
    await world.settled()
    told = [one["objectId"] for one in world.inbox.of_type("contact.creation")]
    assert len(told) == 30
    assert told != sorted(told)

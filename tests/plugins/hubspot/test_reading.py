"""Reading contacts: batches, what they leave out, merged and archived ones, history (sections 5, 13, 16)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stellwerk.sdk import ADDRESS, FieldSpec, Origin, Presence, Ref, RejectedError, RetryableError
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio

SUBSCRIBE = FieldSpec(name="news_subscribe", kind="yes_no")


def by_id(*ids: str) -> list[Ref]:
    return [Ref(by="id", value=one) for one in ids]


@pytest.fixture
def subscribe(twin: Any) -> str:
    """A yes-or-no property in the twin's portal."""
    names = {one["name"] for one in twin.call("GET", "/crm/properties/2026-09/contacts")["results"]}
    if SUBSCRIBE.name not in names:
        body = {"name": SUBSCRIBE.name, "label": "Subscribe", "type": "bool", "fieldType": "booleancheckbox"}
        twin.call("POST", "/crm/properties/2026-09/contacts", {**body, "groupName": "contactinformation"})
    return SUBSCRIBE.name


async def test_a_contact_comes_with_what_the_rules_need(twin: Any, at_twin: Opener) -> None:
    address = twin.address()
    (contact_id,) = twin.plant({"email": address, "firstname": "Ada", "lifecyclestage": "customer"}, source="FORM")
    async with at_twin() as connector:
        (found,) = await connector.read(by_id(contact_id), ("firstname", "company"))
    assert (found.id, found.email, found.presence) == (contact_id, address, Presence.PRESENT)
    assert found.fields == {"firstname": "Ada", "company": None}
    assert (found.stage, found.opted_out, found.origin) == ("customer", False, Origin.FORM)
    assert found.created_at is not None
    assert found.updated_at is not None
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(minutes=1)


async def test_yes_and_no_are_words_and_not_set_is_none(twin: Any, at_twin: Opener, subscribe: str) -> None:
    ids = [twin.new(**{subscribe: "true"}), twin.new(**{subscribe: "false"}), twin.new()]
    async with at_twin([SUBSCRIBE]) as connector:
        found = await connector.read(by_id(*ids), (subscribe,))
    assert [one.fields[subscribe] for one in found] == ["yes", "no", None]


async def test_the_order_is_the_callers_however_the_batch_is_answered(twin: Any, at_twin: Opener) -> None:
    ids = twin.plant(*({"email": twin.address()} for _ in range(120)))
    async with at_twin() as connector:
        found = await connector.read(by_id(*ids), ())
    assert [one.id for one in found] == ids


async def test_a_hundred_and_twenty_contacts_take_two_calls(twin: Any, at_twin: Opener, hub: Any) -> None:
    ids = twin.plant(*({"email": twin.address()} for _ in range(120)))
    async with at_twin() as connector:
        await connector.read(by_id(*ids), ())
    assert hub.spent == 2


async def test_with_history_a_batch_has_fifty(twin: Any, at_twin: Opener, hub: Any) -> None:
    ids = twin.plant(*({"email": twin.address(), "firstname": "Ada"} for _ in range(51)))
    async with at_twin() as connector:
        found = await connector.read(by_id(*ids), ("firstname",), ("firstname",))
    assert hub.spent == 2
    assert all(one.history["firstname"][0].value == "Ada" for one in found)


async def test_history_is_newest_first_and_says_who_and_whether_it_was_us(twin: Any, at_twin: Opener) -> None:
    address = twin.address()
    (contact_id,) = twin.plant({"email": address, "firstname": "Ada"}, source="FORM")
    twin.plant({"email": address, "firstname": "Eda"}, source="CRM_UI")
    twin.call("PATCH", f"/crm/objects/2026-09/contacts/{contact_id}", {"properties": {"firstname": "Ida"}})
    async with at_twin() as connector:
        (found,) = await connector.read(by_id(contact_id), (), ("firstname",))
    written = found.history["firstname"]
    assert [one.value for one in written] == ["Ida", "Eda", "Ada"]
    assert [one.origin for one in written] == [Origin.INTEGRATION, Origin.PERSON, Origin.FORM]
    assert [one.ours for one in written] == [True, False, False]


async def test_a_contact_is_found_by_an_address_in_any_case(twin: Any, at_twin: Opener) -> None:
    address = twin.address()
    (contact_id,) = twin.plant({"email": address})
    async with at_twin() as connector:
        found = await connector.read([Ref(by="email", value=f" {address.upper()}"), Ref(by="email", value=" ")], ())
    assert [one.id for one in found] == [contact_id, None]


async def test_an_additional_address_leads_to_its_contact(twin: Any, at_twin: Opener) -> None:
    first, second = twin.address(), twin.address()
    primary, loser = twin.plant({"email": first}, {"email": second})
    survivor = twin.merge(primary, loser)
    async with at_twin() as connector:
        (found,) = await connector.read([Ref(by="email", value=second)], ())
    assert (found.id, found.email) == (survivor, first)


async def test_an_id_that_a_merge_ended_comes_with_the_present_one(twin: Any, at_twin: Opener) -> None:
    primary, loser = twin.new(firstname="Ada"), twin.new()
    survivor = twin.merge(primary, loser)
    async with at_twin() as connector:
        found = await connector.read(by_id(primary, loser), ("firstname",))
    assert [(one.id, one.fields["firstname"]) for one in found] == [(survivor, "Ada")] * 2


async def test_a_deleted_contact_is_archived_and_not_absent(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    twin.call("DELETE", f"/crm/objects/2026-09/contacts/{contact_id}")
    async with at_twin() as connector:
        (found,) = await connector.read(by_id(contact_id), ())
    assert (found.id, found.presence) == (contact_id, Presence.ARCHIVED)


async def test_what_cannot_be_an_id_is_absent_and_spoils_no_batch(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    async with at_twin() as connector:
        found = await connector.read(by_id("ada", "²", contact_id), ())
    assert [one.presence for one in found] == [Presence.ABSENT, Presence.ABSENT, Presence.PRESENT]


async def test_a_reference_hubspot_does_not_keep_is_refused(at_twin: Opener) -> None:
    async with at_twin() as connector:
        with pytest.raises(RejectedError, match="unknown-reference"):
            await connector.read([Ref(by="peer_id", value="1")], ())


# --- scripted: what the twin does not do -------------------------------------------------------------------------------


def contact(contact_id: str, **properties: str | None) -> dict[str, Any]:
    return {"id": contact_id, "properties": properties, "createdAt": "2026-11-01T00:00:00Z", "archived": False}


def no_such(*names: str) -> dict[str, Any]:
    errors = [{"message": "no", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": [name]}} for name in names]
    return {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "errors": errors}


async def test_a_field_the_portal_does_not_know_is_dropped_and_told_once(
    script: Any, scripted: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "stellwerk.test")
    script.add(400, no_such("gone")).add(200, {"results": [contact("7", firstname="Ada")]})
    async with scripted() as connector:
        for _ in range(2):
            (found,) = await connector.read(by_id("7"), ("firstname", "gone"), ("gone",))
            assert found.fields == {"firstname": "Ada"}
    asked = [body["properties"] for body in script.bodies()]
    assert ["gone" in properties for properties in asked] == [True, False, False]
    assert [record.levelno for record in caplog.records if "gone" in record.getMessage()] == [logging.DEBUG]


PROPERTIES = {"results": [{"name": "company", "type": "string"}, {"name": "email", "type": "string"}]}


@pytest.mark.parametrize("by", ["batch", "single"])
async def test_what_an_answer_does_not_show_is_looked_up_once_and_counts_as_blank_only_where_it_is_a_field(
    script: Any, scripted: Opener, by: str
) -> None:
    if by == "batch":
        script.add(200, {"results": [contact("7", email="a@x.example")]}).add(200, PROPERTIES)
    else:
        script.add(200, {"results": []}).add(200, contact("7", email="a@x.example")).add(200, PROPERTIES)
    script.add(200, {"results": [contact("7", email="a@x.example")]})
    async with scripted() as connector:
        (first,) = await connector.read(by_id("7"), ("company", "gone"))
        (second,) = await connector.read(by_id("7"), ("company", "gone"))
    assert first.fields == second.fields == {"company": None}
    assert sum(request.url.path.endswith("/properties/2026-09/contacts") for request in script.asked) == 1


async def test_a_property_that_was_archived_is_told_apart_from_one_that_is_blank(twin: Any, at_twin: Opener) -> None:
    name = f"size_{twin.address().partition('.')[2].partition('@')[0]}"
    definition = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    twin.call("POST", "/crm/properties/2026-09/contacts", definition)
    full, blank = twin.plant({"email": twin.address(), name: "42"}, {"email": twin.address()})
    async with at_twin() as connector:
        before = await connector.read(by_id(full, blank), (name,))
    twin.call("DELETE", f"/crm/properties/2026-09/contacts/{name}")
    async with at_twin() as connector:
        after = await connector.read(by_id(full, blank), (name, "firstname"))
    assert [one.fields for one in before] == [{name: "42"}, {name: None}]
    assert [one.fields for one in after] == [{"firstname": None}] * 2


async def test_a_single_read_drops_an_unknown_field_too(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": []}).add(400, no_such("gone")).add(200, contact("8"))
    async with scripted() as connector:
        (found,) = await connector.read(by_id("7"), ("gone",))
    assert (found.id, found.fields) == ("8", {})


async def test_a_refusal_that_names_nothing_of_ours_is_not_tried_for_ever(script: Any, scripted: Opener) -> None:
    script.add(400, no_such("email"))
    async with scripted() as connector:
        with pytest.raises(RejectedError, match="unknown-field"):
            await connector.read(by_id("7"), ("firstname",))
    assert len(script.asked) == 1


async def test_a_history_without_a_time_makes_the_answer_unreadable(script: Any, scripted: Opener) -> None:
    history = {"propertiesWithHistory": {"x": [{"value": "1", "timestamp": "soon"}]}}
    script.add(200, {"results": [contact("7") | history]})
    async with scripted() as connector:
        with pytest.raises(RetryableError, match="unreadable-answer"):
            await connector.read(by_id("7"), (), ("x",))


async def test_the_portals_own_opt_out_is_read(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": [contact("7", hs_email_optout="true")]})
    async with scripted() as connector:
        (found,) = await connector.read(by_id("7"), ())
    assert found.opted_out


async def test_a_read_asks_for_no_more_than_it_must(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": [contact("7", company=None)]})
    async with scripted() as connector:
        await connector.read(by_id("7", "7"), ("company", "company"))
    (body,) = script.bodies()
    assert body["inputs"] == [{"id": "7"}]
    assert sorted(body["properties"]) == [
        "company",
        "createdate",
        "email",
        "hs_additional_emails",
        "hs_email_optout",
        "hs_merged_object_ids",
        "hs_object_source",
        "lastmodifieddate",
        "lifecyclestage",
    ]
    assert body["propertiesWithHistory"] == []


async def test_a_contact_tells_whom_it_took_in_and_its_secondary_addresses(script: Any, scripted: Opener) -> None:
    found = contact(
        "9",
        email="ada@example.com",
        hs_merged_object_ids="7;8;9",
        hs_additional_emails="eve@example.com;ada@example.com",
    )
    script.add(200, {"results": [found]})
    async with scripted() as connector:
        (ada,) = await connector.read(by_id("9"), ())
    assert (ada.also_ids, ada.also_emails) == (("7", "8"), ("eve@example.com",))


async def test_the_history_of_the_address_tells_who_wrote_it(script: Any, scripted: Opener) -> None:
    entry = {"value": "ada@example.com", "timestamp": "2026-11-24T12:00:00Z", "sourceType": "FORM"}
    found = contact("9", email="ada@example.com") | {"propertiesWithHistory": {"email": [entry]}}
    script.add(200, {"results": [found]})
    async with scripted() as connector:
        (ada,) = await connector.read(by_id("9"), (), (ADDRESS,))
    (body,) = script.bodies()
    assert body["propertiesWithHistory"] == ["email"]
    assert [one.origin for one in ada.history[ADDRESS]] == [Origin.FORM]


async def test_what_a_merge_wrote_nobody_said(script: Any, scripted: Opener) -> None:
    entry = {"value": "true", "timestamp": "2026-11-24T12:00:00Z", "sourceType": "MERGE_OBJECTS"}
    found = contact("9", company="x") | {"propertiesWithHistory": {"company": [entry]}}
    script.add(200, {"results": [found]})
    async with scripted() as connector:
        (ada,) = await connector.read(by_id("9"), ("company",), ("company",))
    assert [one.origin for one in ada.history["company"]] == [Origin.MERGE]

"""Stages and fields as the portal has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stellwerk.sdk import RejectedError
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.wire import EPOCH, clock

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio


async def test_stages_come_in_the_portals_order(at_twin: Opener) -> None:
    async with at_twin() as connector:
        stages = await connector.options("stages")
    assert [stage.value for stage in stages][:3] == ["subscriber", "lead", "marketingqualifiedlead"]
    assert stages[2].label == "Marketing Qualified Lead"


@pytest.mark.behaviour("stage-own")
async def test_a_stage_of_the_portals_own_has_its_place_and_a_hidden_one_is_not_active(
    script: Any, scripted: Opener
) -> None:
    options = [
        {"label": "Customer", "value": "customer", "displayOrder": 2},
        {"label": "Fan", "value": "98765", "displayOrder": 0},
        {"label": "Old", "value": "old", "displayOrder": 1, "hidden": True},
    ]
    definition = {"name": "lifecyclestage", "label": "L", "type": "enumeration", "fieldType": "radio"}
    script.add(200, definition | {"options": options})
    async with scripted() as connector:
        stages = await connector.options("stages")
    assert [(one.value, one.label, one.active) for one in stages] == [
        ("98765", "Fan", True),
        ("old", "Old", False),
        ("customer", "Customer", True),
    ]


async def test_a_list_hubspot_does_not_have_is_refused(at_twin: Opener) -> None:
    async with at_twin() as connector:
        with pytest.raises(RejectedError, match="stages"):
            await connector.options("mailings")


async def test_fields_have_the_kind_that_values_come_in(at_twin: Opener) -> None:
    async with at_twin() as connector:
        kinds = {spec.name: spec.kind for spec in await connector.fields()}
    assert (kinds["firstname"], kinds["createdate"], kinds["hs_email_optout"]) == ("text", "time", "yes_no")
    assert (kinds["hs_object_id"], kinds["lifecyclestage"]) == ("number", "text")


async def test_what_hubspot_keeps_for_itself_or_guards_is_not_suggested(script: Any, scripted: Opener) -> None:
    plain = {"name": "shoe", "label": "Shoe", "type": "string", "fieldType": "text"}
    held_back = [
        {"hidden": True}, {"calculated": True}, {"modificationMetadata": {"readOnlyValue": True}}, {"hasUniqueValue": True},
        {"externalOptions": True}, {"dataSensitivity": "highly_sensitive"}, {"fieldType": "file"},
        {"name": "hs_legal_basis"}, {"name": "email"}, {"name": "lifecyclestage"},
    ]  # fmt: skip
    script.add(200, {"results": [plain, *(plain | one for one in held_back)]})
    async with scripted() as connector:
        first, *others = await connector.fields()
    assert first.suggested
    assert [one.name for one in others if one.suggested] == []


async def test_the_choices_of_a_property_are_its_visible_options(script: Any, scripted: Opener) -> None:
    options = [{"label": "Red", "value": "red"}, {"label": "Old", "value": "old", "hidden": True}]
    one = {"name": "colour", "label": "Colour", "type": "enumeration", "fieldType": "select", "options": options}
    yes_no = one | {"name": "vip", "type": "bool", "fieldType": "booleancheckbox"}
    script.add(200, {"results": [one, one | {"fieldType": "checkbox"}, yes_no]})
    async with scripted() as connector:
        found = await connector.fields()
    assert [(one.choices, one.separator) for one in found] == [(("red",), None), (("red",), ";"), ((), None)]


async def test_contacts_are_counted_by_when_they_were_created(twin: Any, at_twin: Opener) -> None:
    twin.new()
    last = max(clock(one["properties"]["createdate"]) or EPOCH for one in twin.contacts())
    await asyncio.sleep(0.005)
    twin.plant(*({"email": twin.address()} for _ in range(3)))
    async with at_twin() as connector:
        assert await connector.created_since(last + timedelta(milliseconds=1)) == 3
        assert await connector.created_since(EPOCH) == len(twin.contacts())
        assert await connector.created_since(datetime.now(UTC) + timedelta(hours=1)) == 0


async def test_the_contacts_created_last_are_named_newest_first(twin: Any, at_twin: Opener) -> None:
    planted: list[str] = []
    for _ in range(3):
        await asyncio.sleep(0.005)
        planted.append(twin.new())
    async with at_twin() as connector:
        assert list(await connector.newest(2)) == [planted[2], planted[1]]
        assert list(await connector.newest(100))[:3] == planted[::-1]

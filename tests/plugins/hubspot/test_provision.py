"""Properties and their group, created once and compared ever after (section 6)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import pytest

from stellwerk.sdk import FieldSpec, ReauthorizeError, Wanted
from stellwerk_hubspot.connector import HubspotConnector

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
Kind = Literal["text", "yes_no", "permission", "status", "time", "number", "integer", "date"]
pytestmark = pytest.mark.anyio
PROPERTIES = "/crm/properties/2026-09/contacts"
KINDS: tuple[Kind, ...] = ("text", "yes_no", "permission", "status", "time", "number", "integer", "date")


@pytest.fixture
def prefix(twin: Any) -> str:
    """A name no other test uses."""
    return f"p{next(twin.numbers)}"


def wanted(prefix: str, *kinds: Kind, on_forms: bool | None = None) -> Wanted:
    created = tuple(
        FieldSpec(name=f"{prefix}_{kind}", kind=kind, label=f"{prefix} {kind}", on_forms=on_forms) for kind in kinds
    )
    return Wanted(group=(prefix, f"Group {prefix}"), created=created)


def made(twin: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = twin.call("GET", f"{PROPERTIES}/{name}")
    return found


@pytest.mark.behaviour("fields-created")
async def test_each_kind_is_made_as_hubspot_has_it(twin: Any, at_twin: Opener, prefix: str) -> None:
    async with at_twin() as connector:
        assert await connector.provide(wanted(prefix, *KINDS)) == []
    shapes = {
        kind: (made(twin, f"{prefix}_{kind}")["type"], made(twin, f"{prefix}_{kind}")["fieldType"]) for kind in KINDS
    }
    assert shapes == {
        "text": ("string", "text"),
        "yes_no": ("bool", "booleancheckbox"),
        "permission": ("enumeration", "select"),
        "status": ("enumeration", "select"),
        "time": ("datetime", "date"),
        "number": ("number", "number"),
        "integer": ("number", "number"),
        "date": ("date", "date"),
    }


async def test_options_groups_labels_and_forms_are_as_wanted(twin: Any, at_twin: Opener, prefix: str) -> None:
    async with at_twin() as connector:
        await connector.provide(wanted(prefix, "permission", "status", "yes_no"))
    permission, status, answer = (made(twin, f"{prefix}_{kind}") for kind in ("permission", "status", "yes_no"))
    assert [one["value"] for one in permission["options"]] == [
        "none", "single", "confirmed", "double", "double_plus", "other",
    ]  # fmt: skip
    assert [one["value"] for one in status["options"]] == [
        "pending", "subscribed", "not_subscribed", "unsubscribed", "blocked", "held", "error",
    ]  # fmt: skip
    assert [one["displayOrder"] for one in permission["options"]] == [0, 1, 2, 3, 4, 5]
    assert [(one["value"], one["label"]) for one in answer["options"]] == [("true", "Yes"), ("false", "No")]
    assert (permission["groupName"], permission["label"]) == (prefix, f"{prefix} permission")
    assert twin.call("GET", f"{PROPERTIES}/groups/{prefix}")["label"] == f"Group {prefix}"
    assert (permission["formField"], status["formField"], answer["formField"]) == (True, False, True)


@pytest.mark.parametrize("on_forms", [True, False])
async def test_a_field_may_say_itself_whether_forms_have_it(
    twin: Any, at_twin: Opener, prefix: str, on_forms: bool
) -> None:
    async with at_twin() as connector:
        await connector.provide(wanted(prefix, "permission", "status", on_forms=on_forms))
    assert [made(twin, f"{prefix}_{kind}")["formField"] for kind in ("permission", "status")] == [on_forms] * 2


async def test_a_second_time_nothing_is_written(twin: Any, at_twin: Opener, prefix: str) -> None:
    async with at_twin() as connector:
        await connector.provide(wanted(prefix, *KINDS))
        before = len(twin.requests())
        assert await connector.provide(wanted(prefix, *KINDS)) == []
    assert {request["method"] for request in twin.requests()[before:]} == {"GET"}


async def test_missing_options_are_added_and_the_portals_own_stay(twin: Any, at_twin: Opener, prefix: str) -> None:
    option = {"label": "Mine", "value": "mine", "displayOrder": 3}
    twin.call("POST", f"{PROPERTIES}/groups", {"name": prefix, "label": f"Group {prefix}"})
    body = {"name": f"{prefix}_status", "label": "S", "type": "enumeration", "fieldType": "select", "groupName": prefix}
    twin.call("POST", PROPERTIES, body | {"options": [option, {"label": "Held", "value": "held", "displayOrder": 4}]})
    async with at_twin() as connector:
        assert await connector.provide(wanted(prefix, "status")) == []
    values = [one["value"] for one in made(twin, f"{prefix}_status")["options"]]
    assert values == ["mine", "held", "pending", "subscribed", "not_subscribed", "unsubscribed", "blocked", "error"]


async def test_an_adopted_field_is_opened_to_forms(twin: Any, at_twin: Opener, prefix: str) -> None:
    twin.call("POST", f"{PROPERTIES}/groups", {"name": prefix, "label": f"Group {prefix}"})
    body = {"name": f"{prefix}_text", "label": "T", "type": "string", "fieldType": "textarea", "groupName": prefix}
    twin.call("POST", PROPERTIES, body)
    async with at_twin() as connector:
        assert await connector.provide(wanted(prefix, "text")) == []
    assert made(twin, f"{prefix}_text")["formField"] is True


@pytest.mark.behaviour("fields-created")
async def test_another_type_is_told_and_left_alone(twin: Any, at_twin: Opener, prefix: str) -> None:
    twin.call("POST", f"{PROPERTIES}/groups", {"name": prefix, "label": f"Group {prefix}"})
    body = {"name": f"{prefix}_yes_no", "label": "T", "type": "string", "fieldType": "text", "groupName": prefix}
    twin.call("POST", PROPERTIES, body)
    async with at_twin() as connector:
        (difference,) = await connector.provide(wanted(prefix, "yes_no"))
    assert (difference.code, difference.subject) == ("field-type-differs", f"{prefix}_yes_no")
    assert made(twin, f"{prefix}_yes_no")["type"] == "string"


async def test_an_archived_field_that_comes_back_is_compared(twin: Any, at_twin: Opener, prefix: str) -> None:
    twin.call("POST", f"{PROPERTIES}/groups", {"name": prefix, "label": f"Group {prefix}"})
    body = {"name": f"{prefix}_date", "label": "T", "type": "string", "fieldType": "text", "groupName": prefix}
    twin.call("POST", PROPERTIES, body)
    twin.call("DELETE", f"{PROPERTIES}/{prefix}_date")
    async with at_twin() as connector:
        (difference,) = await connector.provide(wanted(prefix, "date"))
    assert difference.code == "field-type-differs"


async def test_a_group_with_another_label_is_told(twin: Any, at_twin: Opener, prefix: str) -> None:
    twin.call("POST", f"{PROPERTIES}/groups", {"name": prefix, "label": "Other"})
    async with at_twin() as connector:
        (difference,) = await connector.provide(wanted(prefix, "text"))
    assert (difference.code, difference.subject) == ("group-label-differs", prefix)


async def test_hubspots_own_field_that_cannot_be_changed_is_told(at_twin: Opener) -> None:
    created = (FieldSpec(name="hs_email_optout", kind="yes_no"), FieldSpec(name="hs_language", kind="permission"))
    async with at_twin() as connector:
        differences = await connector.provide(Wanted(created=created))
    assert [one.code for one in differences] == ["field-read-only", "field-not-mended"]


async def test_a_field_without_a_group_goes_to_the_contacts_own(twin: Any, at_twin: Opener, prefix: str) -> None:
    async with at_twin() as connector:
        assert await connector.provide(Wanted(created=(FieldSpec(name=f"{prefix}_text"),))) == []
    found = made(twin, f"{prefix}_text")
    assert (found["groupName"], found["label"]) == ("contactinformation", f"{prefix}_text")


async def test_a_used_field_that_is_missing_is_told_and_not_made(twin: Any, at_twin: Opener, prefix: str) -> None:
    used = (FieldSpec(name="firstname"), FieldSpec(name=f"{prefix}_nowhere"))
    async with at_twin() as connector:
        (difference,) = await connector.provide(Wanted(used=used))
    assert (difference.code, difference.subject) == ("field-missing", f"{prefix}_nowhere")


async def test_a_name_hubspot_would_refuse_is_told(at_twin: Opener, prefix: str) -> None:
    async with at_twin() as connector:
        (difference,) = await connector.provide(Wanted(created=(FieldSpec(name="Not Good"),)))
    assert (difference.code, difference.subject) == ("field-name", "Not Good")


async def test_a_provided_field_is_written_again_after_it_was_unknown(twin: Any, at_twin: Opener, prefix: str) -> None:
    async with at_twin() as connector:
        connector.unknown.add(f"{prefix}_text")
        await connector.provide(wanted(prefix, "text"))
        assert connector.unknown == set()


# --- scripted ----------------------------------------------------------------------------------------------------------

STRING = {"name": "x", "label": "X", "type": "string", "fieldType": "text", "formField": True}


async def test_what_somebody_else_made_meanwhile_is_compared(script: Any, scripted: Opener) -> None:
    script.add(404).add(409).add(200, {"name": "g", "label": "Other"})
    script.add(200, {"results": []}).add(409).add(200, STRING | {"type": "number"})
    async with scripted() as connector:
        differences = await connector.provide(Wanted(group=("g", "G"), created=(FieldSpec(name="x"),)))
    assert [one.code for one in differences] == ["group-label-differs", "field-type-differs"]


async def test_a_portal_that_is_full_is_told(script: Any, scripted: Opener) -> None:
    script.add(200, {"results": []}).add(400, {"message": "At most 1000"})
    async with scripted() as connector:
        (difference,) = await connector.provide(Wanted(created=(FieldSpec(name="x"),)))
    assert (difference.code, difference.subject) == ("field-refused", "x")


async def test_a_missing_scope_is_an_error_and_no_difference(script: Any, scripted: Opener) -> None:
    script.add(403, {"category": "MISSING_SCOPES"})
    async with scripted() as connector:
        with pytest.raises(ReauthorizeError):
            await connector.provide(Wanted(created=(FieldSpec(name="x"),)))

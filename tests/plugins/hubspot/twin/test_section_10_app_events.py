"""Section 10: app events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any

import pytest

from stellwerk_hubspot.twin.project import ProjectError, load

pytestmark = pytest.mark.anyio
BASE = "/integrators/timeline/2026-09"
NAMES = "/integrators/timeline/2026-03/types/projects"
APP, TYPE = "src/app/app-hsmeta.json", "src/app/app-events/entry-hsmeta.json"
EVENT_TYPE = {
    "uid": "told",
    "type": "app-event",
    "config": {
        "name": "Told",
        "objectType": "CONTACT",
        "headerTemplate": "{{text}}",
        "detailTemplate": "{{kind}}",
        "properties": [
            {"name": "text", "label": "Text", "type": "string"},
            {"name": "number", "label": "Number", "type": "number"},
            {"name": "kind", "label": "Kind", "type": "enumeration", "options": [{"label": "A", "value": "a"}]},
        ],
    },
}
NAME = {"projectName": "stellwerk", "developerSymbol": "told"}


@pytest.fixture
def files(files: dict[str, Any]) -> dict[str, Any]:
    """A project of the marketplace with one event type."""
    config = files[APP]["config"]
    config["distribution"] = "marketplace"
    config["auth"]["requiredScopes"] = [*config["auth"]["requiredScopes"], "timeline"]
    return {**files, TYPE: deepcopy(EVENT_TYPE)}


@pytest.fixture
async def listed(start: Callable[..., Awaitable[Any]]) -> Any:
    """A twin with the marketplace's app installed."""
    world = await start(connected=False)
    code = await world.code(scope=f"{world.scopes} timeline")
    world.api.headers["authorization"] = f"Bearer {(await world.redeem(code)).json()['access_token']}"
    return world


async def named(world: Any) -> str:
    answer = await world.api.post(NAMES, json=NAME)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["fullyQualifiedName"])


async def occurrence(world: Any, **more: Any) -> dict[str, Any]:
    number = await world.create(email="ada@example.com")
    return {"eventTypeName": await named(world), "id": "e1", "objectId": number, "properties": {"text": "x"}, **more}


async def shown(world: Any) -> list[dict[str, Any]]:
    contacts = (await world.control.get("/portals/4711/contacts")).json()["contacts"]
    return [event for contact in contacts for event in contact["app_events"]]


async def test_section_10_an_event_is_sent_and_its_id_counts_once(listed: Any) -> None:
    event = await occurrence(listed)
    first = await listed.api.post(f"{BASE}/events", json=event)
    again = await listed.api.post(f"{BASE}/events", json=event)
    assert (first.status_code, again.status_code) == (201, 409)
    assert [(one["id"], one["properties"]) for one in await shown(listed)] == [("e1", {"text": "x"})]


@pytest.mark.parametrize("name", [{"projectName": "other"}, {"developerSymbol": "other"}])
async def test_section_10_an_unknown_type_has_no_full_name(listed: Any, name: dict[str, str]) -> None:
    assert (await listed.api.post(NAMES, json={**NAME, **name})).status_code == 404


async def test_section_10_full_names_are_known_of_one_version_alone(listed: Any) -> None:
    assert (await listed.api.post(NAMES, json=NAME)).status_code == 200
    assert (await listed.api.post(f"{BASE}/types/projects", json=NAME)).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"eventTypeName": "nothing"},
        {"id": ""},
        {"objectId": "999999999"},
        {"properties": {"unknown": "x"}},
        {"properties": {"number": "many"}},
        {"properties": {"kind": "b"}},
        {"timestamp": "soon"},
        {"surprise": 1},
    ],
)
async def test_section_10_what_a_type_does_not_know_is_400(listed: Any, change: dict[str, Any]) -> None:
    event = await occurrence(listed, **change)
    assert (await listed.api.post(f"{BASE}/events", json=event)).status_code == 400
    assert await shown(listed) == []


async def test_section_10_one_bad_row_rejects_the_whole_batch(listed: Any) -> None:
    event = await occurrence(listed)
    bad = {**event, "id": "e2", "properties": {"unknown": "x"}}
    assert (await listed.api.post(f"{BASE}/events/batch", json={"inputs": [event, bad]})).status_code == 400
    assert await shown(listed) == []
    good = {**bad, "properties": {"kind": "a"}}
    assert (await listed.api.post(f"{BASE}/events/batch", json={"inputs": [event, good]})).status_code == 200
    assert (
        await listed.api.post(f"{BASE}/events/batch", json={"inputs": [{**good, "id": "e3"}, event]})
    ).status_code == 409
    assert len(await shown(listed)) == 2


async def test_section_10_a_merge_takes_events_along_and_an_erasure_ends_them(listed: Any) -> None:
    event = await occurrence(listed)
    await listed.api.post(f"{BASE}/events", json=event)
    other = await listed.create(email="eve@example.com")
    body = {"primaryObjectId": other, "objectIdToMerge": event["objectId"]}
    merged = (await listed.api.post(f"{listed.contacts}/merge", json=body)).json()["id"]
    assert len(await shown(listed)) == 1
    await listed.api.post(f"{BASE}/events", json={**event, "id": "e2"})
    assert len(await shown(listed)) == 2
    await listed.api.post(f"{listed.contacts}/gdpr-delete", json={"objectId": merged})
    assert await shown(listed) == []


async def test_section_10_an_app_that_is_not_approved_may_not(listed: Any) -> None:
    event = await occurrence(listed)
    await listed.control.post("/settings", json={"app_events_approved": False})
    assert (await listed.api.post(f"{BASE}/events", json=event)).status_code == 403
    assert (await listed.api.post(NAMES, json=NAME)).status_code == 403


async def test_section_4_app_events_need_their_scope(world: Any) -> None:
    answer = await world.api.post(NAMES, json=NAME)
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")


@pytest.fixture
async def world(start: Callable[..., Awaitable[Any]], files: dict[str, Any]) -> Any:
    """A twin whose app is private, as most are."""
    files[APP]["config"]["distribution"] = "private"
    files[APP]["config"]["auth"]["requiredScopes"].remove("timeline")
    del files[TYPE]
    return await start()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f[APP]["config"].update(distribution="private"), "marketplace"),
        (lambda f: f[APP]["config"]["auth"]["requiredScopes"].remove("timeline"), "timeline"),
        (lambda f: f[TYPE].update(uid="x" * 65), "uid"),
        (lambda f: f[TYPE]["config"].update(objectType="DEAL"), "objectType"),
        (lambda f: f[TYPE]["config"].update(surprise=1), "surprise"),
        (lambda f: f[TYPE]["config"]["properties"].append({"name": "text", "label": "x", "type": "string"}), "twice"),
        (
            lambda f: f[TYPE]["config"]["properties"].append({"name": "e", "label": "x", "type": "enumeration"}),
            "options",
        ),
        (lambda f: f.update({TYPE.replace("entry", "other"): f[TYPE]}), "uid"),
    ],
)
def test_section_10_a_bad_event_type_is_refused_with_file_and_reason(
    files: dict[str, Any], write: Any, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    change(files)
    with pytest.raises(ProjectError, match=words):
        load(write(files))

"""Setting an account up: custom fields and webhooks (reference, sections 5.2 and 10.1)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.sdk import FieldSpec, Hook, ReauthorizeError, RetryableError, Wanted
from stellwerk_maileon import hooks

pytestmark = pytest.mark.anyio

FIELDS = "/contacts/fields/custom"
BASE = "https://hub.example/stellwerk/webhooks/maileon"
HOOKS = tuple(Hook(topic=topic, url=f"{BASE}/secret-2/{topic}") for topic in ("doi", "unsubscription"))


def listed(**types: str) -> str:
    rows = "".join(f"<custom_field><name>{n}</name><type>{t}</type></custom_field>" for n, t in types.items())
    return f"<custom_fields>{rows}</custom_fields>"


MARK = {"Stellwerk Ask": "string"}


def stored(number: int, url: str, event: str, fields: list[str] | None = None) -> dict[str, Any]:
    return {"id": number, "url": url, "event": event, "standardFields": fields or ["email", "external_id"]}


def webhooks(canned: Any, *existing: dict[str, Any]) -> None:
    canned.on("GET", FIELDS, body=listed(**MARK))
    canned.on("GET", "/webhooks", body=msgspec.json.encode(existing), media="application/json")
    canned.on("POST", "/webhooks", 201, "<id>1915</id>")
    for hook in existing:
        canned.on("PUT", f"/webhooks/{hook['id']}")
        canned.on("DELETE", f"/webhooks/{hook['id']}", 204)


async def provide(canned: Any, *used: FieldSpec, hooked: bool = False) -> Any:
    async with canned.open() as connector:
        return await connector.provide(Wanted(used=used, hooks=HOOKS if hooked else ()))


# --- fields


@pytest.mark.behaviour("fields-created")
async def test_missing_custom_fields_are_created_with_their_types_and_the_marks_field_always(canned: Any) -> None:
    canned.on("GET", FIELDS, body=listed(Position="string"))
    kinds = {"Is Customer": "yes_no", "Since": "date", "Score": "number", "Count": "integer", "Seen": "time"}
    for name in (*kinds, "Stellwerk Ask"):
        canned.on("POST", f"{FIELDS}/{name.replace(' ', '%20')}", 201)
    used = [msgspec.convert({"name": f"custom:{name}", "kind": kind}, FieldSpec) for name, kind in kinds.items()]
    assert await provide(canned, FieldSpec(name="custom:Position"), FieldSpec(name="FIRSTNAME"), *used) == []
    created = {request.url.path.rpartition("/")[2]: request.url.params["type"] for request in canned.asked[1:]}
    assert created == {
        "Stellwerk Ask": "string",
        "Is Customer": "boolean",
        "Since": "date",
        "Score": "float",
        "Count": "integer",
        "Seen": "string",
    }


async def test_a_second_run_writes_nothing(canned: Any) -> None:
    canned.on("GET", FIELDS, body=listed(Position="string", **MARK))
    assert await provide(canned, FieldSpec(name="custom:Position")) == []
    assert canned.calls() == ["GET /contacts/fields/custom"]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (FieldSpec(name="custom:Position", kind="yes_no"), "field-type-differs"),
        (FieldSpec(name="PHONE"), "field-unknown"),
        (FieldSpec(name="custom:ab"), "field-name-impossible"),
        (FieldSpec(name="custom:Firstname"), "field-name-impossible"),
    ],
)
async def test_what_cannot_be_as_wanted_is_told(canned: Any, spec: FieldSpec, code: str) -> None:
    canned.on("GET", FIELDS, body=listed(Position="string", **MARK))
    (difference,) = await provide(canned, spec)
    assert (difference.code, difference.subject) == (code, spec.name)


async def test_a_field_that_somebody_created_in_between_is_there(canned: Any) -> None:
    canned.on("GET", FIELDS, body=listed(**MARK))
    canned.on("POST", f"{FIELDS}/Position", 400)
    canned.on("GET", FIELDS, body=listed(Position="string", **MARK))
    assert await provide(canned, FieldSpec(name="custom:Position")) == []


async def test_a_field_that_maileon_refuses_is_told_with_its_reason(canned: Any) -> None:
    canned.on("GET", FIELDS, body=listed(**MARK))
    canned.on("POST", f"{FIELDS}/Position", 400, "<error><message>too many fields</message></error>")
    (difference,) = await provide(canned, FieldSpec(name="custom:Position"))
    assert (difference.code, difference.text) == ("field-not-created", "too many fields")


# --- webhooks


async def test_both_webhooks_are_registered_with_what_they_shall_bring(canned: Any) -> None:
    webhooks(canned)
    assert await provide(canned, hooked=True) == []
    bodies = [msgspec.json.decode(request.content) for request in canned.asked if request.method == "POST"]
    assert [(body["event"], body["url"]) for body in bodies] == [(hook.topic, hook.url) for hook in HOOKS]
    assert all(body["standardFields"] == ["email", "external_id"] for body in bodies)
    assert [body["eventFields"] for body in bodies] == [[], ["msg_id", "method", "timestamp"]]


async def test_registered_webhooks_are_reused(canned: Any) -> None:
    webhooks(canned, *(stored(number, hook.url, hook.topic) for number, hook in enumerate(HOOKS)))
    assert await provide(canned, hooked=True) == []
    assert all(request.method == "GET" for request in canned.asked)


async def test_a_webhook_set_up_by_hand_without_what_we_need_is_completed(canned: Any) -> None:
    webhooks(canned, stored(1, HOOKS[0].url, "doi", ["email"]), stored(2, HOOKS[1].url, "unsubscription"))
    assert await provide(canned, hooked=True) == []
    assert [call for call in canned.calls() if not call.startswith("GET")] == ["PUT /webhooks/1"]


async def test_doubles_of_ours_are_removed(canned: Any) -> None:
    webhooks(canned, *(stored(number, HOOKS[0].url, "doi") for number in (1, 2, 3)))
    await provide(canned, hooked=True)
    assert [call for call in canned.calls() if call.startswith("DELETE")] == [
        "DELETE /webhooks/2",
        "DELETE /webhooks/3",
    ]


async def test_older_ones_of_ours_are_removed_after_the_new_ones_stand(canned: Any) -> None:
    webhooks(canned, stored(1, f"{BASE}/secret-1/doi", "doi"))
    assert await provide(canned, hooked=True) == []
    writes = [call for call in canned.calls() if not call.startswith("GET")]
    assert writes == ["POST /webhooks", "POST /webhooks", "DELETE /webhooks/1"]


@pytest.mark.behaviour("watches-foreign")
async def test_foreign_webhooks_are_named_by_host_and_left_alone(canned: Any) -> None:
    webhooks(
        canned,
        stored(1, "https://shop.example/webhooks/maileon/their-secret/doi", "doi"),
        stored(2, "https://crm.example/hook?token=their-secret", "bounce"),
        stored(3, "not a url", ""),
    )
    differences = await provide(canned, hooked=True)
    (foreign,) = differences
    assert (foreign.code, foreign.subject) == ("foreign-webhook", "webhooks")
    assert foreign.text == (
        "Others hear of this account too: 1 for doi calls another hub like this one at shop.example; "
        "2 for bounce calls crm.example; 3 for an unnamed event calls an address that cannot be read."
    )
    assert "their-secret" not in repr(differences)
    assert not [call for call in canned.calls() if call.startswith("DELETE")]


async def test_a_webhook_of_ours_for_another_event_is_neither_removed_nor_foreign(canned: Any) -> None:
    webhooks(canned, stored(1, f"{BASE}/secret-1/bounce", "bounce"))
    assert await provide(canned, hooked=True) == []
    assert not [call for call in canned.calls() if call.startswith("DELETE")]


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_an_account_without_webhooks_is_told_to_set_them_up_by_hand(canned: Any, status: int) -> None:
    canned.on("GET", FIELDS, body=listed(**MARK))
    canned.on("GET", "/webhooks", status, "<error><message>not enabled</message></error>")
    (difference,) = await provide(canned, hooked=True)
    assert (difference.code, difference.text) == ("webhooks-not-registered", "not enabled")


@pytest.mark.parametrize(("status", "error"), [(401, ReauthorizeError), (503, RetryableError)])
async def test_an_outage_or_a_refused_key_is_no_difference(canned: Any, status: int, error: type[Exception]) -> None:
    canned.on("GET", FIELDS, body=listed(**MARK))
    canned.on("GET", "/webhooks", status)
    with pytest.raises(error):
        await provide(canned, hooked=True)


@pytest.mark.parametrize("body", ["{}", "nonsense", '[{"id": 1}]', '[{"url": "https://x"}]'])
async def test_a_list_that_cannot_be_read_is_for_later(canned: Any, body: str) -> None:
    canned.on("GET", FIELDS, body=listed(**MARK))
    canned.on("GET", "/webhooks", body=body)
    with pytest.raises(RetryableError):
        await provide(canned, hooked=True)


def test_a_list_with_a_nested_body_is_read() -> None:
    body = b'[{"id": 1, "url": "https://x", "event": "doi", "bodySpec": {"standardFields": ["EMAIL", 7]}}]'
    assert hooks.read(body)[0].fields == {"email"}
    assert hooks.read(b'[{"id": 1, "url": "https://x", "bodySpec": 7}]')[0].fields == frozenset()


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"<id>1915</id>", "1915"),
        (b'{"id": 1915}', "1915"),
        (b"1915", "1915"),
        (b"<html/>", None),
        (b"<id/>", None),
        (b"true", None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_the_answer_to_a_registration_is_read_as_xml_or_json(body: bytes, number: str | None) -> None:
    assert hooks.read_id(body) == number


# --- disconnecting


async def disconnect(canned: Any, *ours: Hook) -> Any:
    async with canned.open() as connector:
        return await connector.disconnect(ours)


async def test_disconnecting_removes_every_webhook_of_ours_and_nobody_elses(canned: Any) -> None:
    webhooks(
        canned,
        stored(1, HOOKS[0].url, "doi"),
        stored(2, f"{BASE}/an-older-secret/unsubscription", "unsubscription"),
        stored(3, f"{BASE}/secret-2/bounce", "bounce"),
        stored(4, "https://crm.example/webhooks/maileon/theirs/doi", "doi"),
    )
    assert await disconnect(canned, *HOOKS) == []
    assert [call for call in canned.calls() if call.startswith("DELETE")] == [
        f"DELETE /webhooks/{n}" for n in (1, 2, 3)
    ]


async def test_disconnecting_again_finds_nothing_to_do(canned: Any) -> None:
    webhooks(canned)
    assert await disconnect(canned, *HOOKS) == []
    assert canned.calls() == ["GET /webhooks"]


async def test_disconnecting_a_hub_that_registered_nothing_asks_nobody(canned: Any) -> None:
    assert await disconnect(canned) == []
    assert canned.calls() == []


async def test_a_webhook_that_cannot_be_removed_is_told_and_the_others_go(canned: Any) -> None:
    webhooks(canned, *(stored(number, hook.url, hook.topic) for number, hook in enumerate(HOOKS, 1)))
    canned.replies["DELETE", "/webhooks/1"].clear()
    canned.on("DELETE", "/webhooks/1", 400, "<error><message>in use</message></error>")
    (left,) = await disconnect(canned, *HOOKS)
    assert (left.code, left.subject, left.text) == ("webhooks-not-removed", "1", "in use")
    assert canned.calls()[-1] == "DELETE /webhooks/2"


async def test_an_account_without_webhooks_has_none_to_remove_but_says_so(canned: Any) -> None:
    canned.on("GET", "/webhooks", 404, "<error><message>not enabled</message></error>")
    (left,) = await disconnect(canned, *HOOKS)
    assert (left.code, left.text) == ("webhooks-not-removed", "not enabled")


@pytest.mark.parametrize(("status", "error"), [(401, ReauthorizeError), (503, RetryableError)])
async def test_disconnecting_during_an_outage_is_for_later(canned: Any, status: int, error: type[Exception]) -> None:
    canned.on("GET", "/webhooks", status)
    with pytest.raises(error):
        await disconnect(canned, *HOOKS)

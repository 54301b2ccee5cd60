"""The JSON API: tokens with rights and an end, versions that must match, and nothing of anybody else."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.sdk import FieldSpec
from stellwerk.store import api_tokens, connections, repairs

pytestmark = pytest.mark.anyio


async def token(person: Any, rights: str = "change", name: str = "report") -> str:
    page = await person.open("/access")
    made = await person.post(
        "/access", {"token": page.form.values["token"], "action": "make", "name": name, "rights": rights, "days": "7"}
    )
    assert made.status == 200
    (text,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    assert text.startswith(api_tokens.PREFIX)
    return str(text)


async def call(person: Any, method: str, path: str, text: str, body: Any = None, **headers: str) -> Any:
    sent = {"authorization": f"Bearer {text}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await person.client.request(method, path, headers=sent, json=body)


async def test_a_token_is_shown_once_and_can_be_revoked(person: Any) -> None:
    await person.sets_up()
    text = await token(person)
    page = await person.open("/access")
    assert text not in page.answer.text
    assert "report" in page.text
    assert (await call(person, "GET", "/api/overview", text)).status_code == 200
    await person.post("/access", {"token": page.form.values["token"], "action": "revoke:1"})
    assert (await call(person, "GET", "/api/overview", text)).status_code == 401
    assert "revoked" in (await person.open("/access")).text


async def test_a_body_nested_without_end_is_a_bad_request(person: Any) -> None:
    await person.sets_up()
    sent = {"authorization": f"Bearer {await token(person)}", "content-type": "application/json"}
    for body in (b"[" * 5_000 + b"]" * 5_000, b'{"state":' * 5_000 + b"1" + b"}" * 5_000):
        for method, path in (("PUT", "/api/state"), ("PUT", "/api/settings"), ("POST", "/api/foresight")):
            answer = await person.client.request(method, path, headers=sent, content=body)
            assert (answer.status_code, answer.json()["status"]) == (400, 400), path


async def test_without_a_token_that_works_nothing_is_told(person: Any, hub: Any) -> None:
    await person.sets_up()
    text = await token(person)
    for bad in ("", "x", text + "x", text[:-1], "stw_", "é" * 10, "y" * 5000):
        sent = {"authorization": f"Bearer {bad}".encode()}
        answer = await person.client.get("/api/overview", headers=sent)
        assert answer.status_code == 401, bad
        assert answer.headers["content-type"] == "application/problem+json"
        assert "bearer" in answer.headers["www-authenticate"].lower()
    # The person's cookie is sent with this, and counts for nothing.
    assert (await person.client.get("/api/overview")).status_code == 401
    later, hub.now = hub.now, lambda: later() + 8 * 86_400
    try:
        assert (await call(person, "GET", "/api/overview", text)).status_code == 401
    finally:
        hub.now = later


async def test_a_token_that_may_only_look_changes_nothing(person: Any, hub: Any) -> None:
    await person.sets_up()
    text = await token(person, "view")
    assert (await call(person, "GET", "/api/settings", text)).status_code == 200
    for method, path, body in (
        ("PUT", "/api/state", {"state": "rests"}),
        ("PUT", "/api/hold", {"stopped": True}),
        ("POST", "/api/disconnect", {}),
        ("POST", "/api/invitations", {"name": "Eva"}),
        ("POST", "/api/invitations/1/revoke", None),
        ("POST", "/api/set-up", None),
        ("POST", "/api/repairs/1/end", None),
        *(("POST", f"/api/sync/{order}", {}) for order in ("dry-run", "start", "stop", "resume", "cancel")),
        ("POST", "/api/reconcile", {}),
        ("POST", "/api/letters/replay", {"group": "x"}),
        ("POST", "/api/letters/release", {"group": "x"}),
        ("POST", "/api/letters/dismiss", {"group": "x", "why": "y"}),
        ("PUT", "/api/settings", {"sender": "Z"}),
    ):
        assert (await call(person, method, path, text, body, if_match="x")).status_code == 403, path
    (one,) = await hub.connections_of("shop:7")
    assert (one.state, one.settings["sender"]) == ("runs", "Shop")


async def test_everything_that_the_pages_show_can_be_read(person: Any) -> None:
    await person.sets_up()
    text = await token(person, "view")
    assert (await call(person, "GET", "/api/overview", text)).json()["state"] == "runs"
    assert (await call(person, "GET", "/api/letters", text)).json() == {"dead": [], "held": [], "more": False}
    assert (await call(person, "GET", "/api/fields", text)).json()["rows"][0]["cells"][0]["field"] == "first"
    assert (await call(person, "GET", "/api/history", text)).json()[0]["who"] == "jo@shop7.example"
    told = await call(person, "POST", "/api/activity", text, {"who": "nobody@example.com"})
    assert told.json()["findings"][0]["code"] == "never-heard"


async def test_suggested_fields_are_told_with_their_line(person: Any, hub: Any) -> None:
    await person.sets_up()

    async def fields(self: Any) -> list[FieldSpec]:
        return [FieldSpec(name="shoe_size")]

    for system in hub.systems.values():
        system.connector.fields = fields
    told = (await call(person, "GET", "/api/fields", await token(person, "view"))).json()["suggestions"]
    names = {"shop": "shoe_size", "post": "shoe_size"}
    assert told == [{"fields": names, "line": "  - {shop: shoe_size, post: shoe_size}"}]


async def test_settings_are_saved_only_on_the_version_that_was_seen(person: Any, hub: Any) -> None:
    await person.sets_up()
    text = await token(person)
    seen = await call(person, "GET", "/api/settings", text)
    etag = seen.headers["etag"]
    unseen = await call(person, "PUT", "/api/settings", text, {"sender": "A"})
    assert (unseen.status_code, "send If-Match with the ETag" in unseen.json()["detail"]) == (428, True)
    assert (await call(person, "PUT", "/api/settings", text, {"sender": "A"}, if_match='"other-1"')).status_code == 412
    saved = await call(person, "PUT", "/api/settings", text, {"sender": "A"}, if_match=etag)
    assert (saved.status_code, saved.json()["settings"]["sender"]) == (200, "A")
    assert saved.json()["settings"]["silence"] == "no"
    late = await call(person, "PUT", "/api/settings", text, {"sender": "B"}, if_match=etag)
    assert (late.status_code, "in the meantime" in late.json()["detail"]) == (412, True)
    (one,) = await hub.connections_of("shop:7")
    assert one.settings["sender"] == "A"
    history = await hub.store.read(lambda tx: connections.history(tx, one.id))
    assert history[0].who == "API: report"


async def test_two_tabs_cannot_overwrite_each_other(person: Any, hub: Any) -> None:
    await person.sets_up()
    first, second = await person.open("/settings"), await person.open("/settings")
    assert (await person.submit(first, action="save", setting__sender="First")).status == 303
    refused = await person.submit(second, action="save", setting__sender="Second")
    assert (refused.status, refused.form.values["setting.sender"]) == (409, "Second")
    (one,) = await hub.connections_of("shop:7")
    assert one.settings["sender"] == "First"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"nothing": 1}, 422),
        ({"per_day": 99}, 422),
        ({"per_day": "many"}, 422),
        ({"on_left": 5}, 422),
        ({"silence": ["no"]}, 422),
        ([1], 400),
        ("x", 400),
    ],
)
async def test_what_cannot_be_saved_is_refused_and_nothing_changes(
    person: Any, hub: Any, body: Any, status: int
) -> None:
    await person.sets_up()
    text = await token(person)
    etag = (await call(person, "GET", "/api/settings", text)).headers["etag"]
    answer = await call(person, "PUT", "/api/settings", text, body, if_match=etag)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status
    assert (await call(person, "GET", "/api/settings", text)).headers["etag"] == etag


async def test_a_program_cannot_agree_to_what_mails_or_grants(person: Any, hub: Any) -> None:
    await person.sets_up()
    text = await token(person)
    etag = (await call(person, "GET", "/api/settings", text)).headers["etag"]
    asks = {"ask": True, "template": "T1", "silence": "yes"}
    answer = await call(person, "PUT", "/api/settings", text, asks, if_match=etag)
    assert answer.status_code == 422
    assert "a person has to agree" in answer.json()["detail"]
    (one,) = await hub.connections_of("shop:7")
    assert (one.settings["ask"], one.agreed) == (False, None)


@pytest.mark.parametrize("almost", [0, 1, "false", "yes", None])
async def test_what_is_almost_of_the_type_described_is_refused_and_nothing_changes(person: Any, almost: Any) -> None:
    await person.sets_up()
    text = await token(person)
    await call(person, "PUT", "/api/hold", text, {"stopped": True})
    answer = await call(person, "PUT", "/api/hold", text, {"stopped": almost})
    assert answer.status_code == 400
    assert "$.stopped" in answer.json()["detail"]
    assert (await call(person, "GET", "/api/overview", text)).json()["stopped_since"] is not None


async def test_a_program_lets_the_connection_rest_and_mends(person: Any, hub: Any) -> None:
    await person.sets_up()
    text = await token(person)
    assert (await call(person, "PUT", "/api/state", text, {"state": "rests"})).json()["state"] == "rests"
    assert (await call(person, "PUT", "/api/state", text, {"state": "flies"})).status_code == 400
    stopped = await call(person, "PUT", "/api/hold", text, {"stopped": True})
    assert stopped.json()["stopped_since"] is not None
    assert (await call(person, "PUT", "/api/hold", text, {"stopped": False})).json()["stopped_since"] is None
    assert (await call(person, "POST", "/api/set-up", text)).json() == {"differences": []}
    await hub.store.write(lambda tx: repairs.open_(tx, "post:900", "poll-fails", "x", 1.0))
    await hub.store.write(lambda tx: repairs.open_(tx, "shop:8", "poll-fails", "x", 1.0))
    assert (await call(person, "POST", "/api/repairs/1/end", text)).status_code == 204
    for other, status in (("2", 404), ("1", 404), ("99", 404), (str(2**70), 400), (str(-(2**70)), 400)):
        assert (await call(person, "POST", f"/api/repairs/{other}/end", text)).status_code == status


async def test_the_description_names_every_call_and_needs_nothing_from_elsewhere(person: Any) -> None:
    answer = await person.client.get("/schema/openapi.json")
    described = answer.json()
    assert answer.status_code == 200
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    paths = {path for path in described["paths"] if path.startswith("/api")}
    routes = {route.path for route in person.client.app.routes if route.path.startswith("/api")}
    assert paths == {route.replace(":int}", "}") for route in routes}
    assert not [path for path in described["paths"] if path in ("/settings", "/overview", "/activity")]


async def test_a_token_needs_a_name_and_offered_rights(person: Any) -> None:
    await person.sets_up()
    form = (await person.open("/access")).form.values
    made = {"token": form["token"], "action": "make", "name": " ", "rights": "view", "days": "7"}
    assert (await person.post("/access", made)).status == 422
    for bad in ({"rights": "all"}, {"days": "9999"}, {"action": "revoke:x"}, {"action": ""}):
        assert (await person.post("/access", {**made, "name": "x", **bad})).status == 400
    assert "There is no token yet." in (await person.open("/access")).text


async def test_a_token_ends_with_its_connection_and_cannot_bring_it_back(person: Any, hub: Any) -> None:
    await person.sets_up()
    text = await token(person)
    (one,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: connections.end(tx, one, who="test", now=hub.now()))
    (kept,) = await hub.store.read(lambda tx: api_tokens.of_connection(tx, one.id))
    assert kept.revoked is not None
    # Also one of before connections took their tokens with them.
    await hub.store.write(lambda tx: tx.run("update api_token set revoked = null"))
    assert (await call(person, "GET", "/api/overview", text)).status_code == 401
    assert (await call(person, "PUT", "/api/state", text, {"state": "runs"})).status_code == 401
    assert await hub.connections_of("shop:7") == []


async def test_an_ended_connection_is_not_let_run_again(person: Any, hub: Any) -> None:
    from stellwerk.errors import StellwerkError
    from stellwerk.relay.operate import change_state
    from stellwerk.relay.states import set_state

    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: connections.end(tx, one, who="test", now=hub.now()))
    ended = await hub.store.read(lambda tx: connections.by_id(tx, one.id))
    with pytest.raises(connections.Changed):
        await change_state(hub, ended, "runs", who="test")
    with pytest.raises(StellwerkError, match="there is no connection"):
        await set_state(hub, connection=one.id, state="runs", by="test")
    assert await hub.connections_of("shop:7") == []

"""Every route of the running app, walked by a stranger: a new one without an entry here fails."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import api_tokens, invitations, repairs

pytestmark = pytest.mark.anyio
SECRET = "Secret sender of seven"

OPEN = {
    "/", "/login/{name:str}", "/oauth/{name:str}/callback", "/logout", "/health", "/health/ready", "/metrics", "/static",
    "/static/{file_path:path}", "/webhooks/{connector:str}", "/webhooks/{connector:str}/{rest:path}", "/schema",
    "/schema/openapi.json", "/schema/{path:str}", "/connections", "/invited/{text:str}",
    "/operator", "/operator/{text:str}",
}  # fmt: skip
"""What anybody may call, or what has tests of its own against strangers (test_login, test_isolation, test_guards, test_invited, test_operator)."""
PAGES: dict[str, tuple[dict[str, str], ...]] = {
    "/settings": ({"action": "save", "version": "1", "setting.sender": "Mine"}, {"action": "test-key"}),
    "/overview": ({"action": "state:rests"}, {"action": "repaired:1"}, {"action": "set-up"}),
    "/activity": ({"who": "ada@example.com"}, {"who": "4711"}),
    "/activity/contact": ({"who": "ada@example.com", "action": "sync-now"}, {"who": "4711", "action": "sync-now"}),
    "/activity/consent": ({"who": "ada@example.com"}, {"who": "ada@example.com", "action": "save"}),
    "/activity/erase": (
        {"who": "ada@example.com"},
        {"who": "ada@example.com", "again": "ada@example.com", "action": "erase"},
    ),
    "/letters": (
        {"action": "replay-all"},
        {"action": "preview:every"},
        {"action": "dismiss", "why": "x", "group": "change|dead|post:900|create|x"},
    ),
    "/sync": ({"action": "dry-run"}, {"action": "start", "number": "3"}, {"action": "stop"}, {"action": "cancel"}),
    "/sync/progress": (),
    "/fields": (),
    "/history": (),
    "/access": ({"action": "revoke:1"},),
    "/disconnect": ({"sure": "no"},),
    "/people": ({"action": "revoke:1"},),
    "/notifications": (
        {"action": "remove:1"},
        {"action": "test:1"},
        {"action": "add", "name": "Eve", "kind": "webhook", "to": "https://hooks.example/"},
    ),
    "/try/progress": (),
    "/try": ({"action": "watch", "email": "ada@example.com"}, {"action": "create", "email": "ada@example.com"}),
}
"""Pages with what a stranger tries to send there, aimed at the first connection."""
API: dict[str, tuple[str, Any]] = {
    "/api/overview": ("GET", None),
    "/api/state": ("PUT", {"state": "rests"}),
    "/api/hold": ("PUT", {"stopped": True}),
    "/api/set-up": ("POST", None),
    "/api/disconnect": ("GET", None),
    "/api/repairs/{repair:int}/end": ("POST", None),
    "/api/activity": ("POST", {"who": "ada@example.com"}),
    "/api/contact/ask-again": ("POST", {"who": "ada@example.com"}),
    "/api/contact/sync-now": ("POST", {"who": "ada@example.com"}),
    "/api/contact/unlink": ("POST", {"who": "ada@example.com"}),
    "/api/contact/link-again": ("POST", {"who": "ada@example.com"}),
    "/api/consent": ("POST", {"address": "ada@example.com"}),
    "/api/erase": ("POST", {"address": "ada@example.com", "again": "ada@example.com"}),
    "/api/letters": ("GET", None),
    "/api/letters/preview": ("POST", {"group": "change|dead|post:900|create|x"}),
    "/api/letters/replay": ("POST", {"group": "change|dead|post:900|create|x"}),
    "/api/letters/release": ("POST", {"group": "change|held|post:900|create|x"}),
    "/api/letters/dismiss": ("POST", {"group": "change|dead|post:900|create|x", "why": "x"}),
    "/api/sync": ("GET", None),
    "/api/sync/contacts": ("GET", None),
    "/api/sync/dry-run": ("POST", {}),
    "/api/sync/start": ("POST", None),
    "/api/sync/stop": ("POST", None),
    "/api/sync/resume": ("POST", None),
    "/api/sync/cancel": ("POST", None),
    "/api/reconcile": ("POST", {}),
    "/api/fields": ("GET", None),
    "/api/history": ("GET", None),
    "/api/invitations": ("GET", None),
    "/api/recipients": ("GET", None),
    "/api/recipients/{recipient:int}/remove": ("POST", None),
    "/api/recipients/{recipient:int}/test": ("POST", None),
    "/api/invitations/{invitation:int}/revoke": ("POST", None),
    "/api/settings": ("GET", None),
    "/api/foresight": ("POST", {"sender": "Mine"}),
}


OF_THE_OWN = ("/access", "/people", "/disconnect", "/activity/erase")
"""Pages for people who have logged in."""
SENT_TO_LOOK = ("/activity", "/activity/consent")
"""Pages where a form is sent and nothing is changed."""


def numbered(path: str) -> str:
    return path.replace("{repair:int}", "1").replace("{invitation:int}", "1").replace("{recipient:int}", "1")


async def two(person: Any, somebody: Any, hub: Any) -> tuple[Any, Any]:
    """Shop 7 with a secret, a repair and a token of its own; shop 8 beside it, on the same letters account."""
    page = await person.logs_in("7")
    values = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no", "setting__sender": SECRET}
    assert (await person.submit(page, action="save", **values)).status == 303
    (seven,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: repairs.open_(tx, seven.id, "field-missing", SECRET, 1.0))
    await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=seven.id, name=SECRET, rights="view", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    await hub.store.write(
        lambda tx: invitations.add(
            tx, hub.vault, connection=seven.id, name=SECRET, rights="change", made_by="jo", now=hub.now()
        )
    )
    other = somebody()
    page = await other.logs_in("8")
    values["setting__sender"] = "Sender of eight"
    assert (await other.submit(page, action="save", **values)).status == 303
    return other, seven


async def state_of(hub: Any, one: Any) -> object:
    def look(tx: Any) -> object:
        from stellwerk.store import connections

        works = [token.works(hub.now()) for token in api_tokens.of_connection(tx, one.id)]
        invited = [found.works(hub.now()) for found in invitations.of_connection(tx, one.id)]
        return connections.by_id(tx, one.id), [row["subject"] for row in repairs.still_open(tx)], works, invited

    return await hub.store.read(look)


async def test_every_route_is_walked(person: Any) -> None:
    routes = {route.path for route in person.client.app.routes}
    assert routes - OPEN - set(PAGES) - set(API) == set()
    assert (set(PAGES) | set(API)) - routes == set()


async def test_nobody_without_a_login_sees_a_page(somebody: Any) -> None:
    for path in PAGES:
        page = await somebody().open(path)
        assert (page.status, page.where) == (303, "/"), path


async def test_a_stranger_sees_and_changes_nothing_on_any_page(person: Any, somebody: Any, hub: Any) -> None:
    other, seven = await two(person, somebody, hub)
    before = await state_of(hub, seven)
    token = (await other.open("/overview")).form.values["token"]
    for path, bodies in PAGES.items():
        assert SECRET not in (await other.open(path)).answer.text, path
        assert SECRET not in (await other.open(f"{path}?connection={seven.id}")).answer.text, path
        for body in bodies:
            answer = await other.post(path, {"token": token, "connection": seven.id, **body})
            assert SECRET not in answer.answer.text, (path, body)
    assert await state_of(hub, seven) == before


async def test_a_strangers_token_sees_and_changes_nothing(person: Any, somebody: Any, hub: Any) -> None:
    other, seven = await two(person, somebody, hub)
    (eight,) = await hub.connections_of("shop:8")
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=eight.id, name="eight", rights="change", made_by="x", now=hub.now(), expires=9e12
        )
    )
    before = await state_of(hub, seven)
    sent = {"authorization": f"Bearer {text}", "if-match": f'"{seven.id}-{seven.version}"'}
    for path, (method, body) in API.items():
        url = numbered(path)
        answer = await other.client.request(method, url, headers=sent, json=body)
        assert answer.status_code < 500, (path, answer.text)
        assert SECRET not in answer.text, path
    refused = await other.client.put("/api/settings", headers=sent, json={"sender": "Mine"})
    assert refused.status_code == 412
    assert await state_of(hub, seven) == before


async def test_every_call_of_the_api_needs_a_token(somebody: Any) -> None:
    for path, (method, body) in API.items():
        answer = await somebody().client.request(method, numbered(path), json=body)
        assert answer.status_code == 401, path


async def guest_of(person: Any, somebody: Any, rights: str) -> tuple[Any, str]:
    """Somebody whom the person invited, and the text of their link."""
    page = await person.open("/people")
    made = await person.submit(page, action="invite", name="Eva", rights=rights)
    (link,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    text = link.rpartition("/")[2]
    guest = somebody()
    await guest.submit(await guest.open(f"/invited/{text}"))
    return guest, text


async def test_who_is_invited_to_look_opens_every_page_and_changes_nothing_on_any(
    person: Any, somebody: Any, hub: Any
) -> None:
    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: repairs.open_(tx, one.id, "field-missing", "x", 1.0))
    guest, _ = await guest_of(person, somebody, "view")
    before = await state_of(hub, one)
    token = (await guest.open("/overview")).form.values["token"]
    for path, bodies in PAGES.items():
        page = await guest.open(path)
        assert page.status == (403 if path in OF_THE_OWN else 200), path
        for body in bodies:
            answer = await guest.post(path, {"token": token, "version": "1", **body})
            assert answer.status == (200 if path in SENT_TO_LOOK else 403), (path, body)
    assert await state_of(hub, one) == before
    assert "Your invitation does not reach that far." in (await guest.open("/people")).text


async def test_a_link_is_no_token_of_the_api(person: Any, somebody: Any) -> None:
    await person.sets_up()
    guest, text = await guest_of(person, somebody, "change")
    for path, (method, body) in API.items():
        for sent in ({"authorization": f"Bearer {text}"}, {}):
            answer = await guest.client.request(method, numbered(path), headers=sent, json=body)
            assert answer.status_code == 401, path

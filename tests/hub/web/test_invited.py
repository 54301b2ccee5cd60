"""Colleagues invited by a link: what they may is checked on the server for every route, ends in time, and is named."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.store import api_tokens, connections, invitations, repairs

pytestmark = pytest.mark.anyio


async def link(person: Any, rights: str = "view", name: str = "Eva") -> str:
    page = await person.open("/people")
    made = await person.submit(page, action="invite", name=name, rights=rights)
    assert made.status == 200
    (text,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    assert text.startswith("http://hub.test/invited/")
    return str(text).removeprefix("http://hub.test")


async def follow(somebody: Any, path: str) -> Any:
    """The invited person, in."""
    guest = somebody()
    page = await guest.open(path)
    assert page.status == 200
    accepted = await guest.submit(page)
    assert (accepted.status, accepted.where) == (303, "/overview")
    return guest


async def the_connection(hub: Any) -> Any:
    (one,) = await hub.connections_of("shop:7")
    return one


async def test_the_link_says_who_invites_to_what_and_lets_in_with_a_click(person: Any, somebody: Any) -> None:
    await person.sets_up()
    path = await link(person)
    guest = somebody()
    page = await guest.open(path)
    assert "jo@shop7.example invites Eva to look after this connection" in page.text
    assert "Shop 7 · Acme Letters" in page.text
    assert "You can look at everything and change nothing." in page.text
    assert (await guest.open("/overview")).where == "/", "looking at the link lets nobody in"
    await guest.submit(page)
    assert "Logged in as Eva (jo@shop7.example)" in (await guest.open("/overview")).text


async def test_the_link_is_shown_once_and_never_stored(person: Any, hub: Any, all_logs: Any) -> None:
    await person.sets_up()
    text = (await link(person)).rpartition("/")[2]
    assert text not in (await person.open("/people")).answer.text
    rows = await hub.store.read(lambda tx: tx.all("select * from invitation"))
    assert text not in repr(rows)
    assert text not in all_logs.text


async def test_who_may_only_look_is_offered_nothing_that_they_may_not_do(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    await hub.store.write(lambda tx: repairs.open_(tx, one.id, "field-missing", "x", 1.0))
    guest = await follow(somebody, await link(person))
    for path in ("/overview", "/letters", "/fields", "/settings", "/history"):
        page = await guest.open(path)
        actions = [value for form in page.read.forms for name, value, _ in form.buttons if name == "action"]
        assert actions == [], path
        links = [given.get("href") for tag, given in page.read.tags if tag == "a"]
        assert not set(links) & {"/people", "/access", "/disconnect", "/connections"}, path
    shown = await guest.open("/settings")
    assert "You can look at the settings and not change them." in shown.text
    assert "/webhooks/" not in shown.answer.text, "who knows these can speak in the vendor's name"


async def test_who_may_change_changes_settings_and_state_and_is_named(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    guest = await follow(somebody, await link(person, "change"))
    saved = await guest.submit(await guest.open("/settings"), action="save", setting__sender="Eva's")
    assert saved.status == 303
    assert (await the_connection(hub)).settings["sender"] == "Eva's"
    history = (await person.open("/history")).text
    assert "Eva (jo@shop7.example) Sender: Shop → Eva's" in history
    assert "jo@shop7.example Invited Eva." in history


async def test_who_may_change_neither_invites_nor_makes_tokens_nor_disconnects(
    person: Any, somebody: Any, hub: Any
) -> None:
    await person.sets_up()
    guest = await follow(somebody, await link(person, "change"))
    token = (await guest.open("/overview")).form.values["token"]
    for path, body in (
        ("/people", {"action": "invite", "name": "Friend", "rights": "change"}),
        ("/access", {"action": "make", "name": "x", "rights": "change", "days": "365"}),
        ("/disconnect", {"sure": "yes"}),
    ):
        assert (await guest.open(path)).status == 403
        assert (await guest.post(path, {"token": token, **body})).status == 403, path
    one = await the_connection(hub)
    found = await hub.store.read(
        lambda tx: (invitations.of_connection(tx, one.id), api_tokens.of_connection(tx, one.id))
    )
    assert ([invited.name for invited in found[0]], found[1]) == (["Eva"], [])


async def test_an_invitation_leads_to_its_connection_alone(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    path = await link(person, "change")
    page = await person.open("/connections")
    await person.submit(page, connection="new")
    page = await person.open("/settings")
    values = {"account__post__api_key": "very-hidden-other-key", "setting__silence": "no", "setting__sender": "Second"}
    assert (await person.submit(page, action="save", **values)).status == 303
    guest = await follow(somebody, path)
    second = next(one.id for one in await hub.connections_of("shop:7") if one.settings["sender"] == "Second")
    assert (await guest.open("/connections")).where == "/"
    token = (await guest.open("/overview")).form.values["token"]
    assert (await guest.post("/connections", {"token": token, "connection": second})).where == "/"
    shown = await guest.open(f"/settings?connection={second}")
    assert shown.form.values["setting.sender"] == "Shop"


async def test_revoked_it_ends_at_once_for_the_link_and_for_who_is_in(person: Any, somebody: Any) -> None:
    await person.sets_up()
    path = await link(person)
    guest = await follow(somebody, path)
    page = await person.open("/people")
    assert "Link last followed" in page.text
    token = page.form.values["token"]
    await person.post("/people", {"token": token, "action": "revoke:1"})
    assert "Revoked: the link and whoever came by it are let in no more." in (await person.open("/people")).text
    assert (await guest.open("/overview")).where == "/"
    gone = await somebody().open(path)
    assert (gone.status, "This invitation does not work any more" in gone.text) == (404, True)
    assert "Revoked the invitation of Eva." in (await person.open("/history")).text


async def test_after_seven_days_it_ends(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    path = await link(person)
    guest = await follow(somebody, path)
    earlier = hub.now
    hub.now = lambda: earlier() + invitations.VALID_SECONDS
    try:
        assert (await guest.open("/overview")).where == "/"
        assert (await somebody().open(path)).status == 404
        assert "expired" in (await person.open("/people")).text
    finally:
        hub.now = earlier


async def test_it_ends_with_its_connection(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    path = await link(person)
    guest = await follow(somebody, path)
    one = await the_connection(hub)
    await hub.store.write(lambda tx: connections.end(tx, one, who="test", now=hub.now()))
    assert (await guest.open("/overview")).where == "/"
    assert (await somebody().open(path)).status == 404
    assert await hub.store.read(
        lambda tx: [found.works(hub.now()) for found in invitations.of_connection(tx, one.id)]
    ) == [False]


async def test_what_is_no_link_lets_nobody_in(person: Any, somebody: Any) -> None:
    await person.sets_up()
    for text in ("x", "1", "é" * 10, "y" * 5000):
        assert (await somebody().open(f"/invited/{text}")).status == 404


async def test_an_invitation_needs_a_name_and_known_rights(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await person.submit(await person.open("/people"), action="invite", name="  ", rights="view")
    assert (page.status, "Please say who it is for." in page.text) == (422, True)
    refused = await person.submit(await person.open("/people"), action="invite", name="Eva", rights="own")
    assert refused.status == 400
    one = await the_connection(hub)
    assert await hub.store.read(lambda tx: invitations.of_connection(tx, one.id)) == []


async def test_a_program_invites_and_takes_it_back(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="hr", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    made = await person.client.post("/api/invitations", headers=sent, json={"name": "Eva", "rights": "change"})
    assert made.status_code == 201
    guest = await follow(somebody, made.json()["link"].removeprefix("http://hub.test"))
    (listed,) = (await person.client.get("/api/invitations", headers=sent)).json()
    assert (listed["name"], listed["made_by"], listed["works"], listed["link"]) == ("Eva", "API: hr", True, None)
    done = await person.client.post(f"/api/invitations/{listed['id']}/revoke", headers=sent)
    assert done.status_code == 204
    assert (await guest.open("/overview")).where == "/"
    assert (await person.client.post("/api/invitations/99/revoke", headers=sent)).status_code == 404
    assert (await person.client.post("/api/invitations", headers=sent, json={"name": " "})).status_code == 400

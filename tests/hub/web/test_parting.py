"""Disconnect: what it will do is told first, a person says yes, and the same accounts can be connected again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.relay.leaving import ERASED_AFTER_SECONDS, tidy_up
from stellwerk.store import api_tokens, connections, consent, contacts, outbox
from stellwerk.store.contacts import ContactState
from stellwerk.store.outbox import NewDelivery
from stellwerk_rules.model import Fact, FactKind, Remembered

pytestmark = pytest.mark.anyio

GOOD, OTHER = "very-hidden-good-key", "very-hidden-other-key"


async def the_connection(hub: Any) -> Any:
    (one,) = await hub.connections_of("shop:7")
    return one


async def says_yes(person: Any, **more: str) -> Any:
    page = await person.open("/disconnect")
    return await person.submit(page, sure="yes", **more)


async def opt_out_on_its_way(hub: Any, connection: str) -> None:
    new = NewDelivery(
        account="shop:7", connection=connection, contact=1, tag="set_fields", once="o", urgency=0, due=4e9, body=b"",
        event="1", created=hub.now(),
    )  # fmt: skip
    await hub.store.write(lambda tx: outbox.put(tx, new))


@pytest.mark.behaviour("end-page")
async def test_the_page_says_what_it_will_do_before_anything_happens(person: Any, hub: Any) -> None:
    await person.sets_up()
    overview = await person.open("/overview")
    assert ("a", "/disconnect") in [(tag, given.get("href")) for tag, given in overview.read.tags]
    page = await person.open("/disconnect")
    assert "ToyShop (Shop 7): no other connection uses this account, so the app is uninstalled there" in page.text
    assert "Toypost (Acme Letters): our webhooks are removed there" in page.text
    assert "Who has opted out stays opted out here, for good" in page.text
    day = datetime.fromtimestamp(hub.now() + ERASED_AFTER_SECONDS, UTC)
    assert f"is erased on {day.day} {day:%b %Y}." in page.text
    assert (await the_connection(hub)).state == "runs"


async def test_an_account_that_others_use_is_said_to_stay(person: Any, somebody: Any) -> None:
    await person.sets_up()
    other = somebody()
    page = await other.logs_in("8")
    assert (await other.submit(page, action="save", account__post__api_key=GOOD, setting__silence="no")).status == 303
    page = await person.open("/disconnect")
    assert "Toypost (Acme Letters): another connection uses this account, so nothing is removed there" in page.text
    assert "ToyShop (Shop 7): no other connection uses this account" in page.text


@pytest.mark.behaviour("end-page")
async def test_without_the_tick_nothing_is_done(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await person.submit(await person.open("/disconnect"))
    assert page.status == 422
    assert "Please tick that you are sure; nothing was done." in page.text
    assert (await the_connection(hub)).state == "runs"


async def test_a_yes_ends_the_connection_logs_out_and_removes_what_served_us(person: Any, hub: Any, world: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    made = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="x", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    page = await says_yes(person)
    assert (page.status, "The connection has ended" in page.text) == (200, True)
    assert await hub.connections_of("shop:7") == []
    assert (await person.open("/overview")).where == "/"
    answer = await person.client.get("/api/overview", headers={"authorization": f"Bearer {made}"})
    assert answer.status_code == 401
    await tidy_up(hub)
    assert sorted(world.undone) == [("toypost", 3), ("toyshop", 0)]
    history = await hub.store.read(lambda tx: connections.history(tx, one.id))
    assert (history[0].note, history[0].who) == (connections.ENDED, "jo@shop7.example")


@pytest.mark.behaviour("end-page")
async def test_opt_outs_that_are_on_their_way_keep_it_connected_until_a_person_takes_care_of_them(
    person: Any, hub: Any
) -> None:
    await person.sets_up()
    await opt_out_on_its_way(hub, (await the_connection(hub)).id)
    assert "1 opt-out is still on the way" in (await person.open("/disconnect")).text
    page = await says_yes(person)
    assert page.status == 422
    assert "Opt-outs are still on their way, so nothing was done." in page.text
    assert (await the_connection(hub)).state == "runs"
    assert (await says_yes(person, anyway="yes")).status == 200
    assert await hub.connections_of("shop:7") == []


@pytest.mark.behaviour("end-page-again")
async def test_connected_again_within_its_days_it_goes_on_with_settings_contacts_and_opt_outs(
    person: Any, hub: Any
) -> None:
    await person.sets_up()
    page = await person.open("/settings")
    assert (await person.submit(page, action="save", setting__sender="As before")).status == 303
    one = await the_connection(hub)
    address = hub.vault.address("ada@example.com")
    fact = Fact(kind=FactKind.OPTED_OUT, key="k", at=datetime(2026, 1, 1, tzinfo=UTC), event="e", final=True)

    def known(tx: Any) -> None:
        state = ContactState(connection=one.id, address=address, remembered=Remembered(ids={"shop": "4711"}))
        contacts.save(tx, state, hub.now())
        consent.add(tx, "post:900", address, one.id, [fact], hub.now())

    await hub.store.write(known)
    await says_yes(person)
    await tidy_up(hub)
    back = await person.comes_back(await person.goes_to_shop())
    assert back.where == "/connections"
    page = await person.open("/connections")
    chosen = await person.submit(page, connection=one.id)
    assert chosen.where == "/settings"
    page = await person.open("/settings")
    assert page.form.values["setting.sender"] == "As before"
    assert page.form.values["account.post.api_key"] == ""
    assert "It runs again after Save" in page.text
    assert (await person.submit(page, action="save")).status == 422, "its key was deleted"
    assert (await person.submit(page, action="save", account__post__api_key=GOOD)).status == 303
    again = await the_connection(hub)
    assert (again.id, again.state) == (one.id, "runs")
    assert again.began > one.began
    found = await hub.store.read(lambda tx: contacts.by_link(tx, one.id, "shop", "4711"))
    assert found.address == address
    assert await hub.store.read(lambda tx: consent.suppressed_since(tx, "post:900", address)) is not None
    assert "jo@shop7.example Connected again." in (await person.open("/history")).text


@pytest.mark.behaviour("end-page-again")
async def test_connected_again_what_mails_is_agreed_to_anew(person: Any, hub: Any) -> None:
    asks = {"account__post__api_key": GOOD, "setting__ask": "yes", "setting__template": "T1"}
    page = await person.submit(await person.logs_in(), action="save", **asks)
    assert (await person.submit(page, action="save", agree="yes")).status == 303
    one = await the_connection(hub)
    assert one.agreed is not None
    await says_yes(person)
    await person.comes_back(await person.goes_to_shop())
    await person.submit(await person.open("/connections"), connection=one.id)
    page = await person.open("/settings")
    assert page.form.values["setting.ask"] == "yes"
    refused = await person.submit(page, action="save", account__post__api_key=GOOD)
    assert refused.status == 422
    assert "Please read the sentence under “Consent” and tick it" in refused.text
    assert await hub.connections_of("shop:7") == []
    assert (await person.submit(refused, action="save", agree="yes")).status == 303
    again = await the_connection(hub)
    assert again.agreed.at > one.agreed.at


async def test_after_its_days_nothing_is_left_to_connect_again(person: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    await says_yes(person)
    earlier, hub.now = hub.now, lambda: earlier() + ERASED_AFTER_SECONDS + 1
    try:
        back = await person.comes_back(await person.goes_to_shop())
        assert back.where == "/settings"
        page = await person.open("/connections")
        refused = await person.post("/connections", {"token": page.form.values["token"], "connection": one.id})
        assert refused.status == 404
    finally:
        hub.now = earlier


async def test_nobody_else_can_connect_it_again(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    await says_yes(person)
    other = somebody()
    page = await other.logs_in("8")
    assert one.id not in (await other.open("/connections")).answer.text
    refused = await other.post("/connections", {"token": page.form.values["token"], "connection": one.id})
    assert refused.status == 404


async def test_a_program_is_told_first_and_disconnects(person: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="end", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    told = (await person.client.get("/api/disconnect", headers=sent)).json()
    assert [(side["name"], side["shared"]) for side in told["sides"]] == [("Shop 7", False), ("Acme Letters", False)]
    assert told["tokens"] == 1
    await opt_out_on_its_way(hub, one.id)
    refused = await person.client.post("/api/disconnect", headers=sent, json={})
    assert refused.status_code == 409
    assert "1 opt-out has not reached" in refused.json()["detail"]
    done = await person.client.post("/api/disconnect", headers=sent, json={"anyway": True})
    assert done.status_code == 204
    assert await hub.connections_of("shop:7") == []

"""Erasing a person on the page: typed twice, named in the history by a reference, and only of the own connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.store import api_tokens, consent, contacts, outbox
from stellwerk.store.contacts import ContactState
from stellwerk.store.outbox import NewDelivery
from stellwerk_rules.model import Fact, FactKind, Remembered

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"


async def remember(hub: Any, account: str = "shop:7") -> Any:
    """Ada, who opted out, as a connection knows her."""
    (one,) = await hub.connections_of(account)
    at = datetime(2026, 11, 24, tzinfo=UTC)

    def work(tx: Any) -> Any:
        address = hub.vault.address(ADA)
        state = ContactState(connection=one.id, address=address, remembered=Remembered(ids={"shop": "4711"}))
        fact = Fact(kind=FactKind.OPTED_OUT, key=f"o {one.id}", at=at, event="e3", told_by="post")
        consent.add(tx, "post:900", address, one.id, [fact], hub.now())
        return contacts.save(tx, state, hub.now())

    return await hub.store.write(work)


async def known(hub: Any) -> list[str]:
    rows = await hub.store.read(lambda tx: tx.all("select connection from contact order by id"))
    return [row["connection"] for row in rows]


async def erase(person: Any, who: str = ADA, again: str = ADA) -> Any:
    page = await person.open("/activity/erase")
    return await person.submit(page, action="erase", who=who, again=again)


async def test_the_page_says_what_becomes_of_both_sides_and_here(person: Any) -> None:
    await person.sets_up()
    page = await person.open("/activity/erase")
    for part in (
        "Here: what was decided and written of this person",
        "ToyShop: nothing is changed there by this.",
        "Toypost: nothing is changed there by this.",
        "who opted out is never mailed again",
        "The history names you and the hash, not the address.",
    ):
        assert part in page.text, part


async def test_whoever_is_erased_is_forgotten_and_stays_suppressed(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    done = await erase(person, f" {ADA.upper()}")
    assert (done.status, done.where) == (303, "/activity")
    assert "Erased: 1 contact, 0 events" in (await person.open("/activity")).text
    assert await known(hub) == []
    since = await hub.store.read(lambda tx: consent.suppressed_since(tx, "post:900", hub.vault.address(ADA)))
    assert since is not None


async def test_the_history_names_who_erased_and_no_address(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    await erase(person)
    page = await person.open("/history")
    reference = hub.vault.address(ADA)[:16]
    assert f"Erased a person ({reference})." in page.text
    assert "jo@shop7.example" in page.text
    assert ADA not in page.answer.text
    assert f"Eine Person gelöscht ({reference})." in (await person.open("/history?lang=de")).text


@pytest.mark.parametrize("again", ["", "ada@example.org", "ada"])
async def test_nobody_is_erased_whose_address_was_not_typed_twice(person: Any, hub: Any, again: str) -> None:
    await person.sets_up()
    await remember(hub)
    page = await erase(person, again=again)
    assert page.status == 422
    assert "The two addresses differ. Nothing was erased." in page.text
    assert page.form.values["who"] == ADA
    assert len(await known(hub)) == 1


async def test_the_button_under_activity_only_asks(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    found = await person.submit(await person.open("/activity"), who=ADA)
    (form,) = [form for form in found.read.forms if form.action == "/activity/erase"]
    page = await person.post(form.action, {**form.values, "action": form.buttons[0][1]})
    assert page.status == 200
    assert page.form.values["who"] == ADA
    assert page.form.values["again"] == ""
    assert len(await known(hub)) == 1


async def test_what_is_on_its_way_keeps_everything_as_it_is(person: Any, hub: Any) -> None:
    await person.sets_up()
    ada = await remember(hub)
    await hub.store.write(
        lambda tx: outbox.put(
            tx,
            NewDelivery(
                account="post:900", connection=ada.connection, contact=ada.id, tag="unsubscribe", once="u", urgency=0,
                due=4e9, body=b"x", event="e1", created=hub.now(),
            ),
        )
    )  # fmt: skip
    page = await erase(person)
    assert page.status == 409
    assert "perhaps an opt-out. Nothing was erased" in page.text
    assert len(await known(hub)) == 1
    assert "Erased a person" not in (await person.open("/history")).text


async def test_what_another_connection_keeps_of_the_same_address_stays(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    other = somebody()
    page = await other.logs_in("8")
    values = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no"}
    assert (await other.submit(page, action="save", **values)).status == 303
    await remember(hub, "shop:7")
    (eight,) = await hub.connections_of("shop:8")
    await remember(hub, "shop:8")
    await erase(person)
    assert await known(hub) == [eight.id]
    assert "Erased a person" not in (await other.open("/history")).text


async def test_a_program_erases_only_whom_it_names_twice(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    (one,) = await hub.connections_of("shop:7")
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="r", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )
    sent = {"authorization": f"Bearer {text}"}
    slip = await person.client.post("/api/erase", headers=sent, json={"address": ADA, "again": "ada@example.org"})
    assert slip.status_code == 422
    assert len(await known(hub)) == 1
    done = await person.client.post("/api/erase", headers=sent, json={"address": ADA, "again": ADA})
    assert done.json()["contacts"] == 1
    assert "API: r" in (await person.open("/history")).text


async def test_the_sentence_that_was_ticked_stands_in_the_proof_as_it_read(person: Any, hub: Any) -> None:
    page = await person.logs_in()
    typed = {
        "account__post__api_key": "very-hidden-good-key", "setting__ask": "yes",
        "setting__template": "T1",
    }  # fmt: skip
    asked = await person.submit(page, action="save", **typed)
    sentence = asked.read.labels["agree"]
    assert (await person.submit(asked, action="save", agree="yes", **typed)).status == 303
    (one,) = await hub.connections_of("shop:7")
    fact = Fact(kind=FactKind.ASKED, key="a", at=datetime(2026, 11, 24, tzinfo=UTC), event="e1", words=one.agreed.words)
    address = hub.vault.address(ADA)
    await hub.store.write(lambda tx: consent.add(tx, "post:900", address, one.id, [fact], hub.now()))
    shown = await person.submit(await person.open("/activity/consent"), who=ADA)
    assert sentence in shown.text
    assert "jo@shop7.example" in shown.text

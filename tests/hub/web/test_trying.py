"""Try it with my address: a button creates it where contacts come from, and the page shows how far it has come."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.relay.trace import Trace
from stellwerk.store import contacts, traces
from stellwerk.store.contacts import ContactState
from stellwerk.web.choose import Here
from stellwerk.web.limits import TRIES
from stellwerk.web.pages import Speaker
from stellwerk.web.trying import LOOK_SECONDS, _events
from stellwerk.web.visitor import Trying, Visitor
from stellwerk_rules.model import Because, Remembered

pytestmark = pytest.mark.anyio

NO = Because(code="said-no", text="wants_letters is no", rule="enter", line=31)

EVA = "eva+test@example.com"


async def start(person: Any, email: str = EVA, action: str = "create") -> Any:
    return await person.submit(await person.open("/try"), action=action, email=email)


async def test_the_button_creates_the_contact_with_a_yes_and_the_page_watches_it(person: Any, world: Any) -> None:
    await person.sets_up()
    overview = await person.open("/overview")
    assert ("a", "/try") in [(tag, given.get("href")) for tag, given in overview.read.tags]
    page = await person.open("/try")
    assert "It leaves what every contact leaves: a contact in ToyShop and in Toypost" in page.text
    assert (await start(person)).where == "/try"
    assert world.tried == {EVA: {"wants_letters": "yes"}}
    page = await person.open("/try")
    assert "Created in ToyShop. Now it goes its way." in page.text
    assert f"The way of {EVA}" in page.text
    assert "ToyShop told us of the contact waiting" in page.text
    assert "The contact is in Toypost later" in page.text


async def test_an_address_that_stood_there_already_is_said_to(person: Any, world: Any) -> None:
    await person.sets_up()
    world.tried[EVA] = {}
    await start(person)
    assert "ToyShop knew this address already, so nothing was created." in (await person.open("/try")).text


async def test_only_watching_creates_nothing(person: Any, world: Any) -> None:
    await person.sets_up()
    assert (await start(person, action="watch")).where == "/try"
    assert world.tried == {}
    page = await person.open("/try")
    assert f"The way of {EVA}" in page.text
    await person.submit(await person.open("/overview"))
    token = page.form.values["token"]
    assert (await person.post("/try", {"token": token, "action": "end"})).where == "/try"
    assert "Your e-mail address" in (await person.open("/try")).text


@pytest.mark.parametrize("typed", ["", "eva", "eva@x", "a@example.com, b@example.com", "<b>@example.com", "e" * 300])
async def test_what_is_no_address_is_refused_and_kept(person: Any, world: Any, typed: str) -> None:
    await person.sets_up()
    page = await start(person, typed)
    assert page.status == 422
    assert "Please enter one e-mail address." in page.text
    assert world.tried == {}


async def test_a_connection_that_rests_or_has_stopped_what_mails_says_so_first(person: Any, world: Any) -> None:
    await person.sets_up()
    for stop, go in (("state:rests", "state:runs"), ("stop", "go-on")):
        token = (await person.open("/overview")).form.values["token"]
        await person.post("/overview", {"token": token, "action": stop})
        page = await person.open("/try")
        assert "it would not go the whole way" in page.text
        assert "create" not in [value for form in page.read.forms for _, value, _ in form.buttons]
        assert (await person.post("/try", {"token": token, "action": "create", "email": EVA})).status == 422
        await person.post("/overview", {"token": token, "action": go})
    assert world.tried == {}


async def test_an_outage_is_a_sentence_and_what_was_typed_stays(person: Any, world: Any) -> None:
    await person.sets_up()
    world.shop_down = True
    page = await start(person)
    assert page.status == 422
    assert "ToyShop cannot be reached at the moment" in page.text
    assert page.form.values["email"] == EVA


async def test_it_is_tried_ten_times_an_hour(person: Any, world: Any) -> None:
    await person.sets_up()
    token = (await person.open("/try")).form.values["token"]
    for number in range(TRIES.count):
        await person.post("/try", {"token": token, "action": "create", "email": f"e{number}@example.com"})
    refused = await person.post("/try", {"token": token, "action": "create", "email": EVA})
    assert refused.status == 429
    assert EVA not in world.tried


async def test_another_connection_is_not_shown_what_was_watched(person: Any) -> None:
    await person.sets_up()
    await start(person, action="watch")
    await person.submit(await person.open("/connections"), connection="new")
    page = await person.open("/settings")
    values = {"account__post__api_key": "very-hidden-other-key", "setting__silence": "no"}
    assert (await person.submit(page, action="save", **values)).status == 303
    assert EVA not in (await person.open("/try")).answer.text


async def test_each_step_is_told_as_soon_as_it_comes_true_and_then_that_it_is_over(person: Any, hub: Any) -> None:
    assert LOOK_SECONDS <= 1
    await person.sets_up()
    assert "event: over" in (await person.client.get("/try/progress")).text, "nothing is watched"
    await start(person, action="watch")
    events = _events(hub, await looks_at(person, hub), Speaker("en"))
    first = await anext(events)
    assert [(one["how"], one["word"]) for one in msgspec.json.decode(first.data)][:2] == [
        ("now", "waiting"),
        ("later", "later"),
    ]
    (one,) = await hub.connections_of("shop:7")
    body = hub.vault.seal("shop:7", msgspec.json.encode(Trace(what="created", reasons=(NO,), outcome="skipped")))
    address = hub.vault.address(EVA)

    def decided(tx: Any) -> None:
        state = ContactState(connection=one.id, address=address, remembered=Remembered(ids={"shop": "4711"}))
        contact = contacts.save(tx, state, hub.now())
        traces.add(
            tx, connection=one.id, contact=contact.id, address=address, event="e1", kind="skipped", body=body,
            now=hub.now(),
        )  # fmt: skip

    await hub.store.write(decided)
    second = await anext(events)
    assert [one["how"] for one in msgspec.json.decode(second.data)][:2] == ["done", "stopped"]
    assert (await anext(events)).event == "over"


async def looks_at(person: Any, hub: Any) -> Here:
    """What the page is shown of, as its person sees it."""
    (one,) = await hub.connections_of("shop:7")
    visitor = Visitor(account="shop:7", connection=one.id, trying=Trying(connection=one.id, email=EVA))
    return Here(visitor=visitor, connection=one, stored=True, accounts={})


async def test_it_is_there_in_german(person: Any) -> None:
    await person.sets_up()
    await start(person)
    page = await person.open("/try?lang=de")
    assert f"Der Weg von {EVA}" in page.text
    assert "ToyShop hat uns den Kontakt gemeldet wird erwartet" in page.text

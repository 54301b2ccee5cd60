"""The overview: where a login ends, what it shows of this connection alone, and its buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.store import accounts, consent, contacts, repairs
from stellwerk.store.contacts import ContactState
from stellwerk_rules.model import Fact, FactKind, Remembered

pytestmark = pytest.mark.anyio


async def the_connection(hub: Any) -> Any:
    (one,) = await hub.connections_of("shop:7")
    return one


async def repair(hub: Any, subject: str, code: str, text: str = "in full") -> None:
    await hub.store.write(lambda tx: repairs.open_(tx, subject, code, text, hub.now()))


async def press(person: Any, action: str) -> Any:
    token = (await person.open("/overview")).form.values["token"]
    answer = await person.post("/overview", {"token": token, "action": action})
    assert (answer.status, answer.where) == (303, "/overview")
    return await person.open("/overview")


async def test_a_login_ends_at_the_overview_once_a_connection_is_stored(person: Any) -> None:
    first = await person.comes_back(await person.goes_to_shop())
    assert first.where == "/settings"
    await person.sets_up()
    again = await person.comes_back(await person.goes_to_shop())
    assert again.where == "/overview"


async def test_without_a_stored_connection_its_pages_lead_to_the_settings(person: Any) -> None:
    await person.logs_in()
    for path in ("/overview", "/activity"):
        assert (await person.open(path)).where == "/settings"


async def test_it_says_how_the_connection_and_both_sides_do(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await person.open("/overview")
    assert "Running" in page.text
    assert "ToyShop" in page.text
    assert "Acme Letters" in page.text
    assert page.text.count("Works ") == 2
    assert "Nothing needs to be mended." in page.text
    assert "No opt-out waits to be delivered." in page.text


async def test_a_side_that_waits_for_a_person_is_named_with_its_reason(person: Any, hub: Any) -> None:
    await person.sets_up()
    await hub.store.write(lambda tx: accounts.set_state(tx, "post:900", "reauthorize", "key-refused", "no"))
    page = await person.open("/overview")
    assert "Work with Toypost has stopped until somebody mends this: Toypost does not know this key." in page.text


@pytest.mark.behaviour("pending-shown")
async def test_who_was_asked_confirmed_and_did_not_answer_is_counted(person: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)

    def told(tx: Any) -> None:
        for address, kinds in {
            "a": (FactKind.ASKED, FactKind.CONFIRMED),
            "b": (FactKind.ASKED,),
            "c": (FactKind.ASKED,),
        }.items():
            for kind in kinds:
                fact = Fact(kind=kind, key=f"{address}{kind}", at=datetime(2026, 1, 1, tzinfo=UTC), event="e")
                consent.add(tx, "post:900", address, one.id, [fact], hub.now())
        fact = Fact(kind=FactKind.ASKED, key="z", at=datetime(2026, 1, 1, tzinfo=UTC), event="e")
        consent.add(tx, "post:900", "d", "somebody-else", [fact], hub.now())

    await hub.store.write(told)
    page = await person.open("/overview")
    assert "Asked 3 Confirmed 1 Unanswered 2" in page.text


async def test_a_repair_says_what_it_means_what_to_do_and_leads_there(person: Any, hub: Any) -> None:
    await person.sets_up()
    await repair(hub, "post:900", "key-refused")
    page = await person.open("/overview")
    assert "Toypost does not take the key any more" in page.text
    assert "What to do: Enter a working key in the settings." in page.text
    assert ("a", {"class": "button", "href": "/settings#account-heading"}) in [
        (tag, {name: given[name] for name in ("class", "href") if name in given}) for tag, given in page.read.tags
    ]
    german = await person.open("/overview?lang=de")
    assert "Toypost nimmt den Schlüssel nicht mehr an" in german.text


async def test_a_code_of_a_connectors_own_is_shown_with_its_own_words(person: Any, hub: Any) -> None:
    await person.sets_up()
    await repair(hub, (await the_connection(hub)).id, "very-special", "the post office burnt down")
    page = await person.open("/overview")
    assert "very-special" in page.text
    assert "the post office burnt down" in page.text


async def test_beside_another_integration_the_connection_can_be_made_to_watch(person: Any, hub: Any) -> None:
    await person.sets_up()
    await repair(hub, (await the_connection(hub)).id, "foreign-webhook", "7 for doi calls old.example")
    page = await person.open("/overview")
    assert "Is the former integration still running?" in page.text
    assert [form.buttons for form in page.read.forms].count([("action", "state:watches", "Only watch")]) == 2
    await person.post("/overview", {"token": page.form.values["token"], "action": "state:watches"})
    after = await person.open("/overview")
    assert "The connection only watches now" in after.text
    assert not [form for form in after.read.forms if ("action", "state:watches", "Only watch") in form.buttons]


async def test_a_change_that_was_refused_blames_nobody_who_runs_the_hub_and_leads_to_it(person: Any, hub: Any) -> None:
    await person.sets_up()
    await repair(hub, (await the_connection(hub)).id, "bad-request", "POST was answered 400")
    page = await person.open("/overview")
    assert "A change was refused over there as it is." in page.text
    assert ("a", "/letters") in [(tag, given.get("href")) for tag, given in page.read.tags]


async def test_a_repair_of_a_contact_leads_to_what_is_known_of_it(person: Any, hub: Any) -> None:
    await person.sets_up()
    one = await the_connection(hub)
    state = ContactState(
        connection=one.id, address=hub.vault.address("ada@example.com"), remembered=Remembered(ids={"shop": "4711"})
    )
    stored = await hub.store.write(lambda tx: contacts.save(tx, state, hub.now()))
    await repair(hub, f"{one.id}/{stored.id}", "old-wish")
    page = await person.open("/overview")
    (form,) = [form for form in page.read.forms if form.action == "/activity"]
    assert form.buttons == [("who", "4711", "ToyShop 4711")]
    assert (await person.post("/activity", {**form.values, "who": "4711"})).status == 200


async def test_repairs_of_others_are_not_shown(person: Any, hub: Any) -> None:
    await person.sets_up()
    await repair(hub, "shop:8", "unauthorized", "of somebody else")
    await repair(hub, "another/5", "old-wish", "of somebody else")
    assert "Nothing needs to be mended." in (await person.open("/overview")).text


async def test_a_repair_that_is_mended_goes_and_comes_back_when_it_fails_again(person: Any, hub: Any) -> None:
    await person.sets_up()
    await repair(hub, "post:900", "poll-fails")
    assert "Nothing needs to be mended." in (await press(person, "repaired:1")).text
    await repair(hub, "post:900", "poll-fails")
    assert "cannot be asked for changes" in (await person.open("/overview")).text


async def test_setting_up_again_closes_what_is_mended_and_keeps_what_is_not(person: Any, hub: Any, world: Any) -> None:
    from stellwerk.sdk import Difference

    await person.sets_up()
    one = await the_connection(hub)
    await repair(hub, one.id, "field-missing", "FIRST: not there")
    await repair(hub, one.id, "field-type-differs", "AGE: text")
    world.differences = [Difference(code="field-type-differs", subject="AGE", text="text")]
    page = await press(person, "set-up")
    assert "Not everything could be mended" in page.text
    assert "A field of that name is there, with another type." in page.text
    assert "A field that is used does not exist over there." not in page.text


async def test_a_connection_can_rest_watch_and_run_and_the_history_says_who(person: Any, hub: Any) -> None:
    from stellwerk.store import connections

    await person.sets_up()
    for state, word in (("rests", "Resting"), ("watches", "Watching"), ("runs", "Running")):
        assert word in (await press(person, f"state:{state}")).text
        assert (await the_connection(hub)).state == state
    one = await the_connection(hub)
    history = await hub.store.read(lambda tx: connections.history(tx, one.id))
    assert [(line.note, line.who) for line in history[:3]] == [
        (state, "jo@shop7.example") for state in ("runs", "watches", "rests")
    ]


async def test_each_button_says_what_it_does(person: Any) -> None:
    await person.sets_up()
    page = await press(person, "state:rests")
    buttons = [text for form in page.read.forms for _, _, text in form.buttons]
    assert {"Let it run", "Only watch", "Stop everything that mails"} <= set(buttons)
    assert "Let it rest" not in buttons
    assert "What happened meanwhile is not made up for" in page.text
    assert "nothing is written or mailed. " in page.text
    assert "From this moment on nobody is mailed" in page.text


@pytest.mark.behaviour("hold-one")
async def test_what_mails_is_stopped_and_goes_on_with_a_button_and_the_history_says_who(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await press(person, "stop")
    assert "Everything of this connection that mails or grants a permission is stopped since" in page.text
    assert (await the_connection(hub)).on_hold is not None
    assert "Stop everything that mails" not in page.text
    searched = await person.submit(await person.open("/activity"), who="ada@example.com")
    assert "that mails or grants a permission is stopped since" in searched.text
    page = await press(person, "go-on")
    assert "It goes on." in page.text
    assert (await the_connection(hub)).on_hold is None
    history = (await person.open("/history")).text
    assert "jo@shop7.example Stopped. Nobody is mailed" in history
    assert "jo@shop7.example It goes on." in history


async def test_saving_settings_lets_nothing_go_on(person: Any, hub: Any) -> None:
    await person.sets_up()
    await press(person, "stop")
    page = await person.open("/settings")
    assert (await person.submit(page, action="save", setting__sender="Other")).status == 303
    assert (await the_connection(hub)).on_hold is not None


async def test_an_action_nobody_offers_is_refused(person: Any) -> None:
    await person.sets_up()
    token = (await person.open("/overview")).form.values["token"]
    for action in ("", "state:explodes", "repaired:", "repaired:-1", "repaired:x", "drop"):
        assert (await person.post("/overview", {"token": token, "action": action})).status == 400

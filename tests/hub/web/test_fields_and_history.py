"""The fields as both systems have them, and every save with the way back to it."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.hearing import heard
from stellwerk.sdk import FieldSpec
from stellwerk.store import accounts, connections, repairs
from stellwerk.store.store import Tx

pytestmark = pytest.mark.anyio


async def save(person: Any, **values: str) -> None:
    page = await person.open("/settings")
    assert (await person.submit(page, action="save", **values)).status == 303


async def test_the_table_of_the_file_is_shown_with_which_way_and_how_soon(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await person.open("/fields")
    for part in ("first", "FIRST", "both ways, the newer value counts", "· changes are not heard of"):
        assert part in page.text, part
    assert "· at once" not in page.text

    def an_event_of_it_came(tx: Tx) -> None:
        (shop,) = [row.id for row in accounts.every(tx, hub.vault) if row.system == "shop"]
        heard(tx, shop, frozenset({"first"}), (), hub.now())

    await hub.store.write(an_event_of_it_came)
    page = await person.open("/fields")
    assert "· at once" in page.text
    assert "· changes are not heard of" in page.text


async def test_an_account_is_asked_for_its_fields_once_a_minute(person: Any, hub: Any) -> None:
    await person.sets_up()
    post = hub.systems["post"].connector
    asked = 0

    async def fields(self: Any) -> list[FieldSpec]:
        nonlocal asked
        asked += 1
        return [FieldSpec(name="BIRTHDAY", kind="date")]

    before, post.fields = post.fields, fields
    try:
        for _ in range(3):
            await person.open("/fields")
    finally:
        post.fields = before
    assert asked == 1


async def test_a_system_that_cannot_be_asked_costs_only_the_comparison(person: Any) -> None:
    await person.sets_up()
    page = await person.open("/fields")
    assert page.status == 200
    assert "not compared" in page.text


async def test_each_real_field_is_compared_and_what_is_not_carried_is_named(person: Any, hub: Any) -> None:
    await person.sets_up()
    post = hub.systems["post"].connector

    async def fields(self: Any) -> list[FieldSpec]:
        return [FieldSpec(name="BIRTHDAY", kind="date")]

    before, post.fields = post.fields, fields
    try:
        page = await person.open("/fields")
    finally:
        post.fields = before
    assert "does not exist there" in page.text
    assert "Not carried over from Toypost: 1" in page.text
    assert "BIRTHDAY" in page.text


def fields_of(hub: Any, **by_system: list[FieldSpec]) -> None:
    """What each toy's catalogue says from now on."""

    def told(found: list[FieldSpec]) -> Any:
        async def fields(self: Any) -> list[FieldSpec]:
            return found

        return fields

    for name, found in by_system.items():
        hub.systems[name].connector.fields = told(found)


SAME = {"shop": [FieldSpec(name="shoe_size")], "post": [FieldSpec(name="SHOE", label="Shoe size")]}


@pytest.mark.parametrize(
    ("language", "heading"), [("en", "Could be carried too"), ("de", "Könnte auch übernommen werden")]
)
async def test_a_field_that_both_have_is_suggested_with_its_line(
    person: Any, hub: Any, language: str, heading: str
) -> None:
    await person.sets_up()
    fields_of(hub, **SAME)
    person.client.headers["accept-language"] = language
    page = await person.open("/fields")
    assert heading in page.text
    assert "  - {shop: shoe_size, post: SHOE}\n" in page.answer.text


async def test_what_we_create_is_never_suggested(person: Any, hub: Any) -> None:
    await person.sets_up()
    fields_of(hub, shop=[FieldSpec(name="wants_letters")], post=[FieldSpec(name="wants_letters")])
    assert "Nothing to suggest: no field" in (await person.open("/fields")).text


async def test_without_a_counterpart_the_page_says_how_to_get_a_suggestion(person: Any, hub: Any) -> None:
    await person.sets_up()
    fields_of(hub, shop=[FieldSpec(name="first")], post=[FieldSpec(name="FIRST")])
    page = await person.open("/fields")
    assert "Create one there, for example a field called as in ToyShop" in page.text


async def test_without_an_answer_the_page_says_why_it_suggests_nothing(person: Any, hub: Any) -> None:
    await person.sets_up()
    fields_of(hub, shop=[FieldSpec(name="shoe_size")], post=[])
    assert "one of the two accounts could not be asked" in (await person.open("/fields")).text


async def test_the_history_says_who_changed_what_from_what_to_what(person: Any) -> None:
    await person.sets_up()
    await save(person, setting__sender="Lady & Co <b>")
    page = await person.open("/history")
    assert "jo@shop7.example" in page.text
    assert "Sender: Shop → Lady & Co <b>" in page.text
    assert "<b>" not in page.answer.text
    assert "Set up." in page.text


async def test_returning_to_an_earlier_state_shows_it_and_changes_nothing_before_save(person: Any, hub: Any) -> None:
    await person.sets_up()
    await save(person, setting__sender="Second")
    links = [
        given["href"] for tag, given in (await person.open("/history")).read.tags if "?from=" in given.get("href", "")
    ]
    page = await person.open(links[0])
    assert page.form.values["setting.sender"] == "Shop"
    assert "Nothing has changed yet: they count after Save." in page.text
    (one,) = await hub.connections_of("shop:7")
    assert one.settings["sender"] == "Second"
    assert (await person.submit(page, action="save")).status == 303
    (one,) = await hub.connections_of("shop:7")
    assert one.settings["sender"] == "Shop"


async def test_returning_to_what_mails_needs_the_tick_that_it_needs_today(person: Any, hub: Any) -> None:
    await person.sets_up()
    page = await person.open("/settings")
    asks = {"setting__ask": "yes", "setting__template": "T1", "setting__silence": "yes"}
    shown = await person.submit(page, action="save", **asks)
    assert (await person.submit(shown, action="save", agree="yes")).status == 303
    # The agreement given then was for other words.
    from msgspec import structs

    from stellwerk.store import connections

    (one,) = await hub.connections_of("shop:7")
    forgotten = structs.replace(one, agreed=None, settings={**one.settings, "ask": False, "silence": "no"})
    await hub.store.write(lambda tx: connections.save(tx, forgotten, who="test", now=hub.now()))
    lines = await hub.store.read(lambda tx: connections.history(tx, one.id))
    page = await person.open(f"/settings?from={lines[1].id}")
    assert page.form.values["setting.ask"] == "yes"
    assert (await person.submit(page, action="save")).status == 422


@pytest.mark.parametrize("line", ["", "x", "-1", "999", "1" * 40, "²"])
async def test_a_line_that_is_not_there_shows_what_stands(person: Any, line: str) -> None:
    await person.sets_up()
    await save(person, setting__sender="Second")
    assert (await person.open(f"/settings?from={line}")).form.values["setting.sender"] == "Second"


async def test_a_line_of_another_connections_history_shows_nothing_of_it(person: Any, somebody: Any) -> None:
    await person.sets_up()
    await save(person, setting__sender="Secret sender")
    other = somebody()
    page = await other.logs_in("8")
    await other.submit(page, action="save", account__post__api_key="very-hidden-good-key", setting__silence="no")
    for line in range(1, 5):
        assert "Secret sender" not in (await other.open(f"/settings?from={line}")).answer.text
    assert "Secret sender" not in (await other.open("/history")).answer.text


async def test_the_history_says_who_made_and_revoked_a_token_and_who_took_a_repair_off_the_list(
    person: Any, hub: Any
) -> None:
    await person.sets_up()
    (one,) = await hub.connections_of("shop:7")
    await hub.store.write(lambda tx: repairs.open_(tx, one.id, "field-missing", "x", 1.0))
    page = await person.open("/access")
    await person.submit(page, action="make", name="report", rights="view", days="7")
    for _ in range(2):
        await person.submit(page, action="revoke:1")
    token = page.form.values["token"]
    for _ in range(2):
        await person.post("/overview", {"token": token, "action": "repaired:1"})
    lines = await hub.store.read(lambda tx: connections.history(tx, one.id))
    done = [(line.who, line.note, line.about) for line in reversed(lines) if line.note]
    who = "jo@shop7.example"
    assert done == [
        (who, "token-made", "report"),
        (who, "token-revoked", "report"),
        (who, "repair-ended", "field-missing"),
    ]
    shown = (await person.open("/history")).text
    assert "Made the API token report." in shown
    assert "Revoked the API token report." in shown
    assert "Took the repair field-missing off the list." in shown
    assert "API-Token report widerrufen." in (await person.open("/history?lang=de")).text

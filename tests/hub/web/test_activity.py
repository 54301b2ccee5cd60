"""Activity: a contact is found by its address without the address standing in any URL."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.relay.trace import Trace
from stellwerk.store import contacts, traces
from stellwerk.store.contacts import ContactState
from stellwerk.web.reason_phrases import REASONS
from stellwerk_rules.model import Because, Remembered

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"


SAID_NO = Because(
    code="said-no", text="wants_letters is no", rule="enter", line=31, nearest="left: field x is a, wanted: b"
)


async def remember(hub: Any, because: Because = SAID_NO) -> None:
    (one,) = await hub.connections_of("shop:7")
    trace = Trace(what="created", reasons=(because,), outcome="skipped", answer="<b>422</b>")

    def work(tx: Any) -> None:
        address = hub.vault.address(ADA)
        state = ContactState(connection=one.id, address=address, remembered=Remembered(ids={"shop": "4711"}))
        stored = contacts.save(tx, state, hub.now())
        body = hub.vault.seal("shop:7", msgspec.json.encode(trace))
        traces.add(
            tx,
            connection=one.id,
            contact=stored.id,
            address=address,
            event="e1",
            kind="skipped",
            body=body,
            now=hub.now(),
        )

    await hub.store.write(work)


async def search(person: Any, who: str) -> Any:
    page = await person.open("/activity")
    assert page.form.action == "/activity"
    assert page.form.method == "post"
    return await person.submit(page, who=who)


async def test_a_decision_is_told_with_rule_line_reason_and_the_nearest_miss(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    page = await search(person, f" {ADA.upper()} ")
    assert page.status == 200
    for part in (
        "“Wants letters” is no",
        "rule enter, line 31",
        "left: field x is a, wanted: b",
        "4711",
        "Contact created",
    ):
        assert part in page.text, part
    assert "nothing was done" in page.text


async def test_an_id_at_a_system_finds_the_same(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    assert "“Wants letters” is no" in (await search(person, "4711")).text


async def test_what_a_remote_said_is_shown_as_text_and_never_as_a_page(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    page = await search(person, ADA)
    assert "<b>422" not in page.answer.text
    assert "&lt;b&gt;422" in page.answer.text


async def test_german_pages_say_the_reason_in_german_with_the_value_seen(person: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    await person.open("/activity?lang=de")
    page = await search(person, ADA)
    assert "„Wants letters“ steht auf Nein." in page.text
    assert " is no" not in page.text
    assert "Kontakt angelegt" in page.text


@pytest.mark.parametrize(
    "who", ["nobody@example.com", "😀@example.com", "x" * 5000, "אבג@דוגמה.com", "%_' or 1=1", "a\u0000b"]
)
async def test_somebody_unknown_gets_an_answer_that_teaches(person: Any, who: str) -> None:
    await person.sets_up()
    page = await search(person, who)
    assert page.status == 200
    assert "No event of this contact has ever arrived." in page.text


async def test_an_empty_search_changes_nothing(person: Any) -> None:
    await person.sets_up()
    assert "Search for a contact to see" in (await search(person, "   ")).text


async def test_a_stranger_finds_nothing_of_another_connection(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    await remember(hub)
    other = somebody()
    page = await other.logs_in("8")
    saved = await other.submit(
        page, action="save", account__post__api_key="very-hidden-good-key", setting__silence="no"
    )
    assert saved.status == 303
    for who in (ADA, "4711"):
        page = await search(other, who)
        assert "No event of this contact has ever arrived." in page.text
        assert " is no" not in page.text


async def test_a_reason_names_a_system_as_people_know_it(person: Any, hub: Any) -> None:
    await person.sets_up()
    because = Because(code="not-linked", text="the contact is not known at shop", rule="left", line=40)
    await remember(hub, because)
    assert "the contact is not known at ToyShop" in (await search(person, ADA)).text


async def test_a_reason_whose_german_form_is_not_known_is_told_by_its_sense_with_the_exact_words(
    person: Any, hub: Any
) -> None:
    await person.sets_up()
    await remember(hub, msgspec.structs.replace(SAID_NO, text="she said never"))
    await person.open("/activity?lang=de")
    page = await search(person, ADA)
    assert REASONS["said-no"][1] in page.text
    assert "she said never" in page.text

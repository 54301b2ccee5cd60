"""Timeline entries as notes, and their mark (section 10)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from stellwerk.sdk import AddEntry, Delivery, MarkState, Outcome, RetryableError, SetStage
from stellwerk_hubspot.connector import HubspotConnector
from stellwerk_hubspot.note import body_of, reference_of

Opener = Callable[..., AbstractAsyncContextManager[HubspotConnector]]
pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def entry(mark: str = "mark-1", *, form: str = "note", shown: tuple[tuple[str, str], ...] = ()) -> AddEntry:
    text = {"en": "Unsubscribed", "de": "Abgemeldet"}
    return AddEntry(text=text, shown=shown, at=AT, mark=mark, form=form, fact="f")


def adding(contact_id: str, change: AddEntry) -> Delivery:
    return Delivery(key="k", id=contact_id, email=None, change=change, created_at=AT)


@pytest.mark.behaviour("timeline")
async def test_a_note_says_what_happened_what_is_shown_and_its_reference(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    shown = (("msg_id", "<b>17</b>"), ("method", "link & co"))
    async with at_twin() as connector:
        (receipt,) = await connector.apply([adding(contact_id, entry(shown=shown))])
    (note,) = twin.contact(contact_id)["notes"]
    assert note["hs_note_body"] == (
        "<p>Unsubscribed</p><p>msg_id: &lt;b&gt;17&lt;/b&gt;</p><p>method: link &amp; co</p>"
        f"<p>Ref. {reference_of('mark-1')}</p>"
    )
    assert note["hs_timestamp"] == "2026-11-24T10:30:00.000Z"
    assert (receipt.outcome, receipt.code, receipt.id) == (Outcome.DONE, "done", contact_id)


async def test_a_note_is_in_the_language_of_the_system(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    async with at_twin(language="de") as connector:
        await connector.apply([adding(contact_id, entry())])
    (note,) = twin.contact(contact_id)["notes"]
    assert "Abgemeldet" in note["hs_note_body"]


async def test_a_mark_is_found_among_many_notes_and_no_other_is(twin: Any, at_twin: Opener) -> None:
    contact_id = twin.new()
    async with at_twin() as connector:
        for number in range(103):
            await connector.apply([adding(contact_id, entry(f"mark-{number}"))])
        first, _ = await connector.find_mark(adding(contact_id, entry("mark-0")))
        never, _ = await connector.find_mark(adding(contact_id, entry("mark-103")))
    assert (first, never) == (MarkState.FOUND, MarkState.ABSENT)


async def test_a_mark_is_found_at_the_contact_that_a_merge_left(twin: Any, at_twin: Opener) -> None:
    primary, loser = twin.new(), twin.new()
    async with at_twin() as connector:
        await connector.apply([adding(primary, entry())])
        survivor = twin.merge(primary, loser)
        state, receipt = await connector.find_mark(adding(primary, entry()))
    assert state is MarkState.FOUND
    assert receipt is not None
    assert receipt.id == survivor


async def test_a_contact_that_is_gone_has_no_mark_and_takes_no_note(at_twin: Opener) -> None:
    async with at_twin() as connector:
        state, _ = await connector.find_mark(adding("999999999", entry()))
        (receipt,) = await connector.apply([adding("999999999", entry())])
    assert state is MarkState.ABSENT
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "not-found")


async def test_only_a_note_has_a_mark(at_twin: Opener) -> None:
    delivery = Delivery(key="k", id="7", email=None, change=SetStage(stage="lead"), created_at=AT)
    async with at_twin() as connector:
        assert await connector.find_mark(delivery) == (MarkState.UNREADABLE, None)


# --- scripted ----------------------------------------------------------------------------------------------------------


async def test_an_ended_id_that_takes_no_note_gives_way_to_the_present_one(script: Any, scripted: Opener) -> None:
    script.add(404).add(200, {"id": "8"}).add(201, {"id": "70", "createdAt": "2026-11-24T11:00:00Z"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([adding("7", entry())])
    assert (receipt.outcome, receipt.id) == (Outcome.DONE, "8")
    assert receipt.at == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert script.bodies()[2]["associations"][0]["to"] == {"id": "8"}


async def test_a_note_refused_at_the_present_id_is_not_tried_again(script: Any, scripted: Opener) -> None:
    script.add(400).add(200, {"id": "7"})
    async with scripted() as connector:
        (receipt,) = await connector.apply([adding("7", entry())])
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "refused")
    assert len(script.asked) == 2


@pytest.mark.parametrize("fault", ["timeout", "rubbish"])
async def test_a_note_that_may_have_been_made_is_ambiguous(script: Any, scripted: Opener, fault: str) -> None:
    if fault == "timeout":
        script.fail(httpx.ReadTimeout("late"))
    else:
        script.add(201, b"{")
    async with scripted() as connector:
        (receipt,) = await connector.apply([adding("7", entry())])
    assert receipt.outcome is Outcome.AMBIGUOUS
    assert len(script.asked) == 1


async def test_a_mark_that_may_be_on_a_further_page_is_unreadable(script: Any, scripted: Opener) -> None:
    page = {"results": [{"id": "9"}], "paging": {"next": {"after": "9"}}}
    script.add(200, {"id": "7", "associations": {"notes": page}})
    script.add(200, {"results": [{"id": "9", "properties": {"hs_note_body": None}}]})
    async with scripted() as connector:
        assert await connector.find_mark(adding("7", entry())) == (MarkState.UNREADABLE, None)


async def test_a_mark_that_cannot_be_looked_for_is_an_error(script: Any, scripted: Opener) -> None:
    script.add(503)
    async with scripted() as connector:
        with pytest.raises(RetryableError):
            await connector.find_mark(adding("7", entry()))


def test_a_reference_is_short_and_the_same_for_the_same_mark() -> None:
    assert reference_of("mark-1") == reference_of("mark-1") != reference_of("mark-2")
    assert len(reference_of("x" * 500)) == 13


def test_an_endless_detail_is_cut_and_leaves_the_reference() -> None:
    body = body_of(entry(shown=(("a", "<" * 40_000), ("b", "later"))), "en")
    assert len(body) <= 65_536
    assert body.endswith(f"<p>Ref. {reference_of('mark-1')}</p>")
    assert "&lt;</p>" in body
    assert "&l</p>" not in body


def test_an_entry_without_the_language_is_told_in_the_one_it_has() -> None:
    change = AddEntry(text={"de": "Abgemeldet"}, shown=(), at=AT, mark="m", form="note", fact="f")
    assert body_of(change, "en").startswith("<p>Abgemeldet</p>")

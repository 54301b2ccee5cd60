"""The initial sync on its page and by the API: a dry run, what it says, the number confirmed, stop and resume."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.sdk import Contact, Origin, Written
from stellwerk.store import api_tokens, syncs

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 24, 12, tzinfo=UTC)
COMING = 3


def contact(number: int, wants: str) -> Contact:
    at = NOW - timedelta(days=100)
    return Contact(
        id=str(number),
        email=f"c{number}@example.com",
        fields={"wants_letters": wants, "first": None},
        history={"wants_letters": (Written(value=wants, at=at, origin=Origin.IMPORT),)},
        created_at=at,
        updated_at=at,
        read_at=NOW,
    )


@pytest.fixture
def world(world: Any) -> Any:
    """Four contacts from long before; one has said no by a form."""
    world.contacts = [contact(number, "yes") for number in range(COMING)]
    said = Written(value="no", at=NOW, origin=Origin.FORM)
    world.contacts.append(replace(contact(9, "no"), history={"wants_letters": (said,)}))
    return world


async def sets_up(person: Any) -> None:
    """The connection runs and asks with the template T1."""
    page = await person.logs_in()
    typed = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no"}
    saved = await person.submit(page, action="save", setting__ask="yes", setting__template="T1", **typed)
    assert saved.status == 303, saved.text
    await person.open("/settings")


async def press(person: Any, action: str, **values: str) -> Any:
    token = (await person.open("/sync")).form.values["token"]
    answer = await person.post("/sync", {"token": token, "action": action, **values})
    assert (answer.status, answer.where) == (303, "/sync")
    return await person.open("/sync")


async def until(person: Any, words: str) -> Any:
    """The page once it says so."""
    async with asyncio.timeout(30):
        while words not in (page := await person.open("/sync")).text:  # noqa: ASYNC110 - the hub tells the database alone
            await asyncio.sleep(0.02)
    return page


async def dry_run(person: Any, terms: str = "none") -> Any:
    await press(person, "dry-run", terms=terms)
    return await until(person, "Dry run: done")


async def test_the_overview_offers_it_until_there_was_one(person: Any) -> None:
    await sets_up(person)
    assert (
        "Contacts that were there before stay out until you bring them in: Initial sync"
        in (await person.open("/overview")).text
    )
    await dry_run(person)
    await press(person, "start")
    assert "Contacts that were there before" not in (await person.open("/overview")).text


async def test_before_anything_the_page_offers_a_dry_run(person: Any) -> None:
    await sets_up(person)
    page = await person.open("/sync")
    assert "First a dry run" in page.text
    assert page.form.options["terms"] == ["none", "ask"]


async def test_a_dry_run_says_what_would_become_of_everybody_and_why(person: Any) -> None:
    await sets_up(person)
    page = await dry_run(person)
    assert f"{COMING} come in without a mail" in page.text
    assert "1 stay as they are" in page.text
    assert (
        "c0@example.com come in without a mail brought in by a sync, on its terms"
        " New, unless Toypost holds an opt-out of this address or has it already." in page.text
    )
    assert "c9@example.com stay as they are “Wants letters” is no" in page.text
    only = await person.open("/sync?what=skipped")
    assert ("c9@example.com" in only.text, "c0@example.com" in only.text) == (True, False)


async def test_long_lists_have_further_parts(person: Any, world: Any) -> None:
    world.contacts = [contact(number, "yes") for number in range(100, 160)]
    await sets_up(person)
    page = await dry_run(person)
    assert ("c149@example.com" in page.text, "c150@example.com" in page.text) == (True, False)
    (link,) = [given["href"] for tag, given in page.read.tags if tag == "a" and "after=" in given.get("href", "")]
    further = await person.open(link)
    assert ("c149@example.com" in further.text, "c150@example.com" in further.text) == (False, True)


@pytest.mark.parametrize("number", ["", "2", "4", "-3", "three", "9" * 9])
async def test_mails_need_the_number_that_was_counted(person: Any, hub: Any, number: str) -> None:
    await sets_up(person)
    await dry_run(person, "ask")
    page = await press(person, "start", number=number)
    assert f"That is another number than the dry run counted ({COMING})." in page.text
    (one,) = await hub.connections_of("shop:7")
    assert await hub.store.read(lambda tx: syncs.last(tx, one.id, "sync")) is None


async def test_with_the_number_it_starts_and_can_be_stopped_resumed_and_cancelled(person: Any, hub: Any) -> None:
    await sets_up(person)
    page = await dry_run(person, "ask")
    assert f"{COMING} get a mail" in page.text
    page = await press(person, "start", number=str(COMING))
    assert "The sync has begun." in page.text
    assert "Sync: under way" in page.text
    (one,) = await hub.connections_of("shop:7")
    run = await hub.store.read(lambda tx: syncs.last(tx, one.id, "sync"))
    assert (run.ask, run.confirmed, run.made_by) == (True, COMING, "jo@shop7.example")
    assert "Sync: stopped" in (await press(person, "stop")).text
    assert "Sync: under way" in (await press(person, "resume")).text
    page = await press(person, "cancel")
    assert "Sync: cancelled" in page.text
    assert "First a dry run" in page.text


async def test_a_refusal_is_a_sentence(person: Any) -> None:
    await sets_up(person)
    assert "Do a dry run first." in (await press(person, "start")).text
    assert "No sync is going on any more." in (await press(person, "stop")).text
    assert "There is no such permission." in (await press(person, "dry-run", terms="x" * 99)).text
    assert "Nobody has agreed to this permission yet." in (await press(person, "dry-run", terms="single")).text


async def test_the_page_is_german_where_it_is_wanted(person: Any) -> None:
    await sets_up(person)
    await dry_run(person, "ask")
    page = await person.open("/sync?lang=de")
    assert f"{COMING} bekommen eine Mail" in page.text
    assert "Wie viele Mails dürfen hinaus?" in page.text
    assert "Neu, außer Toypost kennt eine Abmeldung dieser Adresse oder hat sie schon." in page.text


async def test_progress_is_told_while_it_lasts_and_then_that_it_is_over(person: Any) -> None:
    await sets_up(person)
    told = await person.client.get("/sync/progress")
    assert (told.headers["content-type"].split(";")[0], "event: over" in told.text) == ("text/event-stream", True)
    await dry_run(person, "ask")
    await press(person, "start", number=str(COMING))
    async with person.client.stream("GET", "/sync/progress") as stream:
        lines = [line async for line in stream.aiter_lines() if line.startswith(("event", "data"))][:2]
    assert lines[0] == "event: progress"
    assert '"contacts"' in lines[1]


async def test_programs_do_the_same_but_confirm_no_number(person: Any, hub: Any) -> None:
    await sets_up(person)
    (one,) = await hub.connections_of("shop:7")
    text = await hub.store.write(
        lambda tx: api_tokens.add(
            tx, hub.vault, connection=one.id, name="p", rights="change", made_by="jo", now=hub.now(), expires=9e12
        )
    )

    async def call(method: str, path: str, body: Any = None) -> Any:
        sent = {"authorization": f"Bearer {text}"}
        return await person.client.request(method, f"/api/sync{path}", headers=sent, json=body)

    assert (await call("GET", "")).json() == {"dry_run": None, "sync": None}
    begun = await call("POST", "/dry-run", {"ask": True})
    assert (begun.status_code, begun.json()["dry_run"]["by"]) == (202, "API: p")
    done = await until(person, "Dry run: done")
    assert done.status == 200
    first = (await call("GET", "/contacts?limit=2")).json()
    rest = (await call("GET", f"/contacts?limit=2&after={first['after']}")).json()
    told = [(row["id"], row["what"]) for row in (*first["contacts"], *rest["contacts"])]
    assert told == [("0", "mailed"), ("1", "mailed"), ("2", "mailed"), ("9", "skipped")]
    assert rest["after"] is None
    refused = await call("POST", "/start")
    assert (refused.status_code, "[other-number]" in refused.json()["detail"]) == (409, True)
    assert (await call("POST", "/cancel")).status_code == 409
    assert (await call("GET", "/contacts?what=everything")).status_code == 400

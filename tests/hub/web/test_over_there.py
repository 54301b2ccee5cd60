"""What the settings page says of the other side: the last call of each webhook, and the form that asks."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stellwerk.store import meta
from stellwerk.web.phrases import phrase

pytestmark = pytest.mark.anyio


def webhooks(page: Any) -> list[str]:
    return [given["value"] for tag, given in page.read.tags if tag == "input" and given.get("type") == "url"]


async def test_each_webhook_says_when_it_was_last_called_and_not_yet_seen_until_then(
    person: Any, somebody: Any, hub: Any
) -> None:
    await person.sets_up()
    page = await person.open("/settings")
    assert page.text.count("Not yet seen.") == 3
    path = webhooks(page)[1].removeprefix("http://hub.test")
    assert (await somebody().client.post(path, content=b"x")).status_code == 200
    page = await person.open("/settings")
    assert page.text.count("Not yet seen.") == 2
    assert re.search(r"Last called \d+ \w+ 20\d\d, \d\d:\d\d UTC\.", page.text)
    assert "Noch nicht gesehen." in (await person.open("/settings?lang=de")).text


async def test_whoever_has_the_secret_leaves_nothing_behind_by_calling_what_is_no_webhook(
    person: Any, somebody: Any, hub: Any
) -> None:
    await person.sets_up()
    root = webhooks(await person.open("/settings"))[0].removeprefix("http://hub.test").rpartition("/")[0]
    for topic in ("made-up", "x" * 5_000, "doi/made-up"):
        assert (await somebody().client.post(f"{root}/{topic}", content=b"x")).status_code == 200
    assert await hub.store.read(lambda tx: meta.cursors(tx, "post:900", "hook:")) == []


async def test_a_form_recipe_names_the_property_once_it_exists_there(person: Any) -> None:
    page = await person.logs_in()
    assert "Your form" not in page.text, "the property is created by the first Save"
    await person.sets_up()
    page = await person.open("/settings")
    assert "Add the property “Wants letters” to your form in ToyShop" in page.text
    assert "Its internal name in ToyShop: wants_letters" in page.text
    assert [given.get("aria-label", "") for tag, given in page.read.tags if tag == "figure"] == [
        "A form with a field for the e-mail address, below it a box to tick, “Wants letters”, and a button"
    ]


async def test_the_overview_begins_with_how_it_stands_and_leads_to_the_next_steps(person: Any) -> None:
    await person.sets_up()
    page = await person.open("/overview")
    assert page.text.index("Repairs") < page.text.index("Watch, rest, stop or end")
    links = [given.get("href") for tag, given in page.read.tags if tag == "a"]
    assert {"/try", "/settings#form"} <= set(links)
    assert "Nobody was asked yet." in page.text
    assert page.text.count("Nothing waits here.") == 2


def test_a_number_in_a_phrase_brings_the_word_that_goes_with_it() -> None:
    assert phrase("en", "parting-tokens", count=1) == "1 API token ends."
    assert phrase("en", "parting-tokens", count=2) == "2 API tokens end."
    assert phrase("de", "parting-tokens", count=1) == "1 API-Token endet."
    assert phrase("de", "parting-tokens", count=0) == "0 API-Tokens enden."

"""Rights that a login did not bring: told while that is open, to each as they can mend it, and to programs too."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.sdk.connector import Scope, Words
from stellwerk.store import accounts, repairs

pytestmark = pytest.mark.anyio
MISSING = "Missing: letters.write"


@pytest.fixture(autouse=True)
def asks_for_more(monkeypatch: pytest.MonkeyPatch, hub: Any) -> None:
    """Both toys have a right that no login brings."""

    def lacking(cls: Any, system: Any, granted: Any) -> tuple[Scope, ...]:
        without = Words(en="no letter is written", de="kein Brief wird geschrieben")
        by = Words(en="The postmaster grants it.", de="Der Postmeister erteilt es.")
        return (Scope(name="letters.write", without=(without,), granted_by=by),)

    for side in hub.systems.values():
        monkeypatch.setattr(side.connector, "lacking", classmethod(lacking), raising=False)


async def lacks(hub: Any, account: str) -> None:
    def work(tx: Any) -> None:
        accounts.set_info(tx, account, granted=["letters.read"])
        repairs.open_(tx, account, "scope-not-granted", "letters.write", 1.0)

    await hub.store.write(work)


async def test_settings_name_it_until_somebody_can_do_without(person: Any, hub: Any) -> None:
    await person.sets_up()
    await lacks(hub, "shop:7")
    assert MISSING in (await person.open("/settings")).text
    page = await person.open("/overview")
    assert "or end this if you can do without" in page.text
    number = (await hub.store.read(repairs.still_open))[0]["id"]
    await person.post("/overview", {"token": page.form.values["token"], "action": f"repaired:{number}"})
    assert MISSING not in (await person.open("/settings")).text


async def test_of_a_shared_account_nobody_is_told_to_end_what_they_cannot(person: Any, somebody: Any, hub: Any) -> None:
    for one, account in ((person, "7"), (somebody(), "8")):
        page = await one.logs_in(account)
        values = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no"}
        assert (await one.submit(page, action="save", **values)).status == 303
    await lacks(hub, "post:900")
    page = await person.open("/overview")
    assert MISSING in page.text
    assert "or end this" not in page.text
    assert "whoever runs the hub can take it off the list" in page.text


async def test_whoever_was_invited_is_told_whom_to_ask(person: Any, somebody: Any, hub: Any) -> None:
    await person.sets_up()
    await lacks(hub, "shop:7")
    made = await person.submit(await person.open("/people"), action="invite", name="Eva", rights="change")
    (link,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    guest = somebody()
    await guest.submit(await guest.open(str(link).removeprefix("http://hub.test")))
    page = await guest.open("/settings")
    assert MISSING in page.text
    assert "ask somebody who logs in with ToyShop" in page.text
    assert "To add it, log in again" not in page.text


async def test_programs_are_told_what_is_lacking(person: Any, hub: Any) -> None:
    await person.sets_up()
    await lacks(hub, "shop:7")
    page = await person.open("/access")
    made = await person.post(
        "/access", {"token": page.form.values["token"], "action": "make", "name": "r", "rights": "view", "days": "7"}
    )
    (text,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    answer = await person.client.get("/api/overview", headers={"authorization": f"Bearer {text}"})
    told = {side["system"]: side["lacking"] for side in answer.json()["sides"]}
    one = {"name": "letters.write", "without": ["no letter is written"], "granted_by": "The postmaster grants it."}
    assert told == {"shop": [one], "post": []}

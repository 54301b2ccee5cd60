"""The operator's page: behind a signed link for one use, over all connections, and shut to everybody else."""

from __future__ import annotations

from typing import Any

import pytest

from stellwerk.relay.operator_link import VALID_SECONDS, operator_link
from stellwerk.store import accounts, hold, repairs

pytestmark = pytest.mark.anyio

GOOD = "very-hidden-good-key"


async def path_of(hub: Any) -> str:
    told = await operator_link(hub, by="root")
    assert told["url"].startswith("http://hub.test/operator/")
    return str(told["url"]).removeprefix("http://hub.test")


async def follow(somebody: Any, hub: Any) -> Any:
    operator = somebody()
    page = await operator.open(await path_of(hub))
    followed = await operator.submit(page)
    assert (followed.status, followed.where) == (303, "/operator")
    return operator


async def two(person: Any, somebody: Any) -> None:
    """Shop 7 and shop 8, on the same letters account."""
    for one, account in ((person, "7"), (somebody(), "8")):
        page = await one.logs_in(account)
        assert (await one.submit(page, action="save", account__post__api_key=GOOD, setting__silence="no")).status == 303


async def press(operator: Any, action: str) -> Any:
    token = (await operator.open("/operator")).form.values["token"]
    answer = await operator.post("/operator", {"token": token, "action": action})
    assert (answer.status, answer.where) == (303, "/operator")
    return await operator.open("/operator")


async def test_it_shows_every_connection_with_its_health_and_what_waits(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    await hub.store.write(lambda tx: accounts.set_state(tx, "shop:8", "reauthorize", "unauthorized", "x"))
    page = await (await follow(somebody, hub)).open("/operator")
    assert "Connections (2)" in page.text
    assert "Shop 7 · Acme Letters" in page.text
    assert "Shop 8 · Acme Letters" in page.text
    assert "ToyShop no longer grants access." in page.text
    assert page.text.count("0 waiting, 0 held, 0 given up") == 2


async def test_it_counts_the_accounts_and_says_how_many_there_may_be(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    page = await (await follow(somebody, hub)).open("/operator")
    assert "ToyShop: 2 connected. The app may be installed in 10 accounts" in page.text
    assert "Toypost: 1 connected." in page.text


async def test_repairs_of_shared_accounts_are_closed_here(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    await hub.store.write(lambda tx: repairs.open_(tx, "post:900", "unreadable", "in full", 1.0))
    operator = await follow(somebody, hub)
    assert "post:900" in (await operator.open("/operator")).text
    assert "Nothing needs to be mended." in (await press(operator, "repaired:1")).text
    assert await hub.store.read(repairs.still_open) == []
    assert "That repair was mended already." in (await press(operator, "repaired:1")).text


async def test_everything_that_mails_is_stopped_and_goes_on(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    operator = await follow(somebody, hub)
    page = await press(operator, "stop")
    assert "held in the whole hub since" in page.text
    assert (await hub.store.read(hold.standing)).by == "root"
    assert "Whoever runs this hub has stopped everything that mails" in (await person.open("/overview")).text
    assert "It goes on" in (await press(operator, "go-on")).text
    assert await hub.store.read(hold.standing) is None


async def test_looking_at_the_link_uses_nothing_up_and_following_it_does(somebody: Any, hub: Any) -> None:
    path = await path_of(hub)
    for _ in range(2):
        page = await somebody().open(path)
        assert "The link works once" in page.text
    first = somebody()
    assert (await first.submit(await first.open(path))).status == 303
    second = somebody()
    page = await second.open(path)
    assert (await second.submit(page)).status == 404
    assert (await second.open("/operator")).where == "/"


async def test_after_ten_minutes_the_link_is_none_and_after_an_hour_the_page_is_shut(somebody: Any, hub: Any) -> None:
    path = await path_of(hub)
    operator = await follow(somebody, hub)
    earlier = hub.now
    try:
        hub.now = lambda: earlier() + VALID_SECONDS
        assert (await somebody().open(path)).status == 404
        assert (await operator.open("/operator")).status == 200
        hub.now = lambda: earlier() + 3600
        assert (await operator.open("/operator")).where == "/"
    finally:
        hub.now = earlier


async def test_a_link_that_was_changed_or_made_up_is_none(somebody: Any, hub: Any) -> None:
    path = await path_of(hub)
    body, _, signature = path.rpartition("/")[2].partition(".")
    for bad in (
        f"{body}x.{signature}",
        f"{body}.{signature[:-2]}AA",
        body,
        f"{body}.",
        f".{signature}",
        "x.y",
        "y" * 5000,
    ):
        assert (await somebody().open(f"/operator/{bad}")).status == 404, bad


async def test_who_is_logged_in_or_invited_or_nobody_sees_nothing_of_it(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    made = await person.submit(await person.open("/people"), action="invite", name="Eva", rights="change")
    (link,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    guest = somebody()
    await guest.submit(await guest.open(link.removeprefix("http://hub.test")))
    for one in (person, guest, somebody()):
        shown = await one.open("/operator")
        assert (shown.status, shown.where) == (303, "/")
    token = (await person.open("/overview")).form.values["token"]
    assert (await person.post("/operator", {"token": token, "action": "stop"})).where == "/"
    assert await hub.store.read(hold.standing) is None


async def test_the_operator_is_nobodys_customer(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    operator = await follow(somebody, hub)
    for path in ("/overview", "/settings", "/activity", "/connections", "/people"):
        assert (await operator.open(path)).where == "/", path


async def test_an_action_nobody_offers_is_refused(somebody: Any, hub: Any) -> None:
    operator = await follow(somebody, hub)
    token = (await operator.open("/operator")).form.values["token"]
    for action in ("", "repaired:x", "drop"):
        assert (await operator.post("/operator", {"token": token, "action": action})).status == 400
    assert (await operator.post("/operator", {"action": "stop"})).status == 403


async def test_it_is_there_in_german(person: Any, somebody: Any, hub: Any) -> None:
    await two(person, somebody)
    page = await (await follow(somebody, hub)).open("/operator?lang=de")
    assert "Verbindungen (2)" in page.text
    assert "ToyShop: 2 verbunden. Die App darf in 10 Konten installiert sein" in page.text

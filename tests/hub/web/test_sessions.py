"""What is sealed in a cookie cannot be taken back: a session that was ended counts no more, whoever kept a copy of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk.errors import StoreError
from stellwerk.relay.operator_link import operator_link
from stellwerk.store.used_up import use_up
from stellwerk.web.session import ENDED, LONGEST_SECONDS, SESSION_SECONDS

pytestmark = pytest.mark.anyio

Login = Callable[[Any, Any, Any], Awaitable[str]]


async def as_customer(person: Any, _: Any, hub: Any) -> str:
    await person.sets_up()
    return "/overview"


async def as_guest(person: Any, somebody: Any, hub: Any) -> str:
    owner = somebody()
    await owner.sets_up()
    made = await owner.submit(await owner.open("/people"), action="invite", name="Eva", rights="view")
    (link,) = [given["value"] for tag, given in made.read.tags if given.get("id") == "made"]
    await person.submit(await person.open(link.removeprefix("http://hub.test")))
    return "/overview"


async def as_operator(person: Any, _: Any, hub: Any) -> str:
    link = (await operator_link(hub, by="root"))["url"]
    await person.submit(await person.open(link.removeprefix("http://hub.test")))
    return "/operator"


EVERYBODY = pytest.mark.parametrize("login", [as_customer, as_guest, as_operator])


async def with_copy(somebody: Any, cookie: str, path: str) -> tuple[int, str]:
    """What somebody is answered who has a copy of the cookie."""
    page = await somebody().open(path, cookie=f"stellwerk={cookie}")
    return page.status, page.where


async def log_out(person: Any, path: str) -> None:
    token = (await person.open(path)).read.forms[0].values["token"]
    assert (await person.post("/logout", {"token": token})).where == "/"


@EVERYBODY
async def test_a_copy_of_the_cookie_is_worth_nothing_after_the_log_out(
    person: Any, somebody: Any, hub: Any, login: Login
) -> None:
    path = await login(person, somebody, hub)
    copies = [person.cookie()]
    await person.open(f"{path}?lang=de")
    copies.append(person.cookie())
    assert [await with_copy(somebody, one, path) for one in copies] == [(200, "")] * 2
    await log_out(person, path)
    assert [await with_copy(somebody, one, path) for one in copies] == [(303, "/")] * 2


@EVERYBODY
async def test_whoever_comes_in_anew_ends_the_session_of_before(
    person: Any, somebody: Any, hub: Any, login: Login
) -> None:
    path = await login(person, somebody, hub)
    before = person.cookie()
    await as_operator(person, somebody, hub)
    assert await with_copy(somebody, before, path) == (303, "/")
    assert (await person.open("/operator")).status == 200


async def test_disconnecting_ends_the_session(person: Any, somebody: Any) -> None:
    await person.sets_up()
    copy = person.cookie()
    page = await person.open("/disconnect")
    assert (await person.submit(page, sure="yes", anyway="yes")).status == 200
    assert await with_copy(somebody, copy, "/connections") == (303, "/")


async def test_one_log_out_ends_one_session(person: Any, somebody: Any) -> None:
    await person.sets_up()
    other = somebody()
    await other.logs_in()
    await log_out(person, "/overview")
    assert (await other.open("/overview")).status == 200
    await person.logs_in()
    assert (await person.open("/overview")).status == 200


@EVERYBODY
async def test_no_session_is_longer_than_thirty_days_however_often_it_is_used(
    person: Any, somebody: Any, hub: Any, login: Login
) -> None:
    path = await login(person, somebody, hub)
    cookie, began = person.cookie(), hub.now()
    hub.now = lambda: began + LONGEST_SECONDS + 60
    assert await with_copy(somebody, cookie, path) == (303, "/")
    hub.now = lambda: began + LONGEST_SECONDS - 60
    if login is as_customer:
        assert await with_copy(somebody, cookie, path) == (200, "")


async def test_ended_sessions_are_forgotten_once_no_cookie_of_theirs_can_live(person: Any, hub: Any) -> None:
    await person.sets_up()
    await log_out(person, "/overview")

    def kept(tx: Any) -> list[Any]:
        return list(tx.all("select name, value from cursor where account = :kind", kind=ENDED))

    (row,) = await hub.store.read(kept)
    assert float(row["value"]) >= hub.now() + SESSION_SECONDS - 60
    later = float(row["value"]) + 1
    await hub.store.write(lambda tx: use_up(tx, ENDED, "another", until=later + 1, now=later))
    assert [one["name"] for one in await hub.store.read(kept)] == ["another"]


async def test_a_store_that_cannot_be_asked_lets_nobody_in(person: Any, hub: Any) -> None:
    await person.sets_up()

    async def away(work: Any) -> Any:
        raise StoreError("away")

    read, hub.store.read = hub.store.read, away
    try:
        page = await person.open("/overview")
    finally:
        hub.store.read = read
    assert page.status == 503
    assert "cannot save anything at the moment" in page.text
    assert (await person.open("/overview")).status == 200

"""A login that never led to a saved connection: its tokens do not stay for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stellwerk.relay.housekeeping import tidy
from stellwerk.relay.leaving import tidy_up
from stellwerk.relay.unsaved import let_go_of_unsaved
from stellwerk.store import accounts

pytestmark = pytest.mark.anyio

DAY = 86_400.0
DAYS = 7
GOOD = "very-hidden-good-key"


@pytest.fixture
def pass_days(hub: Any) -> Iterator[Any]:
    """Lets days go by and the housekeeping work after them."""
    earlier = hub.now
    gone = 0.0

    async def go_by(days: float) -> None:
        nonlocal gone
        gone += days * DAY
        hub.now = lambda: earlier() + gone
        await tidy(hub)
        await tidy_up(hub)

    yield go_by
    hub.now = earlier


async def stored(hub: Any, account: str = "shop:7") -> Any:
    return await hub.store.read(lambda tx: accounts.by_id(tx, hub.vault, account))


async def test_its_tokens_go_after_their_days_and_the_app_is_uninstalled_where_nobody_else_uses_it(
    person: Any, hub: Any, world: Any, pass_days: Any
) -> None:
    await person.logs_in()
    await pass_days(DAYS - 0.1)
    assert (await stored(hub)).oauth is not None
    assert world.undone == []
    await pass_days(0.2)
    assert await stored(hub) is None
    assert world.undone == [("toyshop", 0)]


async def test_a_login_anew_begins_the_days_anew(person: Any, hub: Any, world: Any, pass_days: Any) -> None:
    await person.logs_in()
    await pass_days(DAYS - 1)
    await person.logs_in()
    await pass_days(2)
    assert (await stored(hub)).oauth is not None
    assert world.undone == []


async def test_a_saved_connection_keeps_its_tokens(person: Any, hub: Any, world: Any, pass_days: Any) -> None:
    await person.sets_up()
    await pass_days(10 * DAYS)
    assert (await stored(hub)).oauth is not None
    assert (await stored(hub, "post:900")).secrets is not None
    assert world.undone == []


async def test_another_connection_of_the_same_account_keeps_it(
    person: Any, somebody: Any, hub: Any, world: Any, pass_days: Any
) -> None:
    await person.sets_up()
    other = somebody()
    await other.logs_in()
    await pass_days(10 * DAYS)
    assert (await stored(hub)).oauth is not None
    assert world.undone == []


async def test_a_page_that_was_left_open_leads_to_a_new_login_and_nothing_is_stored(person: Any, hub: Any) -> None:
    page = await person.logs_in()
    earlier, hub.now = hub.now, lambda: earlier() + (DAYS + 1) * DAY
    await let_go_of_unsaved(hub)
    assert (await stored(hub)).state == accounts.LEAVING
    late = await person.submit(page, action="save", account__post__api_key=GOOD, setting__silence="no")
    assert (late.status, late.where) == (303, "/")
    assert await hub.connections_of("shop:7") == []
    await person.sets_up()
    assert (await stored(hub)).state == "ok"


async def test_the_page_says_how_long_a_login_without_save_lasts(person: Any) -> None:
    page = await person.logs_in()
    assert "Without a Save this login is forgotten after 7 days." in page.text
    await person.sets_up()
    assert "this login is forgotten" not in (await person.open("/settings")).text

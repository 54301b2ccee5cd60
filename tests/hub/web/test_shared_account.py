"""Two customers on one letters account: neither sees or touches what may be about the other's contacts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stellwerk.store import accounts, connections, consent, inbox, repairs
from stellwerk.view.finding import explained
from stellwerk.view.overview import overview
from stellwerk_rules.model import Fact, FactKind

pytestmark = pytest.mark.anyio

EVE = "eve@example.com"
KEY = "event|dead|post:900|unread|strange"


@pytest.fixture
async def both(person: Any, somebody: Any) -> tuple[Any, Any]:
    """Shop 7 and shop 8, both with the letters account 900."""
    other = somebody()
    for one, account in ((person, "7"), (other, "8")):
        page = await one.logs_in(account)
        values = {"account__post__api_key": "very-hidden-good-key", "setting__silence": "no"}
        assert (await one.submit(page, action="save", **values)).status == 303
    return person, other


async def press(person: Any, path: str, action: str, **values: str) -> Any:
    token = (await person.open(path)).form.values["token"]
    answer = await person.post(path, {"token": token, "action": action, **values})
    assert answer.status == 303
    return await person.open(path)


async def test_dead_events_of_a_shared_account_are_seen_replayed_and_ended_by_no_customer(
    both: tuple[Any, Any], hub: Any
) -> None:
    await hub.store.write(lambda tx: inbox.put_dead(tx, account="post:900", body=b"x", code="strange", now=hub.now()))
    for one in await hub.connections_of("post:900"):
        assert [side.events for side in (await overview(hub, one)).sides] == [{}, {}]
    for person in both:
        assert "Nothing was given up." in (await person.open("/letters")).text
        assert "0 put back" in (await press(person, "/letters", "replay", group=KEY)).text
        assert "0 put back" in (await press(person, "/letters", "replay-all")).text
        assert "0 ended" in (await press(person, "/letters", "dismiss", group=KEY, why="x")).text
    rows = await hub.store.read(lambda tx: tx.all("select state from inbox where account = 'post:900'"))
    assert [row["state"] for row in rows] == ["dead"]


async def test_repairs_of_a_shared_account_are_closed_by_no_customer(both: tuple[Any, Any], hub: Any) -> None:
    await hub.store.write(lambda tx: repairs.open_(tx, "post:900", "unreadable", "about somebody else", 1.0))
    for person in both:
        page = await press(person, "/overview", "repaired:1")
        assert "about somebody else" not in page.text
        assert "Nothing needs to be mended." in page.text
    assert len(await hub.store.read(repairs.still_open)) == 1


@pytest.mark.behaviour("several-watching")
async def test_what_a_shared_account_waits_for_is_shown_without_the_words_and_cannot_be_closed(
    both: tuple[Any, Any], hub: Any
) -> None:
    def refuse(tx: Any) -> None:
        accounts.set_state(tx, "post:900", "reauthorize", "key-refused", "no")
        repairs.open_(tx, "post:900", "key-refused", "the key of somebody else", 1.0)

    await hub.store.write(refuse)
    for person in both:
        page = await press(person, "/overview", "repaired:1")
        assert "Toypost does not take the key any more" in page.text
        assert "somebody else" not in page.text
        assert "repaired:1" not in page.answer.text
    assert len(await hub.store.read(repairs.still_open)) == 1


async def test_a_typed_address_that_only_the_other_has_is_not_told_to_be_suppressed(
    both: tuple[Any, Any], hub: Any
) -> None:
    (of_seven,) = await hub.connections_of("shop:7")
    (of_eight,) = await hub.connections_of("shop:8")
    fact = Fact(kind=FactKind.OPTED_OUT, key="k", at=datetime(2026, 1, 1, tzinfo=UTC), event="e", final=True)
    address = hub.vault.address(EVE)
    await hub.store.write(lambda tx: consent.add(tx, "post:900", address, of_seven.id, [fact], hub.now()))
    assert (await explained(hub, of_seven, EVE)).activity.consent[0].suppressed_since is not None
    told = await explained(hub, of_eight, EVE)
    assert told.activity.consent == []
    assert [one.code for one in told.findings] == ["never-heard"]


async def test_alone_again_the_dead_events_are_the_customers_own(both: tuple[Any, Any], hub: Any) -> None:
    await hub.store.write(lambda tx: inbox.put_dead(tx, account="post:900", body=b"x", code="strange", now=hub.now()))
    (of_eight,) = await hub.connections_of("shop:8")
    await hub.store.write(lambda tx: connections.end(tx, of_eight, who="test", now=hub.now()))
    assert "Nothing was given up." not in (await both[0].open("/letters")).text

"""A hub whose disk is full: people and monitors are told in plain words, and nothing that was acknowledged is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from stellwerk.sdk import EventKind, Ref, Signal
from stellwerk.store import inbox
from stellwerk.store.store import Tx

pytestmark = pytest.mark.anyio
Disk: TypeAlias = Callable[[int], Awaitable[None]]


@pytest.fixture
def disk(hub: Any) -> Disk:
    """Lets the database have so many pages more than it has."""

    async def leaves(more: int) -> None:
        def work(tx: Tx) -> None:
            row = tx.one("pragma page_count")
            assert row is not None
            tx.one(f"pragma max_page_count={row['page_count'] + more}")

        await hub.store.write(work)

    return leaves


@pytest.fixture
def webhooks(hub: Any) -> None:
    """The shop tells of one contact in each call, with something to say of it."""
    told = iter(range(1000))

    def receive(request: Any, system: Any, /) -> list[Signal]:
        number = next(told)
        return [
            Signal(
                account="7",
                key=f"{number}",
                ref=Ref(by="id", value=f"{number}"),
                kind=EventKind.CHANGED,
                details={"note": "x" * 3000},
            )
        ]

    hub.systems["shop"].connector.receive = receive


async def taken(hub: Any) -> int:
    return int(sum((await hub.store.read(inbox.counts)).values()))


async def test_what_a_vendor_tells_is_refused_so_that_it_is_told_again_and_nothing_acknowledged_is_lost(
    person: Any, hub: Any, disk: Disk, webhooks: None
) -> None:
    await person.sets_up()
    await disk(20)
    answers = [(await person.client.post("/webhooks/toyshop", content=b"[]")).status_code for _ in range(40)]
    assert set(answers) == {200, 503}
    assert await taken(hub) == answers.count(200)
    await disk(10_000)
    assert (await person.client.post("/webhooks/toyshop", content=b"[]")).status_code == 200
    assert await taken(hub) == answers.count(200) + 1


async def fills(person: Any, disk: Disk) -> None:
    await person.sets_up()
    await disk(0)
    for _ in range(40):
        await person.client.post("/webhooks/toyshop", content=b"[]")


async def test_every_page_says_that_the_disk_is_full_and_who_mends_it(
    person: Any, somebody: Any, disk: Disk, webhooks: None
) -> None:
    await fills(person, disk)
    for path in ("/overview", "/settings", "/activity", "/nothing"):
        page = await person.open(f"{path}?lang=en", accept="text/html")
        assert "The disk of this hub is full" in page.text, path
        assert "tell whoever runs the hub to make room" in page.text, path
    assert "Die Festplatte dieses Hubs ist voll" in (await person.open("/overview?lang=de")).text
    assert "disk" not in (await somebody().open("/")).text


async def test_what_a_person_sends_is_refused_with_the_reason(person: Any, disk: Disk, webhooks: None) -> None:
    await fills(person, disk)
    page = await person.open("/people")
    sent = {"token": page.form.values["token"], "action": "invite", "name": "Kim " * 20, "rights": "view"}
    answers = [await person.post("/people", sent) for _ in range(60)]
    refused = [one for one in answers if one.status == 503]
    assert refused
    assert "What you did just now was not done" in refused[-1].text


async def test_a_monitor_is_told_that_the_disk_is_full(person: Any, disk: Disk, webhooks: None, all_logs: Any) -> None:
    await fills(person, disk)
    for _ in range(3):
        told = await person.client.get("/health/ready")
        assert told.status_code == 503
        assert "the disk of the database is full: make room there" in told.json()["because"]
    assert all_logs.text.count("is full: nothing new is taken in") == 1

"""One connection never sees another: everything is found through the account of the login."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stellwerk.store import accounts, connections

pytestmark = pytest.mark.anyio

GOOD, OTHER = "very-hidden-good-key", "very-hidden-other-key"


async def saved(person: Any, account: str, key: str, sender: str) -> None:
    page = await person.logs_in(account)
    values = {"account__post__api_key": key, "setting__silence": "no", "setting__sender": sender}
    assert (await person.submit(page, action="save", **values)).status == 303


async def second_connection(person: Any, hub: Any) -> str:
    """A further connection of shop 7, with the other letters account."""
    page = await person.open("/connections")
    assert (await person.submit(page, connection="new")).where == "/settings"
    page = await person.open("/settings")
    values = {"account__post__api_key": OTHER, "setting__silence": "no", "setting__sender": "Second"}
    assert (await person.submit(page, action="save", **values)).status == 303
    return next(one.id for one in await hub.connections_of("shop:7") if one.settings["sender"] == "Second")


async def test_another_account_begins_with_a_page_of_its_own(person: Any, somebody: Any) -> None:
    await saved(person, "7", GOOD, "Secret sender of seven")
    page = await somebody().logs_in("8")
    assert "Secret sender of seven" not in page.answer.text
    assert page.form.values["setting.sender"] == "Shop"


async def test_another_accounts_connection_cannot_be_chosen(person: Any, somebody: Any, hub: Any) -> None:
    await saved(person, "7", GOOD, "Sender of seven")
    (mine,) = await hub.connections_of("shop:7")
    other = somebody()
    page = await other.logs_in("8")
    refused = await other.post("/connections", {"token": page.form.values["token"], "connection": mine.id})
    assert refused.status == 404
    assert "Sender of seven" not in (await other.open("/settings")).answer.text


async def test_the_choice_shows_only_connections_of_the_own_account(person: Any, somebody: Any, hub: Any) -> None:
    await saved(person, "7", GOOD, "Sender of seven")
    (mine,) = await hub.connections_of("shop:7")
    other = somebody()
    await other.logs_in("8")
    assert mine.id not in (await other.open("/connections")).answer.text


@pytest.mark.behaviour("several-watching")
async def test_sharing_the_letters_account_shows_nothing_of_the_other_connection(
    person: Any, somebody: Any, hub: Any
) -> None:
    await saved(person, "7", GOOD, "Sender of seven")
    other = somebody()
    await saved(other, "8", GOOD, "Sender of eight")
    (of_seven,) = await hub.connections_of("shop:7")
    of_eight = next(one for one in await hub.connections_of("post:900") if one.id != of_seven.id)
    assert "Sender of eight" not in (await person.open("/settings")).answer.text
    page = await person.open("/settings")
    refused = await person.post("/connections", {"token": page.form.values["token"], "connection": of_eight.id})
    assert refused.status == 404


async def test_a_connection_taken_from_the_account_is_out_of_reach_at_once(person: Any, hub: Any) -> None:
    await saved(person, "7", GOOD, "Sender of seven")
    (mine,) = await hub.connections_of("shop:7")

    def give_away(tx: Any) -> None:
        accounts.add(tx, hub.vault, system="shop", remote="8", name="Shop 8", now=hub.now())
        moved = msgspec.structs.replace(mine, accounts={"shop": "shop:8", "post": "post:900"})
        connections.save(tx, moved, who="test", now=hub.now())

    await hub.store.write(give_away)
    page = await person.open("/settings")
    assert (page.status, page.where) == (303, "/")


async def test_several_connections_lead_to_a_choice(person: Any, somebody: Any, hub: Any) -> None:
    await saved(person, "7", GOOD, "First")
    second = await second_connection(person, hub)
    other = somebody()
    page = await other.logs_in("7")
    assert "This account has more than one connection." in page.text
    assert (await other.submit(page, connection=second)).where == "/overview"
    assert (await other.open("/settings")).form.values["setting.sender"] == "Second"


async def test_a_key_that_waits_for_save_does_not_move_to_another_connection(person: Any, hub: Any) -> None:
    page = await person.submit(await person.logs_in(), action="test-key", account__post__api_key=GOOD)
    chosen = await person.post("/connections", {"token": page.form.values["token"], "connection": "new"})
    assert chosen.where == "/settings"
    assert "account.post.api_key" in (await person.open("/settings")).form.values

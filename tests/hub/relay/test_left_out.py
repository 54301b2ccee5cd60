"""A field that the target does not take costs that field alone, and a repair says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk.store import outbox, repairs
from stellwerk.store.store import Row
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
Joined = Callable[[], Awaitable[str]]
ADA, BEA = "ada@example.com", "bea@example.com"


async def open_repairs(yard: Yard) -> list[Row]:
    return [row for row in await yard.look(repairs.still_open) if row["code"] == "field-left-out"]


async def states(yard: Yard) -> list[str]:
    return [row["state"] for row in await yard.look(lambda tx: tx.all("select state from outbox"))]


@pytest.mark.behaviour("fields-refused")
async def test_a_choice_that_is_unknown_there_is_left_out_and_all_else_is_written(
    yard: Yard, world: World, joined: Joined
) -> None:
    record = world.crm.records[await joined()]
    world.crm.choices["name"] = frozenset({"Ada"})
    world.mail.edit(ADA, {"FIRST": "Augusta", "TOWN": "Ulm"})
    await yard.settle(1_000)
    assert (record.value("name"), record.value("town")) == ("Ada", "Ulm")
    (repair,) = await open_repairs(yard)
    assert repair["subject"] == "toys/shop.name"
    assert "1 contact " in repair["text"]
    assert "no-such-choice" in repair["text"]
    assert "Augusta" not in repair["text"]
    assert "dead" not in await states(yard)


async def test_the_repair_counts_contacts_and_not_events(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    world.form(BEA, {"wants_news": "yes", "name": "Bea"})
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    world.crm.choices["name"] = frozenset()
    for email, name in ((ADA, "One"), (BEA, "Two"), (ADA, "Three")):
        world.mail.edit(email, {"FIRST": name})
        await yard.settle(1_000)
    (repair,) = await open_repairs(yard)
    assert "2 contacts " in repair["text"]


@pytest.mark.behaviour("fields-refused")
async def test_a_field_archived_there_holds_nothing_up_and_is_no_dead_letter(
    yard: Yard, world: World, joined: Joined
) -> None:
    record = world.crm.records[await joined()]
    world.crm.fields.discard("town")
    world.mail.edit(ADA, {"TOWN": "Ulm"})
    await yard.settle(1_000)
    assert "dead" not in await states(yard)
    world.mail.edit(ADA, {"FIRST": "Augusta"})
    await yard.settle(1_000)
    assert record.value("name") == "Augusta"
    assert [row["subject"] for row in await open_repairs(yard)] == ["toys/shop.town"]


async def test_once_mended_the_value_goes_along_with_the_contacts_next_change_and_the_repair_ends(
    yard: Yard, world: World, joined: Joined
) -> None:
    record = world.crm.records[await joined()]
    world.crm.choices["name"] = frozenset()
    world.mail.edit(ADA, {"FIRST": "Augusta"})
    await yard.settle(1_000)
    assert record.value("name") == "Ada"
    world.crm.choices.clear()
    world.mail.edit(ADA, {"TOWN": "Ulm"})
    await yard.settle(1_000)
    assert (record.value("name"), record.value("town")) == ("Augusta", "Ulm")
    assert await open_repairs(yard) == []
    assert await yard.look(lambda tx: tx.all("select * from left_out")) == []


async def test_a_mirror_field_that_was_archived_costs_only_itself(yard: Yard, world: World) -> None:
    world.crm.fields.discard("news_state")
    record = world.crm.records[world.form(ADA, {"wants_news": "yes", "name": "Ada"})]
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    assert record.value("news_level") == "double"
    assert [row["subject"] for row in await open_repairs(yard)] == ["toys/shop.news_state"]
    assert await yard.look(lambda tx: outbox.next_due(tx, f"shop:{world.crm.account}")) is None

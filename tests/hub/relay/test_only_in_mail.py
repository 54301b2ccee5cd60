"""Contacts that are only at the newsletter, where a rule creates them at the shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay import instance
from stellwerk.store import repairs
from stellwerk_toys.crm import Record
from stellwerk_toys.doubling import changes, joins, with_doubles
from stellwerk_toys.faults import Fault
from stellwerk_toys.mail import ONE, TWO
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
ADA, EVE = "ada@example.com", "eve@example.com"
POLL = 700
SETTING = """      - {id: strangers, kind: choice, options: [ignore, create], default: ignore, label: {en: Strangers, de: Fremde}}
"""
RULE = """  - {id: strangers, from: news, to: shop, events: [created, changed], enter: {who: settings.strangers}, fields: all}
"""


@pytest.fixture
def chosen() -> dict[str, Any]:
    return {"strangers": "create"}


@pytest.fixture
async def yard(world: World, tmp_path: Path, chosen: dict[str, Any]) -> AsyncIterator[Yard]:
    text = FILE.read_text()
    text = text.replace("      - {id: carefulness", SETTING + "      - {id: carefulness", 1)
    text = text.replace("\nmirror:", RULE + "\nmirror:", 1)
    file = tmp_path / "toys.yaml"
    file.write_text(text)
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect(chosen)
    yield made
    await made.stop()


def notes(record: Record | None) -> list[str]:
    assert record is not None
    return [note.text.split("\n")[0] for note in record.notes]


@pytest.mark.behaviour("enters-only-in-mail-create")
async def test_who_joins_at_the_newsletter_is_created_linked_and_told_of_at_the_shop(yard: Yard, world: World) -> None:
    world.mail.joins_there(ADA)
    await yard.settle(POLL)
    record, there = world.shop(ADA), world.news(ADA)
    assert record is not None
    assert there is not None
    assert notes(record) == ["Said yes"]
    assert (record.value("news_state"), record.value("news_level"), there.extern) == ("subscribed", "double", record.id)
    assert (there.permission, world.mail.sent, record.value("wants_news")) == ("full", [], None)


async def test_an_edit_of_a_stranger_brings_it_over_with_its_fields_and_later_ones_follow(
    yard: Yard, world: World
) -> None:
    world.mail.create(ADA, "one", None, {"FIRST": "Ada"})
    world.edit_at_mail(ADA, "TOWN", "Ulm")
    await yard.settle(POLL)
    record = world.shop(ADA)
    assert record is not None
    assert (record.value("name"), record.value("town")) == ("Ada", "Ulm")
    world.edit_at_mail(ADA, "FIRST", "Augusta")
    await yard.settle(POLL)
    world.person_edits(record.id, "name", "Ada Lovelace")
    await yard.settle(POLL)
    there = world.news(ADA)
    assert there is not None
    assert (there.fields["FIRST"], there.permission, len(world.crm.records)) == ("Ada Lovelace", "one", 1)


@pytest.mark.behaviour("enters-only-in-mail-create")
async def test_who_is_at_the_shop_already_is_linked_and_only_blanks_are_filled(yard: Yard, world: World) -> None:
    one = world.crm.create({"email": ADA, "name": "Ada"}, "clerk")
    world.posts.clear()
    world.mail.create(ADA, "one", None, {"FIRST": "Augusta", "TOWN": "Ulm"})
    world.edit_at_mail(ADA, "TOWN", "Bern")
    await yard.settle(POLL)
    record, there = world.crm.records[one], world.news(ADA)
    assert there is not None
    assert (record.value("name"), record.value("town"), len(world.crm.records)) == ("Ada", "Bern", 1)
    assert (there.extern, record.value("news_state")) == (one, "subscribed")


async def test_an_address_that_is_another_ones_second_makes_nobody_new_and_takes_nobody_over(
    yard: Yard, world: World
) -> None:
    one = world.crm.create({"email": ADA, "name": "Ada"}, "clerk")
    world.crm.records[one].other_emails.append(EVE)
    world.posts.clear()
    world.mail.create(EVE, "one", None, {"FIRST": "Eve"})
    world.edit_at_mail(EVE, "TOWN", "Bern")
    await yard.settle(POLL)
    assert (len(world.crm.records), world.crm.records[one].value("town")) == (1, None)
    world.unsubscribe(EVE)
    await yard.settle(POLL)
    assert notes(world.crm.records[one]) == ["Left"]
    assert world.crm.records[one].value("wants_news") is None


@pytest.mark.behaviour("enters-only-in-mail-out")
async def test_who_left_is_not_created(yard: Yard, world: World) -> None:
    world.mail.create(ADA, "one", None, {})
    world.unsubscribe(ADA)
    await yard.settle(POLL)
    assert world.crm.records == {}


async def test_who_leaves_between_the_decision_and_the_write_is_not_created(yard: Yard, world: World) -> None:
    world.mail.joins_there(ADA)
    await yard.take_in()
    await yard.drain("news")
    await yard.drain("shop")
    await yard.drain("news")
    world.unsubscribe(ADA)
    await yard.take_in()
    await yard.settle(POLL)
    assert world.crm.records == {}


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.LOST, Fault.REFUSED])
async def test_a_creation_whose_answer_is_lost_makes_one_contact(yard: Yard, world: World, fault: Fault) -> None:
    world.mail.create(ADA, "one", None, {})
    world.edit_at_mail(ADA, "TOWN", "Ulm")
    world.faults.sometimes(0.3, fault, seed=4)
    await yard.settle(POLL)
    world.faults.none_any_more()
    await yard.settle(POLL)
    await yard.settle(POLL)
    record, there = world.shop(ADA), world.news(ADA)
    assert record is not None
    assert there is not None
    assert (len(world.crm.records), there.extern) == (1, record.id)


@pytest.mark.behaviour("enters-only-in-mail-yes")
async def test_an_explicit_yes_of_somebody_created_so_is_a_wish_like_any_other(yard: Yard, world: World) -> None:
    world.mail.create(ADA, "nothing", None, {})
    world.edit_at_mail(ADA, "TOWN", "Ulm")
    await yard.settle(POLL)
    assert world.mail.sent == []
    world.form(ADA, {"wants_news": "yes"})
    await yard.settle(POLL)
    assert [mail.email for mail in world.mail.sent] == [ADA]


@pytest.mark.behaviour("enters-only-in-mail-out")
async def test_who_was_deleted_at_the_shop_is_not_created_again(yard: Yard, world: World) -> None:
    world.mail.joins_there(ADA)
    await yard.settle(POLL)
    record = world.shop(ADA)
    assert record is not None
    world.person_deletes(record.id)
    await yard.settle(POLL)
    world.edit_at_mail(ADA, "TOWN", "Ulm")
    await yard.settle(POLL)
    assert world.shop(ADA) is None


@pytest.mark.behaviour("enters-only-in-mail")
@pytest.mark.parametrize("chosen", [{"strangers": "ignore"}])
async def test_where_the_setting_says_so_they_stay_where_they_are(yard: Yard, world: World) -> None:
    world.mail.joins_there(ADA)
    await yard.settle(POLL)
    assert world.crm.records == {}


async def test_a_stranger_whose_address_stands_twice_waits_with_a_repair_of_her_own_until_one_is_left(
    yard: Yard, world: World
) -> None:
    with_doubles(yard)
    one, other = joins(world, EVE, ONE, "One"), joins(world, EVE, TWO, "Two")
    changes(world, one, "Eve")
    await yard.settle(POLL)
    assert world.shop(EVE) is None
    (repair,) = await yard.look(repairs.still_open)
    assert (repair["code"], repair["subject"].startswith("toys/")) == ("stands-twice", True)
    world.mail.delete(other.id)
    changes(world, one, "Evelyn")
    await yard.settle(POLL)
    assert world.shop(EVE) is not None
    assert await yard.look(repairs.still_open) == []


@pytest.mark.behaviour("trouble-away")
async def test_who_joined_while_the_hub_was_away_is_created_once_every_report_is_read(yard: Yard, world: World) -> None:
    yard.hub.database = yard.path
    await instance.begin(yard.hub)
    await yard.stop()
    world.clock.advance(7200.0)
    world.mail.joins_there(ADA)
    await yard.start()
    yard.hub.database = yard.path
    await instance.begin(yard.hub)
    await yard.settle(60)
    assert world.shop(ADA) is None
    await instance.end_pause(yard.hub)
    await yard.settle(60)
    assert world.shop(ADA) is not None

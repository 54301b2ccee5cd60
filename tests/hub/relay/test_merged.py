"""Contacts that are merged at the shop: links go along, consent never does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk.store import contacts
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, EVE = "ada@example.com", "eve@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Joined = Callable[[], Awaitable[str]]


async def eve_joins(yard: Yard) -> str:
    one = yard.world.form(EVE, {**YES, "name": "Eve", "town": "Ulm"})
    await yard.settle(30)
    assert yard.world.confirm()
    await yard.settle(30)
    return one


@pytest.mark.behaviour("merged-both")
@pytest.mark.parametrize("new_number", [True, False])
async def test_both_addresses_keep_what_they_gave_and_nobody_is_mailed(
    yard: Yard, world: World, joined: Joined, new_number: bool
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    merged = world.person_merges(ada, eve, new_number=new_number)
    await yard.settle(120)
    first, second = world.news(ADA), world.news(EVE)
    assert first is not None
    assert second is not None
    assert (first.permission, second.permission) == ("full", "full")
    assert len(world.mail.sent) == 2
    assert (world.mail.report, first.extern) == ([], merged)
    assert world.crm.records[merged].value("news_state") == "subscribed"


@pytest.mark.behaviour("merged-fields")
async def test_what_the_merge_filled_in_reaches_the_first_address_though_no_edit_is_told(
    yard: Yard, world: World, joined: Joined
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    merged = world.person_merges(ada, eve)
    await yard.settle(120)
    first = world.news(ADA)
    assert first is not None
    assert first.fields["TOWN"] == "Ulm"
    world.person_edits(merged, "name", "Augusta")
    await yard.settle(120)
    second = world.news(EVE)
    assert second is not None
    assert (first.fields["FIRST"], second.fields["FIRST"]) == ("Augusta", "Eve")


@pytest.mark.behaviour("merged-secondary-leaves")
async def test_an_opt_out_of_the_secondary_address_is_its_own_and_is_told_on_the_diary(
    yard: Yard, world: World, joined: Joined
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    merged = world.person_merges(ada, eve)
    await yard.settle(120)
    world.unsubscribe(EVE)
    await yard.settle(120)
    record = world.crm.records[merged]
    assert (record.value("wants_news"), record.value("news_state")) == ("yes", "subscribed")
    assert [note.text.split("\n")[0] for note in record.notes][-1] == "Left"
    assert world.news(ADA) is not None
    world.unsubscribe(ADA)
    await yard.settle(120)
    assert record.value("wants_news") == "no"


@pytest.mark.behaviour("merged-never-in")
async def test_a_survivor_that_was_never_in_is_not_asked_because_the_other_was(yard: Yard, world: World) -> None:
    old = world.crm.create({"email": ADA, "name": "Ada"}, "clerk")
    await yard.settle(30)
    eve = await eve_joins(yard)
    merged = world.person_merges(old, eve)
    await yard.settle(120)
    world.person_edits(merged, "town", "Bern")
    await yard.settle(120)
    assert [mail.email for mail in world.mail.sent] == [EVE]
    assert world.news(ADA) is None
    assert world.crm.records[merged].value("wants_news") == "yes"


@pytest.mark.behaviour("merged-never-in")
async def test_an_explicit_yes_after_the_merge_brings_the_survivor_in(yard: Yard, world: World) -> None:
    old = world.crm.create({"email": ADA, "name": "Ada"}, "clerk")
    eve = world.form(EVE, {"name": "Eve"})
    await yard.settle(30)
    merged = world.person_merges(old, eve)
    await yard.settle(120)
    assert world.mail.sent == []
    world.form(ADA, {"wants_news": "yes"})
    await yard.settle(120)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    found = world.news(ADA)
    assert found is not None
    assert found.extern == merged


@pytest.mark.behaviour("merged-no")
async def test_a_no_that_only_the_other_said_unsubscribes_nobody(yard: Yard, world: World) -> None:
    world.person_creates(ADA, {"name": "Ada"})
    await yard.settle(30)
    world.mail.create(ADA, "one", None, {})
    ada = world.shop(ADA)
    assert ada is not None
    eve = world.person_creates(EVE, {"wants_news": "no"})
    await yard.settle(30)
    merged = world.person_merges(ada.id, eve)
    await yard.settle(120)
    assert world.crm.records[merged].value("wants_news") == "no"
    first = world.news(ADA)
    assert first is not None
    assert (first.permission, world.mail.report) == ("one", [])


@pytest.mark.behaviour("merged-deletion")
async def test_the_loss_told_before_the_merge_takes_nobody_out(yard: Yard, world: World, joined: Joined) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    world.person_merges(ada, eve)
    world.posts.reverse()
    await yard.take_in()
    await yard.settle(120)
    assert {world.news(ADA) is None, world.news(EVE) is None} == {False}
    assert (world.mail.report, len(world.mail.sent)) == ([], 2)


async def test_the_secondary_address_made_the_first_one_is_the_contacts_again(
    yard: Yard, world: World, joined: Joined
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    merged = world.person_merges(ada, eve)
    await yard.settle(120)
    world.crm.records[merged].other_emails = [ADA]
    world.person_edits(merged, "email", EVE)
    await yard.settle(120)
    assert len(world.mail.sent) == 2
    second = world.news(EVE)
    assert second is not None
    found = await yard.look(lambda tx: contacts.by_link(tx, "toys", "shop", merged))
    assert found is not None
    assert found.remembered.ids["news"] == second.id
    world.person_edits(merged, "name", "Evelyn")
    await yard.settle(120)
    assert second.fields["FIRST"] == "Evelyn"


@pytest.mark.behaviour("merged-detached")
@pytest.mark.parametrize("answer", ["yes", None])
async def test_a_blank_record_of_an_address_that_was_a_secondary_one_empties_nothing(
    yard: Yard, world: World, joined: Joined, answer: str | None
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    merged = world.person_merges(ada, eve)
    await yard.settle(120)
    world.crm.records[merged].other_emails.remove(EVE)
    blank = world.form(EVE, {"wants_news": answer})
    await yard.settle(120)
    there, record = world.news(EVE), world.crm.records[blank]
    assert there is not None
    assert (there.fields["FIRST"], there.fields["TOWN"], there.permission) == ("Eve", "Ulm", "full")
    assert (record.value("name"), record.value("town"), record.value("news_state")) == ("Eve", "Ulm", "subscribed")
    world.person_edits(blank, "name", None)
    await yard.settle(120)
    assert "FIRST" not in there.fields
    assert len(world.mail.sent) == 2


@pytest.mark.behaviour("merged-on-the-way")
async def test_what_is_asked_for_the_loser_and_not_sent_yet_is_not_sent(
    yard: Yard, world: World, joined: Joined
) -> None:
    ada = await joined()
    eve = world.form(EVE, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.person_merges(ada, eve)
    await yard.take_in()
    await yard.drain("shop")
    await yard.settle(120)
    assert [mail.email for mail in world.mail.sent] == [ADA]

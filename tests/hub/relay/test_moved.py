"""A contact whose address changes at the shop: what the old address says or asked for is not the new one's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk.store import contacts, outbox
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, NEW = "ada@example.com", "ada@home.example"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Joined = Callable[[], Awaitable[str]]


async def test_what_the_old_address_changes_before_the_new_one_is_asked_is_not_taken_for_the_contacts(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    await yard.take_in()
    await yard.drain("shop")
    assert await yard.look(lambda tx: contacts.by_link(tx, "toys", "news", "m1")) is None
    world.clock.advance(700)
    world.edit_at_mail(ADA, "FIRST", "Somebody else")
    await yard.drain("news")
    await yard.settle(1800)
    assert world.crm.records[one].value("name") == "Ada"
    assert [mail.email for mail in world.mail.sent] == [ADA, NEW]
    assert world.crm.records[one].value("news_state") == "pending"


@pytest.mark.behaviour("moved-old-leaves")
async def test_the_old_address_leaving_is_nothing_to_the_contact(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    await yard.settle(60)
    before = world.picture()["shop"]
    world.unsubscribe(ADA)
    await yard.settle(3600)
    assert world.picture()["shop"] == before
    assert world.confirm()
    await yard.settle(60)
    assert world.crm.records[one].value("news_state") == "subscribed"


async def test_nobody_is_asked_at_an_address_that_the_contact_left_before_its_turn(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.person_edits(one, "email", NEW)
    await yard.take_in()
    await yard.drain("shop")
    await yard.settle(60)
    assert [mail.email for mail in world.mail.sent] == [NEW]
    assert (await yard.look(outbox.counts))["skipped"] == 1


async def test_an_ask_is_judged_by_the_consent_of_the_address_it_goes_to(
    yard: Yard, world: World, joined: Joined
) -> None:
    await joined()
    ben = world.form("ben@example.com", {**YES, "wants_news": None})
    await yard.settle(60)
    world.unsubscribe(ADA)
    await yard.settle(60)
    left = world.shop(ADA)
    assert left is not None
    world.person_edits(left.id, "email", "elsewhere@example.com")
    world.person_edits(ben, "email", ADA)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    world.import_(ADA, {"wants_news": "yes"})
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 1
    assert world.news(ADA) is None


# --- the old address ---------------------------------------------------------------------------------------------------


def settings(**values: Any) -> Any:
    return pytest.mark.parametrize("chosen", [values], ids=str)


@pytest.mark.behaviour("moved-new")
async def test_the_old_address_keeps_what_it_gave_and_loses_link_and_id(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    world.person_edits(one, "town", "Bern")
    await yard.settle(60)
    old, new = world.news(ADA), world.news(NEW)
    assert old is not None
    assert new is not None
    assert (old.permission, old.extern, old.fields.get("TOWN")) == ("full", None, None)
    assert (new.permission, new.extern, new.fields["TOWN"]) == ("nothing", one, "Bern")


@pytest.mark.behaviour("moved-old-out")
@settings(on_move_old="unsubscribe")
async def test_the_old_address_is_unsubscribed_where_the_setting_says_so(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    await connected.settle(60)
    assert (world.news(ADA), [entry.email for entry in world.mail.report]) == (None, [ADA])
    assert world.confirm()
    await connected.settle(60)
    assert world.crm.records[one].value("news_state") == "subscribed"
    world.import_(ADA, {"wants_news": "yes"})
    await connected.settle(60)
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("moved-old-leaves")
@settings(on_move_old="unsubscribe")
async def test_an_old_address_that_left_and_is_told_by_its_number_alone_is_not_the_contacts(
    world: World, joined: Joined, connected: Yard
) -> None:
    """Who left is anonymous: the number and our id stand there still, and no address."""
    one = await joined()
    old = next(record.id for record in world.mail.records.values() if record.email == ADA)
    world.person_edits(one, "email", NEW)
    await connected.settle(60)
    record = world.mail.records[old]
    record.extern = one
    await connected.settle(600)
    told = [entry for entry in world.mail.journal if entry.contact == old and entry.what == "goodbye"]
    world.mail.journal.extend(told)
    await connected.settle(600)
    assert (len(world.mails_to(NEW)), world.crm.records[one].value("wants_news")) == (1, "yes")
    assert world.confirm()
    await connected.settle(60)
    assert world.crm.records[one].value("news_state") == "subscribed"


@pytest.mark.behaviour("moved-old-out")
@settings(on_move_old="delete")
async def test_the_old_address_is_deleted_where_the_setting_says_so_and_may_come_back(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    await connected.settle(60)
    assert (world.news(ADA), world.mail.report) == (None, [])
    assert len(world.mails_to(NEW)) == 1
    world.form(ADA, YES)
    await connected.settle(60)
    assert len(world.mails_to(ADA)) == 2


@pytest.mark.behaviour("moved-old-out")
@settings(on_move_old="delete")
async def test_a_contact_made_anew_after_a_deletion_has_its_old_address_deleted_like_any_other(
    world: World, joined: Joined, connected: Yard
) -> None:
    """Over there still stands the id of the one that was deleted, which is nobody's by now."""
    first = await joined()
    world.person_deletes(first)
    await connected.settle(60)
    second = world.form(ADA, YES)
    await connected.settle(60)
    old = world.news(ADA)
    assert (second != first, old is not None and old.extern) == (True, first)
    world.person_edits(second, "email", NEW)
    await connected.settle(60)
    assert (world.news(ADA), len(world.mails_to(NEW))) == (None, 1)


@pytest.mark.behaviour("moved-form")
@pytest.mark.parametrize("chosen", [{"on_move_old": "unsubscribe"}, {"on_move_old": "delete"}], ids=str)
async def test_a_form_that_changed_the_address_may_be_another_visitors_and_takes_nobody_out(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.crm.write(one, {"email": NEW}, "form")
    await connected.settle(60)
    old = world.news(ADA)
    assert old is not None
    assert (old.permission, old.extern) == ("full", None)


@pytest.mark.behaviour("moved-back")
async def test_back_at_an_old_address_the_contact_is_linked_with_it_again(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    await yard.settle(60)
    world.person_edits(one, "email", ADA)
    await yard.settle(60)
    old = world.news(ADA)
    assert old is not None
    assert (old.permission, old.extern) == ("full", one)
    assert [mail.email for mail in world.mail.sent] == [ADA, NEW]
    world.person_edits(one, "name", "Augusta")
    await yard.settle(60)
    assert old.fields["FIRST"] == "Augusta"


@pytest.mark.behaviour("moved-case")
async def test_letter_case_alone_is_no_new_address(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.person_edits(one, "email", "Ada@Example.COM")
    await yard.settle(60)
    assert len(world.mail.sent) == 1
    old = world.news(ADA)
    assert old is not None
    assert old.extern == one


# --- the permission goes along -----------------------------------------------------------------------------------------

KEEPS = settings(on_move="keep_permission")


@pytest.mark.behaviour("moved-keeps")
@KEEPS
async def test_the_permission_goes_along_by_changing_the_address_of_the_same_contact(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    world.person_edits(one, "name", "Augusta")
    await connected.settle(60)
    (record,) = world.mail.records.values()
    assert (record.email, record.permission, record.extern) == (NEW, "full", one)
    assert record.fields["FIRST"] == "Augusta"
    assert len(world.mail.sent) == 1
    assert world.crm.records[one].value("news_state") == "subscribed"
    world.unsubscribe(NEW)
    await connected.settle(60)
    assert world.crm.records[one].value("wants_news") == "no"


@settings(on_move="keep_permission", silence="yes")
async def test_whose_address_a_form_changed_is_asked_anew(world: World, joined: Joined, connected: Yard) -> None:
    one = await joined()
    world.crm.write(one, {"email": NEW}, "form")
    await connected.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA, NEW]
    new = world.news(NEW)
    assert new is not None
    assert new.permission == "nothing"


@KEEPS
async def test_a_yes_of_before_a_form_changed_the_address_is_none_of_whoever_has_it_now(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.crm.write(one, {"email": NEW}, "form")
    await connected.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA]
    assert world.news(NEW) is None
    world.crm.write(one, {"wants_news": "no"}, "form")
    world.crm.write(one, {"wants_news": "yes"}, "form")
    world.clock.now += 60
    await connected.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA, NEW]


@KEEPS
async def test_nothing_goes_along_while_a_mail_to_the_old_address_is_unanswered(world: World, connected: Yard) -> None:
    one = world.form(ADA, YES)
    await connected.settle(60)
    world.person_edits(one, "email", NEW)
    await connected.settle(60)
    assert [mail.email for mail in world.mail.sent] == [ADA, NEW]
    old, new = world.news(ADA), world.news(NEW)
    assert old is not None
    assert new is not None


@KEEPS
async def test_who_leaves_before_the_address_is_changed_over_there_takes_nothing_along(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.person_edits(one, "email", NEW)
    await connected.take_in()
    await connected.drain("shop")
    world.unsubscribe(ADA)
    await connected.settle(60)
    assert all(record.permission == "nothing" for record in world.mail.records.values())


@KEEPS
async def test_an_address_that_somebody_else_has_over_there_is_linked_as_it_stands(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.mail.create(NEW, "one", None, {})
    world.person_edits(one, "email", NEW)
    await connected.settle(60)
    old, new = world.news(ADA), world.news(NEW)
    assert old is not None
    assert new is not None
    assert (old.permission, old.extern) == ("full", None)
    assert (new.permission, new.extern) == ("one", one)
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("moved-out")
@KEEPS
async def test_an_address_that_opted_out_gets_no_permission_by_a_move(
    world: World, joined: Joined, connected: Yard
) -> None:
    one = await joined()
    world.mail.markers[NEW] = world.clock.moment()
    world.person_edits(one, "email", NEW)
    await connected.settle(60)
    assert (world.news(NEW), len(world.mail.sent)) == (None, 1)

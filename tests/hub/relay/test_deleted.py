"""Contacts that are deleted, restored, or deleted for privacy at the shop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stellwerk.store import consent, contacts, inbox
from stellwerk.store.store import Tx
from stellwerk_toys.faults import Fault
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA, EVE = "ada@example.com", "eve@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Joined = Callable[[], Awaitable[str]]


def settings(**values: Any) -> Any:
    return pytest.mark.parametrize("chosen", [values], ids=str)


@pytest.mark.behaviour("restored")
async def test_a_restored_contact_is_linked_as_before_and_its_fields_travel_again(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_deletes(one)
    await yard.settle(60)
    world.person_restores(one)
    world.person_edits(one, "name", "Augusta")
    await yard.settle(60)
    found = world.news(ADA)
    assert found is not None
    assert (found.permission, found.extern, found.fields["FIRST"]) == ("full", one, "Augusta")
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("restored")
@settings(on_removal="delete")
async def test_a_restore_subscribes_nobody_and_a_new_yes_does(world: World, joined: Joined, yard: Yard) -> None:
    one = await joined()
    world.person_deletes(one)
    await yard.settle(60)
    assert world.news(ADA) is None
    world.person_restores(one)
    world.person_edits(one, "name", "Augusta")
    await yard.settle(60)
    assert (world.news(ADA), len(world.mail.sent)) == (None, 1)
    world.clock.advance(60)
    world.person_edits(one, "wants_news", None)
    world.person_edits(one, "wants_news", "yes")
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 2


@pytest.mark.behaviour("restored-out")
@settings(on_removal="unsubscribe")
async def test_who_was_taken_out_with_its_record_reads_so_once_that_is_restored_and_may_come_back(
    world: World, joined: Joined, yard: Yard
) -> None:
    one = await joined()
    world.person_deletes(one)
    await yard.settle(60)
    world.person_restores(one)
    await yard.settle(60)
    record = world.crm.records[one]
    assert [record.value(name) for name in ("wants_news", "news_state", "news_level")] == ["no", "unsubscribed", "none"]
    world.clock.advance(60)
    world.form(ADA, {"wants_news": "yes"})
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 2


@pytest.mark.behaviour("restored-unread")
async def test_whoever_was_deleted_before_anything_was_read_is_not_brought_in_by_the_restore(
    yard: Yard, world: World
) -> None:
    one = world.form(ADA, YES)
    world.person_deletes(one)
    world.person_restores(one)
    await yard.settle(60)
    assert world.mail.sent == []


@pytest.mark.behaviour("deleted-not-believed")
@settings(on_removal="delete")
async def test_a_deletion_that_the_shop_does_not_show_is_not_believed(world: World, joined: Joined, yard: Yard) -> None:
    one = await joined()
    world.crm.post([{"no": 9000, "what": "gone", "contact": one}])
    world.crm.post([{"no": 9001, "what": "gone", "contact": "c99"}])
    await yard.settle(60)
    assert world.news(ADA) is not None


@pytest.mark.behaviour("erased")
async def test_a_privacy_deletion_deletes_over_there_and_forgets_here(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.person_erases(one)
    await yard.settle(60)
    assert (world.news(ADA), world.mail.report) == (None, [])

    def left(tx: Tx) -> dict[str, int]:
        return {
            "contacts": len(tx.all("select id from contact")),
            "links": len(tx.all("select contact from link")),
            "traces": len(tx.all("select id from trace where contact is not null")),
            "bodies": len(tx.all("select id from outbox where body is not null")),
            "events": len(tx.all("select id from inbox where body is not null and subject = :it", it=f"id:{one}")),
        }

    assert set((await yard.look(left)).values()) == {0}
    counts = await yard.look(inbox.counts)
    assert "waiting" not in counts


@pytest.mark.behaviour("erased-suppressed")
async def test_what_was_erased_keeps_its_opt_out(yard: Yard, world: World, joined: Joined) -> None:
    one = await joined()
    world.unsubscribe(ADA)
    await yard.settle(60)
    world.person_erases(one)
    await yard.settle(60)
    address = yard.hub.vault.address(ADA)
    since = await yard.look(
        lambda tx: [consent.suppressed_since(tx, row["id"], address) for row in tx.all("select id from account")]
    )
    assert any(one is not None for one in since)
    world.import_(ADA, YES)
    await yard.settle(60)
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("erased-back")
async def test_an_erased_address_that_comes_back_by_itself_is_asked_like_a_new_one(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_erases(one)
    await yard.settle(60)
    world.form(ADA, YES)
    await yard.settle(60)
    assert len(world.mails_to(ADA)) == 2
    assert world.confirm()
    await yard.settle(60)
    again = world.shop(ADA)
    assert again is not None
    assert again.value("news_state") == "subscribed"


@pytest.mark.behaviour("erased-waiting")
async def test_what_waits_of_an_erased_contact_is_erased_and_the_deletion_goes_on(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.person_edits(one, "name", "Augusta")
    await yard.take_in()
    await yard.drain("shop")
    world.person_erases(one)
    await yard.take_in()
    await yard.drain("shop")
    states = await yard.look(lambda tx: [row["state"] for row in tx.all("select state from outbox order by id")])
    assert states[-2:] == ["erased", "waiting"]
    await yard.settle(60)
    assert world.news(ADA) is None
    assert await yard.look(lambda tx: contacts.by_link(tx, "toys", "shop", one)) is None


@pytest.mark.behaviour("erased-secondary")
async def test_a_privacy_deletion_takes_the_secondary_addresses_along(yard: Yard, world: World, joined: Joined) -> None:
    ada = await joined()
    eve = world.form(EVE, YES)
    await yard.settle(60)
    assert world.confirm()
    await yard.settle(60)
    merged = world.person_merges(ada, eve)
    await yard.settle(60)
    world.person_erases(merged)
    await yard.settle(60)
    assert (world.news(ADA), world.news(EVE)) == (None, None)
    assert await yard.look(lambda tx: tx.all("select id from contact")) == []


@pytest.mark.behaviour("erased-not-shown")
async def test_a_privacy_deletion_that_the_shop_does_not_show_yet_is_looked_at_again(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    world.crm.post([{"no": 9000, "what": "erased", "contact": one}])
    await yard.settle(10)
    assert world.news(ADA) is not None
    del world.crm.records[one]
    await yard.settle(600)
    assert world.news(ADA) is None


async def test_an_erasure_while_a_call_is_on_its_way_is_finished_once_that_has_ended(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.faults.at_next(Fault.CUT, 2)
    await yard.drain("news")
    world.person_erases(one)
    await yard.settle(600)
    assert world.news(ADA) is None
    assert await yard.look(lambda tx: tx.all("select id from contact")) == []
    assert await yard.look(lambda tx: tx.all("select id from outbox where body is not null")) == []

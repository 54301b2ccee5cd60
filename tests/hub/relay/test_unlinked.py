"""A contact that a person unlinked, through the whole hub: what waits of it, what is looked at again, what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay import dead, held, reconcile
from stellwerk.relay.linking import ALREADY, ASKED_FOR, UNLINKED, link_again, unlink
from stellwerk.store import connections, contacts, counts
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
ADA, EVE = "ada@example.com", "eve@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Joined = Callable[[], Awaitable[str]]


async def press(yard: Yard, deed: Any, who: str = ADA) -> str | None:
    one = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    told: str | None = await deed(yard.hub, one, who=who, by="jo")
    return told


def first_name(world: World) -> str:
    there = world.news(ADA)
    assert there is not None
    return there.fields["FIRST"]


async def ends(yard: Yard, tag: str) -> list[tuple[str, str]]:
    """How the changes of that kind ended."""
    rows = await yard.look(lambda tx: tx.all("select state, code from outbox where tag = :tag order by id", tag=tag))
    return [(row["state"], row["code"]) for row in rows]


async def adds_up(yard: Yard) -> None:
    six, acknowledged = await yard.look(lambda tx: (counts.six(tx), counts.acknowledged(tx)))
    assert sum(six.values()) == acknowledged


async def eve_joins(yard: Yard) -> str:
    one = yard.world.form(EVE, {**YES, "name": "Eve"})
    await yard.settle(30)
    assert yard.world.confirm()
    await yard.settle(30)
    return one


@pytest.mark.behaviour("unlinked-before")
async def test_what_waits_is_not_written_any_more(yard: Yard, world: World, joined: Joined) -> None:
    ada = await joined()
    world.person_edits(ada, "name", "Augusta")
    await yard.take_in()
    await yard.drain("shop")
    assert (await ends(yard, "set_fields"))[-1] == ("waiting", "")
    assert await press(yard, unlink) == UNLINKED
    await yard.settle(3600)
    assert first_name(world) == "Ada"
    assert (await ends(yard, "set_fields"))[-1] == ("skipped", "unlinked")
    await adds_up(yard)


@pytest.mark.behaviour("unlinked-looked-at")
async def test_what_was_held_and_is_released_mails_nobody_and_says_why(world: World, tmp_path: Path) -> None:
    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8") + "\nlimits: {doi_mails_per_hour: 1}\n", "utf-8")
    yard = Yard(tmp_path, world, load_toys(file))
    await yard.start()
    await yard.connect({})
    for email in (EVE, ADA):
        world.person_edits(world.import_(email, {"name": "P"}), "wants_news", "yes")
        await yard.settle(30)
    assert world.mails_to(ADA) == []
    await press(yard, unlink)
    assert await held.release(yard.hub, connection="toys", code="too-many-asks", by="jo") == 1
    await yard.settle(60)
    assert world.mails_to(ADA) == []
    row = await yard.look(lambda tx: tx.one("select state, text from outbox where code = 'decided-anew'"))
    assert (row or {})["state"] == "skipped"
    assert "it was unlinked by jo on" in (row or {})["text"]
    await adds_up(yard)
    await yard.stop()


@pytest.mark.behaviour("unlinked-looked-at")
async def test_a_dead_letter_that_is_replayed_is_not_written(yard: Yard, world: World) -> None:
    world.mail.refused_values.add("Ada")
    world.form(ADA, YES)
    await yard.settle(60)
    world.mail.refused_values.clear()
    await press(yard, unlink)
    (code,) = {
        row["code"] for row in await yard.look(lambda tx: tx.all("select code from outbox where state = 'dead'"))
    }
    await dead.replay(yard.hub, code=code, by="jo")
    await yard.settle(60)
    assert (world.mails_to(ADA), world.news(ADA)) == ([], None)
    assert ("skipped", "unlinked") in await ends(yard, "enter") or ("skipped", "decided-anew") in await ends(
        yard, "enter"
    )
    await adds_up(yard)


@pytest.mark.behaviour("unlinked-looked-at")
async def test_a_comparison_shows_no_difference_and_mends_none(yard: Yard, world: World, joined: Joined) -> None:
    ada = await joined()
    await press(yard, unlink)
    world.person_edits(ada, "name", "Augusta")
    world.crm.write(ada, {"news_state": "error"}, "clerk")
    world.posts.clear()
    (begun,) = await reconcile.reconcile(yard.hub, by="jo", connection="toys")
    await yard.settle(60)
    told = await yard.look(lambda tx: reconcile.status(tx, begun["run"]))
    assert (told or {})["drift"] == []
    assert first_name(world) == "Ada"


@pytest.mark.behaviour("unlinked-consent")
async def test_who_leaves_is_out_at_both_and_nothing_else_is_told(yard: Yard, world: World, joined: Joined) -> None:
    ada = await joined()
    await press(yard, unlink)
    before = {name: world.crm.records[ada].value(name) for name in world.crm.records[ada].history}
    assert world.unsubscribe(ADA)
    await yard.settle(60)
    suppressed = await yard.look(lambda tx: tx.all("select address from suppression"))
    assert [row["address"] for row in suppressed] == [yard.hub.vault.address(ADA)]
    assert {name: world.crm.records[ada].value(name) for name in before} == before
    assert await press(yard, link_again) == ASKED_FOR
    await yard.settle(60)
    assert world.crm.records[ada].value("wants_news") == "no"
    assert world.crm.records[ada].value("news_state") == "unsubscribed"
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("unlinked-consent")
async def test_who_says_no_or_is_erased_at_the_shop_is_so_at_the_newsletter(
    yard: Yard, world: World, joined: Joined
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    for who in (ADA, EVE):
        await press(yard, unlink, who)
    world.clock.advance(3600.0)
    world.person_edits(ada, "wants_news", "no")
    world.person_erases(eve)
    await yard.settle(60)
    there = world.news(ADA)
    assert there is None or there.permission == "nothing"
    assert world.news(EVE) is None
    assert await yard.look(lambda tx: contacts.by_address(tx, "toys", yard.hub.vault.address(EVE))) == []


@pytest.mark.behaviour("unlinked-records")
@pytest.mark.parametrize("apart", [ADA, EVE])
async def test_of_whoever_is_merged_with_it_nothing_is_carried_at_either_address(
    yard: Yard, world: World, joined: Joined, apart: str
) -> None:
    ada, eve = await joined(), await eve_joins(yard)
    await press(yard, unlink, apart)
    merged = world.person_merges(ada, eve)
    await yard.settle(120)
    world.person_edits(merged, "name", "Augusta")
    world.mail.mail_returns(EVE)
    await yard.settle(4000)
    notes = [note.text for note in world.crm.records[merged].notes]
    assert not any("Came back" in note for note in notes)
    assert first_name(world) == "Ada"
    assert await press(yard, link_again, EVE) == ASKED_FOR
    await yard.settle(120)
    assert await press(yard, link_again, ADA) == ALREADY
    world.person_edits(merged, "name", "Ada L.")
    await yard.settle(120)
    assert first_name(world) == "Ada L."


@pytest.mark.behaviour("unlinked-records")
async def test_deleted_and_made_anew_it_is_a_new_contact(yard: Yard, world: World, joined: Joined) -> None:
    ada = await joined()
    await press(yard, unlink)
    world.person_deletes(ada)
    await yard.settle(60)
    new = world.form(ADA, {"name": "Augusta"})
    await yard.settle(60)
    world.person_edits(new, "wants_news", "yes")
    await yard.settle(60)
    world.person_edits(new, "name", "Ada L.")
    await yard.settle(60)
    assert first_name(world) == "Ada L."


async def test_an_id_that_names_two_contacts_unlinks_neither(yard: Yard, world: World, joined: Joined) -> None:
    ada = await joined()
    await eve_joins(yard)
    (eve,) = await yard.look(lambda tx: contacts.by_address(tx, "toys", yard.hub.vault.address(EVE)))
    await yard.store.write(
        lambda tx: tx.run("update link set remote = '99' where contact <> :eve and system = 'news'", eve=eve.id)
    )
    await yard.store.write(
        lambda tx: tx.run("update link set remote = :one where contact = :eve and system = 'news'", one=ada, eve=eve.id)
    )
    assert await press(yard, unlink, ada) is None
    assert await press(yard, unlink, "nobody@example.com") is None


async def test_a_contact_that_can_be_read_nowhere_is_linked_again_at_once(yard: Yard, world: World) -> None:
    """Known by what the newsletter told of it alone."""
    state = contacts.ContactState(connection="toys", address=yard.hub.vault.address(ADA))
    await yard.store.write(lambda tx: contacts.save(tx, state, yard.hub.now()))
    assert await press(yard, unlink) == UNLINKED
    assert await press(yard, link_again) == "done"
    assert await press(yard, link_again) == ALREADY


async def test_state_from_before_there_was_unlinking_reads_as_linked(yard: Yard, world: World, joined: Joined) -> None:
    await joined()

    def older(tx: Any) -> None:
        for row in tx.all("select id, remembered from contact"):
            body = row["remembered"].replace(',"unlinked":null', "")
            tx.run("update contact set remembered = :body where id = :id", body=body, id=row["id"])

    await yard.store.write(older)
    (state,) = await yard.look(lambda tx: contacts.by_address(tx, "toys", yard.hub.vault.address(ADA)))
    assert state.remembered.unlinked is None
    assert await press(yard, unlink) == UNLINKED

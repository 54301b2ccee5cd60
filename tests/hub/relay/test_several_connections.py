"""Several shops and newsletters in one hub: what they share, and what they must not."""

from __future__ import annotations

import pytest

from stellwerk.relay import states
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
BEN = "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


@pytest.fixture
def other(world: World) -> World:
    """Another shop and another newsletter, whose contacts have the same numbers as the first's."""
    return World(f"{world.name} again", beside=world)


async def confirmed(yard: Yard, shop: World, news: World) -> str:
    """Ada signs up at that shop and confirms; her id there."""
    one = shop.form(ADA, YES)
    await yard.settle(30)
    assert news.confirm()
    await yard.settle(30)
    return one


async def undecided(yard: Yard) -> list[str]:
    """Why events wait or are dead."""
    rows = await yard.look(
        lambda tx: tx.all("select code from inbox where state in ('waiting', 'dead') and attempts > 0")
    )
    return [row["code"] for row in rows]


async def remembered(yard: Yard, name: str) -> list[str]:
    """What a connection remembers of its contacts."""
    rows = await yard.look(lambda tx: tx.all("select remembered from contact where connection = :name", name=name))
    return [row["remembered"] for row in rows]


# --- two shops, one newsletter


@pytest.mark.behaviour("several-mailers")
async def test_two_shops_at_one_newsletter_ask_an_address_once(yard: Yard, world: World, other: World) -> None:
    await yard.connect(name="second", shop=other)
    world.form(ADA, YES)
    other.form(ADA, YES)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("several-mailers")
async def test_a_confirmation_is_told_to_both_shops(yard: Yard, world: World, other: World) -> None:
    await yard.connect(name="second", shop=other)
    other.form(ADA, YES)
    await yard.settle(30)
    one = await confirmed(yard, world, world)
    assert (world.crm.records[one].value("stage"), other.crm.records[one].value("stage")) == ("guest", "guest")
    assert [len(shop.crm.records[one].notes) for shop in (world, other)] == [1, 1]


@pytest.mark.behaviour("several-mailers")
@pytest.mark.behaviour("out-other-connection")
async def test_an_opt_out_at_the_newsletter_reaches_both_shops(yard: Yard, world: World, other: World) -> None:
    await yard.connect(name="second", shop=other)
    other.form(ADA, YES)
    await yard.settle(30)
    one = await confirmed(yard, world, world)
    world.unsubscribe(ADA)
    await yard.settle(30)
    for shop in (world, other):
        record = shop.crm.records[one]
        assert (record.value("wants_news"), record.value("news_state"), record.value("stage")) == (
            "no",
            "unsubscribed",
            "visitor",
        )


@pytest.mark.behaviour("out-other-connection")
async def test_a_no_at_one_shop_is_an_opt_out_for_the_other(yard: Yard, world: World, other: World) -> None:
    await yard.connect(name="second", shop=other)
    other.form(ADA, YES)
    await yard.settle(30)
    one = await confirmed(yard, world, world)
    world.person_edits(one, "wants_news", "no")
    await yard.settle(30)
    assert world.mail.marked(ADA)
    record = other.crm.records[one]
    assert (record.value("wants_news"), record.value("news_state"), record.value("stage")) == (
        "no",
        "unsubscribed",
        "visitor",
    )
    assert len(record.notes) == 2
    other.person_edits(one, "town", "Ulm")
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1


async def test_a_wish_within_two_hours_of_a_no_at_the_other_shop_asks_nobody(
    yard: Yard, world: World, other: World
) -> None:
    await yard.connect(name="second", shop=other)
    one = await confirmed(yard, world, world)
    world.person_edits(one, "wants_news", "no")
    await yard.settle(3600)
    other.form(ADA, YES)
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
    other.person_edits(one, "wants_news", None)
    await yard.settle(7200)
    other.person_edits(one, "wants_news", "yes")
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 2


async def test_the_same_number_at_another_shop_is_another_person(yard: Yard, world: World, other: World) -> None:
    await yard.connect(name="second", shop=other)
    one = await confirmed(yard, world, world)
    assert other.form(BEN, YES) == one
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    # Ada's record at the newsletter is made anonymous and keeps its shop's number: Ben has that number at the other shop.
    world.unsubscribe(ADA)
    await yard.settle(30)
    ben = other.crm.records[one]
    assert (ben.value("wants_news"), ben.value("news_state"), ben.value("stage")) == ("yes", "subscribed", "guest")
    world.unsubscribe(BEN)
    await yard.settle(30)
    assert (ben.value("wants_news"), ben.value("news_state")) == ("no", "unsubscribed")


# --- one shop, two newsletters


@pytest.mark.behaviour("several-brands")
async def test_two_brands_in_one_shop_ask_each_for_itself_and_leave_each_for_itself(
    yard: Yard, world: World, other: World
) -> None:
    await yard.connect(name="second", news=other)
    world.form(ADA, YES)
    await yard.settle(30)
    assert (len(world.mails_to(ADA)), len(other.mails_to(ADA))) == (1, 1)
    assert world.confirm()
    assert other.confirm()
    await yard.settle(30)
    other.unsubscribe(ADA)
    await yard.settle(30)
    assert (other.mail.marked(ADA), world.mail.marked(ADA)) == (True, False)
    assert world.news(ADA) is not None


# --- one shop, one newsletter


@pytest.mark.parametrize("keeping", ["toys", "second"])
async def test_a_no_is_carried_out_where_one_of_two_connections_keeps_who_refuses(
    yard: Yard, world: World, keeping: str
) -> None:
    for name in ("toys", "second"):
        await yard.connect({"on_refusal": "keep"} if name == keeping else {}, name=name)
    one = await confirmed(yard, world, world)
    world.person_edits(one, "wants_news", "no")
    await yard.settle(60)
    assert world.mail.marked(ADA)
    assert await undecided(yard) == []


async def test_who_moves_and_is_deleted_at_once_is_out_at_the_old_address_for_two_connections(
    yard: Yard, world: World
) -> None:
    for name in ("toys", "second"):
        await yard.connect({"on_removal": "unsubscribe"}, name=name)
    one = await confirmed(yard, world, world)
    await yard.settle(3600)
    world.person_edits(one, "email", BEN)
    world.person_deletes(one)
    await yard.settle(60)
    assert world.mail.marked(ADA)
    assert await undecided(yard) == []


# --- what is told to a connection that does not run


async def test_a_watching_connection_remembers_nothing_of_what_it_was_told(
    yard: Yard, world: World, other: World
) -> None:
    await yard.connect(name="second", shop=other)
    other.form(ADA, YES)
    await yard.settle(30)
    one = await confirmed(yard, world, world)
    await states.set_state(yard.hub, connection="second", state="watches", by="jo")
    before = await remembered(yard, "second")
    world.person_edits(one, "wants_news", "no")
    await yard.settle(60)
    assert world.mail.marked(ADA)
    record = other.crm.records[one]
    assert (record.value("wants_news"), record.value("news_state")) == ("yes", "subscribed")
    assert await remembered(yard, "second") == before

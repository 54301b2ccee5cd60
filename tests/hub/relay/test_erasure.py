"""Erasure on request, and what is shown as proof of consent."""

from __future__ import annotations

import msgspec
import pytest

from stellwerk.relay import erasing
from stellwerk.store import erasure, inbox, outbox
from stellwerk.store.erasure import Erased, OnItsWay
from stellwerk.view.proof import Standing, proof
from stellwerk_rules.spec import Limits
from stellwerk_toys.clear_text import assert_no_clear_text
from stellwerk_toys.post import Post
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
BEN = "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}


async def erase(yard: Yard, email: str = ADA) -> Erased:
    return await yard.store.write(lambda tx: erasure.erase(tx, yard.hub.vault, email, yard.hub.now()))


async def shown(yard: Yard, email: str = ADA) -> list[Standing]:
    return await yard.look(lambda tx: proof(tx, yard.hub.vault, email, yard.hub.now(), Limits()))


async def left(yard: Yard) -> int:
    """How many rows of personal data there are."""
    tables = ("contact", "link", "trace", "inbox where body is not null", "outbox where body is not null")
    rows = [await yard.look(lambda tx, one=one: tx.all(f"select count(*) as n from {one}")) for one in tables]  # type: ignore[misc]
    return sum(int(found[0]["n"]) for found in rows)


async def signed_up(yard: Yard, world: World) -> str:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    return one


@pytest.mark.behaviour("erased-on-request")
async def test_everything_personal_goes_and_the_ledger_and_who_left_stay(yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    world.unsubscribe(ADA)
    await yard.settle(30)
    before = await shown(yard)
    assert await erase(yard)
    assert await left(yard) == 0
    assert await shown(yard) == before
    assert before[0].suppressed_since is not None
    assert not await erase(yard)
    await yard.stop()
    assert_no_clear_text(yard.path, ADA)
    await yard.start()


@pytest.mark.behaviour("erased-on-request")
async def test_who_was_erased_is_not_mailed_when_the_contact_is_read_again(yard: Yard, world: World) -> None:
    one = await signed_up(yard, world)
    world.unsubscribe(ADA)
    await yard.settle(30)
    await erase(yard)
    world.person_edits(one, "town", "Ulm")
    await yard.settle(30)
    assert len(world.mails_to(ADA)) == 1
    assert world.mail.marked(ADA)


async def test_nobody_else_is_touched(yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    world.form(BEN, YES)
    await yard.settle(30)
    await erase(yard)
    rows = await yard.look(lambda tx: tx.all("select address from contact"))
    assert [row["address"] for row in rows] == [yard.hub.vault.address(BEN)]
    assert await yard.look(lambda tx: tx.all("select id from trace where address = :one", one=rows[0]["address"]))


async def test_what_waits_counts_as_erased(yard: Yard, world: World) -> None:
    one = await signed_up(yard, world)
    world.person_edits(one, "name", "Ada L.")
    await yard.take_in()
    await yard.drain("shop")
    gone = await erase(yard)
    assert gone.contacts == 1
    assert (await yard.look(outbox.counts))["erased"] == 1
    await yard.settle(30)
    found = world.news(ADA)
    assert found is not None
    assert found.fields["FIRST"] == "Ada"


async def test_an_opt_out_on_its_way_arrives_first(yard: Yard, world: World) -> None:
    one = await signed_up(yard, world)
    world.person_edits(one, "wants_news", "no")
    await yard.take_in()
    await yard.drain("shop")
    with pytest.raises(OnItsWay, match="on its way"):
        await erase(yard)
    await yard.settle(30)
    assert world.mail.marked(ADA)
    assert await erase(yard)
    assert await left(yard) == 0


async def test_an_opt_out_that_was_taken_in_and_not_read_is_decided_first(yard: Yard, world: World) -> None:
    one = await signed_up(yard, world)
    world.person_edits(one, "wants_news", "no")
    await yard.take_in()
    with pytest.raises(OnItsWay, match="not decided yet"):
        await erase(yard)
    await yard.settle(30)
    assert world.mail.marked(ADA)
    assert await erase(yard)
    assert (await shown(yard))[0].suppressed_since is not None


async def test_what_was_never_understood_is_searched_for_the_address(yard: Yard, world: World) -> None:
    path = tuple(world.mail.hooks["yes"].split("/webhooks/toymail/", 1)[1].split("/"))
    for who in (ADA, BEN):
        body = msgspec.json.encode({"whom": who})
        await yard.post(Post(connector="toymail", path=path, body=body, what="odd"))
    gone = await erase(yard, f" {ADA.upper()}")
    assert (gone.contacts, gone.events) == (0, 1)
    assert (await yard.look(inbox.counts)) == {"dead": 1, "erased": 1}


async def test_an_event_that_is_erased_while_it_is_read_is_not_decided(yard: Yard, world: World) -> None:
    one = await signed_up(yard, world)
    world.person_edits(one, "name", "Ada L.")
    await yard.take_in()

    row = await yard.look(lambda tx: tx.one("select account, subject from inbox where state = 'waiting'"))
    assert row is not None

    async def goes() -> None:
        await yard.store.write(lambda tx: erasing.erase_events(tx, row["account"], row["subject"], yard.hub.now()))

    world.meanwhile = goes
    await yard.drain("shop")
    assert (await yard.look(inbox.counts))["erased"] >= 1
    assert "waiting" not in await yard.look(outbox.counts)


async def test_the_proof_tells_what_was_agreed_asked_and_withdrawn(yard: Yard, world: World) -> None:
    await signed_up(yard, world)
    world.unsubscribe(ADA)
    await yard.settle(30)
    (standing,) = await shown(yard)
    told = [one for one in standing.history if one.kind in ("asked", "confirmed", "opted_out") and one.final]
    asked, confirmed, out = told
    assert (asked.agreed_by, asked.words, asked.connection) == ("Jo Doe", "words", "toys")
    assert (confirmed.permission, confirmed.told_by) == ("double", "news")
    assert (out.kind, standing.state, standing.opted_out) == ("opted_out", "unsubscribed", True)
    assert await shown(yard, BEN) == []

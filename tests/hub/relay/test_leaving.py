"""A connection is ended, comes back, or gets another account: what is kept, what goes, and who is never mailed again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from stellwerk.relay import connect, leaving
from stellwerk.relay.hub import Hub
from stellwerk.relay.leaving import OptOutsWait, disconnect, forget, tidy_up
from stellwerk.store import accounts, connections, consent, contacts, inbox, outbox
from stellwerk.store.connections import ENDED
from stellwerk.store.store import Tx
from stellwerk_rules.model import Remembered
from stellwerk_toys.faults import Fault
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
BEN = "ben@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
DAY = 86_400.0


@pytest.fixture
def other(world: World) -> World:
    """Another shop and another newsletter."""
    return World(f"{world.name} again", beside=world)


async def end(yard: Yard, name: str = "toys", *, anyway: bool = False) -> None:
    def work(tx: Tx) -> None:
        one = connections.by_id(tx, name)
        assert one is not None
        disconnect(tx, one, who="jo", now=yard.hub.now(), anyway=anyway)

    await yard.store.write(work)
    await tidy_up(yard.hub)


async def count(yard: Yard, table: str) -> int:
    rows = await yard.look(lambda tx: tx.all(f"select count(*) as n from {table}"))
    return int(rows[0]["n"])


async def gone(yard: Yard, world: World) -> None:
    """Ada signed up, confirmed, and left again."""
    world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    world.unsubscribe(ADA)
    await yard.settle(30)


@pytest.mark.behaviour("end-last")
async def test_the_last_connection_that_ends_takes_webhooks_and_app_away(yard: Yard, world: World) -> None:
    assert world.mail.hooks
    await end(yard)
    assert (world.mail.hooks, world.crm.installed) == ({}, False)
    rows = await yard.look(lambda tx: accounts.every(tx, yard.hub.vault))
    assert [(row.secrets, row.oauth, row.hook_secret, row.state) for row in rows] == [(None, None, None, "gone")] * 2


@pytest.mark.behaviour("end-shared")
async def test_an_account_that_another_connection_uses_stays_as_it_is(yard: Yard, world: World, other: World) -> None:
    await yard.connect(name="second", news=other)
    await end(yard)
    assert (world.mail.hooks, world.crm.installed) == ({}, True)
    world.form(ADA, YES)
    await yard.settle(30)
    assert (len(world.mails_to(ADA)), len(other.mails_to(ADA))) == (0, 1)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.RESTING])
async def test_what_cannot_be_undone_now_is_tried_again_and_the_credentials_are_kept_for_it(
    yard: Yard, world: World, fault: Fault
) -> None:
    world.faults.at_next(Fault.REFUSED)
    world.faults.at_next(fault, 1)
    await end(yard)
    assert world.mail.hooks
    assert world.crm.installed
    world.clock.now += 601
    await tidy_up(yard.hub)
    assert (world.mail.hooks, world.crm.installed) == ({}, False)


async def test_what_waits_ends_with_its_connection_and_nobody_is_mailed(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    assert (await yard.look(outbox.counts))["waiting"] == 1
    world.form(BEN, YES)
    await yard.take_in()
    await end(yard)
    await yard.settle(3600)
    assert world.mail.sent == []
    assert not (await yard.look(outbox.counts)).keys() & {"waiting", "sent", "parked"}
    assert not (await yard.look(inbox.counts)).keys() & {"waiting"}


async def test_a_connection_does_not_end_while_an_opt_out_is_on_its_way(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    world.person_edits(one, "wants_news", "no")
    await yard.take_in()
    await yard.drain("shop")
    with pytest.raises(OptOutsWait, match="1 opt-out has"):
        await end(yard)
    assert [found.state for found in await yard.look(connections.every)] == ["runs"]
    await yard.settle(30)
    await end(yard)
    assert await yard.look(connections.every) == []


@pytest.mark.behaviour("end-again")
async def test_who_left_stays_out_when_the_same_pair_is_connected_again(yard: Yard, world: World) -> None:
    await gone(yard, world)
    await end(yard)
    world.clock.now += 31 * DAY
    await tidy_up(yard.hub)
    assert [await count(yard, table) for table in ("contact", "link", "trace", "connection", "account")] == [0] * 5
    await yard.connect({"silence": "yes"}, name="anew")
    world.import_(ADA, {"town": "Ulm"})
    world.form(BEN, {})
    await yard.settle(30)
    assert (len(world.mails_to(ADA)), len(world.mails_to(BEN))) == (1, 1)


@pytest.mark.behaviour("end-again")
async def test_within_its_days_a_connection_goes_on_with_its_links(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    await end(yard)
    world.clock.now += 3 * DAY
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(30)
    await yard.connect()
    world.clock.now += 40 * DAY
    await tidy_up(yard.hub)
    world.person_edits(one, "town", "Ulm")
    await yard.settle(30)
    found = world.news(ADA)
    assert found is not None
    assert (found.fields["FIRST"], found.fields["TOWN"]) == ("Ada L.", "Ulm")
    assert len(world.mails_to(ADA)) == 1


@pytest.mark.behaviour("end-suppression")
async def test_suppression_goes_only_by_name_and_never_while_another_connection_needs_it(
    yard: Yard, world: World, other: World
) -> None:
    await gone(yard, world)
    await yard.connect(name="second", shop=other)
    await end(yard)

    def forgotten(tx: Tx, name: str) -> int:
        one = connections.by_id(tx, name)
        assert one is not None
        return forget(tx, one, with_suppression=True)

    assert await yard.store.write(lambda tx: forgotten(tx, "toys")) == 0
    assert await count(yard, "suppression") == 1
    await tidy_up(yard.hub)
    assert await yard.look(lambda tx: connections.by_id(tx, "toys")) is None
    await end(yard, "second")
    assert await yard.store.write(lambda tx: forgotten(tx, "second")) == 1
    assert [await count(yard, table) for table in ("suppression", "ledger")] == [0, 0]


# --- another account


@pytest.mark.behaviour("pair-new")
async def test_another_newsletter_is_a_new_pair_and_who_left_the_old_one_stays_out(
    yard: Yard, world: World, other: World
) -> None:
    await gone(yard, world)
    one = world.form(BEN, YES)
    await yard.settle(30)
    assert world.confirm()
    await yard.settle(30)
    saved = await yard.connect({"silence": "yes"}, news=other)
    assert saved.began == yard.hub.now()
    assert (world.mail.hooks, bool(other.mail.hooks)) == (world.mail.hooks, True)
    links = await yard.look(lambda tx: contacts.by_link(tx, "toys", "shop", one))
    assert links is None
    world.person_edits(one, "name", "Benjamin")
    world.import_(ADA, {"town": "Ulm"})
    await yard.settle(30)
    assert other.mail.sent == []
    world.form("cy@example.com", YES)
    await yard.settle(30)
    assert [mail.email for mail in other.mail.sent] == ["cy@example.com"]
    await tidy_up(yard.hub)
    assert world.mail.hooks == {}
    world.clock.now += 31 * DAY
    await tidy_up(yard.hub)
    assert await count(yard, "contact") == await count(yard, "contact where connection = 'toys'")


async def test_what_is_decided_while_the_pair_changes_is_no_link_of_the_new_pair(
    yard: Yard, world: World, other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A contact is stored between the last slice that is set aside and the saving of the other account."""
    in_slices = leaving.in_slices

    async def and_one_more(hub: Hub, work: Callable[[Tx], int]) -> None:
        await in_slices(hub, work)
        late = contacts.ContactState(
            connection="toys", address=hub.vault.address(BEN), remembered=Remembered(ids={"shop": "c9", "news": "m9"})
        )
        await hub.store.write(lambda tx: contacts.save(tx, late, hub.now()))

    monkeypatch.setattr(leaving, "in_slices", and_one_more)
    await yard.connect(news=other)
    assert await yard.look(lambda tx: contacts.by_link(tx, "toys", "news", "m9")) is None
    assert await count(yard, "contact") == 1


async def test_who_was_suppressed_at_the_old_newsletter_comes_back_by_a_double_opt_in_only(
    yard: Yard, world: World, other: World
) -> None:
    await gone(yard, world)
    await yard.settle(7300)
    await yard.connect({"ask_first": False, "level": "single"}, news=other)
    one = world.shop(ADA)
    assert one is not None
    world.person_edits(one.id, "wants_news", "yes")
    await yard.settle(30)
    found = other.news(ADA)
    assert found is not None
    assert (found.permission, len(other.mails_to(ADA))) == ("nothing", 1)


@pytest.mark.behaviour("pair-new")
async def test_suppression_is_not_carried_over_where_a_person_says_so(yard: Yard, world: World, other: World) -> None:
    await gone(yard, world)
    before = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    await yard.connect(name="second", news=other)
    await end(yard, "second")
    assert before is not None
    after = structs.replace(before, accounts={**before.accounts, "news": f"news:{other.name}-news"})
    await connect.save(yard.hub, after, who="jo", carry=False)
    address = yard.hub.vault.address(ADA)
    since = await yard.look(lambda tx: consent.suppressed_since(tx, after.accounts["news"], address))
    assert since is None


async def test_a_decision_on_the_old_pair_is_made_anew(yard: Yard, world: World) -> None:
    """The connection ends between the reading of a contact and the decision on it."""
    world.form(ADA, YES)
    await yard.take_in()

    async def ends() -> None:
        def work(tx: Tx) -> None:
            one = connections.by_id(tx, "toys")
            assert one is not None
            disconnect(tx, one, who="jo", now=yard.hub.now())

        await yard.store.write(work)

    world.meanwhile = ends
    await yard.drain("shop")
    await tidy_up(yard.hub)
    assert await count(yard, "outbox") == 0
    (one,) = await yard.look(lambda tx: tx.all("select state, code from inbox group by state, code"))
    assert (one["state"], one["code"]) == ("skipped", "nobody is connected")
    stored = await yard.look(lambda tx: connections.by_id(tx, "toys"))
    assert stored is not None
    assert stored.state == ENDED

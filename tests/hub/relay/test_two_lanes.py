"""Two lanes at work on one contact at once: what the one writes while the other waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from stellwerk.relay import connect, drain
from stellwerk.relay.lanes import Lanes
from stellwerk.relay.provide import provide
from stellwerk.sdk import ReauthorizeError, Secret
from stellwerk.store import accounts, connections, lease, repairs
from stellwerk.store.store import Tx
from stellwerk_toys.post import Post
from stellwerk_toys.toycrm import ToyCrmAccount
from stellwerk_toys.toymail import ToyMailAccount
from stellwerk_toys.world import MAIL_KEY, World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Joined = Callable[[], Awaitable[str]]


def a_goodbye(world: World) -> Post:
    path = tuple(world.mail.hooks["goodbye"].split("/webhooks/toymail/")[1].split("/"))
    return Post(connector="toymail", path=path, body=b'{"who": "ada@example.com", "letter": "7"}')


def has_happened(world: World) -> bool:
    return world.meanwhile is None


def at_the_shop(yard: Yard, happens: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """Something happens at the shop, is told, and is decided on."""

    async def work() -> None:
        happens()
        await yard.take_in()
        await yard.drain("shop")

    return work


async def test_a_value_that_joins_a_delivery_while_its_target_is_read_is_not_lost(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await at_the_shop(yard, lambda: world.person_edits(one, "name", "First"))()
    world.meanwhile = at_the_shop(yard, lambda: world.person_edits(one, "name", "Second"))
    await yard.drain("news")
    assert has_happened(world)
    await yard.settle(3600)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Second"


async def test_a_no_that_is_decided_while_the_address_is_read_stops_the_ask(yard: Yard, world: World) -> None:
    one = world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.meanwhile = at_the_shop(yard, lambda: world.person_edits(one, "wants_news", "no"))
    await yard.drain("news")
    assert has_happened(world)
    await yard.settle(3600)
    assert world.mail.sent == []


@pytest.mark.behaviour("out-on-the-way")
async def test_a_goodbye_taken_in_while_the_address_is_read_stops_the_ask(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    world.meanwhile = lambda: yard.post(a_goodbye(world))
    await yard.drain("news")
    assert has_happened(world)
    await yard.settle(60)
    assert world.mail.sent == []


@pytest.mark.parametrize("chosen", [{"on_move": "keep_permission"}])
async def test_a_goodbye_taken_in_while_the_address_is_read_stops_a_permission_from_moving_along(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await yard.settle(7200)
    await at_the_shop(yard, lambda: world.person_edits(one, "email", "ada@home.example"))()
    world.meanwhile = lambda: yard.post(a_goodbye(world))
    await yard.drain("news")
    assert has_happened(world)
    assert world.news("ada@home.example") is None
    assert world.news(ADA) is not None


async def test_a_confirmation_told_again_before_the_goodbye_is_carried_out_lifts_no_no(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    confirmation = [post for post in yard.delivered if post.connector == "toymail"][-1]
    await yard.settle(7200)
    await at_the_shop(yard, lambda: world.person_edits(one, "wants_news", "no"))()
    world.clock.advance(5)
    world.edit_at_mail(ADA, "TOWN", "Ulm")
    world.clock.advance(5)
    await yard.post(confirmation)
    await yard.drain("news")
    facts = await yard.look(lambda tx: tx.all("select kind from ledger"))
    assert [row["kind"] for row in facts].count("confirmed") == 1
    await yard.settle(60)
    assert world.mail.marked(ADA)
    assert world.crm.records[one].value("wants_news") == "no"


async def test_two_connections_of_one_account_do_not_both_ask_an_address(yard: Yard, world: World) -> None:
    (first,) = await yard.look(connections.every)
    second = connections.Connection(
        id="second", origin="page", accounts=first.accounts, settings={}, agreed=first.agreed
    )
    await connect.save(yard.hub, second, who="jo")
    world.form(ADA, YES)
    await yard.settle(300)
    assert len(world.mail.sent) == 1


async def test_an_opt_out_is_news_for_every_connection_of_the_account(yard: Yard, world: World, joined: Joined) -> None:
    (first,) = await yard.look(connections.every)
    other = World(f"{world.name}, the other shop")
    other.clock = other.crm._clock = world.clock
    other.posts = other.crm._posts = world.posts
    shop = ToyCrmAccount(world=other.name)
    account = await connect.keep_settings(yard.hub, "shop", shop, await connect.check_settings(yard.hub, "shop", shop))
    accounts = {"shop": account, "news": first.accounts["news"]}
    second = connections.Connection(id="second", origin="page", accounts=accounts, settings={}, agreed=first.agreed)
    await provide(yard.hub, await connect.save(yard.hub, second, who="jo"))
    here = await joined()
    there = other.form(ADA, YES)
    await yard.settle(60)
    world.unsubscribe(ADA)
    await yard.settle(60)
    assert len(world.mail.sent) == 1
    assert world.crm.records[here].value("wants_news") == "no"
    assert other.crm.records[there].value("wants_news") == "no"


async def test_a_key_that_was_mended_while_the_old_one_was_refused_is_used(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await at_the_shop(yard, lambda: world.person_edits(one, "name", "Ada L."))()

    async def mended() -> None:
        settings = ToyMailAccount(world=world.name, key=Secret(MAIL_KEY))
        checked = await connect.check_settings(yard.hub, "news", settings)
        await connect.keep_settings(yard.hub, "news", settings, checked)
        raise ReauthorizeError("key-refused")

    world.meanwhile = mended
    await yard.drain("news")
    await yard.settle(60)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Ada L."


async def test_a_call_that_takes_longer_than_a_lease_is_not_repeated_by_another_lane(
    yard: Yard, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "BEAT_SECONDS", 0.01)
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")

    def renewed(tx: Tx) -> bool:
        """Whether the lane that calls still holds its account, so long after it took it."""
        held = tx.all("select until from lease where owner is not null")
        return [row["until"] > world.clock() for row in held] == [True]

    async def slow() -> None:
        world.clock.advance(2 * lease.SECONDS)
        async with asyncio.timeout(20):
            while not await yard.look(renewed):  # noqa: ASYNC110 - the beat tells nobody but the database
                await asyncio.sleep(0.01)
        while await yard.turn(Lanes(yard.hub)):
            pass

    async def at_the_marker() -> None:
        async def at_the_ask() -> None:
            world.meanwhile = slow

        world.meanwhile = at_the_ask

    world.meanwhile = at_the_marker
    await yard.drain("news")
    assert has_happened(world)
    await yard.settle(600)
    assert len(world.mail.sent) == 1


@pytest.mark.behaviour("watches")
async def test_a_connection_that_watches_writes_nothing_and_goes_on_later(yard: Yard, world: World) -> None:
    (connection,) = await yard.look(connections.every)
    world.form(ADA, YES)
    await yard.take_in()
    await yard.drain("shop")
    watching = await connect.save(yard.hub, _with_state(connection, "watches"), who="jo")
    ben = world.form("ben@example.com", YES)
    await yard.settle(60)
    assert (world.mail.sent, world.mail.records) == ([], {})
    await connect.save(yard.hub, _with_state(watching, "runs"), who="jo")
    world.person_edits(ben, "name", "Benjamin")
    await yard.settle(60)
    assert sorted(mail.email for mail in world.mail.sent) == [ADA, "ben@example.com"]


def _with_state(connection: connections.Connection, state: str) -> connections.Connection:
    return connections.Connection(
        id=connection.id,
        origin=connection.origin,
        state=state,
        accounts=connection.accounts,
        settings=connection.settings,
        version=connection.version,
        began=connection.began,
        agreed=connection.agreed,
    )


async def test_a_refusal_that_came_while_another_took_over_stops_no_account(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await at_the_shop(yard, lambda: world.person_edits(one, "name", "Ada L."))()

    async def taken_over() -> None:
        await yard.store.write(lambda tx: tx.run("update lease set epoch = epoch + 1 where account like 'news:%'"))
        raise ReauthorizeError("key-refused")

    world.meanwhile = taken_over
    await yard.drain("news")
    assert has_happened(world)
    assert {row.state for row in await yard.look(lambda tx: accounts.every(tx, yard.hub.vault))} == {"ok"}
    assert await yard.look(repairs.still_open) == []
    await yard.settle(2 * lease.SECONDS)
    there = world.news(ADA)
    assert there is not None
    assert there.fields["FIRST"] == "Ada L."

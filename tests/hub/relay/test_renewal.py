"""The secret in an account's webhook addresses is renewed: both are valid for a week, then only the new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk.errors import StellwerkError, WebhookError
from stellwerk.relay.housekeeping import tidy
from stellwerk.relay.orders import carry_out
from stellwerk.relay.provide import UNPROVIDED, provide_again
from stellwerk.relay.renewal import renew_hooks
from stellwerk.store import meta
from stellwerk_toys.faults import Fault
from stellwerk_toys.post import Post
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
DAY = 86_400.0
Joined = Callable[[], Awaitable[str]]


def goodbye(url: str) -> Post:
    path = tuple(url.split("/webhooks/toymail/")[1].split("/"))
    return Post(connector="toymail", path=path, body=b'{"who": "ada@example.com"}')


async def is_heard(yard: Yard, url: str) -> bool:
    try:
        await yard.post(goodbye(url))
    except WebhookError as refused:
        return refused.status != 401
    return True


async def test_the_new_addresses_are_registered_and_the_old_ones_are_still_heard(yard: Yard, world: World) -> None:
    old = world.mail.hooks["goodbye"]
    assert await renew_hooks(yard.hub, "toys", by="jo") == [f"news:{world.name}-news"]
    new = world.mail.hooks["goodbye"]
    assert old != new
    assert [await is_heard(yard, url) for url in (old, new)] == [True, True]


async def test_after_a_week_only_the_new_addresses_are_heard(yard: Yard, world: World) -> None:
    old = world.mail.hooks["goodbye"]
    await renew_hooks(yard.hub, "toys", by="jo")
    for days, heard in ((6.9, True), (0.2, False)):
        world.clock.now += days * DAY
        await tidy(yard.hub)
        assert await is_heard(yard, old) is heard
    assert await is_heard(yard, world.mail.hooks["goodbye"])


async def test_a_second_renewal_lets_the_oldest_addresses_go_at_once(yard: Yard, world: World) -> None:
    urls = [world.mail.hooks["goodbye"]]
    for _ in range(2):
        await renew_hooks(yard.hub, "toys", by="jo")
        urls.append(world.mail.hooks["goodbye"])
    assert [await is_heard(yard, url) for url in urls] == [False, True, True]


async def test_an_opt_out_told_to_the_old_address_counts(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    world.unsubscribe("ada@example.com")
    await renew_hooks(yard.hub, "toys", by="jo")
    await yard.settle(60)
    record = world.shop("ada@example.com")
    assert record is not None
    assert record.value("news_state") == "unsubscribed"


async def test_what_could_not_be_registered_is_registered_later(yard: Yard, world: World) -> None:
    old = world.mail.hooks["goodbye"]
    world.faults.sometimes(1.0, Fault.LIMITED)
    await renew_hooks(yard.hub, "toys", by="jo")
    assert await yard.look(lambda tx: meta.cursor(tx, "toys", UNPROVIDED))
    assert world.mail.hooks["goodbye"] == old
    assert await is_heard(yard, old)
    world.faults.none_any_more()
    await provide_again(yard.hub)
    assert world.mail.hooks["goodbye"] != old
    assert not await yard.look(lambda tx: meta.cursor(tx, "toys", UNPROVIDED))


async def test_a_connection_that_is_not_there_has_nothing_to_renew(yard: Yard) -> None:
    with pytest.raises(StellwerkError):
        await renew_hooks(yard.hub, "nobody", by="jo")


async def test_it_is_an_order_that_a_command_can_give(yard: Yard, world: World) -> None:
    told = await carry_out(yard.hub, "renew webhooks", {"connection": "toys", "by": "jo"})
    assert told == [f"news:{world.name}-news"]

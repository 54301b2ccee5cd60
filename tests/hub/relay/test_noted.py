"""Bounces and blocks: told once each, shown, and nobody is mailed or granted anything for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk.store import meta
from stellwerk.store.store import Tx
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
POLL = 700.0
Joined = Callable[[], Awaitable[str]]


def diary(world: World) -> list[str]:
    """What stands in Ada's diary besides that she said yes."""
    record = world.shop(ADA)
    assert record is not None
    texts = (note.text.partition(".")[0].partition("\n")[0] for note in record.notes)
    return sorted(text for text in texts if "Said yes" not in text)


def state(world: World) -> str | None:
    record = world.shop(ADA)
    assert record is not None
    return record.value("news_state")


@pytest.mark.behaviour("bounced")
async def test_each_bounce_is_told_once_also_those_that_are_read_together(
    yard: Yard, world: World, joined: Joined
) -> None:
    await joined()
    for _ in range(3):
        world.mail.mail_returns(ADA)
    await yard.settle(POLL)
    assert len(diary(world)) == 3


async def test_a_journal_that_is_read_again_tells_nothing_twice(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    world.mail.mail_returns(ADA)
    await yard.settle(POLL)
    account = f"news:{world.name}-news"

    def back(tx: Tx) -> None:
        meta.set_cursor(tx, account, "poll", "0")
        tx.run("update inbox set dedup = null where account = :account", account=account)

    await yard.store.write(back)
    world.mail.tell_again()
    await yard.settle(POLL)
    assert len(diary(world)) == 1


@pytest.mark.behaviour("blocked")
async def test_a_block_is_shown_and_told_and_so_is_its_end(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    world.mail.shut(ADA)
    await yard.settle(POLL)
    assert (state(world), len(diary(world))) == ("blocked", 1)
    world.mail.shut(ADA, open_again=True)
    await yard.settle(POLL)
    assert (state(world), len(diary(world))) == ("subscribed", 1)


@pytest.mark.behaviour("blocked-nobody-mailed")
async def test_nobody_is_mailed_for_a_bounce_or_a_block(yard: Yard, world: World, joined: Joined) -> None:
    await joined()
    sent = len(world.mail.sent)
    world.mail.mail_returns(ADA)
    world.mail.shut(ADA)
    await yard.settle(POLL)
    news = world.news(ADA)
    assert news is not None
    assert (len(world.mail.sent), news.permission) == (sent, "full")

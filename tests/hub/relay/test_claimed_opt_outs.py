"""An opt-out that is only claimed: it counts at once, is never forgotten, and keeps nobody's confirmation from counting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stellwerk.relay.states import set_state
from stellwerk.store import consent, inbox, repairs
from stellwerk.store.store import Tx
from stellwerk_toys.faults import Fault
from stellwerk_toys.post import Post
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
HOUR, DAY = 3600.0, 86_400.0
Joined = Callable[[], Awaitable[str]]


def a_goodbye(world: World) -> Post:
    path = tuple(world.mail.hooks["goodbye"].split("/webhooks/toymail/")[1].split("/"))
    return Post(connector="toymail", path=path, body=b'{"who": "ada@example.com", "letter": "7"}')


def shown(world: World) -> tuple[str | None, str | None]:
    record = world.shop(ADA)
    assert record is not None
    return record.value("stage"), record.value("news_state")


@pytest.mark.behaviour("unsubscribed-claimed")
async def test_a_goodbye_counts_from_the_moment_it_is_acknowledged(yard: Yard, world: World) -> None:
    await yard.post(a_goodbye(world))

    def kept_out(tx: Tx) -> bool:
        account = tx.one("select account from ledger")
        assert account is not None
        return consent.suppressed_since(tx, account["account"], yard.hub.vault.address(ADA)) is not None

    assert await yard.look(kept_out)


@pytest.mark.parametrize("hours", [0.1, 0.9, 3.0, 30.0])
async def test_a_confirmation_counts_however_long_after_a_goodbye_that_was_none(
    yard: Yard, world: World, hours: float
) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    await yard.post(a_goodbye(world))
    await yard.settle(hours * HOUR)
    assert world.confirm()
    await yard.settle(2 * HOUR)
    assert shown(world) == ("guest", "subscribed")
    assert "waiting" not in await yard.look(inbox.counts)


async def test_a_return_that_is_read_together_with_the_goodbye_before_it_counts(
    yard: Yard, world: World, joined: Joined
) -> None:
    await joined()
    world.unsubscribe(ADA)
    world.clock.advance(60)
    world.mail.joins_there(ADA)
    world.mail.journal.clear()
    await yard.settle(2 * HOUR)
    assert shown(world)[1] == "subscribed"


async def test_a_wish_that_waits_for_a_claim_to_be_settled_is_not_lost(
    yard: Yard, world: World, joined: Joined
) -> None:
    await joined()
    world.mail.create("ben@example.com", "one", None, {})
    body = a_goodbye(world).body.replace(b"ada", b"ben")
    path = a_goodbye(world).path
    await yard.post(Post(connector="toymail", path=path, body=body))
    await yard.settle(60)
    world.form("ben@example.com", YES)
    await yard.settle(30)
    assert world.shop("ben@example.com") is not None
    await yard.settle(3 * HOUR)
    there = world.news("ben@example.com")
    assert there is not None
    assert there.extern is not None


async def test_looking_again_is_no_failure_so_that_one_failure_gives_nothing_up(
    yard: Yard, world: World, joined: Joined
) -> None:
    await joined()
    await yard.post(a_goodbye(world))
    await yard.settle(0.95 * HOUR)
    row = await yard.look(lambda tx: tx.one("select attempts, due from inbox where state = 'waiting'"))
    assert row is not None
    assert row["attempts"] == 0
    world.clock.now = row["due"]
    world.faults.sometimes(1.0, Fault.REFUSED)
    await yard.run()
    world.faults.none_any_more()
    assert await codes(yard) == {"waiting": "unreachable"}
    await yard.settle(2 * HOUR)
    assert await codes(yard) == {"skipped": "opt-out-denied"}


async def test_a_claim_that_nothing_ever_settles_stands_and_is_shown_to_a_person(yard: Yard, world: World) -> None:
    world.form(ADA, YES)
    await yard.settle(30)
    await yard.post(a_goodbye(world))
    await yard.settle(30)
    world.clock.advance(13 * DAY)
    await yard.settle(30)
    assert await codes(yard) == {"waiting": "not sure yet"}
    world.clock.advance(2 * DAY)
    await yard.settle(30)
    assert await codes(yard) == {"skipped": "opt-out-claimed"}
    assert "opt-out-unsettled" in [row["code"] for row in await yard.look(repairs.still_open)]


async def test_what_waits_for_a_claim_that_nothing_settles_is_looked_at_ever_more_rarely(
    yard: Yard, world: World
) -> None:
    one = world.form(ADA, YES)
    await yard.settle(30)
    await yard.post(a_goodbye(world))
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(3 * HOUR)
    rows = await yard.look(lambda tx: tx.all("select code from outbox where state = 'waiting'"))
    assert [row["code"] for row in rows] == ["opt-out-claimed"]
    await yard.settle(12 * HOUR)  # and comes to rest, which it does not where all is looked at each half minute


async def test_a_goodbye_that_was_none_takes_back_no_no_that_a_watching_connection_heard(
    yard: Yard, world: World, joined: Joined
) -> None:
    one = await joined()
    await set_state(yard.hub, connection="toys", state="watches", by="jo")
    world.person_edits(one, "wants_news", "no")
    await yard.settle(30)
    await yard.post(a_goodbye(world))
    await yard.settle(3 * HOUR)
    denied = await yard.look(lambda tx: tx.all("select fact from ledger where kind = 'opt_out_denied'"))
    assert denied
    assert not [row for row in denied if row["fact"].startswith("no:")]
    assert await yard.look(lambda tx: tx.all("select address from suppression"))
    await set_state(yard.hub, connection="toys", state="runs", by="jo")
    world.person_edits(one, "name", "Ada L.")
    await yard.settle(60)
    assert world.news(ADA) is None


async def codes(yard: Yard) -> dict[str, str]:
    rows = await yard.look(lambda tx: tx.all("select state, code from inbox where kind = 'unsubscribed'"))
    return {row["state"]: row["code"] for row in rows}

"""Whether a system can be relied on: what we wrote comes back, its clock agrees, and how each field's changes arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk.errors import WebhookError
from stellwerk.relay import hearing
from stellwerk.relay.budget import Budget
from stellwerk.sdk import Signal, Unread, WebhookRequest
from stellwerk.store import accounts, meta, repairs
from stellwerk.store.store import Tx
from stellwerk.web.health import ready
from stellwerk_toys.crm import sign
from stellwerk_toys.post import Post
from stellwerk_toys.toycrm import ToyCrm
from stellwerk_toys.world import HOOK_KEY, World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
Join = Callable[[], Awaitable[str]]
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
TEN_MINUTES = 600.0


def open_codes(tx: Tx) -> list[tuple[str, str]]:
    return [(row["subject"], row["code"]) for row in repairs.still_open(tx)]


def shop(world: World) -> str:
    return f"shop:{world.crm.account}"


def drop(world: World, *fields: str) -> None:
    """The posts that tell of these fields never arrive."""
    world.posts[:] = [post for post in world.posts if not any(post.what == f"edited {name}" for name in fields)]


async def mirrored(yard: Yard, *, heard: bool) -> None:
    """Ada signs up, and her state is shown at the shop; whether its events come back."""
    yard.world.form("ada@example.com", YES)
    await yard.take_in()
    await yard.run()
    if not heard:
        drop(yard.world, "news_state", "news_level")
    await yard.take_in()
    await yard.run()


async def test_what_is_shown_and_never_comes_back_is_a_repair_after_ten_minutes(yard: Yard, world: World) -> None:
    await mirrored(yard, heard=False)
    assert world.shop("ada@example.com").value("news_state") == "pending"  # type: ignore[union-attr]
    world.clock.advance(TEN_MINUTES)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == []
    world.clock.advance(1)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == [(shop(world), "app-not-deployed")]


async def test_the_repair_ends_with_the_first_event_of_such_a_field(yard: Yard, world: World) -> None:
    await mirrored(yard, heard=False)
    world.clock.advance(TEN_MINUTES + 1)
    await hearing.listen(yard.hub)
    world.person_edits(world.shop("ada@example.com").id, "town", "Ulm")  # type: ignore[union-attr]
    await yard.settle()
    await hearing.listen(yard.hub)
    assert (shop(world), "app-not-deployed") in await yard.look(open_codes)
    assert world.confirm()
    await yard.settle(30)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == []


async def test_what_comes_back_is_no_repair_however_long_it_is_quiet(yard: Yard, world: World) -> None:
    await mirrored(yard, heard=True)
    world.clock.advance(100 * TEN_MINUTES)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == []


async def test_nobody_is_blamed_for_silence_while_the_hub_was_down(yard: Yard, world: World) -> None:
    await mirrored(yard, heard=False)
    world.clock.advance(100 * TEN_MINUTES)
    await yard.restart()
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == []
    world.clock.advance(TEN_MINUTES + 1)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == [(shop(world), "app-not-deployed")]


async def test_a_field_is_known_to_come_by_event_once_one_was_heard_also_after_a_restart(
    yard: Yard, world: World, joined: Join
) -> None:
    await joined()
    await yard.restart()
    known = await yard.look(lambda tx: hearing.heard_of(tx, shop(world)))
    found = {one.field: one for one in hearing.arrivals(yard.hub.systems["shop"], ["name", "left_on"], known)}
    assert (found["name"].way, found["name"].heard) == ("event", True)
    assert (found["left_on"].way, found["left_on"].seconds) == ("none", None)
    (polled,) = hearing.arrivals(yard.hub.systems["news"], ["FIRST"])
    assert (polled.way, polled.seconds) == ("poll", 600.0)


# --- clocks -----------------------------------------------------------------------------------------------------------


def sees_clock(yard: Yard, account: str, seconds: float) -> None:
    """What a connector of the shop tells of its system's clock."""
    system = yard.hub.systems["shop"]
    yard.hub.services(system, Budget(1, 1.0, yard.hub.now), {}, account).clock_seen(seconds)


async def test_a_clock_that_is_a_minute_apart_is_a_repair_until_it_agrees(yard: Yard, world: World) -> None:
    sees_clock(yard, shop(world), -61.0)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == [(shop(world), "clock-off")]
    (text,) = await yard.look(lambda tx: [row["text"] for row in repairs.still_open(tx)])
    assert text.startswith("its clock is 61 s behind this host's")
    assert (await ready.fn(yard.hub)).status_code == 200
    sees_clock(yard, shop(world), 2.0)
    await hearing.listen(yard.hub)
    assert await yard.look(open_codes) == []


async def test_a_clock_that_is_five_minutes_apart_makes_the_hub_unready(yard: Yard, world: World) -> None:
    sees_clock(yard, shop(world), 301.0)
    answer = await ready.fn(yard.hub)
    assert answer.status_code == 503
    assert answer.content["clocks_apart"] == 1
    sees_clock(yard, shop(world), 299.0)
    assert (await ready.fn(yard.hub)).status_code == 200


async def test_who_asks_whether_the_hub_is_ready_learns_of_no_account_and_the_log_tells_it_once(
    yard: Yard, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    row = shop(world)
    await yard.hub.store.write(lambda tx: accounts.set_state(tx, row, "reauthorize", "key-refused", ""))
    answer = await ready.fn(yard.hub)
    assert (answer.status_code, answer.content) == (200, {"status": "ok", "accounts_waiting_for_a_person": 1})
    sees_clock(yard, row, 301.0)
    for _ in range(3):
        await hearing.listen(yard.hub)
    assert row not in str((await ready.fn(yard.hub)).content)
    assert [record.getMessage() for record in caplog.records if "clock" in record.getMessage()] == [
        f"account {row}: its clock is 301 s ahead of this host's: set this host's clock (NTP)"
    ]


async def test_who_asks_whether_the_hub_is_ready_is_not_told_where_its_database_lies(yard: Yard) -> None:
    await yard.hub.store.close()
    answer = await ready.fn(yard.hub)
    assert answer.status_code == 503
    assert answer.content["because"] == "the database cannot be used as it is; the hub's log says why"


# --- a weaker proof ---------------------------------------------------------------------------------------------------


class Plain(ToyCrm):
    """A shop that may also sign without a time."""

    @classmethod
    def receive_weak(cls, request: WebhookRequest, system: Any, account: Any, /) -> Sequence[Signal | Unread]:
        expected = hashlib.sha256(system.hook_key.reveal().encode() + request.body).hexdigest()
        if request.headers.get("x-toy-plain") != expected or "x-toy-signature" in request.headers:
            raise WebhookError(401, "wrong plain signature")
        signed = dict(request.headers)
        at = request.received_at.isoformat()
        signed |= {"x-toy-time": at, "x-toy-signature": sign(system.hook_key.reveal(), at, request.body)}
        return cls.receive(replace(request, headers=signed), system)


def weakly(post: Post) -> Post:
    plain = hashlib.sha256(HOOK_KEY.encode() + post.body).hexdigest()
    return replace(post, headers={"x-toy-plain": plain})


@pytest.fixture
async def plain_yard(yard: Yard) -> Yard:
    yard.hub.systems = {**yard.hub.systems, "shop": replace(yard.hub.systems["shop"], connector=Plain)}
    return yard


async def test_a_weaker_proof_is_taken_until_the_stronger_one_came(plain_yard: Yard, world: World) -> None:
    world.form("ada@example.com", YES)
    weak = [weakly(post) for post in world.posts]
    for post in weak:
        await plain_yard.post(post)
    world.posts.clear()
    await plain_yard.run()
    assert [mail.email for mail in world.mail.sent] == ["ada@example.com"]
    assert world.posts, "the shop tells of our own writing"
    await plain_yard.settle()
    with pytest.raises(WebhookError) as refused:
        await plain_yard.post(weak[0])
    assert refused.value.status == 401
    await plain_yard.restart()
    plain_yard.hub.systems = {
        **plain_yard.hub.systems,
        "shop": replace(plain_yard.hub.systems["shop"], connector=Plain),
    }
    with pytest.raises(WebhookError):
        await plain_yard.post(weak[0])


async def test_a_forged_weaker_proof_is_refused_and_counted(plain_yard: Yard, world: World) -> None:
    world.form("ada@example.com", YES)
    forged = replace(world.posts[0], headers={"x-toy-plain": "0" * 64})
    with pytest.raises(WebhookError) as refused:
        await plain_yard.post(forged)
    assert refused.value.status == 401
    assert (await plain_yard.look(meta.counters))["webhooks_refused_401"] == 1


async def test_a_connector_without_a_weaker_proof_takes_none(yard: Yard, world: World) -> None:
    world.form("ada@example.com", YES)
    with pytest.raises(WebhookError):
        await yard.post(weakly(world.posts[0]))

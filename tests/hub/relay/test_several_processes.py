"""Several processes on one database: what one does, none does again, and what one leaves undone another takes up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stellwerk.errors import ReauthorizeError, StoreError
from stellwerk.relay import duties, instance
from stellwerk.relay.engine import take_over
from stellwerk.relay.place import Place
from stellwerk.relay.reconcile import compare_when_due
from stellwerk.relay.second_look import LOCKED_OUT
from stellwerk.relay.tokens import Tokens
from stellwerk.sdk.connector import Grant
from stellwerk.store import accounts, hold, lease, meta
from stellwerk.store.postgres import PostgresStore
from stellwerk.store.store import Store, Tx
from stellwerk_toys.databases import PostgresDatabase
from stellwerk_toys.pg_server import Server
from stellwerk_toys.world import World
from stellwerk_toys.yard import Yard

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"
YES = {"wants_news": "yes", "name": "Ada", "stage": "visitor", "language": "de"}
Started = Callable[..., Awaitable["Process"]]


class Process(Yard):
    """One of several, all on the database of the test."""

    url = ""

    def open_store(self) -> Store:
        return PostgresStore.open(self.url)


@pytest.fixture
async def started(pg_server: Server, world: World, tmp_path: Path) -> AsyncIterator[Started]:
    """Starts a process: `started()`, or `started(folder)` of the host whose state folder that is."""
    url = PostgresDatabase(pg_server).url
    running: list[Process] = []

    async def start(folder: str | None = None) -> Process:
        one = Process(tmp_path, world)
        one.url = url
        one.place = None if folder is None else Place(tmp_path / folder)
        await one.start()
        running.append(one)
        return one

    yield start
    for one in running:
        await one.stop()


async def begun(one: Process) -> str | None:
    """What it holds because of its database, once it has begun."""
    await instance.begin(one.hub)
    stands = await one.look(hold.standing)
    return None if stands is None else stands.because


# --- work ---------------------------------------------------------------------------------------------------------------


async def test_two_processes_that_drain_at_once_ask_each_contact_once(started: Started, world: World) -> None:
    first, second = await started(), await started()
    await first.connect()
    people = [f"p{number}@example.com" for number in range(12)]
    for email in people:
        world.form(email, YES)
        await second.take_in()

    async def drain(one: Process) -> None:
        for _ in range(10):
            await one.run()

    await asyncio.gather(drain(first), drain(second))
    await first.settle(60)
    assert [len(world.mails_to(email)) for email in people] == [1] * len(people)


async def test_an_account_that_another_process_has_just_added_can_be_used(started: Started, world: World) -> None:
    first, second = await started(), await started()
    await first.connect()
    world.form(ADA, YES)
    await second.take_in()
    await second.settle(60)
    assert len(world.mails_to(ADA)) == 1


async def test_a_process_that_takes_the_seat_of_a_dead_one_goes_on_at_once(started: Started, world: World) -> None:
    dead = await started("here")
    await dead.connect()
    world.form(ADA, YES)
    await dead.take_in()
    assert await dead.store.write(lambda tx: lease.claim(tx, dead.hub.name, world.clock())) is not None
    assert await dead.store.write(lambda tx: lease.claim(tx, dead.hub.name, world.clock())) is None
    assert dead.place is not None
    dead.place.close()  # as the system does for a process that ends
    elsewhere = await started("there")
    await take_over(elsewhere.hub)
    await elsewhere.run()
    assert len(world.mails_to(ADA)) == 0
    here = await started("here")
    await take_over(here.hub)
    await here.run()
    assert len(world.mails_to(ADA)) == 1


# --- what is done once for all ------------------------------------------------------------------------------------------


async def test_a_duty_is_one_processs_until_it_leaves_or_its_time_is_over(started: Started, world: World) -> None:
    first, second = await started(), await started()
    assert await duties.has_duty(first.hub, "tidy", 60)
    assert not await duties.has_duty(second.hub, "tidy", 60)
    assert await duties.has_duty(second.hub, "another", 60)
    assert await duties.has_duty(first.hub, "tidy", 60)
    world.clock.advance(61)
    assert await duties.has_duty(second.hub, "tidy", 60)
    await duties.leave_duties(second.hub)
    assert await duties.has_duty(first.hub, "tidy", 60)


async def test_a_duty_of_a_dead_process_is_free_for_the_one_that_takes_its_seat(started: Started) -> None:
    dead = await started("here")
    assert await duties.has_duty(dead.hub, "tidy", 600)
    assert dead.place is not None
    dead.place.close()
    elsewhere = await started("there")
    await take_over(elsewhere.hub)
    assert not await duties.has_duty(elsewhere.hub, "tidy", 600)
    here = await started("here")
    await take_over(here.hub)
    assert await duties.has_duty(here.hub, "tidy", 600)


async def test_what_is_done_in_turn_is_never_done_by_two_at_once(started: Started) -> None:
    processes = [await started() for _ in range(3)]
    inside: list[int] = []
    most: list[int] = []

    async def work(one: Process) -> None:
        async with duties.in_turn(one.hub, "bring in", 60):
            inside.append(1)
            most.append(len(inside))
            await asyncio.sleep(0.02)
            inside.pop()

    await asyncio.gather(*(work(one) for one in processes))
    assert most == [1, 1, 1]


# --- tokens -------------------------------------------------------------------------------------------------------------


class Remote:
    """Hands out tokens. A refresh token can be used once, as rotating remotes have it."""

    def __init__(self) -> None:
        self.refreshes: list[str] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def refresh(self, system: Any, http: Any, *, refresh_token: str, account: str) -> Grant:
        if refresh_token in self.refreshes:
            raise ReauthorizeError("invalid-grant", "this refresh token was used")
        self.refreshes.append(refresh_token)
        number = len(self.refreshes)
        await asyncio.sleep(0.05)
        return Grant(access_token=f"a{number}", refresh_token=f"r{number}", expires_in=1800.0, account=account)


async def with_tokens(started: Started) -> list[Tokens]:
    """The tokens of two processes, with one account whose access token is over."""
    found = []
    for one in (await started(), await started()):
        await one.store.write(
            lambda tx, hub=one.hub: accounts.add(tx, hub.vault, system="shop", remote="1", name="", now=0.0)  # type: ignore[misc]
        )
        found.append(one.hub.tokens)
    old = Grant(access_token="a0", refresh_token="r0", expires_in=0.0, account="1")
    sealed = found[0].sealed("shop:1", old)
    await one.store.write(lambda tx: accounts.set_oauth(tx, "shop:1", sealed, expected_version=None))
    return found


async def test_two_processes_refresh_a_token_once(started: Started) -> None:
    remote: Any = Remote()
    tokens = await with_tokens(started)
    asked = [one.token("shop:1", None, remote, None, None) for one in tokens * 3]  # type: ignore[arg-type]
    assert set(await asyncio.gather(*asked)) == {"a1"}
    assert remote.refreshes == ["r0"]


async def test_a_process_that_freezes_in_the_middle_of_a_refresh_keeps_the_newer_token(
    started: Started, world: World
) -> None:
    remote: Any = Remote()
    frozen, other = await with_tokens(started)
    answer, thawed = Grant(access_token="old", refresh_token="r9", expires_in=1800.0, account="1"), asyncio.Event()

    class Slow:
        async def refresh(self, system: Any, http: Any, *, refresh_token: str, account: str) -> Grant:
            await thawed.wait()
            return answer

    slow: Any = Slow()
    waiting = asyncio.ensure_future(frozen.token("shop:1", None, slow, None, None))  # type: ignore[arg-type]
    await asyncio.sleep(0.1)
    world.clock.advance(91)
    assert await other.token("shop:1", None, remote, None, None) == "a1"  # type: ignore[arg-type]
    thawed.set()
    assert await waiting == "a1"


async def test_an_account_goes_on_once_a_frozen_process_brings_the_tokens_that_the_others_were_refused_for(
    started: Started, world: World
) -> None:
    remote: Any = Remote()
    frozen, other = await with_tokens(started)
    thawed = asyncio.Event()

    class Slow:
        async def refresh(self, system: Any, http: Any, *, refresh_token: str, account: str) -> Grant:
            grant = await remote.refresh(system, http, refresh_token=refresh_token, account=account)
            await thawed.wait()
            return grant

    def given_up(tx: Tx) -> None:
        accounts.set_state(tx, "shop:1", LOCKED_OUT, "invalid-grant", "connect it again")
        tx.run("insert into lease (account, wake) values ('shop:1', null)")

    slow: Any = Slow()
    waiting = asyncio.ensure_future(frozen.token("shop:1", None, slow, None, None))  # type: ignore[arg-type]
    await asyncio.sleep(0.2)
    world.clock.advance(91)
    with pytest.raises(ReauthorizeError):
        await other.token("shop:1", None, remote, None, None)  # type: ignore[arg-type]
    await other._store.write(given_up)
    thawed.set()
    assert await waiting == "a1"
    row = await other._row("shop:1")
    assert (row.state, other._opened(row).refresh_token) == ("ok", "r1")
    assert await other._store.read(lambda tx: lease.due(tx, world.clock())) == ["shop:1"]


async def test_a_refusal_of_a_token_that_another_process_has_renewed_meanwhile_stops_nobody(started: Started) -> None:
    first, second = await with_tokens(started)

    class TooLate:
        async def refresh(self, system: Any, http: Any, *, refresh_token: str, account: str) -> Grant:
            sealed = second.sealed(
                "shop:1", Grant(access_token="theirs", refresh_token="r", expires_in=1800.0, account="1")
            )
            await second._store.write(lambda tx: accounts.set_oauth(tx, "shop:1", sealed, expected_version=None))
            raise ReauthorizeError("invalid-grant", "this refresh token was used")

    late: Any = TooLate()
    assert await first.token("shop:1", None, late, None, None) == "theirs"  # type: ignore[arg-type]


# --- a restored back-up -------------------------------------------------------------------------------------------------


async def test_a_second_process_and_a_second_host_beside_one_that_runs_hold_nothing(started: Started) -> None:
    first = await started("here")
    await first.connect()
    assert await begun(first) is None
    assert await begun(await started("here")) is None
    assert await begun(await started("there")) is None


async def test_a_host_that_finds_an_older_database_than_it_left_holds_what_mails(started: Started) -> None:
    first = await started("here")
    await first.connect()
    await begun(first)
    rows = await first.look(lambda tx: tx.all("select name, value from meta where name like 'instance%'"))
    await instance.beat(first.hub)
    await instance.beat(first.hub)
    await first.store.write(lambda tx: [meta.set_value(tx, row["name"], row["value"]) for row in rows])
    assert first.place is not None
    first.place.close()
    assert await begun(await started("here")) == "restored"


async def test_a_host_without_a_mark_holds_what_mails_unless_another_one_is_at_it(
    started: Started, world: World
) -> None:
    first = await started("here")
    await first.connect()
    await begun(first)
    world.clock.advance(2 * instance.ALIVE_SECONDS)
    assert await begun(await started("there")) == "restored"


async def test_of_a_host_that_was_away_while_another_ran_nothing_is_held(started: Started, world: World) -> None:
    first, second = await started("here"), await started("there")
    await first.connect()
    assert [await begun(first), await begun(second)] == [None, None]
    world.clock.advance(7200)
    await instance.beat(second.hub)
    assert await begun(first) is None


async def test_a_database_that_nobody_looked_after_for_long_is_held_until_the_reports_were_read(
    started: Started, world: World
) -> None:
    first = await started("here")
    await first.connect()
    await begun(first)
    world.clock.advance(7200)
    assert await begun(first) == "paused"


async def test_the_counter_of_a_host_is_raised_by_another_process_when_the_first_ends(started: Started) -> None:
    first, second = await started("here"), await started("here")
    await first.connect()
    await begun(first)
    await begun(second)
    assert first.place is not None
    assert second.place is not None
    before = second.place.mark.read_bytes()
    await instance.beat(second.hub)
    assert second.place.mark.read_bytes() == before
    first.place.close()
    await instance.beat(second.hub)
    assert second.place.mark.read_bytes() != before


# --- the state folder ---------------------------------------------------------------------------------------------------


def test_a_seat_is_taken_by_one_process_and_free_when_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from stellwerk.relay.place import Place;"
        "place = Place(Path(sys.argv[1])); print(place.seat, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        ours = Place(tmp_path)
        assert ours.seat != theirs
        assert ours.seat.partition(".")[0] == theirs.partition(".")[0]
        other.kill()
    third = Place(tmp_path)
    assert third.seat == theirs
    ours.close()
    third.close()


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"file/state cannot be used .*hub\.state"):
        Place(tmp_path / "file" / "state")


async def test_what_the_schedule_begins_one_process_begins_for_all(started: Started, world: World) -> None:
    first, second = await started(), await started()
    await first.connect()
    world.form(ADA, YES)
    await first.settle(60)
    world.clock.advance(86_400.0)
    await asyncio.gather(*(compare_when_due(one.hub) for one in (first, second, first, second)))
    await asyncio.gather(first.run(), second.run())
    await first.settle(60)
    rows = await first.look(lambda tx: tx.all("select state from comparison"))
    assert [row["state"] for row in rows] == ["done"]


async def test_an_older_database_that_comes_back_under_running_processes_mails_nobody(
    started: Started, world: World
) -> None:
    first, second = await started("here"), await started("here")
    await first.connect()
    assert (await begun(first), await begun(second)) == (None, None)
    older = await first.look(lambda tx: tx.all("select name, value from meta where name like 'instance%'"))
    for _ in range(2):
        world.clock.advance(60.0)
        await instance.beat(first.hub)
        await instance.beat(second.hub)
    world.form(ADA, YES)
    await first.take_in()
    await first.drain("shop")
    await first.store.write(lambda tx: [meta.set_value(tx, row["name"], row["value"]) for row in older])
    await second.settle(10)
    assert world.mails_to(ADA) == []
    stands = await first.look(hold.standing)
    assert stands is not None
    assert stands.because == "restored"

"""Whoever is to be told is told once, however many processes are at it and however long one of them takes; then it is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stellwerk.relay import notifying
from stellwerk.relay.housekeeping import DAY_SECONDS, tidy
from stellwerk.relay.notifying import GATHER_SECONDS, QUIET_SECONDS, tell_of_repairs
from stellwerk.relay.timetable import TURN_SECONDS
from stellwerk.relay.untold import Untold
from stellwerk.store import repairs
from stellwerk.web.notification_letter import letter
from stellwerk_toys.world import World
from stellwerk_toys.yard import FILE, Yard, load_toys

pytestmark = pytest.mark.anyio
SECRET_LINE = "  secret_key: env:TOYS_SECRET_KEY\n"


@pytest.fixture
async def yard(world: World, tmp_path: Path) -> AsyncIterator[Yard]:
    file = tmp_path / "integration-toys.yaml"
    file.write_text(FILE.read_text("utf-8").replace(SECRET_LINE, SECRET_LINE + "  notify_internal: true\n"), "utf-8")
    made = Yard(tmp_path, world, load_toys(file))
    await made.start()
    await made.connect({})
    yield made
    await made.stop()


@pytest.fixture
async def told(guest: Any, yard: Yard) -> Yard:
    """Kim is told by a webhook, and a repair is open."""
    token = (await guest.open("/notifications")).form.values["token"]
    given = {"token": token, "action": "add", "name": "Kim", "kind": "webhook", "to": "http://127.0.0.1:9/x"}
    assert (await guest.post("/notifications", given)).status == 200
    await breaks(yard)
    yard.world.clock.now += GATHER_SECONDS
    return yard


async def breaks(yard: Yard, subject: str = "toys") -> None:
    await yard.store.write(lambda tx: repairs.open_(tx, subject, "old-wish", "x", yard.hub.now()))


async def mends(yard: Yard, subject: str = "toys") -> None:
    await yard.store.write(lambda tx: repairs.close(tx, subject, "old-wish", yard.hub.now()))


async def count(yard: Yard, table: str) -> int:
    row = await yard.look(lambda tx: tx.one(f"select count(*) as n from {table}"))
    assert row is not None
    return int(row["n"])


async def test_two_processes_at_it_at_once_call_once(told: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []

    async def slow(url: str, body: bytes, **_: Any) -> None:
        calls.append(body)
        await asyncio.sleep(0)

    monkeypatch.setattr(notifying, "post", slow)
    await told.store.write(lambda tx: notifying._gather(tx, told.hub))
    await asyncio.gather(*(tell_of_repairs(told.hub, letter) for _ in range(3)))
    assert len(calls) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_a_call_that_outlasts_the_turn_is_not_made_again_meanwhile(
    told: Yard, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    calls: list[bytes] = []

    async def endless(url: str, body: bytes, **_: Any) -> None:
        calls.append(body)
        if len(calls) == 1:
            told.world.clock.now += TURN_SECONDS + 1  # another process takes its turn
            await tell_of_repairs(told.hub, letter)
            if fails:
                raise Untold("hook-late")

    monkeypatch.setattr(notifying, "post", endless)
    await tell_of_repairs(told.hub, letter)
    assert len(calls) == 1
    told.world.clock.now += QUIET_SECONDS
    await tell_of_repairs(told.hub, letter)
    assert len(calls) == (2 if fails else 1)


async def test_what_was_told_of_a_mended_repair_goes_with_it_after_its_days(
    told: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def heard(url: str, body: bytes, **_: Any) -> None:
        return None

    monkeypatch.setattr(notifying, "post", heard)
    await tell_of_repairs(told.hub, letter)
    await mends(told)
    told.world.clock.now += QUIET_SECONDS
    await tell_of_repairs(told.hub, letter)
    assert (await count(told, "repair"), await count(told, "told")) == (1, 2)
    told.world.clock.now += (told.hub.integration.keep.trace_days + 1) * DAY_SECONDS
    await breaks(told)
    await tidy(told.hub)
    assert (await count(told, "repair"), await count(told, "told")) == (1, 0)


async def test_a_repair_that_takes_the_number_of_an_erased_one_is_told(
    told: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bytes] = []

    async def heard(url: str, body: bytes, **_: Any) -> None:
        calls.append(body)

    monkeypatch.setattr(notifying, "post", heard)
    await tell_of_repairs(told.hub, letter)
    await told.store.write(lambda tx: repairs.forget(tx, "toys"))
    await breaks(told)
    told.world.clock.now += QUIET_SECONDS
    await tell_of_repairs(told.hub, letter)
    assert len(calls) == 2

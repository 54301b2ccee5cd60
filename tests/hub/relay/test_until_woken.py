"""An engine's pause: it ends by a wake, by its time, and by being cancelled, whatever else comes at that moment."""

from __future__ import annotations

import asyncio

import pytest

from stellwerk.relay.engine import until_woken

pytestmark = pytest.mark.anyio
NEVER = 3_600.0


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("woken_first", [True, False])
async def test_who_is_cancelled_while_it_is_woken_ends(turns: int, woken_first: bool) -> None:
    woken = asyncio.Event()

    async def sweeps() -> None:
        while True:
            woken.clear()
            await until_woken(woken, NEVER)

    task = asyncio.create_task(sweeps())
    await asyncio.sleep(0.001)
    steps = (woken.set, task.cancel) if woken_first else (task.cancel, woken.set)
    steps[0]()
    for _ in range(turns):
        await asyncio.sleep(0)
    steps[1]()
    await asyncio.wait([task], timeout=0.2)
    ended = task.done()
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.2)
    assert ended


async def test_its_time_and_a_wake_end_it() -> None:
    woken = asyncio.Event()
    await until_woken(woken, 0.001)
    assert not woken.is_set()
    woken.set()
    async with asyncio.timeout(5):
        await until_woken(woken, NEVER)
        await until_woken(woken, None)

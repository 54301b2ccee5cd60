"""A process of its own that drains errands by an engine: `python -m stellwerk_toys.errand_process '{…}'`.

It says `ready`, and `stands still at …` just before it stops itself where it was told to.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from stellwerk.relay.engine import Engine
from stellwerk.relay.jobs import Jobs
from stellwerk.relay.lanes import Lanes
from stellwerk.store.postgres import PostgresStore
from stellwerk_toys.errands import Remote, Runner


async def main(told: dict[str, Any]) -> None:
    """`begun` and `haste`: a clock that all go by, so much faster than the server's since then, so that leases end soon."""
    store = PostgresStore.open(told["url"])
    frozen: list[str] = []

    def now() -> float:
        return float(told["begun"] + (store.now() - told["begun"]) * told["haste"])

    def passed(point: str) -> None:
        if point == told.get("freeze") and not frozen:
            frozen.append(point)
            print(f"stands still at {point}", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)

    more = {name: told[name] for name in ("call_seconds", "slice_seconds") if name in told}
    runner = Runner(store, told["name"], Remote(Path(told["remote"])), now, **more, passed=passed)
    engine: Engine = Jobs(runner, told["url"]) if told["engine"] == "jobs" else Lanes(runner)

    async def tick() -> None:
        Remote(Path(told["remote"] + ".ticks")).call([0], told["name"])
        await asyncio.sleep(told.get("tick_lasts", 0.0))

    if "tick" in told:
        engine.every(told["tick"], "tick", tick)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with engine.run(runner.drain):
        print("ready", flush=True)
        await ended.wait()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

"""The command: many seeds on every core, or one seed again, and what it shrinks to when it fails."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

import msgspec
from msgspec import Struct

from stellwerk_simulation import summary
from stellwerk_simulation.drawing import calmed, drawn
from stellwerk_simulation.history import History, Trouble
from stellwerk_simulation.player import Played, play

TELL_EACH = 1000
FIXED = "0"  # of PYTHONHASHSEED: the order of a set is part of a history


class Ran(Struct, frozen=True, kw_only=True):
    seed: int
    played: Played | None
    broke: str | None = None

    @property
    def wrong(self) -> str | None:
        return self.broke if self.played is None else self.played.wrong


def one(seed: int) -> Ran:
    """Play the history of a seed; an exception of hub or simulation counts as wrong too."""
    return again(drawn(seed))


def again(history: History) -> Ran:
    try:
        played = play(history)
        return Ran(seed=history.seed, played=msgspec.structs.replace(played, trail=()))
    except Exception as broke:
        return Ran(seed=history.seed, played=None, broke=f"{type(broke).__name__}: {broke}")


def is_wrong(history: History) -> bool:
    return again(history).wrong is not None


def shrunk(history: History, fails: Callable[[History], bool] = is_wrong) -> History:
    """What still fails, with as few steps and as little trouble as it takes."""
    changed = True
    while changed:
        changed = False
        for smaller in _smaller(history):
            if fails(smaller):
                history, changed = smaller, True
                break
    return history


def _smaller(history: History) -> Iterable[History]:
    steps = history.steps
    for number in reversed(range(len(steps))):
        yield msgspec.structs.replace(history, steps=calmed(steps[:number] + steps[number + 1 :]))
    for number, step in enumerate(steps):
        if step.trouble != Trouble():
            calm = msgspec.structs.replace(step, trouble=Trouble())
            yield msgspec.structs.replace(history, steps=(*steps[:number], calm, *steps[number + 1 :]))
            for name in ("calls", "crash", "again", "lose", "deaf", "disorder", "full"):
                if getattr(step.trouble, name) != getattr(Trouble(), name):
                    less = msgspec.structs.replace(step.trouble, **{name: getattr(Trouble(), name)})
                    calmer = msgspec.structs.replace(step, trouble=less)
                    yield msgspec.structs.replace(history, steps=(*steps[:number], calmer, *steps[number + 1 :]))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="stellwerk_simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many histories")
    parser.add_argument("--first", type=int, default=1, help="the seed to begin with")
    parser.add_argument("--seed", type=int, help="this history alone, shrunk when it fails")
    parser.add_argument("--whole", action="store_true", help="with --seed: do not shrink")
    parser.add_argument("--most", type=int, default=5, help="stop after so many that went wrong; all others are played")
    parser.add_argument("--processes", type=int, default=2, help="how many play at once")
    parser.add_argument("--log", action="store_true", help="what the hub logs")
    given = parser.parse_args(arguments)
    if os.environ.get("PYTHONHASHSEED") != FIXED:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "stellwerk_simulation", *arguments],
            {**os.environ, "PYTHONHASHSEED": FIXED},
        )
    logging.disable(logging.NOTSET if given.log else logging.CRITICAL)
    if given.seed is not None:
        return _show(given.seed, whole=given.whole)
    return many(range(given.first, given.first + given.seeds), processes=given.processes, most=given.most)


def _show(seed: int, *, whole: bool) -> int:
    history = drawn(seed)
    ran = again(history)
    print(history.text())
    print(ran.wrong or "all as it must be")
    if ran.wrong is None:
        return 0
    if not whole:
        small = shrunk(history)
        print("\nshrunk:")
        print(small.text())
        ran = again(small)
        print(ran.wrong)
    if ran.played is not None:
        print("\n".join(ran.played.why))
    return 1


def many(seeds: range, *, processes: int, most: int) -> int:
    """Play all of them, or as many as it takes for `most` to go wrong, and tell. 1 where any went wrong."""
    began, calls, crashes, hours = time.monotonic(), 0, 0, 0.0
    counted: Counter[str] = Counter()
    wrong: dict[int, str] = {}
    played = 0
    with ProcessPoolExecutor(processes) as pool:
        for ran in pool.map(one, seeds, chunksize=1):
            played += 1
            if ran.played is not None:
                calls, crashes, hours = calls + ran.played.calls, crashes + ran.played.crashes, hours + ran.played.hours
                counted.update(ran.played.reached)
            if ran.wrong is not None:
                wrong[ran.seed] = ran.wrong
                print(f"seed {ran.seed}: {ran.wrong}", flush=True)
                if len(wrong) >= most:
                    pool.shutdown(cancel_futures=True)
                    break
            if played % TELL_EACH == 0:
                print(f"{played:,} of {len(seeds):,} in {time.monotonic() - began:.0f} s", flush=True)
    took = time.monotonic() - began
    print("\n".join(summary.reached(counted)))
    print(
        f"{played} histories in {took:.0f} s: {hours / 24:.0f} days, {calls} calls, {crashes} crashes; "
        + (f"wrong: {list(wrong)}" if wrong else "all as they must be")
    )
    if wrong:
        print("\n".join(summary.wrong(wrong, played)))
    return 1 if wrong else 0

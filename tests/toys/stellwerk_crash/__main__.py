"""`make crash`: every point of a life is one where a hub is killed; each fifth is one where another is frozen, too."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from stellwerk_crash.scene import CrashScene, End
from stellwerk_crash.story import Outcome, play, undisturbed
from stellwerk_toys.pg_server import running

WAVE = 3
LIVES_A_SCENE = 25
PATIENCE_SECONDS = 30.0
FREEZE_EACH = 5


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make crash", description=__doc__)
    arguments.add_argument("--each", type=int, default=1, metavar="N", help="only each Nth point (default every one)")
    arguments.add_argument("--from", type=int, default=1, dest="first", metavar="N", help="begin at this point")
    arguments.add_argument(
        "--on-server",
        action="store_true",
        help="on a PostgreSQL of its own, with a second process beside the one that ends",
    )
    given = arguments.parse_args()
    with running() if given.on_server else nullcontext() as server:
        return _sweep(given, lambda: CrashScene(None if server is None else server.url(server.new_schema())))


def _sweep(given: argparse.Namespace, fresh: Callable[[], CrashScene]) -> int:
    began = time.monotonic()
    with fresh() as scene:
        length = len(undisturbed(scene, wave=WAVE))
    print(f"a life in which {WAVE} people sign up, confirm and leave passes {length} points", flush=True)
    outcomes = []
    for lives in _rounds(list(_ends(given.first, length, given.each))):
        with fresh() as scene:
            outcomes.append(play(scene, lives, wave=WAVE, patience=PATIENCE_SECONDS))
        _tell(outcomes[-1], lives, time.monotonic() - began)
    return _sum_up(outcomes, time.monotonic() - began)


def _ends(first: int, last: int, each: int) -> Iterator[End]:
    for place, number in enumerate(range(first, last + 1, each)):
        yield End(how="kill", number=number)
        if place % FREEZE_EACH == 0:
            yield End(how="freeze", number=number)


def _rounds(ends: Sequence[End]) -> Iterator[Sequence[End]]:
    for start in range(0, len(ends), LIVES_A_SCENE):
        yield ends[start : start + LIVES_A_SCENE]


def _tell(outcome: Outcome, lives: Sequence[End], seconds: float) -> None:
    reached = sum(one.at is not None for one in outcome.ends)
    verdict = "nothing lost, nothing doubled" if not outcome.wrong else "; ".join(outcome.wrong)
    print(
        f"points {lives[0].number} to {lives[-1].number}: {reached} of {len(lives)} reached,"
        f" {outcome.acknowledged} webhooks acknowledged: {verdict}  ({seconds:.0f} s)",
        flush=True,
    )


def _sum_up(outcomes: Sequence[Outcome], seconds: float) -> int:
    """Prints where processes ended; 1 when an effect was lost or doubled anywhere."""
    ends = [one for outcome in outcomes for one in outcome.ends]
    kinds = Counter((one.end.how, one.at.partition(" ")[2]) for one in ends if one.at is not None)
    for (how, what), count in sorted(kinds.items()):
        print(f"{count:5}  {how}  {what}")
    bad = [one for outcome in outcomes for one in outcome.wrong]
    print(
        f"{sum(kinds.values())} processes ended, at {len(kinds)} kinds of points,"
        f" {sum(outcome.acknowledged for outcome in outcomes)} webhooks acknowledged,"
        f" {len(bad)} effects lost or doubled, {seconds:.0f} s"
    )
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())

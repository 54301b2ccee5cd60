"""`make bench`: every line, or those of BENCH; figures, page and plots are written after each."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from datetime import UTC, datetime

from stellwerk_bench import machine
from stellwerk_bench.figures import Line, number
from stellwerk_bench.page import keep, load

LINES = ("decide", "intake", "webhooks", "sync", "limits", "live", "storm", "memory", "start", "workers")
"""In the order of the page; each is a module with `measured(scale)`."""


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make bench", description=__doc__)
    arguments.add_argument("lines", nargs="*", metavar="LINE", help=f"of {', '.join(LINES)}; default: all")
    arguments.add_argument("--scale", type=float, default=1.0, help="share of the full size, for a quick trial")
    arguments.add_argument("--dry", action="store_true", help="print only; leave docs/performance.* as it is")
    given = arguments.parse_args()
    chosen = given.lines or list(LINES)
    if strange := set(chosen) - set(LINES):
        arguments.error(f"no line {', '.join(sorted(strange))}; there are {', '.join(LINES)}")
    for name in chosen:
        line = _measured(name, given.scale)
        _tell(line)
        if not given.dry:
            results = load()
            results.machine = machine.described()
            others = {one.name: one for one in results.lines} | {name: line}
            results.lines = [others[one] for one in LINES if one in others]
            keep(results)
    return 0


def _measured(name: str, scale: float) -> Line:
    before, began = machine.load(), time.monotonic()
    line: Line = importlib.import_module(f"stellwerk_bench.{name}").measured(scale)
    line.scale, line.seconds = scale, time.monotonic() - began
    line.load_before, line.load_after = before, machine.load()
    line.when, line.commit = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), machine.commit()
    line.cores = os.cpu_count() or 1
    return line


def _tell(line: Line) -> None:
    print(f"== {line.name}: {line.what}  ({line.seconds:.0f} s, load {line.load_before:.1f} to {line.load_after:.1f})")
    for one in line.series:
        if one.rounds:
            print(f"   {number(one.median):>12} {line.unit}  ±{one.spread:.0%} of {len(one.rounds)}  {one.subject}")
        else:
            print(f"              no figure  {one.subject}: {one.absent}")
    for verdict in line.verdicts:
        print(f"   {'met    ' if verdict.met else 'NOT MET'} {verdict.aim}: {verdict.found}")
    for what, found in line.facts.items():
        print(f"   {what}: {found}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())

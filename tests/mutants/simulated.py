"""Planted faults that drawn histories must find: `python tests/mutants/simulated.py [--seeds N] [--table] [name …]`.

Each patch of the table below in a copy of the product, and histories over both twins, in the order of their seeds, until one
goes wrong that does not without it. A fault that `--seeds` histories do not show is a failure, and so is a patch that no longer applies.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from run import HERE, ROOT, SOURCES

TOYS = HERE.parent / "toys"
OWN = HERE / "simulated"
"""Faults that the laws' properties are not asked about: what the world does to the hub."""

FIRST, SEEDS, SECONDS = 20_001, 2000, 7200


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="the most histories for one fault")
    parser.add_argument("--table", action="store_true", help="print the rows of docs/reliability.md")
    parser.add_argument("--jobs", type=int, default=2, help="faults tried at once")
    parser.add_argument("names", nargs="*", help="faults whose name contains one of these; all by default")
    given = parser.parse_args(arguments)
    chosen = [one for one in patches() if not given.names or any(name in one.name for name in given.names)]
    with ThreadPoolExecutor(given.jobs) as pool:
        found = list(pool.map(lambda patch: hunt(patch, given.seeds), chosen))
    if given.table:
        rows = sorted((seen, *described(patch)) for patch, seen in zip(chosen, found, strict=True) if seen)
        print("\n".join(f"| {of} | {name} | {seen:,} | {FIRST:,} |" for seen, of, name in rows))
    missed = [patch.stem for patch, seen in zip(chosen, found, strict=True) if not seen]
    print(
        f"{len(chosen)} planted faults, {len(chosen) - len(missed)} found by at most {given.seeds} histories each"
        + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return int(bool(missed))


def patches() -> list[Path]:
    """Every fault of the table."""
    return sorted(
        (*OWN.glob("*.patch"), *(HERE / f"{name}.patch" for name in (HERE / "simulated.txt").read_text().split()))
    )


def described(patch: Path) -> tuple[str, str]:
    """What the fault is one of, and the fault in words, as a page shows them."""
    of, fault = re.findall(r"^(law-\d+|[a-z]+)-(.*)", patch.stem)[0]
    return of.replace("-", " "), fault.replace("-", " ")


def hunt(patch: Path, seeds: int) -> int | None:
    """How many histories it took until one went wrong in a copy with this fault; None: none did."""
    with tempfile.TemporaryDirectory(prefix="stellwerk-mutant-") as folder:
        copy = Path(folder)
        for source in SOURCES:
            shutil.copytree(ROOT / source, copy / source, ignore=shutil.ignore_patterns("__pycache__"))
        applied = subprocess.run(["git", "apply", str(patch)], cwd=copy, capture_output=True, text=True, check=False)
        if applied.returncode:
            print(f"STALE   {patch.stem}: {applied.stderr.strip()}", flush=True)
            return None
        seed, what = FIRST - 1, ""
        while seed + 1 < FIRST + seeds:
            many = [
                "--first",
                str(seed + 1),
                "--seeds",
                str(FIRST + seeds - seed - 1),
                "--most",
                "1",
                "--processes",
                "1",
            ]
            done = _simulation(copy, *many)
            first = re.search(r"^seed (\d+): (.*)", done.stdout, re.MULTILINE)
            if first is None:
                what = f"{done.stdout[-200:]}{done.stderr[-200:]}"
                break
            seed, what = int(first[1]), first[2]
            if not is_wrong_anyway(seed):
                print(f"found   {patch.stem} by history {seed - FIRST + 1}: {what[:200]}", flush=True)
                return seed - FIRST + 1
    print(f"MISSED  {patch.stem}: {what}", flush=True)
    return None


@cache
def is_wrong_anyway(seed: int) -> bool:
    """Whether the product as it is goes wrong there: what is known of and not mended yet finds no planted fault."""
    return _simulation(ROOT, "--seed", str(seed), "--whole").returncode == 1


def _simulation(product: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*(str(product / source) for source in SOURCES), str(TOYS)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "stellwerk_simulation", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

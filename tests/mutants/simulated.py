"""Which planted faults the simulation finds: `python tests/mutants/simulated.py [--seeds N] [name …]`.

Each patch beside this file in a copy of the product, and drawn histories over both twins until one goes wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run import HERE, ROOT, SOURCES

TOYS = HERE.parent / "toys"
SECONDS = 3600


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args(arguments)
    patches = [
        one for one in sorted(HERE.glob("*.patch")) if not given.names or any(n in one.name for n in given.names)
    ]
    found = [patch.stem for patch in patches if hunt(patch, given.seeds)]
    print(f"{len(patches)} planted faults, {len(found)} found by at most {given.seeds} histories")
    return 0


def hunt(patch: Path, seeds: int) -> bool:
    """True when a history goes wrong in a copy with this fault."""
    with tempfile.TemporaryDirectory(prefix="stellwerk-mutant-") as folder:
        copy = Path(folder)
        for source in SOURCES:
            shutil.copytree(ROOT / source, copy / source, ignore=shutil.ignore_patterns("__pycache__"))
        applied = subprocess.run(["git", "apply", str(patch)], cwd=copy, capture_output=True, text=True, check=False)
        if applied.returncode:
            print(f"STALE   {patch.stem}: {applied.stderr.strip()}", flush=True)
            return False
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*(str(copy / source) for source in SOURCES), str(TOYS)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", "stellwerk_simulation", "--seeds", str(seeds), "--most", "1"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    first = re.search(r"^seed (\d+): (.*)", done.stdout, re.MULTILINE)
    print(
        f"{'found  ' if first else 'MISSED '} {patch.stem}: {first[0][:160] if first else done.stderr[-200:]}",
        flush=True,
    )
    return first is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

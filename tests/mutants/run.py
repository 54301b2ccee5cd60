"""Planted faults: every patch beside this file breaks a law in a copy of the product; the property suite must go red.

`make mutants`, or `python tests/mutants/run.py [name …]`. A patch is named `law-N-what-is-broken.patch`
and is applied with `git apply`; one that no longer applies is a failure, and so is one that nothing notices.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCES = ("hub", "rules", "plugins/hubspot", "plugins/maileon")
LAWS = HERE.parent / "laws"
RULES_ALONE = LAWS / "test_rules_alone.py"
USUAL = LAWS / "test_reach.py"
GROUND = LAWS / "test_ground.py"
STORE = HERE.parent / "hub" / "store" / "test_histories.py"
TOYS = ROOT / "tests" / "toys"
JOBS = 2
SECONDS = 900


def main(names: list[str]) -> int:
    patches = [path for path in sorted(HERE.glob("*.patch")) if not names or any(name in path.name for name in names)]
    if not patches:
        print("no patch of that name")
        return 2
    if not names and _pytest([LAWS], dict(os.environ)).returncode:
        print("the property suite is red without any fault: what it would find means nothing")
        return 2
    with ThreadPoolExecutor(JOBS) as pool:
        answers = list(pool.map(hunt, patches))
    missed = [patch.stem for patch, found in zip(patches, answers, strict=True) if not found]
    print(
        f"{len(patches)} planted faults, {len(patches) - len(missed)} found"
        + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return int(bool(missed))


def hunt(patch: Path) -> bool:
    """True when the property suite goes red in a copy with this fault."""
    began = time.monotonic()
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
            "STELLWERK_PLANTED_FAULT": patch.stem,
        }
        try:
            run = _suites(patch, environment)
        except subprocess.TimeoutExpired:
            print(f"SLOW    {patch.stem}: not through in {SECONDS} s", flush=True)
            return False
    found = run.returncode == 1
    failure = next((line for line in run.stdout.splitlines() if line.startswith("FAILED")), "")
    seconds = time.monotonic() - began
    print(f"{'found ' if found else 'MISSED'}  {patch.stem} ({seconds:.0f} s) {failure[:160]}", flush=True)
    return found


def _suites(patch: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The law's own properties first, and those of the part it stands in, since they find it fastest; all others where those do not."""
    own = [LAWS / f"test_{'_'.join(patch.stem.split('-')[:2])}.py"]
    touched = patch.read_text(encoding="utf-8")
    if "b/rules/" in touched:
        own.insert(0, RULES_ALONE)
    if "b/hub/stellwerk/store/" in touched:
        own.insert(0, STORE)
    others = [
        path
        for path in sorted(LAWS.glob("test_*.py"), key=lambda path: (path != GROUND, path != USUAL))
        if path not in own
    ]
    for suite in (own, others):
        run = _pytest(suite, environment)
        if run.returncode:
            break
    return run


def _pytest(suite: list[Path], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    options = ["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *(str(path) for path in suite if path.exists())]
    environment = {**environment, "STELLWERK_TEST_ALL": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

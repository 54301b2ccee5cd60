"""Planted faults are faults of the code of today: a patch that no longer applies plants none."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MUTANTS = ROOT / "tests" / "mutants"
PATCHES = sorted(MUTANTS.rglob("*.patch"))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_planted_fault_can_be_planted(patch: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), f"plant it anew, and see it found: {patch.name}"


def test_what_the_simulation_has_to_find_exists() -> None:
    names = (MUTANTS / "simulated.txt").read_text(encoding="utf-8").split()
    assert len(names) == len(set(names))
    assert {name for name in names if not (MUTANTS / f"{name}.patch").exists()} == set()


def test_the_page_says_how_fast_simulated_histories_find_each_fault() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([\d,]+) \| [\d,]+ \|$", page, re.MULTILINE)
    own = [path.stem for path in (MUTANTS / "simulated").glob("*.patch")]
    names = [*own, *(MUTANTS / "simulated.txt").read_text(encoding="utf-8").split()]
    assert sorted(f"{of} {fault}" for of, fault, _ in rows) == sorted(name.replace("-", " ") for name in names)
    assert len(rows) >= 30
    assert all(int(number.replace(",", "")) <= 2000 for _, _, number in rows)

"""Which points: ten for every commit, drawn by its hash, so that every commit tries others and each can be tried again."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from stellwerk_crash.scene import End

SEED = "STELLWERK_CRASH_SEED"
WITHOUT_GIT = "no commit"
COUNT = 10
FREEZE_EACH = 5
LAST_POINT = 120
"""Of the points that a life passes with its wave of people, those that every such life comes to."""


def seed_of(folder: Path) -> str:
    """What was asked for, else the hash of the commit that `folder` is at, else always the same."""
    if SEED in os.environ:
        return os.environ[SEED]
    try:
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return WITHOUT_GIT
    return told.stdout.strip() if told.returncode == 0 and told.stdout.strip() else WITHOUT_GIT


def drawn(seed: str, count: int = COUNT, last: int = LAST_POINT, freeze_each: int = FREEZE_EACH) -> list[End]:
    """The ends for a seed; every fifth life is frozen, the others are killed."""
    dice = random.Random(seed)
    return [
        End(how="freeze" if life % freeze_each == freeze_each - 1 else "kill", number=dice.randint(1, last))
        for life in range(count)
    ]

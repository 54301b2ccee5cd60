"""Drawn trouble: what goes wrong at a step."""

from __future__ import annotations

import random

from stellwerk_simulation.history import FAULTS, Trouble


def trouble(dice: random.Random) -> Trouble:
    calls = tuple((dice.randrange(0, 12), dice.choice(FAULTS)) for _ in range(dice.choice((0, 1, 1, 2, 3))))
    return Trouble(
        calls=calls,
        crash=dice.randrange(1, 120) if dice.random() < 0.4 else None,
        lose=dice.choice((0, 0, 0, 0, 1, 3)),
        deaf=dice.choice((0, 0, 0, 1, 2)),
        disorder=dice.random() < 0.3,
        full=dice.random() < 0.08,
    )

"""The histories reach what the laws are most likely to break at: each of these in at least two of a hundred."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import given, settings

from stellwerk_laws import reached, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

EXAMPLES = 200
LEAST_SHARE = 0.02


def test_the_usual_histories_reach_every_hard_place_and_every_law_holds() -> None:
    counted: Counter[str] = Counter()
    played = 0

    @settings(settings.get_profile("laws"), max_examples=EXAMPLES)
    @given(steps.histories())
    def every_history(history: History) -> None:
        nonlocal played
        played += 1
        counted.update(play(history).reached)

    every_history()
    shares = {name: counted[name] / played for name in reached.ALL}
    print("\n".join(f"{share:6.1%} {name}" for name, share in shares.items()))
    rare = {name: share for name, share in shares.items() if share < LEAST_SHARE}
    # A planted fault is found by the law it breaks, not by the places its histories no longer reach.
    assert "STELLWERK_PLANTED_FAULT" in os.environ or not rare, f"reached too rarely: {rare}"

"""Law 1: an opt-out wins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import openings, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 100


@openings.each(*openings.CLAIMED_MEANWHILE, *steps.LEAVES_AND_STOPS, steps.SAYS_NO)
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(
    steps.histories(
        (3, steps.leaves),
        (3, steps.claims),
        (2, steps.yeses),
        (2, steps.edits),
        (2, steps.meanwhile),
        begins=(steps.SAYS_NO, *steps.LEAVES_AND_STOPS),
    )
)
def test_an_opt_out_wins(history: History) -> None:
    play(history)

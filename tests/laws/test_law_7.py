"""Law 7: no echo."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import grounds, openings, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 60


@openings.each(*grounds.AUTOMATED)
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(
    steps.histories(
        (5, steps.edits),
        (4, steps.there),
        (2, steps.confirms),
        begins=(steps.BOTH_CHANGE, steps.BOTH_CHANGE_LATER, steps.BOTH_CHANGE),
    )
)
def test_every_change_comes_to_rest_after_one_write_at_the_other_side(history: History) -> None:
    play(history)

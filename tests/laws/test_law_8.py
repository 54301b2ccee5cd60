"""Law 8: nothing acknowledged is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import grounds, openings, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 60


@openings.each(grounds.MERGED[0], *grounds.GONE[:3], grounds.AUTOMATED[0], *grounds.OPERATED[:2])
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(
    steps.histories(
        (3, steps.edits),
        (3, steps.waits),
        (2, steps.fails_after),
        (2, steps.stops),
        (1, steps.faults),
        begins=(steps.BOTH_CHANGE,),
    )
)
def test_every_acknowledged_event_is_one_of_six_at_every_rest(history: History) -> None:
    play(history)

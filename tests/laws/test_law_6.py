"""Law 6: twice is once, and late is as if in time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import openings, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 100


@openings.each(
    *openings.FAILS_TWICE,
    openings.JOINS_BY_ITSELF,
    *openings.WRITES_IN_A_ROW,
    *openings.CHANGES_AND_STOPS,
    *openings.POLLS_AND_STOPS,
)
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(
    steps.histories(
        (3, steps.again),
        (3, steps.edits),
        (3, steps.there),
        (1, steps.returned),
        (1, steps.shut),
        begins=(steps.BOTH_CHANGE, steps.BOTH_CHANGE_LATER, *(steps.IS_BACK,) * 4, *(steps.COMES_BACK,) * 3),
    )
)
def test_twice_is_once_and_late_is_as_if_in_time(history: History) -> None:
    play(history, again=True)

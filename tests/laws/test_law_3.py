"""Law 3: one double opt-in mail for one wish, at most."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import grounds, openings, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 100


@openings.each(grounds.BACK_AND_CHANGED, on_removal="delete")
@openings.each(
    openings.TWO_WISHES,
    *steps.IS_ASKED_FROZEN,
    *steps.IS_ASKED_LATE,
    *grounds.ASKED_AND_GONE,
    grounds.GONE_BEFORE_IT_WAS_HEARD,
    grounds.MERGED[0],
    *grounds.RESTORED_AND_ASKED,
)
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(
    steps.histories(
        (5, steps.yeses),
        (3, steps.fails_after),
        (2, steps.stops),
        begins=(
            steps.IS_ASKED,
            steps.IS_ASKED_UNHEARD,
            steps.IS_ASKED_UNHEARD,
            *steps.IS_ASKED_FROZEN,
            *steps.IS_ASKED_LATE,
        ),
    )
)
def test_one_wish_gets_one_mail_at_most(history: History) -> None:
    play(history)

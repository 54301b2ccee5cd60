"""Law 4: tracking is a yes of its own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 60


@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(steps.histories((4, steps.sign_ups()), (2, steps.yeses)))
def test_tracking_is_a_yes_of_its_own(history: History) -> None:
    play(history)

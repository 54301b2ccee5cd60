"""Law 5: a stage moves only from its source, while its fact holds, and never stops half-way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 100


@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(
    steps.histories(
        (4, steps.confirms), (4, steps.leaves), (3, steps.fails_after), (2, steps.staged), begins=(steps.GOES_BACK,) * 5
    )
)
def test_a_stage_moves_only_from_its_source_and_never_stops_half_way(history: History) -> None:
    play(history)

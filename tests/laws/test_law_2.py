"""Law 2: a permission rises only on evidence the ledger names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import grounds, openings, steps
from stellwerk_laws.happenings import History
from stellwerk_laws.laws import play
from stellwerk_laws.variants import files

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 100


@openings.each(grounds.MOVED_BY_FORM, *grounds.MOVED, on_move="keep_permission")
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(steps.histories((4, steps.sign_ups()), (2, steps.there), file=files(asks=False)))
def test_a_permission_rises_only_on_evidence_the_ledger_names(history: History) -> None:
    play(history)

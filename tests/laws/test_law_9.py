"""Law 9: what is not named does not travel."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import grounds, openings, steps
from stellwerk_laws.happenings import History, Scripted, Write
from stellwerk_laws.laws import play
from stellwerk_laws.variants import made

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
SIGNS_UP = Scripted(Write(who=0, by="form", values={"wants_news": "yes", "name": "…"}), "settle")
EXAMPLES = 50


@openings.each(*grounds.MERGED, *grounds.MOVED, *grounds.CHANGES_ELSEWHERE, *grounds.GONE[:2])
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(steps.histories((3, steps.edits), (4, steps.there)))
def test_what_is_not_named_does_not_travel(history: History) -> None:
    play(history)


def test_two_databases_know_one_address_under_two_names() -> None:
    """Whoever guesses an address cannot find out whether a database knows it: its digest is made with that one's key."""
    file = made(lambda options: options[0])
    history = History(file=file, steps=(SIGNS_UP,), seed=0)
    first, second = (play(history).names for _ in range(2))
    assert first
    assert second
    assert not first & second

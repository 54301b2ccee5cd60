"""Law 9: what is not named does not travel."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import grounds, openings, reached, steps
from stellwerk_laws.happenings import History, Opening, Scripted, Write
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


@openings.each(*grounds.UNLINKED, *grounds.WHILE_IT_IS_WRITTEN, on_removal="delete", on_move="keep_permission")
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(grounds.of_unlinked())
def test_of_an_unlinked_contact_nothing_travels_but_opt_outs_and_deletions_for_privacy(history: History) -> None:
    play(history)


@pytest.mark.parametrize("begins", grounds.UNLINKED)
def test_what_comes_again_of_an_unlinked_contact_changes_nothing(begins: Opening) -> None:
    played = play(History(file=made(lambda options: options[0]), steps=begins, seed=0), again=True)
    assert reached.UNLINKED in played.reached


def test_two_databases_know_one_address_under_two_names() -> None:
    """Whoever guesses an address cannot find out whether a database knows it: its digest is made with that one's key."""
    file = made(lambda options: options[0])
    history = History(file=file, steps=(SIGNS_UP,), seed=0)
    first, second = (play(history).names for _ in range(2))
    assert first
    assert second
    assert not first & second

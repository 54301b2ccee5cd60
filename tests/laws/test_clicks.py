"""Buttons on a contact's page, pressed at any time and any number of times: a click is no wish, and every law holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from stellwerk_laws import openings, reached, steps
from stellwerk_laws.happenings import Clicks, History, Jump, Scripted, Wait, Write
from stellwerk_laws.laws import play
from stellwerk_laws.variants import made

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLES = 60
ANSWERS = ("yes", None, "yes")
SAYS_YES_TWICE = (
    *(
        Scripted(step, "settle")
        for answer in ANSWERS
        for step in (Write(who=0, by="form", values={"wants_news": answer}), Wait(seconds=600.0))
    ),
    Scripted(Jump(seconds=86_400.0), "settle"),
)
"""The second yes within a day of the mail for the first; the day is over by now."""

CLICKED_OFTEN = (
    *SAYS_YES_TWICE,
    *(Scripted(Clicks(who=0, what=what), then) for what in ("ask-again", "not-sent") for then in ("run", "settle")),
    Scripted(Jump(seconds=2 * 86_400.0), "settle"),
    *(Scripted(Clicks(who=0, what=what), "settle") for what in ("sync-now", "ask-again", "not-sent")),
)


@openings.each(CLICKED_OFTEN, (*steps.IS_ASKED_UNHEARD, *CLICKED_OFTEN[-3:]), on_removal="delete")
@settings(settings.get_profile("laws"), max_examples=EXAMPLES)
@given(steps.histories((8, steps.clicks), (4, steps.yeses), (2, steps.waits), begins=(SAYS_YES_TWICE, steps.IS_ASKED)))
def test_a_click_is_no_wish_and_breaks_no_law(history: History) -> None:
    play(history)


def test_a_yes_that_had_no_mail_gets_one_by_many_clicks() -> None:
    played = play(History(file=made(lambda options: options[0]), steps=CLICKED_OFTEN, seed=0))
    assert reached.CLICKED in played.reached
    assert len(played.world.mails_to("ada@example.com")) == 2

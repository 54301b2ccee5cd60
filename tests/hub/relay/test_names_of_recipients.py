"""Which names a person who is told of repairs may have."""

from __future__ import annotations

import pytest

from stellwerk.relay.recipients import is_name


@pytest.mark.parametrize("name", ["Eva", "عائشة", "علی\u200cرضا", "क्\u200dष", "👩\u200d👧", "Zoë O'Neill-Müller"])
def test_names_of_every_script_are_taken(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "Eva\n", "Eva\x00", "\u202eavE", "Eva\u2028", "\u200d"])
def test_what_cannot_be_shown_or_turns_what_stands_beside_it_is_refused(name: str) -> None:
    assert not is_name(name)

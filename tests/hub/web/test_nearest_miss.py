"""What the rule that missed by least wanted, in German: every form in which the rules say it."""

from __future__ import annotations

import pytest

from stellwerk.web.nearest_miss import in_german
from stellwerk_rules.conditions import Look, compile_condition
from stellwerk_rules.spec import Condition

FORMS: list[tuple[Condition, str]] = [
    (Condition(field_="x", is_="yes"), "Feld x ist a, gebraucht: Ja"),
    (Condition(field_="y", is_=True), "Feld y ist nicht gesetzt, gebraucht: Ja"),
    (Condition(setting="s", is_=False), "Einstellung s ist Ja, gebraucht: Nein"),
    (Condition(field_="x", is_not="a"), "Feld x ist a, gebraucht: nicht a"),
    (Condition(field_="x", in_=("b", "c")), "Feld x ist a, gebraucht: eines von b, c"),
    (Condition(field_="x", matches="b+"), "Feld x ist a, gebraucht: passend zu b+"),
    (Condition(field_="x", became="no"), "Feld x ist a, gebraucht: neu Nein"),
    (Condition(field_="x", by=("form", "person")), "Feld x ist a, gebraucht: gesetzt durch ein Formular, eine Person"),
    (Condition(field_="y", set_=True), "Feld y ist nicht gesetzt, gebraucht: gesetzt"),
    (Condition(field_="x", set_=False), "Feld x ist a, gebraucht: nicht gesetzt"),
    (Condition(not_=Condition(field_="x", is_="a")), "was nicht zutreffen darf, trifft zu"),
    (Condition(any_=()), "keine von keinen Bedingungen"),
]
LOOK = Look(settings={"s": True}, fields={"x": "a"})


@pytest.mark.parametrize(("condition", "german"), FORMS)
def test_each_form_that_the_rules_say_has_german_words(condition: Condition, german: str) -> None:
    (miss,) = compile_condition(condition, str).misses(LOOK)
    assert in_german(f"left: {miss}") == f"left: {german}"


def test_who_must_not_have_written_it_is_named() -> None:
    told = "left: field x is no, wanted: not set by form; setting s is false, wanted: true"
    assert in_german(told) == (
        "left: Feld x ist Nein, gebraucht: nicht gesetzt durch ein Formular; Einstellung s ist Nein, gebraucht: Ja"
    )


@pytest.mark.parametrize("told", ["left: something else", "left", "left: field x, and a text; that has both"])
def test_other_words_stand_as_they_are(told: str) -> None:
    assert in_german(told) == told

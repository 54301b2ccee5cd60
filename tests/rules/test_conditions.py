"""Conditions: when they hold, and what is said when they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.conditions import Look, compile_condition, last_written
from stellwerk_rules.model import Origin, Seen, Written
from stellwerk_rules.spec import Condition, StageMove

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS: dict[str, Any] = {"ask": True, "plus": False, "mailing": "K1", "many": 3, "empty": "", "move": StageMove()}
FIELDS = {"city": "Ulm", "answer": "no", "blank": None}


def look(
    *, by: Origin | None = None, handled: str | None = None, at: datetime | None = NOON, ours: bool = False
) -> Look:
    written = () if by is None else (Written(value="no", at=NOON, origin=by, ours=ours),)
    return Look(
        settings=SETTINGS,
        fields=FIELDS,
        history={"answer": written},
        handled={} if handled is None else {"answer": Seen(digest=handled, at=at)},
    )


def holds(written: dict[str, Any], seen: Look | None = None) -> bool:
    compiled = compile_condition(msgspec.convert(written, Condition), str)
    now = seen or look()
    assert compiled.holds(now) is not bool(compiled.misses(now))
    return compiled.holds(now)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"setting": "ask", "is": True}, True),
        ({"setting": "plus", "is": True}, False),
        ({"setting": "plus", "is": False}, True),
        ({"setting": "mailing", "is": "K1"}, True),
        ({"setting": "many", "is": 3}, True),
        ({"setting": "move", "is": False}, True),
        ({"setting": "gone", "is": False}, False),
        ({"field": "city", "is": "Ulm"}, True),
        ({"field": "city", "is_not": "Ulm"}, False),
        ({"field": "city", "is_not": "Bonn"}, True),
        ({"field": "city", "in": ["Bonn", "Ulm"]}, True),
        ({"field": "city", "in": ["Bonn"]}, False),
        ({"field": "city", "matches": "U.m"}, True),
        ({"field": "city", "matches": "U"}, False),
        ({"field": "city", "set": True}, True),
        ({"field": "blank", "set": False}, True),
        ({"field": "unread", "set": True}, False),
        ({"setting": "empty", "set": False}, True),
        ({"all": [{"setting": "ask", "is": True}, {"field": "city", "is": "Ulm"}]}, True),
        ({"all": [{"setting": "ask", "is": True}, {"field": "city", "is": "Bonn"}]}, False),
        ({"all": []}, True),
        ({"any": [{"setting": "ask", "is": False}, {"field": "city", "is": "Ulm"}]}, True),
        ({"any": [{"setting": "ask", "is": False}, {"field": "city", "is": "Bonn"}]}, False),
        ({"any": []}, False),
        ({"not": {"field": "city", "is": "Bonn"}}, True),
        ({"not": {"field": "city", "is": "Ulm"}}, False),
        ({"field": "city"}, False),
    ],
)
def test_a_condition_holds_exactly_when_its_sentence_is_true(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition) is expected


def test_a_field_is_meant_by_its_provide_name_or_its_own() -> None:
    compiled = compile_condition(Condition(field_="town", is_="Ulm"), {"town": "city"}.__getitem__)
    assert compiled.holds(look())


def test_became_holds_when_the_value_was_never_handled() -> None:
    assert holds({"field": "answer", "became": "no"}, look(by=Origin.PERSON))


def test_became_takes_a_switch_for_yes_and_no() -> None:
    assert holds({"field": "answer", "became": False}, look(by=Origin.PERSON))


def test_became_does_not_hold_for_another_value() -> None:
    assert not holds({"field": "answer", "became": "yes"}, look(by=Origin.PERSON))


def test_became_does_not_hold_for_a_value_that_was_handled() -> None:
    assert not holds({"field": "answer", "became": "no"}, look(by=Origin.PERSON, handled="no"))


def test_became_holds_again_when_the_same_value_was_written_anew() -> None:
    assert holds(
        {"field": "answer", "became": "no"}, look(by=Origin.PERSON, handled="no", at=NOON - timedelta(hours=1))
    )


def test_became_does_not_hold_again_while_nobody_knows_when_it_was_handled() -> None:
    assert not holds({"field": "answer", "became": "no"}, look(by=Origin.PERSON, handled="no", at=None))
    assert not holds({"field": "answer", "became": "no"}, look(handled="no"))


def test_became_holds_when_another_value_was_handled() -> None:
    assert holds({"field": "answer", "became": "no"}, look(handled="yes"))


@pytest.mark.behaviour("answer-our-no")
def test_became_never_holds_for_what_we_wrote_ourselves() -> None:
    assert not holds({"field": "answer", "became": "no"}, look(by=Origin.INTEGRATION, handled="yes", ours=True))


def test_by_asks_who_wrote_the_present_value() -> None:
    assert holds({"field": "answer", "by": ["form", "person"]}, look(by=Origin.FORM))
    assert not holds({"field": "answer", "by": ["form"]}, look(by=Origin.IMPORT))
    assert not holds({"field": "answer", "by_not": ["form"]}, look(by=Origin.FORM))


def test_who_is_not_known_counts_as_other() -> None:
    assert holds({"field": "answer", "by": ["other"]})
    assert holds({"field": "answer", "by_not": ["form"]})


def test_a_history_that_is_of_another_value_tells_nothing() -> None:
    written = Written(value="yes", at=NOON, origin=Origin.FORM)
    assert last_written({"answer": (written,)}, FIELDS, "answer") is None


def test_what_missed_is_named_with_the_value_seen() -> None:
    compiled = compile_condition(Condition(field_="city", is_="Bonn"), str)
    assert compiled.misses(look()) == ("field city is Ulm, wanted: Bonn",)


def test_of_several_ways_the_one_that_missed_by_least_is_named() -> None:
    written = {
        "any": [
            {"all": [{"field": "city", "is": "Bonn"}, {"setting": "ask", "is": False}]},
            {"field": "blank", "set": True},
        ]
    }
    compiled = compile_condition(msgspec.convert(written, Condition), str)
    assert compiled.misses(look()) == ("field blank is not set, wanted: set",)


words = st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from(["Ulm", "no", "K1", ""]))
leaves = st.one_of(
    st.fixed_dictionaries({"field": st.sampled_from([*FIELDS, "x"]), "is": words}),
    st.fixed_dictionaries({"setting": st.sampled_from([*SETTINGS, "x"]), "is_not": words}),
    st.fixed_dictionaries({"setting": st.sampled_from([*SETTINGS]), "in": st.lists(words, max_size=2)}),
    st.fixed_dictionaries({"field": st.sampled_from([*FIELDS]), "set": st.booleans()}),
    st.fixed_dictionaries({"field": st.just("answer"), "became": words}),
    st.fixed_dictionaries({"field": st.just("answer"), "by": st.lists(st.sampled_from(["form", "other"]), max_size=2)}),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


@given(trees, st.sampled_from([look(), look(by=Origin.FORM), look(by=Origin.FORM, handled="no")]))
def test_something_is_named_as_missing_exactly_when_the_condition_does_not_hold(
    tree: dict[str, Any], now: Look
) -> None:
    holds(tree, now)

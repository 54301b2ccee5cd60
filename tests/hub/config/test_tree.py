"""Reading YAML: values, places, and problems of syntax."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk.config.tree import MOST_BYTES, read_tree


def codes(text: str | bytes) -> list[tuple[str, int, int]]:
    raw = text.encode() if isinstance(text, str) else text
    return [(problem.code, problem.line, problem.column) for problem in read_tree(raw, "f.yaml").problems]


def test_yes_no_and_on_stay_text_and_true_is_a_boolean() -> None:
    assert read_tree(b"a: yes\nb: no\nc: on\nd: true\ne: False\n", "f").value == {
        "a": "yes", "b": "no", "c": "on", "d": True, "e": False
    }  # fmt: skip


def test_a_date_stays_text_and_numbers_are_numbers() -> None:
    tree = read_tree(b"a: 2026-11-23\nb: 7\nc: -1.5e3\nd: '7'\ne: 0x1F\nf: 012\ng:\nh: ~\n", "f")
    assert tree.value == {"a": "2026-11-23", "b": 7, "c": -1500.0, "d": "7", "e": "0x1F", "f": 12, "g": None, "h": None}


def test_places_name_values_and_keys_by_their_path() -> None:
    places = read_tree(b"a:\n  - {b: 1, c: [2, 3]}\n", "f").places
    assert places.of(("a", 0, "c", 1)) == (2, 19)
    assert places.of_key(("a", 0, "c")) == (2, 12)


def test_the_place_of_what_is_missing_is_that_of_what_stands_around_it() -> None:
    assert read_tree(b"a:\n  b: {c: 1}\n", "f").places.of(("a", "b", "x", "y")) == (2, 6)


def test_every_duplicate_key_is_named() -> None:
    assert codes("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [("duplicate-key", 2, 11), ("duplicate-key", 3, 1)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: &x 1\n", (1, 4)),
        ("a: 1\nb: *x\n", (2, 4)),
        ("a: {<<: {b: 1}}\n", (1, 5)),
        ("a: !!str 5\n", (1, 4)),
        ("a: 1\n---\nb: 2\n", (2, 1)),
        ("? [1, 2]\n: 3\n", (1, 3)),
    ],
)
def test_what_a_file_has_no_use_for_is_refused_where_it_stands(text: str, place: tuple[int, int]) -> None:
    assert codes(text) == [("not-used-here", *place)]


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    assert read_tree(b'"<<": 1\n', "f").value == {"<<": 1}


def test_a_billion_laughs_are_refused_without_being_expanded() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert {code for code, _, _ in codes(text)} == {"not-used-here"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"a:\n\t b: 1\n", (2, 1)),
        (b"a: [1\n", (2, 1)),
        (b"a: 1\n b: 2\n", (2, 3)),
        (b"a: 'x\n", (2, 1)),
        (b"a: 1\nb: \xff\n", (2, 4)),
        (b"a: 1\nb: \x00\n", (2, 4)),
        (b"a: 1\nb: '\xe2\x80\xa8'\n", (2, 5)),
        (b"%YAML 3.0\n---\na: 1\n", (1, 1)),
    ],
)
def test_a_syntax_error_has_the_place_where_reading_stopped(text: bytes, place: tuple[int, int]) -> None:
    assert codes(text) == [("syntax", *place)]


def test_half_a_character_in_an_escape_is_a_problem() -> None:
    assert codes('a: "\\ud800"\n') == [("syntax", 1, 4)]


def test_a_file_of_a_megabyte_is_refused_unread() -> None:
    assert codes(b"a: " + b"x" * MOST_BYTES) == [("syntax", 1, 1)]


def test_deep_nesting_ends_in_a_problem() -> None:
    assert codes("[" * 2000 + "]" * 2000) == [("syntax", 1, 42)]


def test_a_byte_order_mark_and_carriage_returns_are_taken() -> None:
    assert read_tree(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f").value == {"a": 1, "b": 2}


@given(st.text(max_size=60) | st.text(alphabet="ab:-[]{}&*!?|>'\"#%@`,\n\t ~<0.e", max_size=40))
def test_any_text_is_read_or_has_a_problem_inside_the_file(text: str) -> None:
    tree = read_tree(text.encode(), "f.yaml")
    for problem in tree.problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.column >= 1
    for line, column in tree.places.values.values():
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1

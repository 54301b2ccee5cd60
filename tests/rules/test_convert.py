"""Converters: what each makes of a value, in both directions, that none ever fails, and that every change comes to rest."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_rules.convert import Converted, compile_convert
from stellwerk_rules.countries import ALIASES, TABLE, countries, folded
from stellwerk_rules.spec import FieldRow

NAMES = {"crm": "a", "mail": "b"}
DATES = {"kind": "date", "formats": ["iso", "DD.MM.YYYY", "MM/DD/YYYY"]}
GENDERS = {"kind": "lookup", "table": {"male": "m", "man": "m", "female": "f"}}
YES_NO = {"kind": "yes_no", "yes": "J", "no_word": "N"}
PHONE = {"kind": "phone", "country": "49"}
CHOICES = {"kind": "choices"}
TOPICS = {"kind": "choices", "separators": [";", "|"], "table": {"news": "News", "tips": "Tipps"}}


def row(convert: dict[str, Any] | None = None, type_: str = "text") -> FieldRow:
    return msgspec.convert({"names": NAMES, "type": type_, "convert": convert}, FieldRow)


def converted(
    text: str, convert: dict[str, Any] | None, type_: str = "text", *, forward: bool = True, most: int | None = None
) -> Converted:
    return compile_convert(row(convert, type_), forward=forward, most=most)(text)


@pytest.mark.parametrize(
    ("convert", "forward", "text", "expected"),
    [
        (DATES, True, "2026-02-28", "2026-02-28"),
        (DATES, True, " 2026-02-28T10:00:00Z", "2026-02-28"),
        (DATES, True, "2026-02-28 10:00:00", "2026-02-28"),
        (DATES, True, "1.2.2026", "2026-02-01"),
        (DATES, True, "02/01/2026", "2026-02-01"),
        (DATES, True, "31.02.2026", None),
        (DATES, True, "٣.2.2026", None),
        (DATES, True, "soon", None),
        (DATES, False, "2026-02-01", "2026-02-01"),
        (DATES, False, "1.2.2026", None),
        ({"kind": "date", "formats": ["DD.MM.YYYY"]}, False, "2026-02-01", "01.02.2026"),
        ({"kind": "date", "formats": ["DD.MM"]}, True, "01.02", None),
        ({"kind": "date", "formats": ["DD.MM"]}, False, "2026-02-01", None),
        ({"kind": "date", "formats": ["YYYY?MM?DD"]}, True, "2026x02x01", None),
        (GENDERS, True, "male", "m"),
        (GENDERS, True, "man", "m"),
        (GENDERS, False, "m", "male"),
        (GENDERS, True, "other", None),
        (GENDERS, False, "male", None),
        (GENDERS | {"otherwise": "keep"}, True, "other", "other"),
        (GENDERS | {"otherwise": "keep"}, False, "other", "other"),
        (GENDERS | {"otherwise": "keep"}, False, "male", None),
        ({"kind": "locale"}, True, "de-de", "de_DE"),
        ({"kind": "locale"}, True, "DE_at", "de_AT"),
        ({"kind": "locale"}, True, "EN", "en"),
        ({"kind": "locale"}, True, "zh-Hans-CN", "zh_CN"),
        ({"kind": "locale"}, True, "sr-latn", "sr"),
        ({"kind": "locale"}, True, "es-419", "es"),
        ({"kind": "locale"}, False, "de_DE", "de-de"),
        ({"kind": "locale"}, False, "de", "de"),
        ({"kind": "locale"}, True, "deu", None),
        ({"kind": "locale"}, True, "german", None),
        ({"kind": "country"}, True, "Germany", "DE"),
        ({"kind": "country"}, True, "deutschland ", "DE"),
        ({"kind": "country"}, True, "DEU", "DE"),
        ({"kind": "country"}, True, "Österreich", "AT"),
        ({"kind": "country"}, True, "bosnia and herzegovina", "BA"),
        ({"kind": "country"}, True, "Cote d'Ivoire", "CI"),
        ({"kind": "country"}, True, "UK", "GB"),
        ({"kind": "country"}, True, "Utopia", None),
        ({"kind": "country"}, False, "AT", "Austria"),
        ({"kind": "country", "first": "de", "second": "en"}, True, "Schweiz", "Switzerland"),
        ({"kind": "country", "first": "de", "second": "en"}, False, "Switzerland", "Schweiz"),
        (PHONE, True, "+49 (0) 731 / 12-34 56", "+49731123456"),
        (PHONE, True, "0731 123456", "+49731123456"),
        (PHONE, True, "0043 1 58858", "+43158858"),
        (PHONE, False, "+49731123456", "+49731123456"),
        (PHONE | {"country": "39", "trunk": ""}, True, "06 69883", "+390669883"),
        ({"kind": "phone"}, True, "+49 731 123456", "+49731123456"),
        ({"kind": "phone"}, True, "0731 123456", None),
        (PHONE, True, "0731 123456 ext. 7", None),
        (PHONE, True, "+49 12345678901234567", None),
        (PHONE, True, "٠٧٣١١٢٣٤٥", None),
        (PHONE, True, "ring me", None),
        (CHOICES, True, "a;b;c", "a, b, c"),
        (CHOICES, True, ";a; b ;a", "a, b"),
        (CHOICES, True, ";;", None),
        (CHOICES, False, "a, b,c", "a;b;c"),
        (TOPICS, True, "news;tips", "News|Tipps"),
        (TOPICS, False, "Tipps", "tips"),
        (TOPICS, True, "sport", None),
        (TOPICS | {"otherwise": "keep"}, True, "news;sport", "News|sport"),
        ({"kind": "case", "to": "upper"}, True, "ulm", "ULM"),
        ({"kind": "case", "to": "lower"}, True, "ULM", "ulm"),
        ({"kind": "case", "to": "lower"}, False, "ULM", "ULM"),
        ({"kind": "number"}, True, "1,50", "1.5"),
        ({"kind": "number"}, True, "1.00", "1"),
        ({"kind": "number"}, True, "-007", "-7"),
        ({"kind": "number"}, True, "-0", "0"),
        ({"kind": "number"}, False, "+0.5", "0.5"),
        ({"kind": "number"}, True, "0,500", "0.5"),
        ({"kind": "number"}, True, "1,500", None),
        ({"kind": "number"}, True, "1.000,50", None),
        ({"kind": "number"}, True, "1234567890.123456", None),
        ({"kind": "number"}, True, "٣", None),
        (YES_NO, True, "yes", "J"),
        (YES_NO, True, " Nein ", "N"),
        (YES_NO, True, "perhaps", None),
        (YES_NO, False, "J", "yes"),
        (YES_NO, False, "N", "no"),
        (YES_NO, False, "false", "no"),
        (YES_NO, False, "perhaps", None),
        (None, True, "anything", "anything"),
    ],
)
def test_a_converter_makes_one_value_of_another_or_leaves_it_out(
    convert: dict[str, Any] | None, forward: bool, text: str, expected: str | None
) -> None:
    result = converted(text, convert, forward=forward)
    assert result.text == expected
    assert (result.code is None) is (expected is not None)


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("integer", "12", "12"),
        ("integer", "+012.0", "12"),
        ("integer", "-0", "0"),
        ("integer", "1.5", None),
        ("integer", "1" * 16, None),
        ("integer", "٣", None),
        ("number", "1,5", "1.5"),
        ("number", "much", None),
        ("date", "2026-01-31", "2026-01-31"),
        ("date", "31.1.2026", None),
        ("yes_no", "true", "yes"),
        ("yes_no", "0", "no"),
        ("yes_no", "perhaps", None),
    ],
)
def test_a_value_that_does_not_fit_the_rows_type_is_left_out(type_: str, text: str, expected: str | None) -> None:
    assert converted(text, None, type_).text == expected


def test_a_number_for_a_whole_numbers_field_is_whole() -> None:
    assert converted("1.5", {"kind": "number"}, "integer").code == "not-a-whole-number"
    assert converted("12.0", {"kind": "number"}, "integer").text == "12"


@pytest.mark.parametrize(
    ("convert", "type_", "text", "code"),
    [
        (DATES, "text", "soon", "not-a-date"),
        (GENDERS, "text", "x", "not-in-table"),
        ({"kind": "locale"}, "text", "?", "not-a-locale"),
        ({"kind": "country"}, "text", "?", "not-a-country"),
        (PHONE, "text", "?", "not-a-phone-number"),
        ({"kind": "phone"}, "text", "12345", "phone-without-country"),
        (TOPICS, "text", "sport", "not-in-table"),
        (CHOICES, "text", ";", "no-choice"),
        ({"kind": "number"}, "text", "x", "not-a-number"),
        ({"kind": "number"}, "text", "1,234", "ambiguous-number"),
        ({"kind": "number"}, "text", "1" * 16, "number-too-long"),
        (YES_NO, "text", "x", "not-yes-or-no"),
        (None, "integer", "x", "not-a-whole-number"),
        (None, "integer", "1" * 16, "number-too-long"),
        (None, "integer", "1" * 15, None),
        (None, "yes_no", "x", "not-yes-or-no"),
    ],
)
def test_what_is_left_out_says_why(convert: dict[str, Any] | None, type_: str, text: str, code: str | None) -> None:
    assert converted(text, convert, type_).code == code


# --- as long as the target takes ---------------------------------------------------------------------------------------


@pytest.mark.behaviour("fields-too-long")
def test_a_free_text_longer_than_the_target_takes_is_cut() -> None:
    assert converted("x" * 256, None, most=255) == Converted(text="x" * 255, code="cut")
    assert converted("X" * 256, {"kind": "case", "to": "lower"}, most=255) == Converted(text="x" * 255, code="cut")


def test_a_text_of_just_the_limit_is_not_cut() -> None:
    assert converted("x" * 255, None, most=255).code is None


def test_a_field_without_a_limit_takes_any_text() -> None:
    assert converted("x" * 100_000, None).code is None


def test_what_would_mean_something_else_when_cut_is_left_out() -> None:
    assert converted("male", {"kind": "lookup", "table": {"male": "masculine"}}, most=3).code == "too-long"
    assert converted("1" * 12, None, "integer", most=10).code == "too-long"


def test_of_several_choices_those_that_fit_go_along_whole() -> None:
    assert converted("first;second;third", CHOICES, most=14) == Converted(text="first, second", code="cut")
    assert converted("first;second", CHOICES, most=13) == Converted(text="first, second")
    assert converted("first", CHOICES, most=3).code == "cut"


def test_one_choice_that_does_not_fit_costs_no_other() -> None:
    assert converted("news;sport;tips", TOPICS) == Converted(text="News|Tipps", code="not-in-table")
    assert converted("a;b,c", CHOICES) == Converted(text="a", code="choice-holds-separator")
    assert converted("a;b", CHOICES | {"table": {"a": " ", "b": "B"}}) == Converted(text="B", code="not-a-choice")


def test_a_separator_of_blanks_separates() -> None:
    assert converted("a b", {"kind": "choices", "separators": [" ", ";"]}).text == "a;b"


# --- the table of countries --------------------------------------------------------------------------------------------


def test_every_spelling_of_a_country_leads_to_that_country_alone() -> None:
    meant: dict[str, str] = {}
    for line in TABLE.strip().splitlines():
        both, english, german = line.split("|")
        code, three = both.split()
        for spelling in (code, three, english, german):
            assert meant.setdefault(folded(spelling), code) == code
    known = countries()
    assert all(known.code(spelling) == code for spelling, code in ALIASES.items())
    assert len(known.names["code"]) == 249


@pytest.mark.parametrize("language", ["en", "de", "code"])
@pytest.mark.parametrize("other", ["en", "de", "code"])
def test_every_country_comes_back_as_it_went(language: str, other: str) -> None:
    convert = {"kind": "country", "first": language, "second": other}
    for name in countries().names[language].values():
        there = converted(name, convert).text or ""
        assert converted(there, convert, forward=False).text == name


# --- for every text ----------------------------------------------------------------------------------------------------

CONVERTERS = [
    None,
    DATES,
    {"kind": "date", "formats": ["DD.MM.YYYY"]},
    GENDERS,
    GENDERS | {"otherwise": "keep"},
    {"kind": "lookup", "table": {"a": "b", "b": "c", "x": "a"}, "otherwise": "keep"},
    {"kind": "locale"},
    {"kind": "country"},
    {"kind": "country", "first": "code", "second": "de"},
    PHONE,
    {"kind": "phone"},
    CHOICES,
    TOPICS,
    TOPICS | {"otherwise": "keep"},
    {"kind": "case", "to": "lower"},
    {"kind": "case", "to": "upper"},
    {"kind": "number"},
    YES_NO,
]
TYPES = ["text", "integer", "number", "date", "yes_no"]
LIKELY = [
    "news",
    "News",
    "tips",
    "a",
    "b",
    "c",
    "male",
    "m",
    "de-de",
    "de_DE",
    "DE",
    "Germany",
    "Deutschland",
    "yes",
    "J",
    "1,5",
]

texts = (
    st.text()
    | st.sampled_from(LIKELY)
    | st.lists(st.sampled_from(LIKELY), max_size=4).map(";".join)
    | st.lists(st.text(alphabet="ab ,;|", max_size=4), max_size=4).map(", ".join)
    | st.dates().map(date.isoformat)
    | st.from_regex(r"[+-]?\d{1,20}([.,]\d{1,4})?", fullmatch=True)
    | st.from_regex(r"(\+|00?)\d{2,3}[ /()-]{0,2}\d{3,12}", fullmatch=True)
)
converters = st.sampled_from(CONVERTERS)
limits = st.none() | st.integers(0, 30)


@given(converters, st.sampled_from(TYPES), st.booleans(), limits, texts)
def test_every_input_gives_a_value_that_fits_or_a_named_reason(
    convert: dict[str, Any] | None, type_: str, forward: bool, most: int | None, text: str
) -> None:
    result = converted(text, convert, type_, forward=forward, most=most)
    assert result.text is not None or result.code
    assert most is None or result.text is None or len(result.text) <= most


@given(converters, st.sampled_from(TYPES), texts)
def test_what_went_there_and_came_back_goes_there_again_as_the_same(
    convert: dict[str, Any] | None, type_: str, text: str
) -> None:
    there = converted(text, convert, type_).text
    if there is None:
        return
    back = converted(there, convert, type_, forward=False).text
    if back is not None:
        assert converted(back, convert, type_).text == there


@given(converters, st.sampled_from(TYPES), texts)
def test_what_came_from_there_goes_back_as_a_value_that_stays(
    convert: dict[str, Any] | None, type_: str, text: str
) -> None:
    here = converted(text, convert, type_, forward=False).text
    there = None if here is None else converted(here, convert, type_).text
    if there is not None:
        again = converted(there, convert, type_, forward=False).text
        assert again is None or converted(again, convert, type_).text == there


@given(st.dates())
def test_a_date_comes_back_as_it_went(day: date) -> None:
    convert = {"kind": "date", "formats": ["DD.MM.YYYY"]}
    there = converted(day.isoformat(), convert, forward=False).text or ""
    assert converted(there, convert).text == day.isoformat()


@given(st.lists(st.text(alphabet="abc xyz", min_size=1).map(str.strip).filter(bool), min_size=1, unique=True))
def test_choices_come_back_as_they_went(words: list[str]) -> None:
    there = converted(";".join(words), CHOICES).text or ""
    assert converted(there, CHOICES, forward=False).text == ";".join(words)

"""Unmapped fields that mean the same on both sides: which row is suggested, and for what none is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stellwerk.config.load import Loaded, load_bytes
from stellwerk.sdk import FieldSpec
from stellwerk.view.pairing import any_brand, suggestions
from stellwerk_rules.convert import compile_convert
from stellwerk_toys.pasting import pasted
from stellwerk_toys.yard import FILE, TOYS

SYSTEMS = ("shop", "news")
SMALL = """\
version: 1
title: Nothing but fields
hub: {public_url: https://hub.toys.example, secret_key: env:TOYS_SECRET_KEY}
systems:
  shop: {connector: toycrm, hook_key: env:TOYS_HOOK_KEY}
  news: {connector: toymail}
fields:
"""


def lines(first: list[FieldSpec], second: list[FieldSpec]) -> list[str]:
    return [one.line for one in suggestions(SYSTEMS, first, second)]


def with_lines(rows: list[str], file: str = "") -> Loaded:
    return load_bytes(pasted(file or FILE.read_text(), rows).encode(), None, TOYS, path=FILE)


def text(name: str, **more: Any) -> FieldSpec:
    return FieldSpec(name=name, **more)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (text("shoe_size"), text("SHOE_SIZE")),
        (text("shoe_size"), text("own:7", label="Shoe size")),
        (text("f17", label="Shoe Size"), text("ShoeSize")),
        (text("shoe_size"), text("FOOT", also=("Shoe size",))),
    ],
)
def test_fields_of_one_name_label_or_further_name_are_paired(first: FieldSpec, second: FieldSpec) -> None:
    (one,) = suggestions(SYSTEMS, [first], [second])
    assert one.fields == {"shop": first.name, "news": second.name}


def test_a_line_stands_as_an_operator_would_write_it() -> None:
    assert lines([text("shoe_size")], [text("own:Shoe size")]) == []
    assert lines([text("shoe_size")], [text("own:Shoe size", label="Shoe size")]) == [
        '  - {shop: shoe_size, news: "own:Shoe size"}'
    ]


@pytest.mark.parametrize(
    ("first", "second", "rest"),
    [
        ({"kind": "text"}, {"kind": "text"}, ""),
        ({"kind": "date"}, {"kind": "date"}, ", type: date"),
        ({"kind": "number"}, {"kind": "integer"}, ", type: integer"),
        ({"kind": "text"}, {"kind": "date"}, ", type: date, convert: {kind: date}"),
        ({"kind": "date"}, {"kind": "text"}, ", convert: {kind: date}"),
        ({"kind": "text"}, {"kind": "number"}, ", type: number, convert: {kind: number}"),
        ({"choices": ("a", "yes")}, {}, ', convert: {kind: lookup, table: {a: a, "yes": "yes"}}'),
        ({"choices": ("a", "b")}, {"choices": ("b", "c")}, ", convert: {kind: lookup, table: {b: b}}"),
        (
            {"choices": ("a", "b"), "separator": ";"},
            {},
            ', convert: {kind: choices, separators: [";", ", "], table: {a: a, b: b}}',
        ),
    ],
)
def test_the_row_has_the_type_and_converter_that_travel_both_ways(
    first: dict[str, Any], second: dict[str, Any], rest: str
) -> None:
    rows = lines([text("size", **first)], [text("SIZE", **second)])
    assert rows == [f"  - {{shop: size, news: SIZE{rest}}}"]
    assert with_lines(rows).problems == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"kind": "yes_no"}, {"kind": "yes_no"}),
        ({"choices": ("Ja", "Nein")}, {}),
        ({"kind": "yes_no"}, {"kind": "date"}),
        ({"kind": "yes_no"}, {"kind": "text"}),
        ({"kind": "time"}, {"kind": "time"}),
        ({"kind": "permission"}, {"kind": "permission"}),
        ({"kind": "status"}, {"kind": "text"}),
        ({"choices": ("a",)}, {"choices": ("b",)}),
        ({"choices": ("a",)}, {"kind": "number"}),
        ({"choices": tuple(map(str, range(51)))}, {}),
    ],
)
def test_yes_or_no_and_types_that_lose_something_on_the_way_are_not_paired(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert lines([text("size", **first)], [text("SIZE", **second)]) == []


@pytest.mark.parametrize(
    "name",
    [
        "newsletter_consent", "Opt-in", "optIn", "OPT_OUT", "wants_subscription", "unsubscribed_at", "permission",
        "external_id", "customerId", "ID", "GUID", "double opt-in", "gdpr_basis", "Einwilligung", "checksum", "DOI",
        "opted_in", "opted_out", "optindate", "optinip", "doubleoptin", "doistatus", "datenschutz_akzeptiert",
        "Einverständniserklärung", "einwilligen", "zugestimmt", "abgemeldet", "angemeldet", "widerruf", "Werbung erlaubt",
        "marketing_allowed", "privacy_policy_accepted", "legal_basis", "do_not_contact", "blacklisted", "contactid",
        "userid", "record_ids", "kundennummer", "customer number", "customer_key", "api_key", "apikey", "password", "iban",
        "email_hash",
    ],
)  # fmt: skip
def test_neither_consent_nor_an_id_is_suggested(name: str) -> None:
    assert lines([text(name)], [text(name)]) == []
    assert lines([text("f1", label=name)], [text("f1")]) == []


@pytest.mark.parametrize(
    "name",
    ["idea", "video", "adopting", "nickname", "guidance", "paid", "kids", "Phone number", "Number of pets", "monkey"],
)
def test_a_word_that_only_looks_like_one_of_these_is_suggested(name: str) -> None:
    assert len(lines([text(name)], [text(name)])) == 1


def test_what_a_connector_holds_back_is_not_suggested() -> None:
    assert lines([text("size", suggested=False)], [text("size")]) == []
    assert lines([text("size")], [text("size", suggested=False)]) == []


def test_of_two_that_may_be_meant_none_is_suggested_but_an_equal_name_is() -> None:
    two = [text("a", label="Size"), text("b", label="Size")]
    assert lines([text("f", label="Size")], two) == []
    assert lines([text("size", label="Size")], [*two, text("SIZE")]) == ["  - {shop: size, news: SIZE}"]


def test_names_of_whatever_brand_are_known_as_ours() -> None:
    ours = any_brand(["wants_{brand}_news", "left.on"])
    assert [bool(ours.fullmatch(name)) for name in ("wants_shoes_news", "left.on", "leftXon", "wants", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert any_brand([]).fullmatch("") is None


names = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["on", "no", "null", "1.5", "a: b", "#x", "{a}", "'", '"', " "]
)
choices = st.lists(names, max_size=4, unique=True).map(tuple)
specs = st.builds(
    FieldSpec,
    name=names,
    kind=st.sampled_from(["text", "yes_no", "permission", "status", "time", "number", "integer", "date"]),
    label=st.none() | names,
    choices=choices,
    separator=st.sampled_from([None, ";"]),
)
sides = st.lists(specs, max_size=5, unique_by=lambda spec: spec.name)


@settings(max_examples=60)
@given(first=sides, second=sides, same=st.lists(specs, max_size=3, unique_by=lambda spec: spec.name))
def test_every_suggestion_passes_the_check_when_it_is_pasted(
    first: list[FieldSpec], second: list[FieldSpec], same: list[FieldSpec]
) -> None:
    one, other = (list({spec.name: spec for spec in (*side, *same)}.values()) for side in (first, second))
    found = suggestions(SYSTEMS, one, other)
    loaded = with_lines([row.line for row in found] or ["  []"], SMALL)
    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.integration is not None
    rows = loaded.integration.fields
    assert [row.names for row in rows] == [row.fields for row in found]
    for row in rows:
        for value in ("1", "2026-12-01", "yes", *(getattr(row.convert, "table", None) or ())):
            there = compile_convert(row, forward=True, most=None)(value)
            if there.text is not None:
                back = compile_convert(row, forward=False, most=None)(there.text)
                again = None if back.text is None else compile_convert(row, forward=True, most=None)(back.text)
                assert again is not None
                assert again.text == there.text

"""HubSpot's error bodies in both shapes, and broken ones (section 12)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk_hubspot.refusal import PropertyProblem, code_of, parse_error, property_problems, redact, without_values

INNER = [{"isValid": False, "message": "Email address x is invalid", "error": "INVALID_EMAIL", "name": "email"}]


def test_problems_stand_in_errors_or_inside_the_message() -> None:
    structural = {"errors": [{"message": "m", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["x"]}}]}
    inside = {"message": f"Property values were not valid: {json.dumps(INNER)}"}
    both = {**structural, **inside}
    unknown, invalid = PropertyProblem("x", "PROPERTY_DOESNT_EXIST"), PropertyProblem("email", "INVALID_EMAIL")
    for body, problems in ((structural, (unknown,)), (inside, (invalid,)), (both, (unknown, invalid))):
        assert property_problems(parse_error(json.dumps(body).encode())) == problems


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": None},
        {"message": "Property values were not valid: [{"},
        {"message": "Property values were not valid: cut off"},
        {"message": 'Property values were not valid: [{"isValid": false}]'},
        {"errors": [{"message": "no code", "context": {"propertyName": ["x"]}}]},
        {"errors": [{"code": "X", "context": {"other": ["x"]}}]},
        {"errors": "many"},
        [],
    ],
)
def test_a_body_that_names_no_property_has_no_problem(body: object) -> None:
    assert property_problems(parse_error(json.dumps(body).encode())) == ()


def test_a_code_is_ours_and_of_the_first_problem_we_know() -> None:
    assert code_of([PropertyProblem("a", "SOMETHING_NEW"), PropertyProblem("b", "INVALID_OPTION")]) == "invalid-option"
    assert code_of([PropertyProblem("a", "SOMETHING_NEW")]) == code_of([]) == "refused"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_a_traceback(body: bytes) -> None:
    property_problems(parse_error(body))


@given(st.emails(), st.text(max_size=20), st.text(max_size=20))
def test_no_address_is_left(address: str, before: str, after: str) -> None:
    assert address not in redact(f"{before} {address} {after}")


@given(st.text(max_size=2_000))
def test_what_is_kept_is_never_longer_than_500(text: str) -> None:
    assert len(redact(text)) <= 500


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(min_size=3), max_size=2))
def test_the_shape_of_an_answer_keeps_no_value(values: dict[str, str]) -> None:
    shape = without_values(json.dumps(values))
    assert json.loads(shape) == dict.fromkeys(values, "…")

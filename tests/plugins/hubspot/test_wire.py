"""Values on the wire and in the model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stellwerk.sdk import FieldSpec, Origin
from stellwerk_hubspot.wire import clock, is_record_id, iso, origin_of, to_wire, value_from

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def of_kind(kind: str) -> FieldSpec:
    return msgspec.convert({"name": "x", "kind": kind}, FieldSpec)


@pytest.mark.parametrize(
    ("source", "origin"),
    [
        ("FORM", Origin.FORM),
        ("form", Origin.FORM),
        ("CRM_UI", Origin.PERSON),
        ("IMPORT", Origin.IMPORT),
        ("INTEGRATION", Origin.INTEGRATION),
        ("AUTOMATION_PLATFORM", Origin.WORKFLOW),
        ("WORKFLOWS", Origin.WORKFLOW),
        ("ACADEMY", Origin.OTHER),
        ("CRM", Origin.OTHER),
        ("", Origin.OTHER),
        (None, Origin.OTHER),
    ],
)
def test_who_wrote_is_one_of_the_six(source: str | None, origin: Origin) -> None:
    assert origin_of(source) is origin


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("yes_no", "true", "yes"),
        ("yes_no", "FALSE", "no"),
        ("yes_no", "", None),
        ("yes_no", None, None),
        ("yes_no", "maybe", "maybe"),
        ("time", "2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00.000Z"),
        ("time", "1795521600000", "2026-11-24T12:00:00.000Z"),
        ("time", "soon", "soon"),
        ("date", "2026-11-24", "2026-11-24"),
        ("date", "1795478400000", "2026-11-24"),
        ("date", "24.11.2026", "24.11.2026"),
        ("date", "19851210", "19851210"),
        ("text", " Ada ", " Ada "),
        ("text", "true", "true"),
        ("permission", "double", "double"),
    ],
)
def test_a_property_reads_as_the_model_says(kind: str, raw: str | None, value: str | None) -> None:
    assert value_from(of_kind(kind), raw) == value


def test_a_field_without_a_kind_is_text() -> None:
    assert value_from(None, "true") == "true"
    assert to_wire(None, "yes") == "yes"


@pytest.mark.parametrize(
    ("kind", "value", "raw"),
    [
        ("yes_no", "perhaps", "perhaps"),
        ("time", "soon", "soon"),
        ("text", None, ""),
        ("date", "2026-11-24", "2026-11-24"),
    ],
)
def test_what_does_not_fit_its_kind_goes_as_it_is(kind: str, value: str | None, raw: str) -> None:
    assert to_wire(of_kind(kind), value) == raw


def test_text_is_cut_to_what_hubspot_takes() -> None:
    assert len(to_wire(None, "x" * 70_000)) == 65_536


@given(st.sampled_from(["yes", "no"]) | st.none())
def test_yes_no_and_not_set_survive_the_way_there_and_back(value: str | None) -> None:
    spec = FieldSpec(name="x", kind="yes_no")
    assert value_from(spec, to_wire(spec, value)) == value


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=500_000)).map(lambda since: EPOCH + since))
def test_times_survive_to_the_millisecond(at: datetime) -> None:
    spec = FieldSpec(name="x", kind="time")
    there = to_wire(spec, at.isoformat())
    assert value_from(spec, there) == there == iso(at)


@given(st.text(min_size=1, max_size=200))
def test_text_survives(value: str) -> None:
    assert value_from(None, to_wire(None, value)) == value


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T12:00:00Z", NOON),
        ("2026-11-24T12:00:00", NOON),
        ("1795521600000", NOON),
        ("", None),
        (None, None),
        ("99999999999999999999", None),
        ("-", None),
        ("now", None),
    ],
)
def test_a_clock_reads_what_is_a_time(text: str | None, at: datetime | None) -> None:
    assert clock(text) == at


@given(st.text())
def test_a_clock_never_breaks(text: str) -> None:
    found = clock(text)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(("text", "is_one"), [("17", True), ("", False), (None, False), ("a1", False), ("²", False)])
def test_a_record_id_is_a_number(text: str | None, is_one: bool) -> None:
    assert is_record_id(text) is is_one

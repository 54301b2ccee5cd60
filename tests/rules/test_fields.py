"""Field values: what counts as changed, which way a row goes, and what a blank takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_rules.fields import blanks, carry, compile_way, entering, newer, wins
from stellwerk_rules.model import Contact, FieldValue, Known, Origin, Remembered, Seen, Written
from stellwerk_toys.field_rows import NOON, SYSTEMS, contact, known, row, way, ways

LATER = NOON + timedelta(hours=3)


def remembered(*, here: str | None = None, there: str | None = None, **going: str) -> Remembered:
    seen = {
        "crm": {} if here is None else {"city": Seen(digest=here, at=NOON)},
        "mail": {} if there is None else {"CITY": Seen(digest=there, at=NOON)},
    }
    names = {"crm": "city", "mail": "CITY"}
    return Remembered(seen=seen, going={one: {names[one]: Seen(digest=value)} for one, value in going.items()})


def carried(value: str | None, before: Remembered, **more: Any) -> Any:
    return carry(ways(**more), contact(value), before, str, "crm", "mail")


def test_a_row_goes_both_ways() -> None:
    assert way("crm", "mail") is not None
    assert way("mail", "crm") is not None


@pytest.mark.behaviour("fields-one-way")
def test_a_one_way_row_does_not_go_back() -> None:
    assert way("crm", "mail", to="mail") is not None
    assert way("mail", "crm", to="mail") is None


@pytest.mark.behaviour("fields-owner")
def test_only_the_owners_value_travels() -> None:
    assert ways("crm", "mail", owner="crm")[0].owned
    assert way("mail", "crm", owner="crm") is None


def test_a_row_without_a_name_at_a_system_does_not_go_there() -> None:
    assert compile_way(row(names={"crm": "city"}), "crm", "mail", systems=SYSTEMS, most={}) is None
    assert compile_way(row(names={"mail": "CITY"}), "crm", "mail", systems=SYSTEMS, most={}) is None


def test_a_row_converts_from_the_first_system_to_the_second_and_back() -> None:
    table = {"kind": "lookup", "table": {"male": "m"}}
    assert ways("crm", "mail", convert=table)[0].convert("male").text == "m"
    assert ways("mail", "crm", convert=table)[0].convert("m").text == "male"


def test_a_text_is_cut_only_on_the_way_to_a_field_that_takes_no_more() -> None:
    assert ways("crm", "mail")[0].convert("x" * 300).code == "cut"
    assert ways("mail", "crm")[0].convert("x" * 300).code is None


def test_the_first_system_of_the_file_is_the_primary_one() -> None:
    assert ways("crm", "mail")[0].primary
    assert not ways("mail", "crm")[0].primary


def test_a_value_that_differs_from_what_was_carried_is_on_its_way() -> None:
    value = carried("Ulm", remembered(here="Bonn", there="Bonn")).values["CITY"]
    assert (value.value, value.basis, value.source_digest, value.at) == ("Ulm", "Bonn", "Ulm", NOON)


def test_a_value_as_it_was_carried_stays() -> None:
    assert carried("Ulm", remembered(here="Ulm", there="Ulm")).values == {}


@pytest.mark.behaviour("fields-emptied")
def test_a_value_that_never_was_empties_nothing() -> None:
    assert carried(None, remembered(there="Ulm")).values == {}
    assert carried("", remembered(there="Ulm")).values == {}


@pytest.mark.behaviour("fields-emptied")
def test_a_value_emptied_on_purpose_is_emptied() -> None:
    assert carried(None, remembered(here="Ulm", there="Ulm")).values["CITY"].value is None


def test_a_first_value_has_no_basis() -> None:
    assert carried("Ulm", Remembered()).values["CITY"].basis is None


def test_the_time_of_a_value_is_its_own_where_the_system_tells() -> None:
    written = Written(value="Ulm", at=LATER, origin=Origin.PERSON)
    found = carry(ways(), contact("Ulm", history={"city": (written,)}), Remembered(), str, "crm", "mail")
    assert found.values["CITY"].at == LATER


def test_our_own_write_on_its_way_is_no_change_when_it_comes_back() -> None:
    found = carried("Ulm", remembered(here="Bonn", there="Bonn", crm="Ulm"))
    assert (found.values, found.echo) == ({}, True)


def test_another_value_than_the_one_on_its_way_is_a_change() -> None:
    assert carried("Köln", remembered(here="Bonn", there="Bonn", crm="Ulm")).values["CITY"].value == "Köln"


def test_what_is_on_its_way_there_already_is_not_sent_twice() -> None:
    found = carried("Ulm", remembered(here="Bonn", there="Bonn", mail="Ulm"))
    assert (found.values, found.echo) == ({}, True)


def test_going_back_to_the_old_value_overtakes_what_is_on_its_way() -> None:
    value = carried("Bonn", remembered(here="Bonn", there="Bonn", mail="Ulm")).values["CITY"]
    assert (value.value, value.basis) == ("Bonn", "Ulm")


@pytest.mark.behaviour("fields-not-convertible")
def test_a_value_that_does_not_convert_is_left_out_with_a_notice_and_dealt_with() -> None:
    found = carried("soon", remembered(here="x"), convert={"kind": "date"})
    assert found.values == {}
    assert found.dealt["city"].digest == "soon"
    assert [notice.code for notice in found.notices] == ["field-not-a-date"]
    assert "soon" not in found.notices[0].text


@pytest.mark.behaviour("fields-too-long")
def test_a_cut_value_travels_with_a_notice() -> None:
    found = carried("x" * 300, Remembered())
    assert found.values["CITY"].value == "x" * 255
    assert [notice.text for notice in found.notices] == ["the value of city was cut on the way to CITY: cut"]


def test_whoever_comes_in_brings_all_its_values_and_no_blank() -> None:
    assert entering(ways(), contact("Ulm"), str).values["CITY"].value == "Ulm"
    assert entering(ways(), contact(None), str).values == {}


def written_over(new: FieldValue, present: str | None, now: Known | None = None, **target: Any) -> bool:
    return wins("CITY", new, contact(present, "CITY", **target), now or known(), "mail")


ULM = FieldValue(value="Ulm", at=NOON, basis="Bonn")


def test_a_value_that_stands_there_already_is_not_written() -> None:
    assert not written_over(ULM, "Ulm")
    assert not written_over(replace(ULM, value=None), None)
    assert not written_over(replace(ULM, value="", owned=True), None)


def test_where_only_one_side_changed_it_wins() -> None:
    assert written_over(ULM, "Bonn", updated_at=LATER)


@pytest.mark.behaviour("fields-first")
def test_the_first_contact_fills_blanks_only() -> None:
    assert written_over(replace(ULM, basis=None), None)
    assert not written_over(replace(ULM, basis=None), "Bonn")


@pytest.mark.behaviour("fields-fill-only")
def test_a_filling_row_never_overwrites() -> None:
    assert written_over(replace(ULM, fill_only=True), None)
    assert not written_over(replace(ULM, fill_only=True), "Bonn")


@pytest.mark.behaviour("fields-owner")
def test_the_owners_value_overwrites_whatever_is_younger() -> None:
    assert written_over(replace(ULM, owned=True), "Köln", updated_at=LATER)


@pytest.mark.behaviour("fields-conflict")
def test_where_both_sides_changed_the_younger_wins() -> None:
    assert not written_over(ULM, "Köln", updated_at=LATER)
    assert written_over(replace(ULM, at=LATER), "Köln", updated_at=NOON)


def test_the_fields_own_time_counts_before_the_contacts() -> None:
    mine = {"CITY": (Written(value="Köln", at=NOON, origin=Origin.PERSON),)}
    assert written_over(replace(ULM, at=LATER), "Köln", updated_at=LATER + timedelta(hours=5), history=mine)


def test_a_value_carried_meanwhile_has_the_time_of_its_source() -> None:
    assert written_over(replace(ULM, at=LATER), "Köln", known("Köln", NOON), updated_at=LATER + timedelta(hours=5))
    assert not written_over(ULM, "Köln", known("Köln", LATER), updated_at=NOON)


@pytest.mark.behaviour("fields-conflict")
@pytest.mark.parametrize(("unzoned", "hours"), [(frozenset[str](), 2), (frozenset({"mail"}), 24)])
def test_a_conflict_is_settled_by_time_beyond_two_hours_and_beyond_a_day_while_a_zone_is_not_known(
    unzoned: frozenset[str], hours: int
) -> None:
    now = replace(known(), unzoned=unzoned)
    for gap, settles in ((timedelta(hours=hours), False), (timedelta(hours=hours, seconds=1), True)):
        for primary in (False, True):
            new = replace(ULM, primary=primary)
            assert written_over(replace(new, at=NOON + gap), "Köln", now, updated_at=NOON) is (settles or primary)
            assert written_over(new, "Köln", now, updated_at=NOON + gap) is (primary and not settles)


@pytest.mark.behaviour("fields-conflict")
@pytest.mark.parametrize("times", [(None, NOON), (NOON, None), (None, None)])
def test_without_times_the_first_system_of_the_file_wins(times: tuple[datetime | None, datetime | None]) -> None:
    assert newer(*times, first_wins=True, margin=timedelta(0))
    assert not newer(*times, first_wins=False, margin=timedelta(0))


def test_blanks_are_the_fields_without_a_value_there() -> None:
    values = {"CITY": ULM, "NAME": FieldValue(value="Ada"), "ZIP": FieldValue(value=None)}
    assert blanks(values, Contact(fields={"CITY": "Bonn", "NAME": ""}, read_at=NOON)) == {
        "NAME": FieldValue(value="Ada")
    }


texts = st.sampled_from([None, "Ulm", "Bonn", "Köln"])


@given(texts, texts, texts, texts)
def test_carrying_again_what_is_on_its_way_carries_nothing(
    value: str | None, here: str | None, there: str | None, on_the_way: str | None
) -> None:
    before = remembered(here=here, there=there, **({} if on_the_way is None else {"mail": on_the_way}))
    first = carried(value, before)
    going = {name: Seen(digest=one.value or "") for name, one in first.values.items()}
    after = replace(before, going={"mail": {**before.going.get("mail", {}), **going}})
    assert carried(value, after).values == {}


@given(texts, texts, st.booleans(), st.booleans(), st.none() | st.just("Bonn"))
def test_writing_a_value_leaves_nothing_to_write(
    value: str | None, present: str | None, fill_only: bool, owned: bool, basis: str | None
) -> None:
    new = FieldValue(value=value, at=LATER, basis=basis, fill_only=fill_only, owned=owned)
    if written_over(new, present):
        assert not written_over(new, value)

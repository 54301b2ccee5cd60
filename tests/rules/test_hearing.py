"""What is heard of a system: its clock, its events, the way of a field."""

from __future__ import annotations

import pytest

from stellwerk_rules.hearing import Arrival, ClockState, arrival, clock_state, is_silent

HOUR = 3600.0


@pytest.mark.parametrize(
    ("offset", "state"),
    [
        (0.0, ClockState.GOOD),
        (60.0, ClockState.GOOD),
        (-60.0, ClockState.GOOD),
        (60.5, ClockState.OFF),
        (-61.0, ClockState.OFF),
        (300.0, ClockState.OFF),
        (301.0, ClockState.WRONG),
        (-301.0, ClockState.WRONG),
    ],
)
def test_a_clock_is_off_after_a_minute_and_wrong_after_five_both_ways(offset: float, state: ClockState) -> None:
    assert clock_state(offset) is state


def test_what_was_written_may_take_ten_minutes_to_come_back() -> None:
    assert not is_silent(1000.0, 0.0, 1600.0)
    assert is_silent(1000.0, 0.0, 1600.5)


def test_nobody_is_silent_while_we_were_not_there_to_hear() -> None:
    assert not is_silent(1000.0, 1000.0 + HOUR, 1600.0 + HOUR)
    assert is_silent(1000.0, 1000.0 + HOUR, 1601.0 + HOUR)


def test_a_field_of_which_the_system_tells_comes_by_event_and_is_healed_by_asking() -> None:
    found = arrival("town", told={"town"}, heard=(), poll_seconds=120.0)
    assert found == Arrival(field="town", way="event", seconds=120.0, heard=False)


def test_a_field_of_which_an_event_was_heard_comes_by_event_whatever_the_system_says() -> None:
    assert arrival("town", told=(), heard={"town"}, poll_seconds=None) == Arrival(
        field="town", way="event", seconds=None, heard=True
    )


def test_any_other_field_comes_by_asking() -> None:
    assert arrival("town", told={"name"}, heard={"name"}, poll_seconds=120.0).way == "poll"


def test_where_nobody_is_asked_it_does_not_come() -> None:
    assert arrival("town", told=(), heard=(), poll_seconds=None) == Arrival(
        field="town", way="none", seconds=None, heard=False
    )

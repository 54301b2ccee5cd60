"""The breaker: the sixth write of a field within ten minutes, where nobody sets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stellwerk_rules.aftermath import dropped
from stellwerk_rules.breaker import KEEPS_CHANGING, MOST, WINDOW, busy, held, is_one_too_many, sorted_out
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import FieldValue, Held, Origin, Planned, SetFields, Written, Wrote
from stellwerk_rules.prepare import Ready, prepare

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SET_BY_ITSELF, SET_BY_HAND = FieldValue(value="x", source_digest="d"), FieldValue(value="x", by_hand=True)


def writes(*minutes_ago: float, by_hand: tuple[int, ...] = ()) -> tuple[Wrote, ...]:
    return tuple(
        Wrote(at=NOON - timedelta(minutes=one), by_hand=number in by_hand) for number, one in enumerate(minutes_ago)
    )


@pytest.mark.behaviour("fields-keeps-changing")
@pytest.mark.parametrize(
    ("written", "stopped"),
    [
        ((), False),
        (writes(4, 3, 2, 1), False),
        (writes(5, 4, 3, 2, 1), True),
        (writes(10, 4, 3, 2, 1), False),
        (writes(9.99, 4, 3, 2, 1), True),
        (writes(5, 4, 3, 2, 1, by_hand=(0,)), False),
        (writes(6, 5, 4, 3, 2, 1, by_hand=(0,)), True),
        (writes(6, 5, 4, 3, 2, 1, by_hand=(5,)), False),
    ],
)
def test_five_writes_in_ten_minutes_that_nobody_set_are_enough(written: tuple[Wrote, ...], stopped: bool) -> None:
    assert is_one_too_many(written, SET_BY_ITSELF, NOON) is stopped


@pytest.mark.behaviour("fields-keeps-changing")
def test_what_a_form_or_a_person_sets_is_never_stopped() -> None:
    assert not is_one_too_many(writes(5, 4, 3, 2, 1), SET_BY_HAND, NOON)


@given(st.lists(st.tuples(st.integers(0, 1200), st.booleans()), max_size=12))
def test_no_stop_without_five_of_a_kind_and_none_passes_after_them(seconds: list[tuple[int, bool]]) -> None:
    written = tuple(
        Wrote(at=NOON - timedelta(seconds=one), by_hand=hand) for one, hand in sorted(seconds, reverse=True)
    )
    young = [one for one in written if NOON - one.at < WINDOW]
    run = 0
    for one in young:
        run = 0 if one.by_hand else run + 1
    assert is_one_too_many(written, SET_BY_ITSELF, NOON) is (run >= MOST)


def test_only_the_field_that_keeps_changing_is_stopped() -> None:
    values = {"FIRSTNAME": SET_BY_ITSELF, "LASTNAME": SET_BY_ITSELF}
    told = sorted_out(values, {"FIRSTNAME": writes(5, 4, 3, 2, 1)}, NOON)
    assert (set(told.going), set(told.stopped)) == ({"LASTNAME"}, {"FIRSTNAME"})
    assert "FIRSTNAME at mail" in held(told.stopped, "mail").because.text


def test_who_set_a_field_is_asked_once_it_was_written_lately(world: Any) -> None:
    ways = world.plan.ways["crm", "mail"]
    assert busy(ways, {}) == frozenset()
    assert busy(ways, {"FIRSTNAME": writes(1)}) == {"firstname"}


# --- in a decision, and just before the write


def linked(world: Any) -> None:
    world.remembered = replace(world.remembered, ids={"crm": "c1", "mail": "m1"}, entered=True)


def decided(world: Any, contact: Any, **more: Any) -> Any:
    known = world.known(written={"mail": {"FIRSTNAME": writes(5, 4, 3, 2, 1)}})
    return evaluate(world.plan, world.event(contact, **more), known, world.settings)


def test_a_decision_holds_the_field_and_carries_the_others(world: Any) -> None:
    linked(world)
    decision = decided(world, world.crm(firstname="Ada", lastname="Byron"))
    (going,) = decision.changes
    ((stopped, why),) = decision.held
    assert set(going.change.fields) == {"LASTNAME"}
    assert set(stopped.change.fields) == {"FIRSTNAME"}
    assert why.repair == KEEPS_CHANGING
    assert set(decision.remembered.going["mail"]) == {"LASTNAME"}


def test_a_field_alone_that_keeps_changing_leads_to_no_change(world: Any) -> None:
    linked(world)
    decision = decided(world, world.crm(firstname="Ada"))
    assert decision.changes == ()
    assert len(decision.held) == 1
    assert decision.skips == ()


@pytest.mark.parametrize(
    ("origin", "ours", "stopped"),
    [
        (Origin.PERSON, False, False),
        (Origin.FORM, False, False),
        (Origin.PERSON, True, True),
        (Origin.IMPORT, False, True),
        (Origin.WORKFLOW, False, True),
    ],
)
def test_who_set_it_is_read_from_the_history(world: Any, origin: Origin, ours: bool, stopped: bool) -> None:
    linked(world)
    contact = world.crm(firstname="Ada")
    entry = Written(value="Ada", at=NOON, origin=origin, ours=ours)
    contact = replace(contact, history={**contact.history, "firstname": (entry,)})
    assert bool(decided(world, contact).held) is stopped


def test_what_a_person_let_go_is_carried(world: Any) -> None:
    linked(world)
    decision = decided(world, world.crm(firstname="Ada"), fields_released=True)
    assert decision.held == ()
    assert set(decision.changes[0].change.fields) == {"FIRSTNAME"}


def prepared(world: Any, planned: Planned, *, released: bool = False) -> Any:
    known = world.known(written={"mail": {"FIRSTNAME": writes(5, 4, 3, 2, 1)}})
    target = world.mail()
    return prepare(world.plan, planned, target, known, world.settings, NOON, released=released)


def test_just_before_the_write_it_is_asked_again_and_all_is_decided_anew(world: Any) -> None:
    linked(world)
    (planned,) = world.decide(world.crm(firstname="Ada", lastname="Byron")).changes
    why = prepared(world, planned)
    assert isinstance(why, Held)
    assert why.repair == KEEPS_CHANGING
    ended = dropped(world.plan, planned, why, world.mail(), world.known(), NOON)
    assert ended.look_again == ("crm",)
    world.keep(ended)
    assert world.remembered.going["mail"] == {}
    again = decided(world, world.crm(firstname="Ada", lastname="Byron"))
    assert set(again.changes[0].change.fields) == {"LASTNAME"}


def test_just_before_the_write_what_a_person_let_go_passes(world: Any) -> None:
    linked(world)
    (planned,) = world.decide(world.crm(firstname="Ada")).changes
    ready = prepared(world, planned, released=True)
    assert isinstance(ready, Ready)
    assert isinstance(ready.changes[0], SetFields)

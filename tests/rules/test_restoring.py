"""A contact back from a deletion is told what became of it while nothing could be written to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from stellwerk_rules.model import Decision, EventKind, Fact, FactKind, Remembered, Seen, SetFields

HOUR = timedelta(hours=1)
TAKEN_OUT = Remembered(ids={"crm": "c1"}, seen={"crm": {"x_status": Seen(digest="subscribed")}}, by_wish=True)
NEVER_SHOWN = Remembered(ids={"crm": "c1"}, by_wish=True)


def left(world: Any) -> None:
    """The mail system shows that the contact left, and by the file its answer is to be no."""
    world.facts = [Fact(kind=FactKind.OPTED_OUT, key="out1", at=world.now - HOUR, event="e0", told_by="mail")]
    world.suppressed = True


def back(world: Any, answer: str | None = "yes", by: Remembered = TAKEN_OUT) -> Decision:
    world.remembered = by
    decision: Decision = world.decide(world.crm(subscribe=answer, said_at=world.now - 2 * HOUR), EventKind.RESTORED)
    return decision


def written(decision: Decision) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for one in decision.changes:
        assert isinstance(one.change, SetFields)
        found |= {name: value.value for name, value in one.change.fields.items()}
    return found


@pytest.mark.behaviour("restored-out")
def test_who_left_while_it_was_gone_reads_no_again_so_that_a_later_yes_is_a_change(world: Any) -> None:
    left(world)
    decision = back(world)
    assert written(decision)["x_subscribe"] == "no"
    assert decision.remembered.going["crm"]["x_subscribe"].digest


@pytest.mark.parametrize("answer", ["no", None])
def test_an_answer_that_is_no_yes_stays(world: Any, answer: str | None) -> None:
    left(world)
    assert "x_subscribe" not in written(back(world, answer))


def test_who_has_not_left_keeps_its_yes(world: Any) -> None:
    assert "x_subscribe" not in written(back(world))


def test_where_no_rule_sets_the_answer_of_who_leaves_it_stays(make_world: Callable[..., Any], world: Any) -> None:
    bare = make_world(rules=[one for one in _rules(world) if one["id"] != "unsubscribed"])
    left(bare)
    assert "x_subscribe" not in written(back(bare))


@pytest.mark.behaviour("restored-out")
def test_the_state_is_shown_of_whoever_is_not_there_any_more(world: Any) -> None:
    left(world)
    shown = written(back(world))
    assert (shown["x_status"], shown["x_permission"]) == ("unsubscribed", "none")


def test_where_no_state_was_ever_shown_none_is_now(world: Any) -> None:
    assert written(back(world, by=NEVER_SHOWN)) == {}


@pytest.mark.behaviour("restored-out")
def test_that_somebody_left_is_shown_at_once_also_where_no_state_ever_was(world: Any) -> None:
    left(world)
    shown = written(back(world, "no", by=NEVER_SHOWN))
    assert (shown["x_status"], shown["x_permission"]) == ("unsubscribed", "none")
    later = world.decide(world.crm(subscribe="no", said_at=world.now - 2 * HOUR, firstname="Augusta"))
    assert "x_status" not in written(later)


def test_of_who_left_the_link_is_not_what_counts(world: Any) -> None:
    left(world)
    decision = back(world, by=replace(TAKEN_OUT, ids={"crm": "c1", "mail": "m1"}))
    assert written(decision)["x_status"] == "unsubscribed"


def test_the_state_of_who_is_linked_is_read_first(world: Any) -> None:
    decision = back(world, by=replace(TAKEN_OUT, ids={"crm": "c1", "mail": "m1"}))
    assert (written(decision), decision.look_again) == ({}, ("mail",))


def test_a_file_that_asks_nobody_has_nothing_to_tell(make_world: Callable[..., Any], world: Any) -> None:
    rules = [one for one in _rules(world) if one["enter"] is None]
    decision = back(make_world(rules=rules, mirror=[]))
    assert (written(decision), decision.look_again) == ({}, ())


def _rules(world: Any) -> list[dict[str, Any]]:
    """Those of the file that `world` was made of."""
    return [msgspec.to_builtins(one.spec) for one in world.plan.rules]

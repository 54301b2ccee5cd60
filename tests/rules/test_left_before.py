"""Whoever left at the mail system before anybody here knew her, and turns out so when she is to come in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.aftermath import dropped
from stellwerk_rules.model import (
    ADDRESS,
    Ask,
    Backfill,
    Contact,
    Decision,
    Enter,
    Fact,
    FactKind,
    Origin,
    Planned,
    Presence,
    Seen,
    SetFields,
    Skip,
)
from stellwerk_rules.prepare import Ready, prepare
from stellwerk_toys.decisions import codes, fact

DAY = timedelta(days=1)


def marked(world: Any, left_at: Any = None) -> Contact:
    return Contact(presence=Presence.ABSENT, opted_out=True, opted_out_at=left_at, read_at=world.now)


def entry(decision: Decision) -> Planned:
    (planned,) = [one for one in decision.changes if isinstance(one.change, Enter)]
    return planned


def way_back(decision: Decision) -> Planned:
    planned = entry(decision)
    assert isinstance(planned.change, Enter)
    assert planned.change.way_back
    return planned


def met(world: Any, decision: Decision, target: Contact, *, tried: bool = False) -> Decision:
    """What follows once `target` was met where the contact was to come in; `tried` before, with nobody knowing what that did."""
    planned = entry(decision)
    why = prepare(world.plan, planned, target, world.known(), world.settings, world.now)
    assert isinstance(why, Skip)
    return world.keep(dropped(world.plan, planned, why, target, world.known(), world.now, tried=tried))


def answers(decision: Decision) -> list[str | None]:
    sets = [one.change for one in decision.changes if isinstance(one.change, SetFields) and not one.change.mirror]
    return [one.fields["x_subscribe"].value for one in sets if "x_subscribe" in one.fields]


@pytest.mark.behaviour("left-before-time")
def test_a_yes_that_is_younger_than_the_opt_out_leads_back_by_a_double_opt_in(world: Any) -> None:
    wish = world.crm(subscribe="yes")
    first = world.decide(wish)
    found = met(world, first, marked(world, world.now - 10 * DAY))
    (out,) = found.facts
    assert (out.kind, out.at, out.told_by, out.final) == (FactKind.OPTED_OUT, world.now - 10 * DAY, "mail", True)
    assert (found.look_again, answers(found)) == (("crm",), [])
    back = world.decide(wish)
    planned = way_back(back)
    assert planned.key != entry(first).key
    ready = prepare(world.plan, planned, marked(world), world.known(), world.settings, world.now)
    assert isinstance(ready, Ready)
    assert [isinstance(one, Ask) and one.way_back for one in ready.changes] == [True]
    assert world.decide(wish).changes == ()


@pytest.mark.parametrize("left", [None, timedelta(hours=2)])
@pytest.mark.behaviour("left-before")
def test_a_yes_of_which_nothing_shows_that_it_is_the_younger_becomes_a_no_so_that_the_next_is_a_change(
    world: Any, left: timedelta | None
) -> None:
    found = met(world, world.decide(world.crm(subscribe="yes")), marked(world, left and world.now - left))
    assert (found.look_again, answers(found)) == ((), ["no"])
    (no,) = [one for one in found.changes if isinstance(one.change, SetFields) and not one.change.mirror]
    assert isinstance(world.make(no, world.crm(subscribe="yes")), Ready)
    world.now += timedelta(minutes=1)
    way_back(world.decide(world.crm(subscribe="yes", said_at=world.now)))


def test_an_imported_yes_leads_nobody_back_and_becomes_a_no(world: Any) -> None:
    wish = world.crm(subscribe="yes", by=Origin.IMPORT)
    found = met(world, world.decide(wish), marked(world, world.now - 10 * DAY))
    assert (found.look_again, answers(found)) == ((), ["no"])


def test_who_never_answered_still_has_not(world: Any) -> None:
    found = met(world, world.decide(world.crm()), marked(world))
    assert (found.look_again, answers(found)) == ((), [])


def test_a_sync_leads_nobody_back_and_leaves_the_yes_to_be_heard(world: Any) -> None:
    run = Backfill(run=7, began_at=world.now, ask=True, left=5)
    wish = world.crm(subscribe="yes", created_at=world.now - 90 * DAY, said_at=world.now - 3 * DAY)
    found = met(world, world.decide(wish, backfill=run), marked(world, world.now - 10 * DAY))
    assert (found.look_again, answers(found)) == ((), [])
    way_back(world.decide(wish))


def test_a_file_that_sets_no_answer_leaves_it(make_world: Callable[..., Any], file: Any) -> None:
    rules = [{name: one for name, one in rule.items() if name != "set"} for rule in file["rules"]]
    world = make_world(rules=rules)
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    assert answers(met(world, world.decide(world.crm(subscribe="yes")), marked(world))) == []


def test_a_file_without_an_answer_has_none_to_set(make_world: Callable[..., Any], file: Any) -> None:
    rules = [
        {**rule, "enter": {"who": "new"}} if "enter" in rule else rule
        for rule in file["rules"]
        if rule.get("only_if") is None
    ]
    world = make_world(rules=rules)
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    found = met(world, world.decide(world.crm()), marked(world))
    assert (found.look_again, found.facts != ()) == ((), True)


@pytest.mark.behaviour("left-before-quiet")
@pytest.mark.parametrize("tried", [False, True])
def test_who_left_before_she_was_known_is_shown_as_that_with_her_time_and_nothing_happens_to_her(
    world: Any, tried: bool
) -> None:
    left_at = world.now - 10 * DAY
    found = met(world, world.decide(world.crm(subscribe="yes")), marked(world, left_at), tried=tried)
    (out,) = found.facts
    assert (out.at, out.final) == (left_at, True)
    (shown,) = [one.change.fields for one in found.changes if isinstance(one.change, SetFields) and one.change.mirror]
    assert (shown["x_status"].value, shown["x_unsubscribed_at"].value) == (
        "unsubscribed",
        left_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    assert all(isinstance(one.change, SetFields) for one in found.changes)


def test_who_was_old_already_and_left_before_the_connection_began_left_before_any_call_of_it(world: Any) -> None:
    run = Backfill(run=7, began_at=world.now, ask=True, left=5)
    wish = world.crm(subscribe="yes", created_at=world.now - 90 * DAY, said_at=world.now - 80 * DAY)
    began = world.known().began_at
    assert began is not None
    found = met(world, world.decide(wish, backfill=run), marked(world, began - DAY), tried=True)
    assert [one.final for one in found.facts] == [True]


@pytest.mark.parametrize("left", [None, timedelta(hours=1)])
def test_who_may_have_left_after_a_call_whose_answer_was_lost_is_looked_into(
    world: Any, left: timedelta | None
) -> None:
    target = marked(world, left and world.now - left)
    found = met(world, world.decide(world.crm(subscribe="yes")), target, tried=True)
    assert [(one.final, one.at, one.told_by) for one in found.facts] == [(False, world.now, "")]


def test_a_sync_that_only_creates_sends_nothing_that_anybody_could_leave_by(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "none"})
    run = Backfill(run=7, began_at=world.now, ask=False, left=0)
    wish = world.crm(subscribe="yes", created_at=world.now - 90 * DAY, said_at=world.now - 80 * DAY)
    found = met(world, world.decide(wish, backfill=run), marked(world), tried=True)
    assert [one.final for one in found.facts] == [True]


def test_while_the_zone_of_the_report_is_not_known_a_day_is_not_enough(world: Any) -> None:
    planned = entry(world.decide(world.crm(subscribe="yes")))
    target, known = marked(world, world.now - timedelta(hours=20)), replace(world.known(), unzoned=frozenset({"mail"}))
    why = prepare(world.plan, planned, target, known, world.settings, world.now)
    assert isinstance(why, Skip)
    found = dropped(world.plan, planned, why, target, known, world.now, tried=True)
    assert [one.final for one in found.facts] == [False]


@pytest.mark.behaviour("out-yes-older")
def test_a_yes_that_counts_as_older_than_the_opt_out_becomes_a_no_so_that_the_next_is_heard_at_once(world: Any) -> None:
    left = Fact(kind=FactKind.OPTED_OUT, key="E1", at=world.now - timedelta(hours=2), event="e", told_by="mail")
    world.facts, world.suppressed = [left], True
    decision = world.decide(world.crm(subscribe="yes"))
    assert (codes(decision)[0], answers(decision)) == ("opt-out-younger", ["no"])
    (no,) = [one for one in decision.changes if isinstance(one.change, SetFields) and not one.change.mirror]
    assert isinstance(world.make(no, world.crm(subscribe="yes")), Ready)
    world.now += timedelta(minutes=1)
    way_back(world.decide(world.crm(subscribe="yes", said_at=world.now)))


def test_a_comparison_leaves_that_to_the_yes_itself(world: Any) -> None:
    left = Fact(kind=FactKind.OPTED_OUT, key="E1", at=world.now - timedelta(hours=2), event="e", told_by="mail")
    world.facts, world.suppressed = [left], True
    decision = world.decide(world.crm(subscribe="yes"), compared=True)
    assert answers(decision) == []


def told_late(world: Any, waiting: Planned, left_at: Any) -> Decision:
    """The mail system tells of an opt-out while the yes waits, and then its turn comes."""
    world.facts, world.suppressed = (
        [Fact(kind=FactKind.OPTED_OUT, key="E1", at=left_at, event="e", told_by="mail")],
        True,
    )
    why = prepare(world.plan, waiting, marked(world, left_at), world.known(), world.settings, world.now)
    assert isinstance(why, Skip)
    assert why.because.code == "opted-out"
    return world.keep(dropped(world.plan, waiting, why, marked(world, left_at), world.known(), world.now))


@pytest.mark.behaviour("out-yes-younger")
def test_an_opt_out_that_is_told_late_leaves_the_younger_yes_to_be_heard_again(world: Any) -> None:
    wish = world.crm(subscribe="yes")
    found = told_late(world, entry(world.decide(wish)), world.now - 10 * DAY)
    assert (found.look_again, answers(found)) == (("crm",), [])
    way_back(world.decide(wish))


@pytest.mark.behaviour("out-yes-older")
def test_an_opt_out_that_is_told_late_and_counts_as_the_younger_makes_a_no_of_the_yes(world: Any) -> None:
    found = told_late(world, entry(world.decide(world.crm(subscribe="yes"))), world.now - timedelta(hours=2))
    assert (found.look_again, answers(found)) == ((), ["no"])


def test_an_opt_out_that_is_told_late_of_an_address_she_has_left_makes_no_no_of_her_yes(world: Any) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    at_home = Seen(digest=world.known().digest("ada@home.example"))
    world.remembered = remember.with_seen(world.remembered, "crm", {ADDRESS: at_home})
    found = told_late(world, waiting, world.now - timedelta(hours=2))
    assert (found.look_again, answers(found)) == ((), [])


@pytest.mark.behaviour("answer-yes-again")
def test_a_yes_after_a_no_beside_the_mail_systems_opt_out_leads_back_once_our_no_was_set_for_both(world: Any) -> None:
    minute = timedelta(minutes=1)
    left = Fact(kind=FactKind.OPTED_OUT, key="E1", at=world.now - 30 * minute, event="e", told_by="mail")
    said = Fact(kind=FactKind.OPTED_OUT, key="no:1", at=world.now - 20 * minute, event="e", told_by="crm")
    world.facts, world.suppressed = [left, said], True
    refused = world.decide(world.crm(subscribe="yes", said_at=world.now - 5 * minute))
    assert (codes(refused)[0], answers(refused)) == ("opt-out-younger", ["no"])
    (no,) = [one for one in refused.changes if isinstance(one.change, SetFields) and not one.change.mirror]
    assert isinstance(world.make(no, world.crm(subscribe="yes", said_at=world.now - 5 * minute)), Ready)
    assert {one.key for one in world.facts if one.kind is FactKind.NO_SET} == {"E1", "no:1"}
    world.now += minute
    way_back(world.decide(world.crm(subscribe="yes", said_at=world.now)))


def came_back_and_was_deleted(world: Any) -> None:
    """Left, came back by a double opt-in, and was deleted with her contact: her marker stands there all the same."""
    world.facts = [
        fact(world, "opted_out", "E1", age=9 * DAY),
        fact(world, "confirmed", "w0", age=8 * DAY),
        fact(world, "removed", "d1", age=2 * DAY, told_by=""),
    ]


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.behaviour("left-before-answered")
def test_the_marker_of_an_opt_out_that_was_taken_back_is_no_new_one_and_the_next_yes_leads_back(
    world: Any, told: bool
) -> None:
    came_back_and_was_deleted(world)
    target = marked(world, world.now - 9 * DAY if told else None)
    found = met(world, world.decide(world.crm(subscribe="yes")), target)
    assert (found.look_again, answers(found)) == ((), ["no"])
    assert [(one.kind, one.final, one.at) for one in found.facts] == [(FactKind.OPTED_OUT, True, world.now)]
    assert all(isinstance(one.change, SetFields) for one in found.changes)
    (no,) = [one for one in found.changes if isinstance(one.change, SetFields) and not one.change.mirror]
    assert isinstance(world.make(no, world.crm(subscribe="yes")), Ready)
    world.now += timedelta(minutes=1)
    way_back(world.decide(world.crm(subscribe="yes", said_at=world.now)))

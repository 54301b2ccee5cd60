"""Confirmations as the mail system shows them: each counts once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    AddEntry,
    Decision,
    EventKind,
    FactKind,
    MoveStage,
    Permission,
    Presence,
    Remembered,
)
from stellwerk_rules.spec import StageMove
from stellwerk_toys.decisions import codes, fact, kinds, mirrored, one

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def confirm(world: Any, kind: EventKind = EventKind.CONFIRMED, **more: Any) -> Decision:
    contact = {"permission": Permission.DOUBLE, "mark": "w1", **more}
    decision: Decision = world.decide(world.mail(**contact), kind, "mail")
    return decision


@pytest.mark.behaviour("confirmed")
def test_a_confirmation_is_a_fact_and_does_what_the_rules_say(linked: Any) -> None:
    decision = confirm(linked, updated_at=linked.now - HOUR)
    (found,) = decision.facts
    assert (found.kind, found.key, found.at, found.told_by) == (FactKind.CONFIRMED, "w1", linked.now - HOUR, "mail")
    assert (found.plus, found.permission, found.final) == (True, Permission.DOUBLE, True)
    assert one(decision, MoveStage) == MoveStage(source="lead", target="mql", reset=False, fact="w1")
    entry = one(decision, AddEntry)
    assert (entry.text, entry.form, entry.fact, entry.at) == (
        {"en": "Confirmed", "de": "Confirmed"},
        "note",
        "w1",
        found.at,
    )
    assert mirrored(decision) == {"x_status": "subscribed", "x_permission": "double"}
    assert all(planned.system == "crm" for planned in decision.changes)
    assert (decision.changes[0].because.rule, decision.changes[0].because.line) == ("confirmed", 90)


@pytest.mark.behaviour("confirmed")
def test_a_confirmation_counts_once(linked: Any) -> None:
    confirm(linked)
    again = confirm(linked)
    assert (kinds(again), again.facts, codes(again)) == ([], (), ["already-handled"])


@pytest.mark.behaviour("confirmed-lost")
def test_a_confirmation_is_seen_in_the_state_when_its_signal_was_lost(linked: Any) -> None:
    assert [one.key for one in confirm(linked, EventKind.CHANGED).facts] == ["w1"]
    assert codes(confirm(linked)) == ["already-handled"]


def test_a_permission_that_we_granted_is_no_confirmation_until_it_rises_or_carries_a_mark(linked: Any) -> None:
    linked.facts = [fact(linked, "granted", "w0", told_by="", permission=Permission.DOUBLE)]
    decision = confirm(linked, mark=None)
    assert (decision.facts, codes(decision)) == ((), ["only-granted"])
    assert [one.key for one in confirm(linked, permission=Permission.DOUBLE_PLUS, mark=None).facts] == [
        "rise:contact:m1"
    ]
    linked.facts = [fact(linked, "granted", "w0", told_by="", permission=Permission.DOUBLE)]
    assert [one.key for one in confirm(linked, mark="w9").facts] == ["w9"]


@pytest.mark.behaviour("confirmed-not-read")
def test_a_signal_alone_is_no_confirmation(linked: Any) -> None:
    for permission in (None, Permission.NONE, Permission.SINGLE, Permission.CONFIRMED, Permission.OTHER):
        decision = confirm(linked, permission=permission)
        assert decision.facts == ()
        assert codes(decision) == ["not-confirmed"]


@pytest.mark.behaviour("confirmed-not-read")
def test_a_contact_that_does_not_read_has_confirmed_nothing(linked: Any) -> None:
    decision = confirm(linked, presence=Presence.ABSENT)
    assert (decision.facts, codes(decision)) == ((), ["reads-absent"])


def test_where_no_mark_is_read_the_last_unanswered_ask_was_confirmed(linked: Any) -> None:
    linked.facts.append(fact(linked, "asked", "w2", HOUR, told_by=""))
    assert [one.key for one in confirm(linked, mark=None).facts] == ["w2"]


def test_a_mark_names_its_ask_among_several(linked: Any) -> None:
    linked.facts.append(fact(linked, "asked", "w2", HOUR, told_by=""))
    assert [one.key for one in confirm(linked, mark="w1").facts] == ["w1"]


def test_a_mark_whose_receipt_is_still_on_its_way_names_the_confirmation(linked: Any) -> None:
    linked.facts = []
    assert [one.key for one in confirm(linked, mark="w9").facts] == ["w9"]


@pytest.mark.behaviour("confirmed-not-asked")
def test_a_confirmation_we_did_not_ask_for_counts_by_its_signal_and_once(linked: Any) -> None:
    linked.facts = []
    assert confirm(linked, EventKind.CHANGED, mark=None).facts == ()
    (found,) = confirm(linked, mark=None).facts
    assert (found.key, found.plus) == ("rise:contact:m1", False)
    assert codes(confirm(linked, mark=None)) == ["already-handled"]


def test_the_time_of_a_confirmation_is_ours_where_the_system_does_not_tell(linked: Any) -> None:
    (found,) = confirm(linked, updated_at=None).facts
    assert (found.at, found.told_by) == (linked.now, "")


def test_while_an_opt_out_is_claimed_a_confirmation_waits(linked: Any) -> None:
    linked.facts.append(fact(linked, "opted_out", "claim", final=False))
    decision = confirm(linked)
    assert (decision.facts, codes(decision)) == ((), ["opt-out-claimed"])
    assert confirm(linked, EventKind.CHANGED).facts == ()


@pytest.mark.behaviour("confirmed-late")
def test_a_late_confirmation_from_before_an_opt_out_does_not_lift_it(linked: Any) -> None:
    linked.facts.append(fact(linked, "opted_out", "E1", HOUR))
    decision = confirm(linked, updated_at=linked.now, opted_out=True)
    assert (decision.facts, codes(decision)) == ((), ["opted-out-since"])
    assert codes(confirm(linked, updated_at=linked.now - HOUR)) == ["opted-out-since"]
    assert codes(confirm(linked, updated_at=None)) == ["opted-out-since"]


def test_a_bare_suppression_is_not_lifted_by_a_confirmation_nobody_asked_for(linked: Any) -> None:
    linked.facts, linked.suppressed = [], True
    assert codes(confirm(linked, mark=None)) == ["opted-out-since"]


def test_who_came_back_without_us_is_subscribed_again(linked: Any) -> None:
    linked.facts = [fact(linked, "confirmed", "w0", 2 * DAY), fact(linked, "opted_out", "E1")]
    (found,) = confirm(linked, mark=None).facts
    assert found.key == "rise:after:w0"


def test_who_was_never_taken_out_after_a_no_that_was_only_watched_has_not_come_back(linked: Any) -> None:
    linked.facts = [fact(linked, "opted_out", "no:1", told_by="crm", final=False)]
    decision = confirm(linked, mark=None)
    assert (decision.facts, codes(decision)) == ((), ["opted-out-since"])


def test_a_crms_own_opt_out_does_not_keep_anybody_from_coming_back_to_the_mail_system(linked: Any) -> None:
    linked.facts = [
        fact(linked, "confirmed", "w0", 2 * DAY),
        fact(linked, "opted_out", "E1", HOUR),
        fact(linked, "opted_out", "out:c1:first", HOUR / 2, told_by="crm"),
    ]
    (found,) = confirm(linked, mark=None).facts
    assert found.key == "rise:after:w0"


@pytest.mark.parametrize(
    ("unzoned", "doubtful", "margin"),
    [
        (frozenset(), False, 2 * HOUR),
        (frozenset({"mail"}), False, DAY),
        (frozenset(), True, DAY),
    ],
)
def test_a_confirmation_told_again_lifts_no_younger_no_of_another_system(
    linked: Any, unzoned: frozenset[str], doubtful: bool, margin: timedelta
) -> None:
    linked.facts += [
        fact(linked, "confirmed", "w1", 5 * DAY),
        fact(linked, "opted_out", "no:1", 2 * DAY, told_by="crm", unzoned=doubtful),
    ]
    known = replace(linked.known(), unzoned=unzoned)

    def told_again(updated_at: datetime) -> Decision:
        contact = linked.mail(permission=Permission.DOUBLE, mark="w1", updated_at=updated_at)
        return evaluate(linked.plan, linked.event(contact, EventKind.CONFIRMED, "mail"), known, linked.settings)

    decision = told_again(linked.now - 2 * DAY + margin)
    assert (decision.facts, codes(decision)) == ((), ["opted-out-since"])
    (found,) = told_again(linked.now - 2 * DAY + margin + timedelta(seconds=1)).facts
    assert found.key == "rise:after:w1"


def test_a_confirmation_told_again_must_be_younger_than_each_opt_out_that_stands(linked: Any) -> None:
    linked.facts += [
        fact(linked, "confirmed", "w1", 5 * DAY),
        fact(linked, "opted_out", "no:1", HOUR, told_by="crm"),
        fact(linked, "opted_out", "E1", HOUR / 2),
    ]
    decision = confirm(linked, updated_at=linked.now - HOUR / 4)
    assert (decision.facts, codes(decision)) == ((), ["opted-out-since"])


def test_who_came_back_without_us_still_carrying_an_old_mark_is_a_new_rise(linked: Any) -> None:
    linked.facts += [fact(linked, "confirmed", "w1"), fact(linked, "opted_out", "E1")]
    (found,) = confirm(linked, mark="w1").facts
    assert found.key == "rise:after:w1"


def test_an_ask_told_too_late_does_not_confirm_twice(linked: Any) -> None:
    linked.facts = [fact(linked, "confirmed", "w1"), fact(linked, "confirmed", "w2"), fact(linked, "asked", "w1")]
    assert codes(confirm(linked)) == ["already-handled"]


def test_the_way_back_ends_with_a_confirmation_although_the_marker_stands(linked: Any) -> None:
    linked.facts.insert(0, fact(linked, "opted_out", "E1", 2 * DAY))
    assert [one.key for one in confirm(linked, opted_out=True).facts] == ["w1"]


@pytest.mark.behaviour("confirmed-unknown")
def test_a_confirmation_of_somebody_unknown_at_the_crm_is_a_fact_and_nothing_else(linked: Any) -> None:
    linked.remembered = Remembered()
    decision = confirm(linked)
    assert [one.key for one in decision.facts] == ["w1"]
    assert kinds(decision) == []
    assert codes(decision) == ["not-linked", "not-linked", "ignored"]


def test_a_stage_move_that_is_off_is_skipped(linked: Any) -> None:
    for move in (StageMove(source="lead", target="mql"), StageMove(enabled=True), True):
        linked.settings["on_confirmed"] = move
        linked.facts = linked.facts[:1]
        decision = confirm(linked)
        assert "MoveStage" not in kinds(decision)
        assert "stage-off" in codes(decision)


@pytest.mark.behaviour("stage-empty-any")
@pytest.mark.parametrize(
    ("source", "expected", "any_source"), [("any", None, True), ("", None, False), (None, None, False)]
)
def test_from_no_stage_and_from_any_stage_are_two_things(
    linked: Any, source: str | None, expected: str | None, any_source: bool
) -> None:
    linked.settings["on_confirmed"] = StageMove(enabled=True, source=source, target="mql")
    move = one(confirm(linked), MoveStage)
    assert (move.source, move.any_source) == (expected, any_source)


@pytest.mark.behaviour("timeline")
def test_the_timeline_goes_the_way_of_the_setting(linked: Any) -> None:
    linked.settings["timeline"] = "app_event"
    assert one(confirm(linked), AddEntry).form == "app_event"
    linked.facts = linked.facts[:1]
    linked.settings["timeline"] = "properties_only"
    decision = confirm(linked)
    assert "AddEntry" not in kinds(decision)
    assert "timeline-off" in codes(decision)

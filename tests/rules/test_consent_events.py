"""Confirmations and opt-outs as the mail system shows them: each counts once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    AddEntry,
    Contact,
    Decision,
    EventKind,
    Fact,
    FactKind,
    MoveStage,
    OptOut,
    OptOutProof,
    Permission,
    Planned,
    Presence,
    Remembered,
    SetFields,
)
from stellwerk_rules.spec import StageMove

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def fact(world: Any, kind: str, key: str = "k", age: timedelta = DAY, told_by: str = "mail", **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=world.now - age, event="e", told_by=told_by, **more)


def kinds(decision: Decision) -> list[str]:
    return [type(one.change).__name__ for one in decision.changes]


def codes(decision: Decision) -> list[str]:
    return [skip.because.code for skip in decision.skips]


def one(decision: Decision, kind: type) -> Any:
    (found,) = [planned.change for planned in decision.changes if isinstance(planned.change, kind)]
    return found


def mirrored(decision: Decision) -> dict[str, Any]:
    return {
        name: value.value
        for planned in decision.changes
        if isinstance(planned.change, SetFields) and planned.change.mirror
        for name, value in planned.change.fields.items()
    }


@pytest.fixture
def linked(world: Any) -> Any:
    """Asked a day ago with mark w1, linked, with stage moves for both facts."""
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    world.facts = [fact(world, "asked", "w1", told_by="", plus=True)]
    world.settings["on_confirmed"] = StageMove(enabled=True, source="lead", target="mql")
    world.settings["on_unsubscribed"] = StageMove(enabled=True, source="any", target="lead", reset=True)
    return world


def confirm(world: Any, kind: EventKind = EventKind.CONFIRMED, **more: Any) -> Decision:
    contact = {"permission": Permission.DOUBLE, "mark": "w1", **more}
    decision: Decision = world.decide(world.mail(**contact), kind, "mail")
    return decision


# --- confirmations -----------------------------------------------------------------------------------------------------


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


# --- opt-outs ----------------------------------------------------------------------------------------------------------


def unsubscribe(world: Any, *, contact: Contact | None = None, **proof: Any) -> Decision:
    given = {"key": "E1", "at": world.now, "final": True, "details": {"msg_id": "9", "method": "link"}, **proof}
    gone = contact or world.mail(presence=Presence.ABSENT, id=None)
    decision: Decision = world.decide(gone, EventKind.UNSUBSCRIBED, "mail", proof=OptOutProof(**given))
    return decision


@pytest.mark.behaviour("unsubscribed")
def test_a_proved_opt_out_is_a_fact_and_does_what_the_rules_say(linked: Any) -> None:
    decision = unsubscribe(linked)
    (found,) = decision.facts
    assert (found.kind, found.key, found.final, found.told_by) == (FactKind.OPTED_OUT, "E1", True, "mail")
    assert one(decision, MoveStage) == MoveStage(source=None, any_source=True, target="lead", reset=True, fact="E1")
    assert one(decision, AddEntry).shown == (("msg_id", "9"), ("method", "link"))
    sets = [p.change.fields for p in decision.changes if isinstance(p.change, SetFields) and not p.change.mirror]
    assert [{name: (v.value, v.owned) for name, v in fields.items()} for fields in sets] == [
        {"x_subscribe": ("no", True)}
    ]
    assert mirrored(decision) == {
        "x_status": "unsubscribed",
        "x_permission": "none",
        "x_unsubscribed_at": "2026-11-24T12:00:00Z",
    }


def test_details_that_were_not_sent_are_not_shown(linked: Any) -> None:
    assert one(unsubscribe(linked, details={"method": "link"}), AddEntry).shown == (("method", "link"),)


@pytest.mark.behaviour("unsubscribed-again")
def test_the_same_opt_out_told_again_does_nothing(linked: Any) -> None:
    unsubscribe(linked)
    again = unsubscribe(linked)
    assert (kinds(again), again.facts, codes(again)) == ([], (), ["already-handled"])


def test_the_state_shown_is_mended_when_a_handled_opt_out_is_told_again(linked: Any) -> None:
    unsubscribe(linked)
    linked.remembered = Remembered(ids=linked.remembered.ids)
    assert mirrored(unsubscribe(linked))["x_status"] == "unsubscribed"


def test_a_claim_is_a_fact_and_nothing_else(linked: Any) -> None:
    decision = unsubscribe(linked, final=False)
    (found,) = decision.facts
    assert (found.final, found.told_by) == (False, "")
    assert (kinds(decision), codes(decision)) == ([], ["opt-out-claimed"])


def test_a_claim_that_was_proved_counts_from_then_on(linked: Any) -> None:
    unsubscribe(linked, final=False)
    assert "MoveStage" in kinds(unsubscribe(linked))


def test_a_denied_claim_is_withdrawn_with_every_older_one(linked: Any) -> None:
    linked.facts += [
        fact(linked, "opted_out", "claim1", 2 * HOUR, final=False),
        fact(linked, "opted_out", "claim2", HOUR, final=False),
        fact(linked, "opted_out", "claim3", HOUR / 2, final=False),
        fact(linked, "opted_out", "no:1", HOUR, final=False),
    ]
    contact = linked.mail(permission=Permission.SINGLE)
    decision = unsubscribe(linked, key="claim1", final=False, denied=True, contact=contact)
    assert [(one.kind, one.key) for one in decision.facts] == [
        (FactKind.OPT_OUT_DENIED, "claim1"),
        (FactKind.OPT_OUT_DENIED, "claim2"),
    ]
    assert codes(decision) == ["opt-out-denied"]


def test_a_confirmation_that_waited_for_a_claim_counts_once_it_is_denied(linked: Any) -> None:
    linked.facts.append(fact(linked, "opted_out", "claim", final=False))
    contact = linked.mail(permission=Permission.DOUBLE, mark="w1")
    decision = unsubscribe(linked, key="claim", final=False, denied=True, contact=contact)
    assert [one.kind for one in decision.facts] == [FactKind.OPT_OUT_DENIED, FactKind.CONFIRMED]
    assert "MoveStage" in kinds(decision)


@pytest.mark.behaviour("crm-out-back")
def test_the_crms_own_opt_out_follows_where_the_setting_says_so(linked: Any) -> None:
    assert "OptOut" not in kinds(unsubscribe(linked))
    linked.facts = []
    linked.settings["opt_out_in_crm"] = True
    assert one(unsubscribe(linked), OptOut) == OptOut()


def test_an_opt_out_of_somebody_unknown_at_the_crm_is_a_suppression_only(linked: Any) -> None:
    linked.remembered = Remembered()
    decision = unsubscribe(linked)
    assert [one.kind for one in decision.facts] == [FactKind.OPTED_OUT]
    assert kinds(decision) == []
    assert set(codes(decision)) == {"not-linked"}


def test_an_opt_out_that_no_rule_does_anything_for_says_where_it_went(linked: Any) -> None:
    linked.plan = replace(linked.plan, rules_by_verb={}, mirrors=())
    decision = unsubscribe(linked)
    assert [one.kind for one in decision.facts] == [FactKind.OPTED_OUT]
    assert (kinds(decision), codes(decision)) == ([], ["only-noted"])


def test_where_an_opt_out_ends_the_other_side_is_looked_at_again(linked: Any) -> None:
    assert confirm(linked).look_again == ()
    unsubscribe(linked)
    linked.facts = [*linked.facts, fact(linked, "asked", "w2", age=HOUR / 2, told_by="")]
    assert confirm(linked, mark="w2").look_again == ("crm",)


def test_every_effect_of_one_fact_has_a_key_of_its_own_and_keeps_it(linked: Any) -> None:
    def keys(decision: Decision) -> list[str]:
        return [one.key for one in decision.changes if not one.key.startswith("mirror")]

    linked.settings["opt_out_in_crm"] = True
    first = keys(unsubscribe(linked))
    linked.facts = linked.facts[:1]
    assert keys(unsubscribe(linked)) == first
    assert len(set(first)) == 4


def test_the_mark_of_an_entry_belongs_to_contact_and_fact(linked: Any) -> None:
    marks = set()
    for key, contact in (("E1", "m1"), ("E2", "m1"), ("E1", "m2"), ("E1", "m1")):
        linked.facts = []
        gone = linked.mail(presence=Presence.ABSENT, id=contact)
        marks.add(one(unsubscribe(linked, key=key, contact=gone), AddEntry).mark)
    assert len(marks) == 3


def test_what_is_set_is_remembered_as_on_its_way(linked: Any) -> None:
    going = unsubscribe(linked).remembered.going["crm"]
    assert going["x_subscribe"].digest == linked.known().digest("no")


def test_an_opt_out_without_proof_does_nothing(linked: Any) -> None:
    decision = linked.decide(linked.mail(), EventKind.UNSUBSCRIBED, "mail")
    assert (decision.changes, decision.facts, codes(decision)) == ((), (), ["no-proof"])


def test_an_opt_out_told_by_the_crm_is_seen_in_the_contact(linked: Any) -> None:
    decision = linked.decide(linked.crm(opted_out=True), EventKind.UNSUBSCRIBED, "crm")
    assert [one.kind for one in decision.facts] == [FactKind.OPTED_OUT]
    gone = linked.decide(linked.crm(presence=Presence.ABSENT), EventKind.UNSUBSCRIBED, "crm")
    assert codes(gone) == ["no-proof"]


def test_planned_changes_name_the_rule(linked: Any) -> None:
    planned: Planned = unsubscribe(linked).changes[0]
    assert (planned.because.rule, planned.because.line, planned.because.code) == ("unsubscribed", 95, "unsubscribed")


def test_the_first_opt_outs_of_two_addresses_of_one_record_are_told_of_both(linked: Any) -> None:
    gone = Contact(presence=Presence.ABSENT, email="ada@example.com", read_at=linked.now)
    proof = OptOutProof(key="first", at=linked.now, final=True)
    event = linked.event(gone, EventKind.UNSUBSCRIBED, "mail", proof)
    told = [
        one
        for about in ("ada", "eve")
        for one in evaluate(linked.plan, event, linked.known(about=about), linked.settings).changes
        if isinstance(one.change, AddEntry)
    ]
    assert len({one.key for one in told}) == len({one.change.mark for one in told}) == 2

"""Opt-outs as the mail system shows them: each counts once, and only with its proof."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    AddEntry,
    Contact,
    Decision,
    EventKind,
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
from stellwerk_toys.decisions import codes, fact, kinds, mirrored, one

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def confirm(world: Any, kind: EventKind = EventKind.CONFIRMED, **more: Any) -> Decision:
    contact = {"permission": Permission.DOUBLE, "mark": "w1", **more}
    decision: Decision = world.decide(world.mail(**contact), kind, "mail")
    return decision


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

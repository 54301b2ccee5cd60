"""A planned change against what stands at its target, immediately before the write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.aftermath import dropped
from stellwerk_rules.model import (
    ADDRESS,
    AddEntry,
    Ask,
    AskTerms,
    Because,
    Change,
    ClearStage,
    Contact,
    Create,
    DeleteContact,
    Enter,
    FactKind,
    FieldValue,
    Held,
    MoveStage,
    OptOut,
    Origin,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    SetPeer,
    SetStage,
    Skip,
    Unsubscribe,
    Written,
)
from stellwerk_rules.prepare import Ready, prepare, prepare_history
from stellwerk_toys.decisions import fact

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def planned(change: Change, system: str = "mail") -> Planned:
    return Planned(
        system=system, change=change, key="k", because=Because(code="x", text="x", rule="subscribe", line=70)
    )


def prepared(world: Any, change: Change, target: Contact, system: str = "mail", **more: Any) -> Any:
    return prepare(world.plan, planned(change, system), target, world.known(), world.settings, world.now, **more)


def changes(found: Any) -> tuple[Change, ...]:
    assert isinstance(found, Ready), found
    return found.changes


def code(found: Any) -> str:
    assert isinstance(found, Skip), found
    return found.because.code


@pytest.fixture
def enter(world: Any) -> Enter:
    return Enter(
        email="ada@example.com",
        peer_id="c1",
        wish="w1",
        wished_at=world.now - HOUR,
        explicit=True,
        ask=AskTerms(options={"mailing": "K1"}),
        grant=Permission.NONE,
        fields={},
    )


def absent(world: Any) -> Contact:
    return Contact(presence=Presence.ABSENT, read_at=world.now)


# --- entering ----------------------------------------------------------------------------------------------------------


def test_entering_becomes_one_double_opt_in(world: Any, enter: Enter) -> None:
    (ask,) = changes(prepared(world, enter, absent(world)))
    assert isinstance(ask, Ask)
    assert ask.mark == "w1"


def test_a_wish_that_was_asked_meanwhile_is_not_asked_again(world: Any, enter: Enter) -> None:
    world.facts = [fact(world, "asked", "w1", HOUR)]
    found = prepared(world, enter, absent(world))
    assert code(found) == "already-asked"
    assert (found.because.rule, found.because.line) == ("subscribe", 70)


def test_a_wish_whose_mark_stands_there_was_asked_by_a_database_that_is_lost(world: Any, enter: Enter) -> None:
    there = world.mail(permission=Permission.NONE, mark=enter.wish)
    found = prepared(world, enter, there)
    assert code(found) == "asked-before"
    decision = dropped(world.plan, planned(enter), found, there, world.known(), world.now)
    assert [(one.kind, one.key) for one in decision.facts] == [(FactKind.ASKED, enter.wish)]
    assert isinstance(changes(prepared(world, enter, world.mail(permission=Permission.NONE)))[0], Ask)


def test_nobody_is_brought_in_at_an_address_that_the_contact_has_left(world: Any, enter: Enter) -> None:
    def seen_with(address: str) -> Remembered:
        digest = world.known().digest(address)
        return Remembered(seen={"crm": {ADDRESS: Seen(digest=digest)}})

    world.remembered = seen_with("ada@home.example")
    assert code(prepared(world, enter, absent(world))) == "moved-on"
    world.remembered = seen_with("ada@example.com")
    assert isinstance(changes(prepared(world, enter, absent(world)))[0], Ask)


@pytest.mark.behaviour("out-on-the-way")
def test_an_opt_out_in_the_meantime_wins(world: Any, enter: Enter) -> None:
    world.facts = [fact(world, "opted_out", "E1", HOUR / 2)]
    found = prepared(world, enter, absent(world))
    assert code(found) == "opted-out"
    assert (found.because.rule, found.because.line) == ("subscribe", 70)


def test_a_claimed_opt_out_holds_what_would_be_sent_and_a_stage(world: Any, enter: Enter) -> None:
    world.facts = [fact(world, "opted_out", "claim", final=False)]
    for change in (enter, SetFields(fields={}), SetPeer(peer_id="c1")):
        found = prepared(world, change, absent(world))
        assert isinstance(found, Held)
        assert (found.repair, found.because.code) == ("opt-out-claimed", "opt-out-claimed")
    moved = prepared(world, MOVE, world.crm(), "crm")
    assert isinstance(moved, Held)
    assert code(prepared(world, Unsubscribe(), absent(world))) == "not-there"
    assert code(prepared(world, SetFields(fields={}), world.crm(), "crm")) == "not-needed"


def test_a_no_that_was_only_watched_ends_what_it_overtook_and_holds_nothing(world: Any, enter: Enter) -> None:
    world.facts = [fact(world, "opted_out", "no:1", HOUR / 2, told_by="crm", final=False)]
    assert code(prepared(world, enter, absent(world))) == "opted-out"
    assert code(prepared(world, SetFields(fields={}), world.mail())) == "opted-out"
    assert code(prepared(world, MOVE, world.crm(), "crm")) == "fact-no-longer-holds"


@pytest.mark.parametrize("permission", [one for one in Permission if one is not Permission.NONE])
def test_a_way_back_waits_a_moment_for_who_still_reads_subscribed(
    world: Any, enter: Enter, permission: Permission
) -> None:
    world.facts = [fact(world, "opted_out", "no:1", 2 * DAY, told_by="crm")]
    back, there = replace(enter, way_back=True), world.mail(permission=permission)
    assert code(prepared(world, back, there, early=True)) == "still-leaving"
    later = prepared(world, back, there)
    assert not isinstance(later, Skip) or later.because.code != "still-leaving"
    assert isinstance(changes(prepared(world, back, absent(world), early=True))[0], Ask)


def test_a_grant_that_nobody_agrees_to_any_more_is_not_made(world: Any, enter: Enter) -> None:
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    assert isinstance(changes(prepared(world, granted, absent(world)))[0], Create)
    world.agreed = None
    assert code(prepared(world, granted, absent(world))) == "grant-not-agreed"


def test_an_old_wish_is_held_until_a_person_releases_it(world: Any, enter: Enter) -> None:
    old = replace(enter, wished_at=world.now - 8 * DAY)
    found = prepared(world, old, absent(world))
    assert isinstance(found, Held)
    assert found.repair == "old-wish"
    assert isinstance(prepared(world, old, absent(world), released=True), Ready)


def test_what_entering_settles_to_nothing_is_skipped(world: Any, enter: Enter) -> None:
    assert code(prepared(world, enter, world.mail(permission=Permission.SINGLE, peer_id="c1"))) == "linked"


def test_a_contact_known_as_linked_keeps_a_foreign_permission(world: Any, enter: Enter) -> None:
    foreign = world.mail(permission=Permission.OTHER)
    assert isinstance(changes(prepared(world, enter, foreign))[0], Ask)
    world.remembered = type(world.remembered)(ids={"mail": "m1"})
    assert changes(prepared(world, enter, foreign)) == (SetPeer(peer_id="c1"),)


def test_a_wish_by_the_wish_systems_clock_leads_back(world: Any, enter: Enter) -> None:
    world.facts = [fact(world, "opted_out", "no:1", 2 * HOUR, told_by="crm")]
    assert isinstance(prepared(world, replace(enter, way_back=True), absent(world)), Ready)


# --- fields ------------------------------------------------------------------------------------------------------------


def value(text: str | None, **more: Any) -> FieldValue:
    return FieldValue(**{"value": text, "owned": True, **more})


def test_only_what_wins_is_written(world: Any) -> None:
    change = SetFields(fields={"CITY": value("Ulm"), "FIRSTNAME": value("Ada", owned=False), "LASTNAME": value("L")})
    target = world.mail(CITY="Bonn", FIRSTNAME="Eve", LASTNAME="L")
    assert changes(prepared(world, change, target)) == (SetFields(fields={"CITY": value("Ulm")}),)


def test_nothing_to_write_is_not_needed(world: Any) -> None:
    assert code(prepared(world, SetFields(fields={"CITY": value("Ulm")}), world.mail(CITY="Ulm"))) == "not-needed"


def test_state_shown_stays_state_shown(world: Any) -> None:
    change = SetFields(fields={"x_status": value("pending")}, mirror=True)
    assert changes(prepared(world, change, world.crm(), "crm")) == (change,)


def test_nothing_is_written_for_an_address_that_is_out(world: Any) -> None:
    world.facts = [fact(world, "opted_out")]
    change = SetFields(fields={"CITY": value("Ulm")})
    assert code(prepared(world, change, world.mail())) == "opted-out"
    assert isinstance(prepared(world, SetFields(fields={"city": value("Ulm")}), world.crm(), "crm"), Ready)


@pytest.mark.behaviour("deleted-in-mail")
@pytest.mark.parametrize("system", ["crm", "mail"])
def test_nothing_is_written_on_what_is_not_there(world: Any, system: str) -> None:
    assert code(prepared(world, SetFields(fields={"x": value("y")}), absent(world), system)) == "not-there"


SET_NO = SetFields(fields={"x_subscribe": FieldValue(value="no", owned=True)})


def answered(world: Any, *history: Written) -> Contact:
    return replace(world.crm(subscribe="yes"), history={"x_subscribe": history})


def said(world: Any, text: str, age: timedelta, by: Origin = Origin.FORM, *, ours: bool = False) -> Written:
    return Written(value=text, at=world.now - age, origin=by, ours=ours)


def test_after_an_opt_out_the_answer_is_set_to_no(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1", HOUR)]
    assert changes(prepared(world, SET_NO, answered(world, said(world, "yes", 2 * HOUR)), "crm")) == (SET_NO,)


@pytest.mark.behaviour("unsubscribed-younger-yes")
def test_a_yes_younger_than_the_opt_out_is_not_overwritten(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1", DAY)]
    assert code(prepared(world, SET_NO, answered(world, said(world, "yes", HOUR)), "crm")) == "not-needed"


def test_within_the_margin_the_opt_out_is_the_younger(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1", 2 * HOUR)]
    assert isinstance(prepared(world, SET_NO, answered(world, said(world, "yes", HOUR)), "crm"), Ready)


@pytest.mark.parametrize(
    "written",
    [{"by": Origin.IMPORT}, {"by": Origin.INTEGRATION, "ours": True}, {"by": Origin.PERSON, "ours": True}],
)
def test_only_a_wish_keeps_its_yes(world: Any, written: dict[str, Any]) -> None:
    world.facts = [fact(world, "opted_out", "E1", DAY)]
    assert isinstance(prepared(world, SET_NO, answered(world, said(world, "yes", HOUR, **written)), "crm"), Ready)


def test_a_younger_no_is_no_reason_to_keep_the_yes(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1", DAY)]
    assert isinstance(prepared(world, SET_NO, answered(world, said(world, "no", HOUR)), "crm"), Ready)


def test_a_no_set_late_is_not_set_once_the_contact_came_back(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1"), fact(world, "confirmed", "w1", HOUR)]
    assert code(prepared(world, SET_NO, answered(world), "crm")) == "not-needed"


def test_an_answer_set_for_another_reason_is_set(world: Any) -> None:
    assert isinstance(prepared(world, SET_NO, answered(world), "crm"), Ready)
    set_yes = SetFields(fields={"x_subscribe": FieldValue(value="yes", owned=True)})
    world.facts = [fact(world, "opted_out", "E1", DAY)]
    assert isinstance(prepared(world, set_yes, answered(world, said(world, "no", HOUR)), "crm"), Skip)
    target = replace(answered(world), fields={"x_subscribe": "no"})
    assert isinstance(prepared(world, set_yes, target, "crm"), Ready)


def test_without_consent_in_the_file_every_field_is_just_a_field(make_world: Callable[..., Any]) -> None:
    world = make_world(rules=[])
    assert isinstance(prepared(world, SET_NO, answered(world), "crm"), Ready)


def test_history_is_read_only_where_the_answer_is_set(world: Any) -> None:
    assert prepare_history(world.plan, planned(SET_NO, "crm")) == ("x_subscribe",)
    assert prepare_history(world.plan, planned(SetFields(fields={"city": value("Ulm")}), "crm")) == ()
    assert prepare_history(world.plan, planned(SET_NO, "mail")) == ()
    assert prepare_history(world.plan, planned(OptOut(), "crm")) == ()


def test_whether_a_field_was_changed_there_meanwhile_is_told_by_its_own_history(world: Any) -> None:
    fields = {
        "city": value("Ulm", basis="before", owned=False),
        "company": value("Ulm", basis="before", owned=True),
        "zip": value("Ulm", basis="before", owned=False, fill_only=True),
        "state": value("Ulm", owned=False),
    }
    assert prepare_history(world.plan, planned(SetFields(fields=fields), "crm")) == ("city",)
    assert prepare_history(world.plan, planned(SetFields(fields=fields), "mail")) == ()


def test_without_consent_in_the_file_no_history_is_read(make_world: Callable[..., Any]) -> None:
    assert prepare_history(make_world(rules=[]).plan, planned(SET_NO, "crm")) == ()


# --- the others --------------------------------------------------------------------------------------------------------


MOVE = MoveStage(source="mql", target="lead", reset=True, fact="E1")


def test_a_stage_moves_while_its_fact_holds(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1")]
    assert changes(prepared(world, MOVE, world.crm(stage="mql"), "crm")) == (ClearStage(), SetStage(stage="lead"))
    assert code(prepared(world, MOVE, world.crm(stage="customer"), "crm")) == "stage-differs"
    assert code(prepared(world, MOVE, absent(world), "crm")) == "not-there"
    world.facts.append(fact(world, "confirmed", "w1"))
    assert code(prepared(world, MOVE, world.crm(stage="mql"), "crm")) == "fact-no-longer-holds"


@pytest.mark.behaviour("stage-own")
def test_the_order_of_the_stages_counts(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1")]
    assert code(prepared(world, replace(MOVE, reset=False), world.crm(stage="mql"), "crm")) == "stage-backward"


def test_the_other_systems_id_is_stored_where_none_stands(world: Any) -> None:
    assert changes(prepared(world, SetPeer(peer_id="c1"), world.mail())) == (SetPeer(peer_id="c1"),)
    assert code(prepared(world, SetPeer(peer_id="c1"), world.mail(peer_id="c9"))) == "peer-taken"


@pytest.mark.parametrize("change", [Unsubscribe(), DeleteContact()])
def test_what_is_gone_is_not_taken_out_again(world: Any, change: Change) -> None:
    for presence in (Presence.ABSENT, Presence.ANONYMOUS, Presence.ARCHIVED):
        assert code(prepared(world, change, Contact(presence=presence, read_at=world.now))) == "not-there"
    for presence in (Presence.PRESENT, Presence.TWICE):
        assert changes(prepared(world, change, Contact(presence=presence, read_at=world.now))) == (change,)


def test_the_targets_own_opt_out_is_set_once(world: Any) -> None:
    assert changes(prepared(world, OptOut(), world.crm(), "crm")) == (OptOut(),)
    assert code(prepared(world, OptOut(), world.crm(opted_out=True), "crm")) == "not-needed"
    assert code(prepared(world, OptOut(), absent(world), "crm")) == "not-there"


def test_an_entry_goes_to_a_contact_that_reads(world: Any) -> None:
    entry = AddEntry(text={}, shown=(), at=world.now, mark="m", form="note", fact="f")
    assert changes(prepared(world, entry, world.crm(), "crm")) == (entry,)
    assert code(prepared(world, entry, absent(world), "crm")) == "not-there"


def test_nothing_is_asked_created_or_cleared_without_what_it_is_settled_from(world: Any, enter: Enter) -> None:
    (ask,) = changes(prepared(world, enter, absent(world)))
    assert code(prepared(world, ask, absent(world))) == "not-entering"
    for change in (ClearStage(), SetStage(stage="lead")):
        assert code(prepared(world, change, world.crm(), "crm")) == "not-planned"

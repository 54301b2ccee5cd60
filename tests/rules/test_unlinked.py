"""Of an unlinked contact nothing is carried but its opt-outs and a deletion for privacy, whatever was decided and whenever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.comparing import DriftKind, drift
from stellwerk_rules.ending import Ending
from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    ADDRESS,
    Backfill,
    Because,
    Decision,
    DeleteContact,
    Elsewhere,
    EventKind,
    FactKind,
    Former,
    Held,
    MoveAddress,
    OptOut,
    Origin,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    SetPeer,
    Skip,
    Unlinked,
    Unsubscribe,
)
from stellwerk_rules.outlook import What, outlook
from stellwerk_rules.prepare import Ready, prepare
from stellwerk_rules.unlinked import because, goes_on, held_back, standing
from stellwerk_toys.decisions import codes, entered, fact, kinds, left, old, one

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# --- what is not carried


@pytest.mark.behaviour("unlinked")
def test_a_changed_field_is_not_carried_and_the_reason_says_who_and_when(apart: Any) -> None:
    decision = apart.decide(old(apart, firstname="Ada"))
    assert kinds(decision) == []
    assert decision.skips[0].because.text == "it was unlinked by Jo on 2026-11-24 11:00 (UTC)"
    assert decision.remembered.unlinked is not None
    assert not decision.remembered.going.get("mail")


@pytest.mark.behaviour("unlinked")
def test_a_new_yes_asks_nobody_and_counts_as_handled(apart: Any) -> None:
    decision = apart.decide(old(apart, subscribe="yes", said_at=apart.now))
    assert entered(decision) is None
    assert codes(decision)[0] == "unlinked"
    assert decision.remembered.answered["x_subscribe"].wish
    assert decision.remembered.entered


def test_a_new_contact_that_is_unlinked_does_not_enter(world: Any) -> None:
    world.remembered = Remembered(unlinked=Unlinked(by="Jo", at=world.now))
    assert codes(world.decide(world.crm(subscribe="yes")))[0] == "unlinked"
    assert not world.remembered.entered
    assert codes(world.decide(world.crm(subscribe="yes")))[0] == "unlinked"


@pytest.mark.behaviour("unlinked")
def test_a_confirmation_is_recorded_and_moves_no_stage_and_shows_no_state(apart: Any) -> None:
    contact = apart.mail(permission=Permission.DOUBLE, mark="w1")
    decision = apart.decide(contact, EventKind.CONFIRMED, "mail")
    assert [fact.kind for fact in decision.facts] == [FactKind.CONFIRMED]
    assert kinds(decision) == []
    assert not decision.remembered.going.get("crm")


def test_a_field_that_changes_at_the_mail_system_is_not_carried_back(apart: Any) -> None:
    assert kinds(apart.decide(apart.mail(FIRSTNAME="Ada", permission=Permission.SINGLE), system="mail")) == []


@pytest.mark.parametrize("kind", [EventKind.BOUNCED, EventKind.RESTORED])
def test_whatever_happens_the_reason_is_told(apart: Any, kind: EventKind) -> None:
    system = "mail" if kind is EventKind.BOUNCED else "crm"
    contact = apart.mail(permission=Permission.SINGLE) if system == "mail" else old(apart)
    decision = apart.decide(contact, kind, system)
    assert (kinds(decision), codes(decision)[0]) == ([], "unlinked")


def test_of_whoever_is_not_there_the_reason_is_that(apart: Any) -> None:
    assert codes(apart.decide(old(apart, presence=Presence.ABSENT))) == ["reads-absent"]


def test_a_wish_that_would_be_held_is_not_even_held(apart: Any) -> None:
    old_yes = old(apart, subscribe="yes", said_at=apart.now - 9 * DAY)
    assert not apart.decide(old_yes).held
    assert apart.decide(old_yes, released=True).changes == ()


@pytest.mark.behaviour("unlinked-looked-at")
def test_a_sync_brings_nobody_in_and_its_dry_run_says_why(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1"}, unlinked=Unlinked(by="Jo", at=world.now - HOUR))
    run = Backfill(run=1, began_at=world.now, ask=False, grant=Permission.NONE, left=None)
    decision = world.decide(old(world, subscribe="yes", said_at=world.now - 9 * DAY), backfill=run)
    told = outlook(world.plan, decision, world.known())
    assert (told.what, told.because.code) == (What.SKIPPED, "unlinked")


@pytest.mark.behaviour("unlinked-looked-at")
def test_who_is_asked_again_is_not_asked(apart: Any) -> None:
    contact = old(apart, subscribe="yes", said_at=apart.now - HOUR)
    apart.facts = []
    apart.decide(contact)
    decision = apart.decide(contact, asked_again=True)
    assert (kinds(decision), codes(decision)[0]) == ([], "unlinked")


@pytest.mark.behaviour("unlinked-looked-at")
def test_a_comparison_finds_no_difference_in_what_is_not_carried(apart: Any) -> None:
    apart.remembered = replace(
        apart.remembered, seen={"crm": {"x_status": Seen(digest="shown"), "firstname": Seen(digest="before")}}
    )
    event = apart.event(old(apart, status="error", firstname="Ada"), compared=True)
    decision = evaluate(apart.plan, event, apart.known(), apart.settings)
    assert (kinds(decision), codes(decision)[0]) == ([], "unlinked")
    assert drift(apart.plan, event, apart.known(), decision) == frozenset()


@pytest.mark.behaviour("unlinked-looked-at")
def test_what_only_an_event_of_its_own_would_do_is_no_difference_either(apart: Any) -> None:
    apart.remembered = replace(apart.remembered, entered=False, by_wish=True)
    event = apart.event(old(apart, subscribe="yes", said_at=apart.now), compared=True)
    decision = evaluate(apart.plan, event, apart.known(), apart.settings)
    assert codes(decision) == ["unlinked", "left-to-its-event"]
    assert drift(apart.plan, event, apart.known(), decision) == frozenset()


# --- what goes on


@pytest.mark.behaviour("unlinked-consent")
def test_a_no_unsubscribes_all_the_same(apart: Any) -> None:
    apart.decide(old(apart, subscribe="yes", said_at=apart.now - 2 * HOUR, by=Origin.PERSON))
    decision = apart.decide(old(apart, subscribe="no", said_at=apart.now, by=Origin.PERSON))
    assert kinds(decision) == ["Unsubscribe"]
    assert [fact.kind for fact in decision.facts] == [FactKind.OPTED_OUT]
    assert isinstance(
        prepare(
            apart.plan,
            decision.changes[0],
            apart.mail(permission=Permission.DOUBLE),
            apart.known(),
            apart.settings,
            apart.now,
        ),
        Ready,
    )
    event = apart.event(old(apart), compared=True)
    assert drift(apart.plan, event, apart.known(), decision) == {DriftKind.OPT_OUT}


@pytest.mark.behaviour("unlinked-consent")
def test_an_opt_out_at_the_mail_system_is_recorded_and_only_the_crms_own_opt_out_is_set(apart: Any) -> None:
    apart.settings["opt_out_in_crm"] = True
    decision = apart.decide(apart.mail(presence=Presence.ANONYMOUS), EventKind.UNSUBSCRIBED, "mail", proof=left(apart))
    assert kinds(decision) == ["OptOut"]
    assert [fact.kind for fact in decision.facts] == [FactKind.OPTED_OUT]
    ready = prepare(apart.plan, decision.changes[0], old(apart), apart.known(), apart.settings, apart.now)
    assert isinstance(ready, Ready)


def test_a_comparison_that_finds_an_opt_out_has_found_a_difference(apart: Any) -> None:
    event = apart.event(
        apart.mail(presence=Presence.ANONYMOUS), EventKind.UNSUBSCRIBED, "mail", proof=left(apart), compared=True
    )
    decision = evaluate(apart.plan, event, apart.known(), apart.settings)
    assert drift(apart.plan, event, apart.known(), decision) == {DriftKind.OPT_OUT}


@pytest.mark.behaviour("unlinked-consent")
def test_a_deletion_for_privacy_goes_on(apart: Any) -> None:
    decision = apart.decide(old(apart, presence=Presence.ABSENT), EventKind.ERASED)
    assert kinds(decision) == ["DeleteContact"]
    for remembered in (decision.remembered, Remembered(unlinked=decision.remembered.unlinked)):
        apart.remembered = remembered
        ready = prepare(
            apart.plan,
            decision.changes[0],
            apart.mail(permission=Permission.DOUBLE),
            apart.known(),
            apart.settings,
            apart.now,
        )
        assert isinstance(ready, Ready)


@pytest.mark.behaviour("unlinked-removed")
@pytest.mark.parametrize(("chosen", "made"), [("keep", []), ("delete", []), ("unsubscribe", ["Unsubscribe"])])
def test_who_is_deleted_at_the_crm_is_not_deleted_at_the_mail_system(apart: Any, chosen: str, made: list[str]) -> None:
    apart.settings["on_deleted"] = chosen
    decision = apart.decide(old(apart, presence=Presence.ARCHIVED), EventKind.DELETED)
    assert kinds(decision) == made
    assert decision.remembered.binned
    assert decision.remembered.unlinked is not None


@pytest.mark.parametrize(
    ("planned", "goes"),
    [
        (Unsubscribe(), True),
        (Unsubscribe(of=Elsewhere(id="m1", address="a")), False),
        (OptOut(), True),
        (SetPeer(peer_id=None, replaces="c1", of=Elsewhere(id="m1", address="a")), True),
        (SetPeer(peer_id=None, replaces="c1"), False),
        (SetPeer(peer_id="c1"), False),
        (DeleteContact(removal=True), False),
        (SetFields(fields={}), False),
    ],
)
def test_an_opt_out_goes_on_and_an_address_that_was_left_is_none(planned: Any, goes: bool, apart: Any) -> None:
    change = Planned(system="mail", change=planned, key="k", because=because(Unlinked(by="Jo", at=apart.now)))
    assert goes_on(change) is goes
    held = (change, Held(repair="r", because=change.because))
    decision = held_back(apart.plan, Decision(held=(held,)), apart.known())
    assert decision.held == ((held,) if goes else ())


# --- what was decided before


@pytest.mark.behaviour("unlinked-before")
def test_what_waits_is_refused_just_before_the_write_and_what_follows_is_nothing(linked: Any) -> None:
    decision = linked.decide(old(linked, firstname="Ada"))
    (planned,) = decision.changes
    linked.remembered = replace(linked.remembered, unlinked=Unlinked(by="Jo", at=linked.now))
    said = linked.make(planned, linked.mail(permission=Permission.SINGLE))
    assert isinstance(said, Skip)
    assert said.because.code == "unlinked"
    assert not linked.remembered.going["mail"]
    assert linked.follow == []


@pytest.mark.behaviour("unlinked-before")
def test_the_answer_to_what_was_in_flight_links_nothing_again(world: Any) -> None:
    decision = world.decide(world.crm(subscribe="yes"))
    target = world.mail(permission=Permission.SINGLE, FIRSTNAME="Ada")
    (planned,) = decision.changes
    ready = prepare(world.plan, planned, target, world.known(), world.settings, world.now)
    assert isinstance(ready, Ready)
    world.remembered = replace(world.remembered, unlinked=Unlinked(by="Jo", at=world.now))
    ending = Ending(planned=planned, change=ready.changes[0], outcome="done", target=target, remote_id="m1")
    ended = after(world.plan, ending, world.known(), world.now)
    assert kinds(ended) == []
    assert codes(ended) == ["unlinked"]
    assert ended.remembered.unlinked is not None


def test_an_entry_that_is_held_just_before_the_write_shows_nothing(apart: Any) -> None:
    apart.remembered = replace(apart.remembered, ids={"crm": "c1"}, entered=False)
    linked = replace(apart.remembered, unlinked=None)
    known = replace(apart.known(), remembered=linked)
    yes = apart.event(old(apart, subscribe="yes", said_at=apart.now))
    apart.facts = []
    planned = evaluate(apart.plan, yes, replace(known, facts=()), apart.settings).changes[0]
    why = Held(repair="stands-twice", because=planned.because)
    nowhere = apart.mail(presence=Presence.TWICE)
    assert kinds(dropped(apart.plan, planned, why, nowhere, replace(known, facts=()), apart.now)) == ["SetFields"]
    assert kinds(dropped(apart.plan, planned, why, nowhere, apart.known(), apart.now)) == []


# --- merged, moved, within


@pytest.mark.behaviour("unlinked-records")
def test_whoever_is_merged_with_one_that_was_unlinked_is_so_too(linked: Any) -> None:
    flag = Unlinked(by="Jo", at=linked.now)
    other = Remembered(ids={"crm": "c2"}, unlinked=flag)
    event = linked.event(old(linked, id="c1", also_ids=("c2",), firstname="Ada"))
    known = replace(linked.known(), absorbed=(other,))
    decision = evaluate(linked.plan, event, known, linked.settings)
    assert kinds(decision) == []
    assert decision.remembered.unlinked == flag


@pytest.mark.behaviour("unlinked-records")
def test_of_a_secondary_address_of_one_that_was_unlinked_nothing_is_carried(linked: Any) -> None:
    linked.remembered = Remembered(ids={"mail": "m2"}, within="c1")
    known = linked.known(within_unlinked=Unlinked(by="Jo", at=linked.now))
    contact = linked.mail(id="m2", permission=Permission.DOUBLE, mark="w1")
    event = linked.event(contact, EventKind.CONFIRMED, "mail")
    assert "AddEntry" in kinds(evaluate(linked.plan, event, linked.known(), linked.settings))
    decision = evaluate(linked.plan, event, known, linked.settings)
    assert kinds(decision) == []
    assert decision.remembered.unlinked is None
    assert standing(known) is not None


@pytest.mark.behaviour("unlinked-records")
def test_our_id_goes_from_an_address_that_was_left_meanwhile(apart: Any) -> None:
    apart.decide(old(apart))
    moved = old(apart, email="new@example.com")
    known = apart.known(former=Former(address="before", facts=()))
    decision = evaluate(apart.plan, apart.event(moved, EventKind.MOVED), known, apart.settings)
    assert [
        (one.change.peer_id, one.change.replaces) for one in decision.changes if isinstance(one.change, SetPeer)
    ] == [(None, "c1")]


@pytest.mark.behaviour("unlinked-records")
@pytest.mark.parametrize("chosen", ["ask_again", "keep_permission"])
@pytest.mark.parametrize("of_the_old", ["keep", "unsubscribe", "delete"])
def test_a_new_address_starts_anew_and_stays_unlinked_and_the_old_one_loses_our_id(
    apart: Any, chosen: str, of_the_old: str
) -> None:
    apart.settings["on_moved"] = chosen
    apart.settings["on_moved_old"] = of_the_old
    apart.decide(old(apart, subscribe="yes", said_at=apart.now - 2 * HOUR))
    apart.facts = []
    moved = old(apart, subscribe="yes", said_at=apart.now - 2 * HOUR, email="new@example.com")
    written = replace(moved.history["x_subscribe"][0], value="new@example.com", origin=Origin.PERSON)
    moved = replace(moved, history={**moved.history, ADDRESS: (written,)})
    former = fact(apart, "confirmed", permission=Permission.DOUBLE)
    event = apart.event(moved, EventKind.MOVED)
    known = apart.known(former=Former(address="before", facts=(former,)))
    decision = evaluate(apart.plan, event, known, apart.settings)
    assert kinds(decision) == ["SetPeer"]
    assert one(decision, SetPeer) == SetPeer(peer_id=None, replaces="c1", of=Elsewhere(id="m1", address="before"))
    assert decision.remembered.unlinked is not None
    assert "mail" not in decision.remembered.ids
    assert not decision.remembered.entered
    without = evaluate(
        apart.plan, event, replace(known, remembered=replace(known.remembered, unlinked=None)), apart.settings
    )
    assert any(isinstance(one.change, MoveAddress) for one in without.changes) is (chosen == "keep_permission")


@pytest.mark.behaviour("unlinked-records")
@pytest.mark.parametrize("of_the_old", ["unsubscribe", "delete"])
def test_an_old_address_that_is_not_taken_out_as_its_contact_was_unlinked_meanwhile_loses_our_id(
    apart: Any, of_the_old: str
) -> None:
    of = Elsewhere(id="m9", address="before")
    change = Unsubscribe(of=of) if of_the_old == "unsubscribe" else DeleteContact(of=of, removal=True)
    planned = Planned(system="mail", change=change, key="k", because=Because(code="old-address", text="moved"))
    target = apart.mail(peer_id="c1")
    why = prepare(apart.plan, planned, target, apart.known(), apart.settings, apart.now)
    assert isinstance(why, Skip)
    follows = dropped(apart.plan, planned, why, target, apart.known(), apart.now)
    assert (codes(follows), one(follows, SetPeer)) == (["unlinked"], SetPeer(peer_id=None, replaces="c1", of=of))

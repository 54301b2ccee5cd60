"""A sync: whom it brings in, on its own terms, and whom it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.brake import Braked, braked
from stellwerk_rules.model import (
    Ask,
    AskTerms,
    Backfill,
    Create,
    Decision,
    Enter,
    Fact,
    FactKind,
    Held,
    Origin,
    Permission,
    Planned,
    Presence,
    Remembered,
    Skip,
)
from stellwerk_rules.prepare import Ready
from stellwerk_toys.decisions import codes

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def run(world: Any, **more: Any) -> Backfill:
    return Backfill(run=7, began_at=world.now, **more)


def older(world: Any, **more: Any) -> Any:
    """A contact that was there long before the connection began."""
    return world.crm(**{"created_at": world.now - 90 * DAY, "said_at": world.now - 80 * DAY, **more})


def entries(decision: Decision) -> list[Enter]:
    return [one.change for one in decision.changes if isinstance(one.change, Enter)]


def brought_in(decision: Decision) -> Enter:
    (entry,) = entries(decision)
    return entry


def fact(world: Any, kind: FactKind, key: str = "k", **more: Any) -> Fact:
    return Fact(kind=kind, key=key, at=world.now - DAY, event="e", told_by="mail", **more)


# --- who


@pytest.mark.behaviour("sync-brings-in")
def test_an_older_contact_is_brought_in_without_a_mail_and_with_no_permission(world: Any) -> None:
    decision = world.decide(older(world, subscribe="yes", firstname="Ada"), backfill=run(world))
    entry = brought_in(decision)
    assert (entry.ask, entry.grant, entry.backfill) == (None, Permission.NONE, True)
    assert {name: one.value for name, one in entry.fields.items()} == {"FIRSTNAME": "Ada"}
    assert (decision.changes[0].because.code, decision.changes[0].key) == ("sync", f"sync:7:{entry.wish}")


@pytest.mark.behaviour("sync-none")
def test_without_a_sync_it_stays_out(world: Any) -> None:
    assert codes(world.decide(older(world))) == ["older"]


def test_what_it_brings_in_counts_as_in_for_live_events(world: Any) -> None:
    world.decide(older(world, subscribe="yes"), backfill=run(world))
    assert entries(world.decide(older(world, subscribe="yes"))) == []


@pytest.mark.behaviour("sync-out")
@pytest.mark.parametrize("said", ["no", "perhaps"])
def test_who_said_no_stays_out(world: Any, said: str) -> None:
    assert "said-no" in codes(world.decide(older(world, subscribe=said), backfill=run(world)))


def test_an_unset_answer_counts_as_it_does_for_live_events(world: Any) -> None:
    world.settings["no_answer"] = "no"
    assert codes(world.decide(older(world), backfill=run(world))) == ["no-answer"]
    world.settings["no_answer"] = "yes"
    assert brought_in(world.decide(older(world), backfill=run(world)))


def test_an_unset_answer_counts_as_no_until_somebody_agreed(world: Any) -> None:
    world.agreed = None
    assert codes(world.decide(older(world), backfill=run(world))) == ["no-answer"]


def test_a_contact_without_an_address_stays_out(world: Any) -> None:
    assert codes(world.decide(older(world, email=None), backfill=run(world))) == ["no-address"]


def test_nothing_is_brought_in_before_the_connection_began(world: Any) -> None:
    world.began_at = None
    assert codes(world.decide(older(world), backfill=run(world))) == ["not-begun"]


def test_a_rule_without_consent_brings_nobody_in_by_a_sync(world: Any) -> None:
    world.settings["only_in_mail"] = "create"
    decision = world.decide(world.mail(created_at=world.now - 90 * DAY), system="mail", backfill=run(world))
    assert (entries(decision), codes(decision)) == ([], ["not-live"])


# --- what live traffic does better


@pytest.mark.behaviour("sync-fresh")
def test_who_is_new_since_yesterday_is_left_to_its_own_event_which_asks_it(world: Any) -> None:
    fresh = world.crm(created_at=world.now - HOUR, subscribe="yes", by=Origin.IMPORT)
    assert codes(world.decide(fresh, backfill=run(world))) == ["left-to-live"]
    assert brought_in(world.decide(fresh)).ask is not None


def test_who_is_new_and_was_decided_on_before_is_not_waited_for(world: Any) -> None:
    world.settings["no_answer"] = "no"
    fresh = world.crm(created_at=world.now - HOUR)
    assert codes(world.decide(fresh)) == ["no-answer"]
    world.settings["no_answer"] = "yes"
    assert brought_in(world.decide(fresh, backfill=run(world))).ask is None


def test_who_is_new_and_never_was_decided_on_is_waited_for_a_day(world: Any) -> None:
    lost = world.crm(created_at=world.now - 2 * DAY)
    assert brought_in(world.decide(lost, backfill=run(world)))


@pytest.mark.behaviour("sync-fresh")
def test_a_fresh_yes_is_left_to_its_own_event(world: Any) -> None:
    contact = older(world, subscribe="yes", said_at=world.now - HOUR)
    assert codes(world.decide(contact, backfill=run(world))) == ["left-to-live"]
    assert brought_in(world.decide(contact)).explicit


def test_a_yes_that_no_event_told_within_a_day_is_taken_on_the_syncs_terms(world: Any) -> None:
    contact = older(world, subscribe="yes", said_at=world.now - 2 * DAY)
    assert brought_in(world.decide(contact, backfill=run(world))).ask is None


def test_exactly_a_day_still_belongs_to_live_events(world: Any) -> None:
    created = world.crm(created_at=world.now - DAY)
    assert codes(world.decide(created, backfill=run(world))) == ["left-to-live"]
    said = older(world, subscribe="yes", said_at=world.now - DAY)
    assert codes(world.decide(said, backfill=run(world))) == ["left-to-live"]


def test_whom_a_sync_had_no_number_left_for_is_still_asked_by_a_yes_of_its_own(world: Any) -> None:
    contact = older(world, subscribe="yes", said_at=world.now - 2 * DAY)
    assert codes(world.decide(contact, backfill=run(world, ask=True, left=0))) == ["more-than-confirmed"]
    assert brought_in(world.decide(contact)).ask is not None


# --- opt-outs


@pytest.mark.behaviour("sync-out")
def test_who_opted_out_stays_out_whatever_the_crm_says(world: Any) -> None:
    world.facts.append(fact(world, FactKind.OPTED_OUT))
    assert "opted-out" in codes(world.decide(older(world, subscribe="yes"), backfill=run(world, ask=True)))


@pytest.mark.behaviour("sync-out")
def test_a_suppressed_address_stays_out(world: Any) -> None:
    world.suppressed = True
    assert "opted-out" in codes(world.decide(older(world, subscribe="yes"), backfill=run(world)))


def test_a_claimed_opt_out_keeps_it_out(world: Any) -> None:
    world.facts.append(fact(world, FactKind.OPTED_OUT, final=False))
    assert "opt-out-claimed" in codes(world.decide(older(world), backfill=run(world)))


def test_a_sync_leads_nobody_back_and_the_yes_stays_to_be_heard(world: Any) -> None:
    world.facts.append(replace(fact(world, FactKind.OPTED_OUT), at=world.now - 9 * DAY))
    contact = older(world, subscribe="yes", said_at=world.now - 3 * DAY)
    assert "opted-out" in codes(world.decide(contact, backfill=run(world, ask=True)))
    assert brought_in(world.decide(contact)).way_back


@pytest.mark.behaviour("sync-out")
def test_the_crms_own_opt_out_keeps_it_out(world: Any) -> None:
    decision = world.decide(older(world, subscribe="yes", opted_out=True), backfill=run(world, ask=True))
    assert (entries(decision), "opted-out-at-source" in codes(decision)) == ([], True)


# --- asking


@pytest.mark.behaviour("sync-asks")
def test_a_sync_that_asks_asks_as_the_connection_does(world: Any) -> None:
    entry = brought_in(world.decide(older(world, subscribe="yes"), backfill=run(world, ask=True)))
    assert (entry.ask, entry.grant) == (AskTerms(plus=False, options={"mailing": "K1"}), Permission.NONE)


def test_a_sync_that_asks_asks_also_where_the_connection_asks_for_nothing(world: Any) -> None:
    world.settings["double_opt_in"] = False
    entry = brought_in(world.decide(older(world, subscribe="yes"), backfill=run(world, ask=True)))
    assert entry.ask == AskTerms(plus=False, options={"mailing": "K1"})


def test_where_there_is_nothing_to_send_nobody_is_asked_and_nobody_comes_in_unasked(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "doi_mailing": ""})
    assert codes(world.decide(older(world), backfill=run(world, ask=True))) == ["no-way-to-ask"]


def test_an_old_wish_is_asked_since_a_person_confirmed_the_number(world: Any) -> None:
    decision = world.decide(older(world, subscribe="yes"), backfill=run(world, ask=True))
    assert decision.held == ()
    ready = world.make(decision.changes[0], world.mail(presence=Presence.ABSENT, id=None))
    assert [type(one) for one in ready.changes] == [Ask]


def test_who_was_brought_in_without_a_mail_can_be_asked_by_a_later_sync(world: Any) -> None:
    contact = older(world, subscribe="yes")
    first = world.decide(contact, backfill=run(world))
    world.make(first.changes[0], world.mail(presence=Presence.ABSENT, id=None))
    assert entries(world.decide(contact, backfill=run(world))) == []
    assert brought_in(world.decide(contact, backfill=run(world, ask=True))).ask


@pytest.mark.parametrize("kind", [FactKind.ASKED, FactKind.ASK_UNKNOWN, FactKind.CONFIRMED, FactKind.GRANTED])
def test_who_was_asked_or_granted_something_is_never_asked_by_a_sync(world: Any, kind: FactKind) -> None:
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    world.facts.append(fact(world, kind, permission=Permission.DOUBLE))
    assert entries(world.decide(older(world, subscribe="yes"), backfill=run(world, ask=True))) == []


def test_who_is_asked_already_and_was_not_in_is_linked_and_not_asked_again(world: Any) -> None:
    world.facts.append(fact(world, FactKind.ASKED))
    decision = world.decide(older(world), backfill=run(world, ask=True, left=0))
    assert (brought_in(decision).mails, [one.code for one in decision.notices]) == (False, ["pending"])


@pytest.mark.behaviour("sync-asks")
def test_nobody_is_mailed_beyond_the_number_that_was_confirmed(world: Any) -> None:
    contact = older(world, subscribe="yes")
    assert codes(world.decide(contact, backfill=run(world, ask=True, left=0))) == ["more-than-confirmed"]
    assert brought_in(world.decide(contact, backfill=run(world, ask=True, left=1)))


def test_who_is_neither_mailed_nor_granted_anything_needs_no_number(world: Any) -> None:
    assert brought_in(world.decide(older(world), backfill=run(world, left=0)))


# --- granting


@pytest.mark.behaviour("sync-brings-in")
def test_a_permission_of_the_syncs_own_is_granted(world: Any) -> None:
    decision = world.decide(older(world), backfill=run(world, grant=Permission.SINGLE))
    assert (brought_in(decision).ask, brought_in(decision).grant) == (None, Permission.SINGLE)
    ready = world.make(decision.changes[0], world.mail(presence=Presence.ABSENT, id=None))
    assert isinstance(ready, Ready)
    assert [one.permission for one in ready.changes if isinstance(one, Create)] == [Permission.SINGLE]


def test_nothing_is_granted_that_nobody_agreed_to(world: Any) -> None:
    entry = brought_in(world.decide(older(world), backfill=run(world, grant=Permission.DOUBLE)))
    assert entry.grant is Permission.NONE


def test_a_contact_may_grant_less_than_the_sync(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "confirmed"})
    contact = older(world, contact_permission="single")
    entry = brought_in(world.decide(contact, backfill=run(world, grant=Permission.CONFIRMED)))
    assert entry.grant is Permission.SINGLE


def test_a_contact_that_wants_to_be_asked_is_granted_nothing(world: Any) -> None:
    world.settings.update({"double_opt_in": False, "permission": "single"})
    contact = older(world, contact_doi="yes")
    assert brought_in(world.decide(contact, backfill=run(world, grant=Permission.SINGLE))).grant is Permission.NONE


# --- resync


def test_changed_fields_of_a_linked_contact_are_carried_over(world: Any) -> None:
    contact = older(world, subscribe="yes", firstname="Ada")
    first = world.decide(contact, backfill=run(world))
    world.make(first.changes[0], world.mail(presence=Presence.ABSENT, id=None))
    again = world.decide(older(world, subscribe="yes", firstname="Augusta"), backfill=run(world))
    assert [list(one.change.fields) for one in again.changes] == [["FIRSTNAME"]]


@pytest.mark.behaviour("sync-brings-in")
def test_who_came_in_by_a_sync_and_has_another_address_is_not_asked_for_that(world: Any) -> None:
    world.decide(older(world, subscribe="yes"), backfill=run(world))
    moved = older(world, subscribe="yes", email="augusta@example.com")
    assert "older" in codes(world.decide(moved))
    assert brought_in(world.decide(moved, backfill=replace(run(world), run=8))).ask is None


def test_who_is_older_and_came_in_by_a_yes_of_its_own_is_asked_at_another_address(world: Any) -> None:
    said = world.now - 2 * DAY
    assert brought_in(world.decide(older(world, subscribe="yes", said_at=said))).explicit
    decision = world.decide(older(world, subscribe="yes", said_at=said, email="augusta@example.com"))
    assert brought_in(decision).ask is not None


@pytest.mark.behaviour("sync-again")
def test_a_second_sync_over_the_same_contact_changes_nothing(world: Any) -> None:
    contact = older(world, subscribe="yes", firstname="Ada")
    first = world.decide(contact, backfill=run(world))
    world.make(first.changes[0], world.mail(presence=Presence.ABSENT, id=None))
    again = world.decide(contact, backfill=run(world))
    assert (again.changes, again.held, codes(again)) == ((), (), ["unchanged"])


def test_who_never_arrived_over_there_is_brought_in_by_the_next_sync(world: Any) -> None:
    contact = older(world, subscribe="yes")
    world.decide(contact, backfill=run(world))
    again = world.decide(contact, backfill=replace(run(world), run=8))
    assert again.changes[0].key.startswith("sync:8:")


@pytest.mark.behaviour("deleted-in-mail")
def test_who_was_removed_over_there_is_not_made_again(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1"}, entered=True)
    world.facts.append(fact(world, FactKind.REMOVED))
    assert entries(world.decide(older(world), backfill=run(world, ask=True))) == []


def test_who_is_back_from_a_deletion_needs_an_explicit_yes(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1"}, by_wish=True)
    assert codes(world.decide(older(world), backfill=run(world))) == ["older"]
    said = older(world, subscribe="yes", said_at=world.now - 2 * DAY)
    assert brought_in(world.decide(said, backfill=run(world)))


@pytest.mark.behaviour("sync-quiet")
def test_a_sync_adds_no_timeline_entries_and_moves_no_stage(make_world: Callable[..., Any], world: Any) -> None:
    told = {"en": "Changed", "de": "Geändert"}
    rules = [
        {"id": "join", "from": "crm", "to": "mail", "events": ["created", "changed"], "enter": {"who": "new"}}
        | {"consent": {}, "fields": "all"},
        {"id": "note", "from": "crm", "to": "mail", "events": ["changed"], "timeline": {"text": told}},
    ]
    made = make_world(rules=rules, mirror=[])
    made.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    assert made.decide(older(made)).changes
    assert made.decide(older(made), backfill=run(made)).changes == ()


# --- the brake


def test_the_brake_does_not_hold_what_a_person_confirmed_the_number_of(world: Any) -> None:
    def kind(backfill: Backfill | None) -> Braked | None:
        contact = older(world) if backfill is not None else world.crm(created_at=world.now - HOUR)
        planned: Planned = world.decide(contact, backfill=backfill).changes[0]
        ready = world.make(planned, world.mail(presence=Presence.ABSENT, id=None))
        assert not isinstance(ready, Held)
        world.remembered, world.facts = Remembered(), []
        return braked(planned.change, ready.changes[0])

    assert (kind(run(world, ask=True)), kind(None)) == (None, Braked.ASKS)


# --- what changed before it went out


@pytest.mark.behaviour("changed-meanwhile")
@pytest.mark.parametrize(
    ("terms", "code"),
    [({"ask": True}, "changed-since"), ({"grant": Permission.SINGLE}, "changed-since"), ({}, None)],
    ids=["asked", "granted something", "brought in unasked"],
)
def test_whom_a_sync_asks_or_grants_something_is_decided_anew_where_settings_were_saved_since(
    world: Any, terms: dict[str, Any], code: str | None
) -> None:
    planned = world.decide(older(world), backfill=run(world, **terms)).changes[0]
    world.settings["double_opt_in_plus"] = True
    ready = world.make(planned, world.mail(presence=Presence.ABSENT, id=None))
    assert (ready.because.code if isinstance(ready, Skip) else None) == code

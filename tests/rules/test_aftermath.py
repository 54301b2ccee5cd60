"""What follows once a change was made, was not needed, or failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import (
    AddEntry,
    Ask,
    AskTerms,
    Change,
    Contact,
    Create,
    Decision,
    DeleteContact,
    Enter,
    FactKind,
    FieldValue,
    Permission,
    Presence,
    Remembered,
    Seen,
    SetFields,
    SetPeer,
    Unsubscribe,
)
from stellwerk_toys.decisions import fact, mirrored
from stellwerk_toys.endings import absent, coming_in, ended, named, put_aside, seen

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def enter(world: Any) -> Enter:
    return coming_in(world)


ASK = Ask(
    email="ada@example.com",
    peer_id="c1",
    mark="w1",
    terms=AskTerms(plus=True),
    fields={"FIRSTNAME": "Ada", "CITY": "Ulm"},
    existing=False,
)
CREATE = Create(email="ada@example.com", peer_id="c1", permission=Permission.SINGLE, fields={"FIRSTNAME": "Ada"})


def values(decision: Decision) -> dict[str, FieldValue]:
    found = [p.change.fields for p in decision.changes if isinstance(p.change, SetFields) and not p.change.mirror]
    return dict(found[0]) if found else {}


def filled(world: Any, decision: Decision) -> dict[str, str]:
    """What is known to stand at the mail system, blanks left out."""
    return {name: one for name, one in seen(world, decision, "mail").items() if one != world.known().digest("")}


# --- asked and created -------------------------------------------------------------------------------------------------


def test_an_ask_that_was_sent_is_a_fact_by_our_clock(world: Any, enter: Enter) -> None:
    decision = ended(world, ASK, absent(world), of=enter, remote_id="m1", remote_at=world.now - HOUR)
    (found,) = decision.facts
    assert (found.kind, found.key, found.at, found.told_by) == (FactKind.ASKED, "w1", world.now, "")
    assert (found.plus, found.words, found.event) == (True, "w1", "k1")
    assert mirrored(decision) == {"x_status": "pending", "x_permission": "none"}


def test_an_ask_links_and_its_values_are_no_longer_on_their_way(world: Any, enter: Enter) -> None:
    decision = ended(world, ASK, absent(world), of=enter, remote_id="m1")
    assert decision.remembered.ids == {"crm": "c1", "mail": "m1"}
    assert decision.remembered.going["mail"] == {}
    digest = world.known().digest
    assert filled(world, decision) == {"FIRSTNAME": digest("Ada"), "CITY": digest("Ulm")}
    assert seen(world, decision, "crm") == {"firstname": "crm:Ada", "city": "crm:Ulm"}


def test_an_ask_of_unknown_outcome_is_a_fact_and_shown_as_trouble(world: Any, enter: Enter) -> None:
    decision = ended(world, ASK, absent(world), "ambiguous_given_up", of=enter)
    assert [one.kind for one in decision.facts] == [FactKind.ASK_UNKNOWN]
    assert mirrored(decision)["x_status"] == "error"
    assert decision.remembered.ids == {"crm": "c1"}


def test_an_ask_that_was_refused_was_none(world: Any, enter: Enter) -> None:
    decision = ended(world, ASK, absent(world), "rejected", of=enter)
    assert [one.kind for one in decision.facts] == [FactKind.ASK_FAILED]
    assert mirrored(decision)["x_status"] == "error"
    assert decision.remembered.going["mail"] == {}
    assert seen(world, decision, "mail") == {}


def test_a_creation_with_a_permission_is_a_grant_under_the_agreed_words(world: Any, enter: Enter) -> None:
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    decision = ended(world, CREATE, absent(world), of=granted, remote_at=world.now - HOUR)
    (found,) = decision.facts
    assert (found.kind, found.permission, found.words) == (FactKind.GRANTED, Permission.SINGLE, "w1")
    assert (found.at, found.told_by) == (world.now - HOUR, "mail")
    assert mirrored(decision) == {"x_status": "subscribed", "x_permission": "single"}
    assert "mail" not in decision.remembered.ids


def test_a_creation_without_a_permission_grants_nothing(world: Any, enter: Enter) -> None:
    bare = replace(CREATE, permission=Permission.NONE)
    decision = ended(world, bare, absent(world), of=enter, remote_id="m1")
    assert decision.facts == ()
    assert mirrored(decision) == {"x_status": "not_subscribed", "x_permission": "none"}


@pytest.mark.parametrize("outcome", ["not_needed", "rejected"])
def test_a_creation_that_was_not_made_grants_nothing(world: Any, enter: Enter, outcome: str) -> None:
    assert ended(world, CREATE, absent(world), outcome, of=enter).facts == ()


def test_without_an_agreement_no_words_are_named(world: Any, enter: Enter) -> None:
    world.agreed = None
    (found,) = ended(world, ASK, absent(world), of=enter).facts
    assert found.words is None


def test_an_opt_out_that_the_mail_system_knew_is_kept_here_too(world: Any, enter: Enter) -> None:
    decision = ended(world, CREATE, absent(world), "opted_out", of=enter)
    (found,) = decision.facts
    assert (found.kind, found.key, found.final, found.at) == (FactKind.OPTED_OUT, "first", True, world.now)
    assert mirrored(decision)["x_status"] == "unsubscribed"
    assert seen(world, decision, "mail") == {}


@pytest.mark.parametrize("plus", [True, False])
def test_an_ask_of_before_that_its_mark_tells_of_is_written_down_as_what_it_asked_for(
    world: Any, enter: Enter, plus: bool
) -> None:
    wished = replace(enter, ask=AskTerms(plus=plus))
    (found,) = ended(world, wished, world.mail(mark="w1"), "not_needed").facts
    assert (found.kind, found.key, found.plus) == (FactKind.ASKED, "w1", plus)


def test_an_ask_refused_for_an_opt_out_is_no_ask(world: Any, enter: Enter) -> None:
    assert [one.kind for one in ended(world, ASK, absent(world), "opted_out", of=enter).facts] == [FactKind.OPTED_OUT]


@pytest.mark.parametrize("known", ["linked", "confirmed", "granted"])
def test_of_somebody_known_there_an_opt_out_met_by_chance_is_a_claim(world: Any, enter: Enter, known: str) -> None:
    if known == "linked":
        world.remembered = replace(world.remembered, ids={"crm": "c1", "mail": "m1"})
    else:
        world.facts = [fact(world, known)]
    (found,) = ended(world, CREATE, absent(world), "opted_out", of=enter).facts
    assert not found.final


def test_an_opt_out_that_stands_is_not_told_again(world: Any, enter: Enter) -> None:
    world.facts = [fact(world, "opted_out")]
    assert ended(world, CREATE, absent(world), "opted_out", of=enter).facts == ()


# --- linked ------------------------------------------------------------------------------------------------------------


def linked(world: Any, enter: Enter, change: Change, target: Contact, outcome: str = "done") -> Decision:
    return ended(world, change, target, outcome, of=enter, remote_id=target.id)


def test_linking_remembers_what_stands_at_both_sides(world: Any, enter: Enter) -> None:
    target = world.mail(permission=Permission.SINGLE, FIRSTNAME="Eve", CITY=None)
    decision = linked(world, enter, SetFields(fields={"CITY": named("Ulm")}), target)
    digest = world.known().digest
    assert filled(world, decision) == {"FIRSTNAME": digest("Eve"), "CITY": digest("Ulm")}
    assert seen(world, decision, "mail")["LASTNAME"] == digest("")
    assert seen(world, decision, "crm") == {"firstname": "crm:Ada", "city": "crm:Ulm"}
    assert decision.remembered.ids["mail"] == "m1"
    assert mirrored(decision) == {"x_status": "subscribed", "x_permission": "single"}


def test_a_blank_that_is_still_to_be_filled_is_not_dealt_with(world: Any, enter: Enter) -> None:
    target = world.mail(permission=Permission.SINGLE, FIRSTNAME="Eve")
    decision = linked(world, enter, SetPeer(peer_id="c1"), target)
    assert set(seen(world, decision, "crm")) == {"firstname"}


def test_blanks_at_the_crm_are_filled_from_the_existing_contact(world: Any, enter: Enter) -> None:
    target = world.mail(permission=Permission.SINGLE, FIRSTNAME="Eve", LASTNAME="Doe")
    decision = linked(world, enter, SetPeer(peer_id="c1"), target)
    assert {name: (one.value, one.fill_only) for name, one in values(decision).items()} == {"lastname": ("Doe", True)}
    assert decision.remembered.going["crm"]["lastname"].digest == world.known().digest("Doe")


def test_nothing_comes_back_from_a_contact_that_is_out_or_just_made(world: Any, enter: Enter) -> None:
    assert values(ended(world, ASK, absent(world), of=enter)) == {}
    world.facts = [fact(world, "opted_out")]
    assert values(linked(world, enter, SetPeer(peer_id="c1"), world.mail(LASTNAME="Doe"))) == {}


def test_nothing_comes_back_from_a_contact_that_could_not_be_linked(world: Any, enter: Enter) -> None:
    assert values(linked(world, enter, SetPeer(peer_id="c1"), world.mail(LASTNAME="Doe"), "rejected")) == {}


def test_nothing_comes_back_to_a_contact_that_is_not_known_at_the_crm(world: Any, enter: Enter) -> None:
    world.remembered = Remembered()
    assert linked(world, enter, SetPeer(peer_id="c1"), world.mail(LASTNAME="Doe")).changes == ()


def test_a_confirmation_that_stood_there_before_is_recorded_without_moving_anything(world: Any, enter: Enter) -> None:
    target = world.mail(permission=Permission.DOUBLE, updated_at=world.now - HOUR)
    decision = linked(world, enter, SetPeer(peer_id="c1"), target)
    (found,) = decision.facts
    assert (found.kind, found.key, found.permission) == (FactKind.CONFIRMED, "found:contact:m1", Permission.DOUBLE)
    assert (found.at, found.told_by) == (world.now - HOUR, "mail")
    assert all(isinstance(one.change, SetFields) for one in decision.changes)
    (untimed,) = linked(world, enter, SetPeer(peer_id="c1"), replace(target, updated_at=None)).facts
    assert (untimed.at, untimed.told_by) == (world.now, "")


@pytest.mark.parametrize("before", ["confirmed", "opted_out"])
def test_a_confirmation_is_not_recorded_again_nor_against_an_opt_out(world: Any, enter: Enter, before: str) -> None:
    world.facts = [fact(world, before)]
    assert linked(world, enter, SetPeer(peer_id="c1"), world.mail(permission=Permission.DOUBLE)).facts == ()


def test_a_failed_link_records_nothing(world: Any, enter: Enter) -> None:
    decision = linked(world, enter, SetPeer(peer_id="c1"), world.mail(permission=Permission.DOUBLE), "rejected")
    assert decision.facts == ()
    assert "mail" not in decision.remembered.ids
    assert mirrored(decision)["x_status"] == "error"


def made_before(world: Any, **more: Any) -> Contact:
    """A contact that looks like the one an earlier try made, whose answer was lost."""
    found = {"permission": Permission.SINGLE, "peer_id": "c1", "created_at": world.now - HOUR, **more}
    return world.mail(**found)


def test_a_grant_whose_answer_was_lost_is_recorded_when_its_contact_is_met(world: Any, enter: Enter) -> None:
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    (found,) = put_aside(world, granted, "linked", made_before(world)).facts
    assert (found.kind, found.permission, found.words) == (FactKind.GRANTED, Permission.SINGLE, "w1")


@pytest.mark.parametrize(
    "other",
    [
        {"created_at": None},
        {"peer_id": None},
        {"peer_id": "c9"},
        {"permission": Permission.CONFIRMED},
        {"presence": Presence.ABSENT},
    ],
)
def test_a_contact_that_no_try_of_ours_made_is_no_grant(world: Any, enter: Enter, other: dict[str, Any]) -> None:
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    assert put_aside(world, granted, "linked", made_before(world, **other)).facts == ()


def test_a_contact_older_than_the_wish_by_more_than_the_clock_margin_is_no_grant(world: Any, enter: Enter) -> None:
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    edge = enter.wished_at - timedelta(seconds=120)
    assert len(put_aside(world, granted, "linked", made_before(world, created_at=edge)).facts) == 1
    older = edge - timedelta(seconds=1)
    assert put_aside(world, granted, "linked", made_before(world, created_at=older)).facts == ()


@pytest.mark.parametrize("known", ["granted", "confirmed"])
def test_a_grant_is_recorded_once_and_not_beside_a_confirmation(world: Any, enter: Enter, known: str) -> None:
    world.facts = [fact(world, known)]
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    assert put_aside(world, granted, "linked", made_before(world)).facts == ()


def test_where_nothing_was_to_be_granted_nothing_was(world: Any, enter: Enter) -> None:
    assert put_aside(world, enter, "linked", made_before(world, permission=Permission.NONE)).facts == ()


# --- fields ------------------------------------------------------------------------------------------------------------


def test_values_that_were_written_stand_at_both_sides_with_their_sources_time(world: Any) -> None:
    change = SetFields(fields={"CITY": named("Ulm", at=world.now - HOUR), "UNMAPPED": FieldValue(value="x")})
    decision = ended(world, change, world.mail())
    assert decision.remembered.seen["mail"]["CITY"] == Seen(digest=world.known().digest("Ulm"), at=world.now - HOUR)
    assert seen(world, decision, "crm") == {"city": "crm:Ulm"}
    assert decision.changes == ()


def test_values_of_one_change_that_were_not_written_are_dealt_with_too(world: Any) -> None:
    both = SetFields(fields={"CITY": named("Ulm", basis="old"), "FIRSTNAME": named("Ada", basis="old")})
    decision = ended(world, SetFields(fields={"CITY": named("Ulm")}), world.mail(FIRSTNAME="Eve"), of=both)
    assert set(seen(world, decision, "crm")) == {"city", "firstname"}
    assert set(seen(world, decision, "mail")) == {"CITY"}


def test_values_that_were_refused_may_be_tried_again(world: Any) -> None:
    decision = ended(world, SetFields(fields={"CITY": named("Ulm")}), world.mail(), "rejected")
    assert (decision.remembered.seen, decision.facts, decision.changes) == ({}, (), ())


def test_a_contact_that_was_made_without_its_id_being_read_is_linked_by_the_next_write(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1"}, entered=True)
    decision = ended(world, SetFields(fields={"CITY": named("Ulm")}), world.mail())
    assert decision.remembered.ids["mail"] == "m1"


SET_NO = SetFields(fields={"x_subscribe": FieldValue(value="no", owned=True)})


def test_the_no_we_set_for_an_opt_out_is_a_fact_by_that_systems_clock(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1")]
    at = world.now - HOUR
    decision = ended(world, SET_NO, world.crm(subscribe="yes"), system="crm", remote_at=at)
    (found,) = decision.facts
    assert (found.kind, found.key, found.at, found.told_by) == (FactKind.NO_SET, "E1", at, "crm")
    assert decision.remembered.answered["x_subscribe"] == Seen(digest=world.known().digest("no"), at=at)
    world.facts += decision.facts
    assert ended(world, SET_NO, world.crm(subscribe="yes"), system="crm").facts == ()


def test_a_no_that_stood_there_is_as_old_as_the_last_change_we_read(world: Any) -> None:
    world.facts = [fact(world, "opted_out", "E1")]
    target = world.crm(subscribe="no", updated_at=world.now - HOUR)
    (found,) = put_aside(world, SET_NO, "not-needed", target, "crm").facts
    assert (found.kind, found.at, found.told_by) == (FactKind.NO_SET, world.now - HOUR, "crm")
    assert put_aside(world, SET_NO, "not-needed", replace(target, updated_at=None), "crm").facts == ()
    assert put_aside(world, SET_NO, "not-needed", world.crm(subscribe="yes"), "crm").facts == ()


@pytest.mark.parametrize(
    "change",
    [
        SetFields(fields={"x_subscribe": FieldValue(value="no")}),
        SetFields(fields={"x_subscribe": FieldValue(value="yes", owned=True)}),
        SetFields(fields={"city": FieldValue(value="no", owned=True)}),
    ],
)
def test_only_our_no_in_the_answer_counts(world: Any, change: SetFields) -> None:
    world.facts = [fact(world, "opted_out", "E1")]
    assert ended(world, change, world.crm(), system="crm").facts == ()


def test_a_no_without_an_opt_out_or_refused_is_no_fact(world: Any) -> None:
    assert ended(world, SET_NO, world.crm(), system="crm").facts == ()
    world.facts = [fact(world, "opted_out", "E1")]
    assert ended(world, SET_NO, world.crm(), "rejected", system="crm").facts == ()
    assert ended(world, SET_NO, world.mail(), system="mail").facts == ()


def test_without_consent_in_the_file_a_no_is_just_a_value(make_world: Callable[..., Any]) -> None:
    assert ended(make_world(rules=[]), SET_NO, make_world().crm(), system="crm").facts == ()


# --- taken out ---------------------------------------------------------------------------------------------------------


def test_who_was_unsubscribed_is_shown_so(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"})
    world.facts = [fact(world, "opted_out", "no:1", told_by="crm")]
    decision = ended(world, Unsubscribe(), world.mail(permission=Permission.DOUBLE))
    assert (mirrored(decision)["x_status"], mirrored(decision)["x_permission"]) == ("unsubscribed", "none")
    assert decision.remembered.ids["mail"] == "m1"


def test_an_unsubscription_that_was_refused_changes_nothing_shown(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"})
    decision = ended(world, Unsubscribe(), world.mail(permission=Permission.SINGLE), "rejected")
    assert mirrored(decision) == {"x_status": "subscribed", "x_permission": "single"}


def test_a_deleted_contact_is_no_longer_linked(world: Any) -> None:
    world.remembered = Remembered(
        ids={"crm": "c1", "mail": "m1"}, seen={"mail": {"CITY": Seen(digest="x")}, "crm": {"city": Seen(digest="x")}}
    )
    decision = ended(world, DeleteContact(), world.mail(permission=Permission.SINGLE))
    assert decision.remembered.ids == {"crm": "c1"}
    assert (decision.remembered.entered, decision.remembered.by_wish) == (False, True)
    assert set(decision.remembered.seen) == {"crm"}
    assert mirrored(decision) == {"x_status": "not_subscribed", "x_permission": "none"}
    kept = ended(world, DeleteContact(), world.mail(), "not_needed")
    assert "mail" in kept.remembered.ids


def test_an_entry_leaves_no_trace_but_its_own(world: Any) -> None:
    entry = AddEntry(text={}, shown=(), at=world.now, mark="m", form="note", fact="f")
    decision = ended(world, entry, world.crm(), system="crm")
    assert (decision.facts, decision.changes, decision.skips) == ((), (), ())

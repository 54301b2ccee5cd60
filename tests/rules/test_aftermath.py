"""What follows once a change was made, was not needed, or failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.ending import Ending
from stellwerk_rules.model import (
    AddEntry,
    Ask,
    AskTerms,
    Because,
    Change,
    Contact,
    Create,
    Decision,
    DeleteContact,
    Enter,
    Fact,
    FactKind,
    FieldValue,
    Held,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    SetPeer,
    Skip,
    Unsubscribe,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WHY = Because(code="x", text="x", rule="subscribe", line=70)


def named(text: str | None, **more: Any) -> FieldValue:
    return FieldValue(value=text, **{"source_digest": f"crm:{text}", **more})


@pytest.fixture
def enter(world: Any) -> Enter:
    """Known at the CRM, on its way into the mail system with two values."""
    world.remembered = Remembered(
        ids={"crm": "c1"},
        entered=True,
        going={"mail": {"FIRSTNAME": Seen(digest=world.known().digest("Ada"))}},
    )
    return Enter(
        email="ada@example.com",
        peer_id="c1",
        wish="w1",
        wished_at=world.now - HOUR,
        explicit=True,
        ask=AskTerms(plus=True),
        grant=Permission.NONE,
        fields={"FIRSTNAME": named("Ada"), "CITY": named("Ulm")},
    )


ASK = Ask(
    email="ada@example.com",
    peer_id="c1",
    mark="w1",
    terms=AskTerms(plus=True),
    fields={"FIRSTNAME": "Ada", "CITY": "Ulm"},
    existing=False,
)
CREATE = Create(email="ada@example.com", peer_id="c1", permission=Permission.SINGLE, fields={"FIRSTNAME": "Ada"})


def absent(world: Any, **more: Any) -> Contact:
    return Contact(presence=Presence.ABSENT, read_at=world.now, **more)


def ended(
    world: Any,
    change: Change,
    target: Contact,
    outcome: str = "done",
    *,
    of: Change | None = None,
    system: str = "mail",
    remote_id: str | None = None,
    remote_at: datetime | None = None,
) -> Decision:
    planned = Planned(system=system, change=of or change, key="k1", because=WHY)
    ending = Ending(
        planned=planned, change=change, outcome=outcome, target=target, remote_id=remote_id, remote_at=remote_at
    )
    return after(world.plan, ending, world.known(), world.now)


def fact(world: Any, kind: str, key: str = "k", age: timedelta = DAY, told_by: str = "mail", **more: Any) -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=world.now - age, event="e", told_by=told_by, **more)


def shown(decision: Decision) -> dict[str, Any]:
    return {
        name: one.value
        for planned in decision.changes
        if isinstance(planned.change, SetFields) and planned.change.mirror
        for name, one in planned.change.fields.items()
    }


def values(decision: Decision) -> dict[str, FieldValue]:
    found = [p.change.fields for p in decision.changes if isinstance(p.change, SetFields) and not p.change.mirror]
    return dict(found[0]) if found else {}


def seen(world: Any, decision: Decision, system: str) -> dict[str, str]:
    return {name: one.digest for name, one in decision.remembered.seen.get(system, {}).items()}


def filled(world: Any, decision: Decision) -> dict[str, str]:
    """What is known to stand at the mail system, blanks left out."""
    return {name: one for name, one in seen(world, decision, "mail").items() if one != world.known().digest("")}


# --- asked and created -------------------------------------------------------------------------------------------------


def test_an_ask_that_was_sent_is_a_fact_by_our_clock(world: Any, enter: Enter) -> None:
    decision = ended(world, ASK, absent(world), of=enter, remote_id="m1", remote_at=world.now - HOUR)
    (found,) = decision.facts
    assert (found.kind, found.key, found.at, found.told_by) == (FactKind.ASKED, "w1", world.now, "")
    assert (found.plus, found.words, found.event) == (True, "w1", "k1")
    assert shown(decision) == {"x_status": "pending", "x_permission": "none"}


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
    assert shown(decision)["x_status"] == "error"
    assert decision.remembered.ids == {"crm": "c1"}


def test_an_ask_that_was_refused_was_none(world: Any, enter: Enter) -> None:
    decision = ended(world, ASK, absent(world), "rejected", of=enter)
    assert [one.kind for one in decision.facts] == [FactKind.ASK_FAILED]
    assert shown(decision)["x_status"] == "error"
    assert decision.remembered.going["mail"] == {}
    assert seen(world, decision, "mail") == {}


def test_a_creation_with_a_permission_is_a_grant_under_the_agreed_words(world: Any, enter: Enter) -> None:
    granted = replace(enter, ask=None, grant=Permission.SINGLE)
    decision = ended(world, CREATE, absent(world), of=granted, remote_at=world.now - HOUR)
    (found,) = decision.facts
    assert (found.kind, found.permission, found.words) == (FactKind.GRANTED, Permission.SINGLE, "w1")
    assert (found.at, found.told_by) == (world.now - HOUR, "mail")
    assert shown(decision) == {"x_status": "subscribed", "x_permission": "single"}
    assert "mail" not in decision.remembered.ids


def test_a_creation_without_a_permission_grants_nothing(world: Any, enter: Enter) -> None:
    bare = replace(CREATE, permission=Permission.NONE)
    decision = ended(world, bare, absent(world), of=enter, remote_id="m1")
    assert decision.facts == ()
    assert shown(decision) == {"x_status": "not_subscribed", "x_permission": "none"}


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
    assert shown(decision)["x_status"] == "unsubscribed"
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
    assert shown(decision) == {"x_status": "subscribed", "x_permission": "single"}


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
    assert shown(decision)["x_status"] == "error"


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


# --- dropped by prepare ------------------------------------------------------------------------------------------------


def put_aside(world: Any, change: Change, code: str, target: Contact, system: str = "mail") -> Decision:
    planned = Planned(system=system, change=change, key="k1", because=WHY)
    why = Skip(because=Because(code=code, text=code))
    return dropped(world.plan, planned, why, target, world.known(), world.now)


def test_a_contact_to_be_deleted_that_is_gone_already_counts_as_deleted(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    decision = put_aside(world, DeleteContact(email="ada@example.com"), "not-there", absent(world))
    assert [one.kind for one in decision.facts] == [FactKind.REMOVED]
    assert ("mail" in decision.remembered.ids, decision.remembered.entered) == (False, False)
    assert [one.because.code for one in decision.skips] == ["not-there"]


@pytest.mark.parametrize("presence", [Presence.ANONYMOUS, Presence.PRESENT])
def test_a_deletion_that_was_left_out_while_something_stands_there_removes_nothing(
    world: Any, presence: Presence
) -> None:
    decision = put_aside(world, DeleteContact(email="ada@example.com"), "not-there", world.mail(presence=presence))
    assert decision.facts == ()


def test_a_contact_found_as_it_should_be_is_linked(world: Any, enter: Enter) -> None:
    decision = put_aside(world, enter, "linked", world.mail(permission=Permission.SINGLE, FIRSTNAME="Eve", CITY="Ulm"))
    assert decision.remembered.ids["mail"] == "m1"
    assert [one.because.code for one in decision.skips] == ["linked"]
    assert shown(decision)["x_status"] == "subscribed"


def test_an_address_that_stands_twice_is_not_linked(world: Any, enter: Enter) -> None:
    decision = put_aside(world, enter, "stands-twice", world.mail(presence=Presence.TWICE))
    assert "mail" not in decision.remembered.ids
    decision = ended(world, enter, world.mail(presence=Presence.TWICE), "not_needed")
    assert "mail" not in decision.remembered.ids


def test_a_marker_that_kept_out_becomes_an_opt_out_of_ours(world: Any, enter: Enter) -> None:
    decision = put_aside(world, enter, "opted-out-there", absent(world, opted_out=True))
    assert [(one.kind, one.final) for one in decision.facts] == [(FactKind.OPTED_OUT, True)]
    assert shown(decision)["x_status"] == "unsubscribed"


def test_a_marker_of_somebody_subscribed_is_none(world: Any, enter: Enter) -> None:
    target = world.mail(opted_out=True, permission=Permission.SINGLE)
    assert put_aside(world, enter, "linked", target).facts == ()


def test_a_value_that_lost_is_dealt_with_and_the_winner_still_travels(world: Any) -> None:
    world.remembered = Remembered(going={"mail": {"CITY": Seen(digest=world.known().digest("Ulm"))}})
    change = SetFields(fields={"CITY": named("Ulm", basis="old")})
    decision = put_aside(world, change, "not-needed", world.mail(CITY="Bonn"))
    assert seen(world, decision, "crm") == {"city": "crm:Ulm"}
    assert seen(world, decision, "mail") == {}
    assert decision.remembered.going["mail"] == {}
    assert decision.changes == ()


def test_a_value_that_stood_there_already_is_known_at_both_sides(world: Any) -> None:
    change = SetFields(fields={"CITY": named("Ulm", basis="old")})
    decision = put_aside(world, change, "not-needed", world.mail(CITY="Ulm"))
    assert seen(world, decision, "mail") == {"CITY": world.known().digest("Ulm")}


def test_a_value_emptied_at_both_sides_is_known_at_both(world: Any) -> None:
    decision = put_aside(world, SetFields(fields={"CITY": named(None, basis="old")}), "not-needed", world.mail())
    assert seen(world, decision, "mail") == {"CITY": world.known().digest("")}
    assert seen(world, decision, "crm") == {"city": "crm:None"}


def test_a_first_value_that_found_another_leaves_both_as_they_are(world: Any) -> None:
    change = SetFields(fields={"CITY": named("Ulm")})
    decision = put_aside(world, change, "not-needed", world.mail(CITY="Bonn"))
    assert seen(world, decision, "mail") == {"CITY": world.known().digest("Bonn")}
    assert seen(world, decision, "crm") == {"city": "crm:Ulm"}


def test_what_was_not_lawful_is_not_dealt_with_and_travels_once_it_may(world: Any) -> None:
    change = SetFields(fields={"CITY": named("Ulm", basis="old")})
    decision = put_aside(world, change, "opted-out", world.mail(CITY="Bonn"))
    assert (seen(world, decision, "crm"), seen(world, decision, "mail")) == ({}, {})


def test_a_field_left_out_is_still_to_be_carried_and_what_was_written_is_not(world: Any) -> None:
    change = SetFields(fields={"CITY": named("Ulm", basis="old"), "FIRSTNAME": named("Ada", basis="old")})
    planned = Planned(system="mail", change=change, key="k1", because=WHY)
    world.remembered = Remembered(going={"mail": {"CITY": Seen(digest=world.known().digest("Ulm"))}})
    ending = Ending(
        planned=planned, change=change, outcome="done", target=world.mail(CITY="Bonn"), remote_id="m1",
        left_out={"CITY": "no-such-choice"},
    )  # fmt: skip
    decision = after(world.plan, ending, world.known(), world.now)
    assert seen(world, decision, "mail").keys() == {"FIRSTNAME"}
    assert seen(world, decision, "crm").keys() == {"firstname"}
    assert decision.remembered.going["mail"] == {}
    assert [(one.code, one.rule, one.line) for one in decision.notices] == [("field-left-out", "subscribe", 70)]
    assert "CITY: no-such-choice" in decision.notices[0].text
    assert "Ulm" not in decision.notices[0].text


def test_what_is_not_there_is_not_dealt_with(world: Any) -> None:
    change = SetFields(fields={"CITY": named("Ulm", basis="old")})
    assert seen(world, put_aside(world, change, "not-needed", absent(world)), "crm") == {}


def test_a_newer_value_on_its_way_stays_on_its_way(world: Any) -> None:
    world.remembered = Remembered(going={"mail": {"CITY": Seen(digest="newer")}})
    decision = put_aside(world, SetFields(fields={"CITY": named("Ulm")}), "opted-out", world.mail())
    assert decision.remembered.going["mail"]["CITY"].digest == "newer"


def test_a_held_change_waits_on_with_its_values_on_their_way(world: Any, enter: Enter) -> None:
    planned = Planned(system="mail", change=enter, key="k1", because=WHY)
    why = Held(repair="old-wish", because=Because(code="old-wish", text="old"))
    decision = dropped(world.plan, planned, why, absent(world), world.known(), world.now)
    assert [one.because.code for one in decision.skips] == ["old-wish"]
    assert decision.remembered.going["mail"] == world.remembered.going["mail"]
    assert shown(decision)["x_status"] == "held"


def test_a_held_change_of_a_linked_contact_shows_nothing(world: Any, enter: Enter) -> None:
    world.remembered = replace(world.remembered, ids={"crm": "c1", "mail": "m1"})
    why = Held(repair="old-wish", because=Because(code="old-wish", text="old"))
    for change in (enter, SetFields(fields={})):
        planned = Planned(system="mail", change=change, key="k1", because=WHY)
        assert dropped(world.plan, planned, why, absent(world), world.known(), world.now).changes == ()


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
    assert (shown(decision)["x_status"], shown(decision)["x_permission"]) == ("unsubscribed", "none")
    assert decision.remembered.ids["mail"] == "m1"


def test_an_unsubscription_that_was_refused_changes_nothing_shown(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"})
    decision = ended(world, Unsubscribe(), world.mail(permission=Permission.SINGLE), "rejected")
    assert shown(decision) == {"x_status": "subscribed", "x_permission": "single"}


def test_a_deleted_contact_is_no_longer_linked(world: Any) -> None:
    world.remembered = Remembered(
        ids={"crm": "c1", "mail": "m1"}, seen={"mail": {"CITY": Seen(digest="x")}, "crm": {"city": Seen(digest="x")}}
    )
    decision = ended(world, DeleteContact(), world.mail(permission=Permission.SINGLE))
    assert decision.remembered.ids == {"crm": "c1"}
    assert (decision.remembered.entered, decision.remembered.by_wish) == (False, True)
    assert set(decision.remembered.seen) == {"crm"}
    assert shown(decision) == {"x_status": "not_subscribed", "x_permission": "none"}
    kept = ended(world, DeleteContact(), world.mail(), "not_needed")
    assert "mail" in kept.remembered.ids


def test_an_entry_leaves_no_trace_but_its_own(world: Any) -> None:
    entry = AddEntry(text={}, shown=(), at=world.now, mark="m", form="note", fact="f")
    decision = ended(world, entry, world.crm(), system="crm")
    assert (decision.facts, decision.changes, decision.skips) == ((), (), ())

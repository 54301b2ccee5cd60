"""What follows where a change was put aside before it was made: not needed, not lawful, or held."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.aftermath import after, dropped
from stellwerk_rules.ending import Ending
from stellwerk_rules.model import (
    Because,
    DeleteContact,
    Enter,
    FactKind,
    Held,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
)
from stellwerk_toys.decisions import mirrored
from stellwerk_toys.endings import WHY, absent, coming_in, ended, named, put_aside, seen


@pytest.fixture
def enter(world: Any) -> Enter:
    return coming_in(world)


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
    assert mirrored(decision)["x_status"] == "subscribed"


def test_an_address_that_stands_twice_is_not_linked(world: Any, enter: Enter) -> None:
    decision = put_aside(world, enter, "stands-twice", world.mail(presence=Presence.TWICE))
    assert "mail" not in decision.remembered.ids
    decision = ended(world, enter, world.mail(presence=Presence.TWICE), "not_needed")
    assert "mail" not in decision.remembered.ids


def test_a_marker_that_kept_out_becomes_an_opt_out_of_ours(world: Any, enter: Enter) -> None:
    decision = put_aside(world, enter, "opted-out-there", absent(world, opted_out=True))
    assert [(one.kind, one.final) for one in decision.facts] == [(FactKind.OPTED_OUT, True)]
    assert mirrored(decision)["x_status"] == "unsubscribed"


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
    assert mirrored(decision)["x_status"] == "held"


def test_a_held_change_of_a_linked_contact_shows_nothing(world: Any, enter: Enter) -> None:
    world.remembered = replace(world.remembered, ids={"crm": "c1", "mail": "m1"})
    why = Held(repair="old-wish", because=Because(code="old-wish", text="old"))
    for change in (enter, SetFields(fields={})):
        planned = Planned(system="mail", change=change, key="k1", because=WHY)
        assert dropped(world.plan, planned, why, absent(world), world.known(), world.now).changes == ()

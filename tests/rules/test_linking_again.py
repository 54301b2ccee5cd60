"""A contact that was unlinked and is linked again: both records meet anew, and nobody is asked for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import (
    ADDRESS,
    Decision,
    EventKind,
    Origin,
    Permission,
    Presence,
    Remembered,
    Seen,
    SetFields,
    Skip,
    Unlinked,
    Unsubscribe,
)
from stellwerk_toys.decisions import brought_in, codes, entered, kinds, left, mirrored, old, one

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def again(world: Any, contact: Any, system: str = "crm", **more: Any) -> Decision:
    decision: Decision = world.decide(contact, system=system, linked_again=True, **more)
    return decision


@pytest.mark.behaviour("linked-again")
def test_linked_again_both_records_meet_as_two_existing_ones_do(apart: Any) -> None:
    apart.remembered = replace(
        apart.remembered,
        seen={
            "crm": {"firstname": Seen(digest="x"), "x_status": Seen(digest="s")},
            "mail": {"FIRSTNAME": Seen(digest="y")},
        },
    )
    decision = again(apart, old(apart, firstname="Ada", subscribe="yes", said_at=apart.now))
    enter = brought_in(decision)
    assert (enter.links, enter.mails, enter.grant) == (True, False, Permission.NONE)
    assert codes(decision)[0] == "linked-again"
    assert "unlinked" not in codes(decision)
    assert decision.remembered.unlinked is None
    assert set(decision.remembered.seen["crm"]) >= {ADDRESS, "x_status"}
    assert "firstname" not in decision.remembered.seen["crm"]
    target = apart.mail(permission=Permission.DOUBLE, LASTNAME="Lovelace", mark="w1")
    said = apart.make(decision.changes[0], target)
    assert [type(one) for one in said.changes][-1] is SetFields
    back = [one.change.fields for one in apart.follow if not one.change.mirror]
    assert {name: value.value for fields in back for name, value in fields.items() if value.value} == {
        "lastname": "Lovelace"
    }
    assert all(type(one.change) is SetFields for one in apart.follow)


@pytest.mark.behaviour("linked-again")
def test_a_value_that_stands_at_both_stays_at_both(apart: Any) -> None:
    decision = again(apart, old(apart, firstname="Ada"))
    target = apart.mail(permission=Permission.SINGLE, FIRSTNAME="Augusta", peer_id="c1")
    said = apart.make(decision.changes[0], target)
    assert isinstance(said, Skip)
    assert all(one.change.mirror for one in apart.follow)
    assert kinds(apart.decide(old(apart, firstname="Ada"))) == []


@pytest.mark.behaviour("linked-again")
def test_a_yes_of_meanwhile_is_not_asked_for_and_a_new_one_is(apart: Any) -> None:
    apart.facts = []
    contact = old(apart, subscribe="yes", said_at=apart.now)
    decision = again(apart, contact)
    assert [one.change.links for one in decision.changes] == [True]
    assert entered(apart.decide(contact)) is None
    asked = brought_in(apart.decide(contact, asked_again=True))
    assert asked.mails
    new = old(apart, subscribe="yes", said_at=apart.now + HOUR)
    apart.now += HOUR
    assert brought_in(apart.decide(new)).mails


def test_who_is_not_there_any_more_is_linked_with_nobody_and_made_for_nobody(apart: Any) -> None:
    decision = again(apart, old(apart, firstname="Ada"))
    said = apart.make(decision.changes[0], apart.mail(presence=Presence.ABSENT))
    assert said.because.code == "not-there"


@pytest.mark.behaviour("linked-again")
def test_who_was_not_in_before_is_not_brought_in(world: Any) -> None:
    world.remembered = Remembered(ids={"crm": "c1"}, unlinked=Unlinked(by="Jo", at=world.now - HOUR))
    contact = world.crm(subscribe=None)
    decision = again(world, contact)
    assert kinds(decision) == []
    assert decision.remembered.by_wish
    assert kinds(world.decide(contact)) == []


@pytest.mark.behaviour("linked-again-out")
def test_who_left_meanwhile_stays_out_and_that_is_shown_now(apart: Any) -> None:
    contact = old(apart, subscribe="yes", said_at=apart.now - 2 * HOUR)
    apart.decide(contact)
    apart.decide(apart.mail(presence=Presence.ANONYMOUS), EventKind.UNSUBSCRIBED, "mail", proof=left(apart))
    apart.remembered = replace(apart.remembered, seen={"crm": {"x_status": Seen(digest="subscribed")}})
    decision = again(apart, contact)
    assert set(kinds(decision)) == {"SetFields"}
    assert mirrored(decision)["x_status"] == "unsubscribed"
    answer = next(one.change for one in decision.changes if not one.change.mirror)
    assert answer.fields["x_subscribe"].value == "no"


def test_a_no_that_is_read_with_it_still_unsubscribes(apart: Any) -> None:
    apart.decide(old(apart, subscribe="yes", said_at=apart.now - 2 * HOUR, by=Origin.PERSON))
    decision = again(apart, old(apart, subscribe="no", said_at=apart.now, by=Origin.PERSON))
    assert one(decision, Unsubscribe)
    assert entered(decision) is None


def test_without_an_address_nothing_meets(apart: Any) -> None:
    assert kinds(again(apart, old(apart, email=None))) == []


def test_known_at_the_mail_system_alone_it_is_only_not_unlinked_any_more(apart: Any) -> None:
    apart.remembered = replace(apart.remembered, ids={"mail": "m1"})
    decision = again(apart, apart.mail(permission=Permission.SINGLE), "mail")
    assert (kinds(decision), decision.remembered.unlinked) == ([], None)


@pytest.mark.parametrize(
    ("system", "presence"), [("crm", Presence.ABSENT), ("crm", Presence.ARCHIVED), ("mail", Presence.TWICE)]
)
def test_of_whoever_cannot_be_read_now_it_is_only_taken_back_that_it_was_unlinked(
    apart: Any, system: str, presence: Presence
) -> None:
    """The click is used up: whoever is read again later is not to wait for another one."""
    contact = old(apart, presence=presence) if system == "crm" else apart.mail(presence=presence)
    decision = again(apart, contact, system)
    assert (kinds(decision), codes(decision)[0]) == ([], "linked-again")
    assert (decision.remembered.unlinked, decision.remembered.by_wish) == (None, True)


def test_who_is_not_unlinked_is_looked_at_as_ever(linked: Any) -> None:
    decision = again(linked, old(linked, firstname="Ada"))
    assert kinds(decision) == ["SetFields"]

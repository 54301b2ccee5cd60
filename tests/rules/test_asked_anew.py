"""Whom a wish leads to being asked once more: while one is unanswered, after days, at a new address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import (
    Decision,
    Enter,
    EventKind,
    Origin,
)
from stellwerk_toys.decisions import brought_in, codes, entered, fact

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.behaviour("pending-yes")
def test_a_wish_while_another_is_unanswered_is_asked_again_after_a_day_only(world: Any) -> None:
    world.remembered = type(world.remembered)(ids={"mail": "m1"})
    world.facts = [fact(world, "asked", age=HOUR, told_by="")]
    assert codes(world.decide(world.crm(subscribe="yes"))) == ["asked-lately"]
    world.remembered = type(world.remembered)(ids={"mail": "m1"})
    world.facts = [fact(world, "asked", age=DAY, told_by="")]
    assert entered(world.decide(world.crm(subscribe="yes"))) is not None


def test_a_contact_without_an_explicit_yes_is_not_asked_while_one_is_unanswered(world: Any) -> None:
    world.remembered = type(world.remembered)(ids={"mail": "m1"})
    world.facts = [fact(world, "asked", age=2 * DAY, told_by="")]
    assert codes(world.decide(world.crm())) == ["pending"]


def test_a_confirmed_address_is_still_linked_but_not_when_it_is_linked_already(world: Any) -> None:
    world.facts = [fact(world, "confirmed")]
    assert entered(world.decide(world.crm(subscribe="yes"))) is not None
    world.remembered = type(world.remembered)(ids={"mail": "m1"})
    assert "already-confirmed" in codes(world.decide(world.crm(subscribe="yes", by=Origin.IMPORT)))


# --- old wishes --------------------------------------------------------------------------------------------------------


@pytest.mark.behaviour("brake-old-wish")
def test_a_wish_older_than_its_days_is_held_for_a_person(world: Any) -> None:
    contact = world.crm(subscribe="yes", said_at=world.now - 7 * DAY - HOUR)
    decision = world.decide(contact)
    assert entered(decision) is None
    ((planned, held),) = decision.held
    assert (held.repair, held.because.code) == ("old-wish", "old-wish")
    assert isinstance(planned.change, Enter)
    assert [one.change.fields["x_status"].value for one in decision.changes] == ["held"]
    assert world.decide(contact).held == ()


def test_an_old_wish_that_a_person_released_is_decided_again_and_enters_under_the_same_mark(world: Any) -> None:
    contact = world.crm(subscribe="yes", said_at=world.now - 8 * DAY)
    ((planned, _),) = world.decide(contact).held
    decision = world.keep(
        evaluate(
            world.plan,
            replace(world.event(contact, EventKind.CHANGED, "crm"), released=True),
            world.known(),
            world.settings,
        )
    )
    again = entered(decision)
    assert isinstance(planned.change, Enter)
    assert again is not None
    assert (decision.held, again.wish) == ((), planned.change.wish)


def test_what_is_released_is_not_made_for_who_says_no_by_now(world: Any) -> None:
    world.decide(world.crm(subscribe="yes", said_at=world.now - 8 * DAY))
    event = replace(world.event(world.crm(subscribe="no", by=Origin.FORM), EventKind.CHANGED, "crm"), released=True)
    decision = evaluate(world.plan, event, world.known(), world.settings)
    assert (decision.held, entered(decision)) == ((), None)


def test_a_wish_of_just_its_days_is_not_held(world: Any) -> None:
    decision = world.decide(world.crm(subscribe="yes", said_at=world.now - 7 * DAY))
    assert decision.held == ()
    assert entered(decision) is not None


def test_what_neither_mails_nor_grants_is_never_held(world: Any) -> None:
    world.settings.update({"double_opt_in": False})
    assert entered(world.decide(world.crm(subscribe="yes", said_at=world.now - 8 * DAY))) is not None


# --- a new address -----------------------------------------------------------------------------------------------------


def moved(world: Any, **more: Any) -> Decision:
    brought_in(world.decide(world.crm(subscribe="yes", created_at=world.now - 9 * DAY)))
    world.remembered = type(world.remembered)(
        ids={"crm": "c1", "mail": "m1"}, seen=world.remembered.seen, entered=True, answered=world.remembered.answered
    )
    world.now += HOUR
    old_answer = {"subscribe": "yes", "said_at": world.now - 2 * HOUR, "created_at": world.now - 9 * DAY - HOUR}
    result: Decision = world.decide(world.crm(email="new@example.com", **old_answer, **more))
    return result


def test_a_new_address_starts_as_a_new_contact_and_is_no_opt_out(world: Any) -> None:
    decision = moved(world)
    enter = brought_in(decision)
    assert (enter.email, enter.explicit, enter.wished_at) == ("new@example.com", False, world.now)
    assert decision.facts == ()
    assert "mail" not in decision.remembered.ids
    assert decision.changes[0].because.code == "new-address"


@pytest.mark.behaviour("moved-case")
def test_letter_case_alone_is_no_new_address(world: Any) -> None:
    brought_in(world.decide(world.crm(subscribe="yes")))
    assert entered(world.decide(world.crm(subscribe="yes", email="ADA@Example.com"))) is None


def test_an_address_that_is_gone_for_now_is_no_new_one(world: Any) -> None:
    brought_in(world.decide(world.crm(subscribe="yes")))
    world.decide(world.crm(subscribe="yes", email=None))
    assert entered(world.decide(world.crm(subscribe="yes"))) is None


@pytest.mark.behaviour("moved-never-in")
def test_an_older_contact_that_never_entered_does_not_enter_by_a_new_address(world: Any) -> None:
    world.decide(world.crm(created_at=world.now - 20 * DAY))
    assert codes(world.decide(world.crm(created_at=world.now - 20 * DAY, email="new@example.com"))) == ["older"]


def test_a_new_explicit_yes_with_a_new_address_is_a_wish(world: Any) -> None:
    brought_in(world.decide(world.crm(subscribe="yes")))
    world.now += HOUR
    enter = brought_in(world.decide(world.crm(subscribe="yes", said_at=world.now, email="new@example.com")))
    assert (enter.explicit, enter.wished_at) == (True, world.now)

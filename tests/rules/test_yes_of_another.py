"""An address that a form changed: perhaps another visitor of a shared browser wrote it over somebody else's contact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import ADDRESS, Contact, Decision, Origin, Permission, Written
from stellwerk_toys.decisions import codes, entered

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NEW = "new@example.com"


@pytest.fixture
def subscriber(world: Any) -> Any:
    """Signed up by a form three hours ago; whoever says nothing counts as no."""
    world.settings["no_answer"] = "no"
    first = world.crm(subscribe="yes", said_at=world.now - 3 * HOUR, created_at=world.now - 5 * HOUR)
    assert entered(world.decide(first)) is not None
    return world


def at_new_address(world: Any, by: Origin | None, ago: timedelta = HOUR, **more: Any) -> Contact:
    """The contact with an address that was written so long `ago`, or nobody knows when."""
    given = {"subscribe": "yes", "said_at": world.now - 3 * HOUR, "created_at": world.now - 5 * HOUR, **more}
    contact = world.crm(email=NEW, **given)
    if by is None:
        return contact
    written = Written(value=NEW, at=world.now - ago, origin=by)
    return replace(contact, history={**contact.history, ADDRESS: (written,)})


def moved(world: Any, *told: Any, **more: Any) -> Decision:
    return world.decide(at_new_address(world, *told, **more))


@pytest.mark.behaviour("moved-yes-of-another")
@pytest.mark.parametrize("by", [Origin.FORM, None])
def test_the_yes_that_stood_there_before_is_none_of_the_new_address(subscriber: Any, by: Origin | None) -> None:
    decision = moved(subscriber, by)
    assert (entered(decision), codes(decision)) == (None, ["no-answer"])


@pytest.mark.behaviour("moved-yes-of-another")
def test_nor_is_anything_granted_for_it(subscriber: Any) -> None:
    subscriber.settings.update({"double_opt_in": False, "permission": "confirmed"})
    assert entered(moved(subscriber, Origin.FORM)) is None


def test_and_no_later_change_of_another_field_brings_it_in(subscriber: Any) -> None:
    moved(subscriber, Origin.FORM)
    subscriber.now += HOUR
    decision = moved(subscriber, Origin.FORM, 2 * HOUR, said_at=subscriber.now - 4 * HOUR, firstname="Bo")
    assert entered(decision) is None


@pytest.mark.parametrize("ago", [timedelta(), HOUR - SECOND, HOUR])
def test_a_yes_of_the_same_form_or_a_later_one_is_its_own(subscriber: Any, ago: timedelta) -> None:
    coming = entered(moved(subscriber, Origin.FORM, said_at=subscriber.now - ago))
    assert coming is not None
    assert coming.explicit


def test_a_later_yes_brings_in_whom_an_older_one_did_not(subscriber: Any) -> None:
    moved(subscriber, Origin.FORM)
    subscriber.now += HOUR
    coming = entered(moved(subscriber, Origin.FORM, 2 * HOUR, said_at=subscriber.now))
    assert coming is not None
    assert coming.explicit


def test_an_address_that_a_person_changed_starts_with_the_yes_that_stands_there(subscriber: Any) -> None:
    coming = entered(moved(subscriber, Origin.PERSON))
    assert coming is not None
    assert (coming.ask is not None, coming.grant) == (True, Permission.NONE)


def test_where_no_answer_counts_as_yes_the_new_address_is_asked(subscriber: Any) -> None:
    subscriber.settings["no_answer"] = "yes"
    coming = entered(moved(subscriber, Origin.FORM))
    assert coming is not None
    assert not coming.explicit


def test_a_no_that_stood_there_before_keeps_out_as_ever(subscriber: Any) -> None:
    decision = moved(subscriber, Origin.FORM, subscribe="no")
    assert (entered(decision), "said-no" in codes(decision)) == (None, True)


def overwritten(world: Any, by: Origin = Origin.FORM, said: timedelta = 3 * HOUR, **more: Any) -> Contact:
    """The contact with the address that another visitor's form wrote an hour ago, over the one it had."""
    contact = at_new_address(world, by, said_at=world.now - said, **more)
    before = Written(value="ada@example.com", at=world.now - 5 * HOUR, origin=Origin.FORM)
    return replace(contact, history={**contact.history, ADDRESS: (*contact.history[ADDRESS], before)})


@pytest.mark.behaviour("moved-yes-of-another")
@pytest.mark.parametrize("by", [Origin.FORM, Origin.PERSON])
def test_nor_is_it_where_yes_and_new_address_are_seen_for_the_first_time_together(world: Any, by: Origin) -> None:
    world.settings["no_answer"] = "no"
    coming = entered(world.decide(overwritten(world, by)))
    assert (coming is not None) == (by is Origin.PERSON)


def test_an_address_of_which_only_the_letter_case_changed_was_nobody_elses(world: Any) -> None:
    contact = overwritten(world)
    world.settings["no_answer"] = "no"
    older = replace(contact.history[ADDRESS][1], value=NEW.upper())
    history = {**contact.history, ADDRESS: (contact.history[ADDRESS][0], older)}
    assert entered(world.decide(replace(contact, history=history))) is not None


@pytest.mark.parametrize("how", ["asked_again", "released"])
def test_no_click_of_a_person_makes_it_one(subscriber: Any, how: str) -> None:
    subscriber.decide(overwritten(subscriber, said=2 * HOUR))
    assert entered(subscriber.decide(overwritten(subscriber, said=2 * HOUR), **{how: True})) is None
    assert all(one.wish is None for one in subscriber.remembered.answered.values())

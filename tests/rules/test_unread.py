"""Fields that a system does not have (any more): nothing follows from them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import Contact, Enter, Origin, Permission, SetFields


def without(contact: Contact, *names: str) -> Contact:
    return replace(contact, fields={name: value for name, value in contact.fields.items() if name not in names})


@pytest.fixture
def carried(world: Any) -> Any:
    """Ada, in at the mail system with her first name and her city."""
    world.settings["double_opt_in"] = False
    decision = world.decide(world.crm(subscribe="yes", firstname="Ada", city="Ulm"))
    absent = Contact(presence="absent", email="ada@example.com", read_at=world.now)  # type: ignore[arg-type]
    world.make(decision.changes[0], absent)
    return world


def test_what_could_not_be_read_empties_nothing_and_the_rest_is_carried(carried: Any) -> None:
    contact = without(carried.crm(subscribe="yes", firstname=None, lastname="Lovelace", city="Ulm"), "firstname")
    (planned,) = carried.decide(contact).changes
    assert isinstance(planned.change, SetFields)
    assert {name: one.value for name, one in planned.change.fields.items()} == {"LASTNAME": "Lovelace"}


def test_what_reads_blank_is_emptied(carried: Any) -> None:
    contact = carried.crm(subscribe="yes", firstname=None, city="Ulm")
    (planned,) = carried.decide(contact).changes
    assert isinstance(planned.change, SetFields)
    assert {name: one.value for name, one in planned.change.fields.items()} == {"FIRSTNAME": None}


def test_once_it_can_be_read_again_only_what_changed_is_carried(carried: Any) -> None:
    carried.decide(without(carried.crm(subscribe="yes", city="Ulm"), "firstname"))
    assert carried.decide(carried.crm(subscribe="yes", firstname="Ada", city="Ulm")).changes == ()


def test_a_field_that_is_not_there_at_the_first_sight_is_remembered_as_nothing(world: Any) -> None:
    decision = world.decide(without(world.crm(subscribe="yes", firstname="Ada"), "lastname"))
    assert isinstance(decision.changes[0].change, Enter)
    assert "lastname" not in decision.remembered.seen["crm"]


@pytest.mark.parametrize("silence", ["yes", "no"])
def test_an_answer_that_could_not_be_read_is_not_guessed(world: Any, silence: str) -> None:
    world.settings["no_answer"] = silence
    contact = without(world.crm(subscribe=None, firstname="Ada"), "x_subscribe")
    decision = world.decide(contact)
    assert (decision.changes, [one.because.code for one in decision.skips]) == ((), ["answer-unread"])
    assert "x_subscribe" not in world.remembered.answered
    entered = world.decide(world.crm(subscribe="yes", by=Origin.FORM))
    assert isinstance(entered.changes[0].change, Enter)


def test_an_answer_that_was_handled_stays_so_while_it_cannot_be_read(carried: Any) -> None:
    before = carried.remembered.answered["x_subscribe"]
    decision = carried.decide(without(carried.crm(subscribe=None, firstname="Ada", city="Ulm"), "x_subscribe"))
    assert decision.changes == ()
    assert carried.remembered.answered["x_subscribe"] == before


def test_a_field_that_is_gone_at_the_mail_system_empties_nothing_at_the_crm(carried: Any) -> None:
    contact = carried.mail(permission=Permission.NONE, FIRSTNAME="Ada", CITY="Ulm")
    carried.decide(contact, system="mail")
    gone = carried.decide(without(contact, "FIRSTNAME"), system="mail")
    assert [one for one in gone.changes if not getattr(one.change, "mirror", False)] == []


def test_a_choice_of_the_contacts_own_that_could_not_be_read_counts_as_none_and_as_not_handled(world: Any) -> None:
    decision = world.decide(without(world.crm(subscribe="yes"), "x_contact_doi"))
    assert isinstance(decision.changes[0].change, Enter)
    assert "x_contact_doi" not in world.remembered.answered
    assert "x_contact_mailing" in world.remembered.answered

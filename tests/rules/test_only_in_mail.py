"""Contacts that are only at the mail system and are to be created where contacts wish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stellwerk_rules.model import (
    Contact,
    Create,
    Enter,
    EventKind,
    Fact,
    FactKind,
    Held,
    Permission,
    Planned,
    Presence,
    SetFields,
    SetPeer,
    Skip,
)
from stellwerk_rules.prepare import OPT_OUT_CLAIMED, Ready
from stellwerk_rules.settle import SECONDARY_THERE
from stellwerk_rules.spec import StageMove
from stellwerk_rules.stands_twice import STANDS_TWICE
from stellwerk_toys.decisions import kinds


@pytest.fixture
def creating(make_world: Any, file: dict[str, Any]) -> Any:
    """The setting says so, and the rule carries the fields."""
    rules = [{**rule, "fields": "all"} if rule["id"] == "only-mail" else rule for rule in file["rules"]]
    world = make_world(rules=rules)
    world.settings["only_in_mail"] = "create"
    return world


@pytest.fixture
def entering(creating: Any) -> Planned:
    """Eve, decided on: she is to be brought in at the CRM."""
    decision = creating.decide(creating.mail(permission=Permission.SINGLE, FIRSTNAME="Eve"), system="mail")
    (planned,) = decision.changes
    assert isinstance(planned.change, Enter)
    return planned


def there(world: Any, **more: Any) -> Contact:
    found: Contact = world.crm(**{"id": "c9", "created_at": world.now - timedelta(days=400), **more})
    return found


def nobody(world: Any) -> Contact:
    return Contact(presence=Presence.ABSENT, email="ada@example.com", read_at=world.now)


def test_whom_nobody_there_is_is_created_with_its_fields_and_no_permission(creating: Any, entering: Planned) -> None:
    ready = creating.make(entering, nobody(creating), remote_id="c9")
    assert ready == Ready(
        changes=(
            Create(
                email="ada@example.com", peer_id=None, permission=Permission.NONE, fields={"firstname": "Eve"}
            ),
        )
    )  # fmt: skip
    assert (creating.remembered.ids, creating.facts) == ({"mail": "m1", "crm": "c9"}, [])


def test_the_new_id_is_stored_at_the_mail_system_and_its_state_is_looked_at_again(
    creating: Any, entering: Planned
) -> None:
    creating.make(entering, nobody(creating), remote_id="c9")
    (peer,) = creating.follow
    assert (peer.system, peer.change) == ("mail", SetPeer(peer_id="c9"))


def test_the_contact_that_was_made_so_brings_nobody_in_when_it_is_told_of(creating: Any, entering: Planned) -> None:
    creating.make(entering, nobody(creating), remote_id="c9")
    told = creating.decide(creating.crm(id="c9", FIRSTNAME=None, firstname="Eve"), kind=EventKind.CREATED)
    assert [kind for kind in kinds(told) if kind != "SetFields"] == []


def test_who_is_there_is_linked_and_only_its_blanks_are_filled(creating: Any, entering: Planned) -> None:
    ready = creating.make(entering, there(creating, lastname="X"), remote_id=None)
    assert isinstance(ready, Ready)
    (change,) = ready.changes
    assert isinstance(change, SetFields)
    assert {name: one.value for name, one in change.fields.items()} == {"firstname": "Eve"}
    assert creating.remembered.ids["crm"] == "c9"


def test_who_is_there_with_everything_is_linked(creating: Any, entering: Planned) -> None:
    ready = creating.make(entering, there(creating, firstname="Eva"), remote_id=None)
    assert isinstance(ready, Skip)
    assert (ready.because.code, creating.remembered.ids["crm"]) == ("linked", "c9")


def test_the_opt_out_of_whoever_is_there_says_nothing_of_the_mail_system(creating: Any, entering: Planned) -> None:
    creating.make(entering, there(creating, opted_out=True), remote_id=None)
    assert creating.facts == []


def test_a_secondary_address_is_kept_apart_from_the_contact_that_has_it(creating: Any, entering: Planned) -> None:
    ready = creating.make(entering, there(creating, email="first@example.com"), remote_id=None)
    assert isinstance(ready, Skip)
    assert (ready.because.code, creating.remembered.within) == (SECONDARY_THERE, "c9")
    assert "crm" not in creating.remembered.ids


def test_who_is_in_the_bin_there_stays_there(creating: Any, entering: Planned) -> None:
    ready = creating.make(entering, there(creating, presence=Presence.ARCHIVED), remote_id=None)
    assert isinstance(ready, Skip)
    assert (ready.because.code, creating.remembered.ids) == ("archived-there", {"mail": "m1"})


def test_an_address_that_stands_there_twice_waits_for_a_person(creating: Any, entering: Planned) -> None:
    ready = creating.make(entering, there(creating, presence=Presence.TWICE), remote_id=None)
    assert isinstance(ready, Held)
    assert ready.repair == STANDS_TWICE


def test_whom_somebody_else_created_meanwhile_is_linked_by_a_look_and_not_by_the_answer(
    creating: Any, entering: Planned
) -> None:
    creating.make(entering, nobody(creating), outcome="not_needed", remote_id="c9")
    assert creating.remembered.ids == {"mail": "m1"}
    assert creating.follow == []


@pytest.mark.parametrize("outcome", ["rejected", "opted_out"])
def test_a_creation_that_is_refused_links_nobody(creating: Any, entering: Planned, outcome: str) -> None:
    creating.make(entering, nobody(creating), outcome=outcome, remote_id=None)
    assert (creating.remembered.ids, creating.follow) == ({"mail": "m1"}, [])


def test_after_an_opt_out_nobody_is_created_and_while_one_is_claimed_it_waits(creating: Any, entering: Planned) -> None:
    out = Fact(kind=FactKind.OPTED_OUT, key="o1", at=creating.now, event="e", told_by="mail", final=False)
    creating.facts.append(out)
    waits = creating.make(entering, nobody(creating), remote_id="c9")
    assert isinstance(waits, Held)
    assert waits.repair == OPT_OUT_CLAIMED
    creating.facts.append(Fact(kind=FactKind.OPTED_OUT, key="o1", at=creating.now, event="e", told_by="mail"))
    ready = creating.make(entering, nobody(creating), remote_id="c9")
    assert isinstance(ready, Skip)
    assert ready.because.code == "opted-out"


def test_what_a_confirmation_does_there_comes_after_the_contact_has(creating: Any) -> None:
    creating.settings["on_confirmed"] = StageMove(enabled=True, source="lead", target="mql")
    contact = creating.mail(permission=Permission.DOUBLE)
    decision = creating.decide(contact, kind=EventKind.CONFIRMED, system="mail")
    assert kinds(decision) == ["Enter", "MoveStage", "AddEntry"]
    assert {one.system for one in decision.changes} == {"crm"}
    assert [fact.kind for fact in decision.facts] == [FactKind.CONFIRMED]
    again = creating.decide(contact, kind=EventKind.CONFIRMED, system="mail")
    assert again.changes == ()

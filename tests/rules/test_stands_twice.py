"""An address that several contacts have at the mail system, each of which reads by its id as if it were the only one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import (
    Contact,
    Decision,
    EventKind,
    FieldValue,
    OptOutProof,
    Permission,
    Planned,
    Presence,
    Remembered,
    Seen,
    SetFields,
    Skip,
)
from stellwerk_rules.prepare import prepare
from stellwerk_rules.stands_twice import STANDS_TWICE, because, wants_others
from stellwerk_toys.decisions import codes, fact

HERE = Remembered(ids={"crm": "c1"}, entered=True)


def twice(world: Any, **more: Any) -> Contact:
    found: Contact = world.mail(**{"presence": Presence.TWICE, "id": "m2", "FIRSTNAME": "Eve", **more})
    return found


@pytest.fixture
def linked(world: Any) -> Any:
    """Ada, who is known at both, with a name that both sides agree on."""
    digest = world.known().digest
    world.remembered = replace(
        HERE,
        ids={"crm": "c1", "mail": "m1"},
        seen={"crm": {"firstname": Seen(digest=digest("Ada"))}, "mail": {"FIRSTNAME": Seen(digest=digest("Ada"))}},
    )
    return world


def wants(world: Any, contact: Contact, system: str = "mail") -> bool:
    return wants_others(world.plan, system, contact, world.known(), world.settings)


# --- whose address is looked up


def test_whoever_would_be_linked_with_a_contact_of_ours_is_looked_up_by_the_address(world: Any) -> None:
    world.remembered = HERE
    assert wants(world, world.mail(id="m1"))
    assert wants(world, world.mail(id=None))


def test_whoever_is_linked_by_this_id_is_not_and_by_another_is(linked: Any) -> None:
    assert not wants(linked, linked.mail(id="m1"))
    assert wants(linked, linked.mail(id="m2"))


def test_a_stranger_is_where_strangers_are_brought_in(world: Any) -> None:
    assert not wants(world, world.mail())
    world.settings["only_in_mail"] = "create"
    assert wants(world, world.mail())


def test_a_file_that_brings_nobody_in_from_there_asks_of_no_stranger(make_world: Any, file: dict[str, Any]) -> None:
    world = make_world(rules=[rule for rule in file["rules"] if rule["id"] != "only-mail"])
    assert not wants(world, world.mail())


@pytest.mark.parametrize("more", [{"presence": Presence.ANONYMOUS}, {"presence": Presence.TWICE}, {"email": None}])
def test_whoever_has_no_address_to_look_up_or_was_looked_up_is_not(world: Any, more: dict[str, Any]) -> None:
    world.remembered = HERE
    assert not wants(world, world.mail(**more))


def test_where_contacts_wish_nobody_is(world: Any) -> None:
    world.remembered = HERE
    assert not wants(world, world.mail(id="m1"), system="crm")


# --- what comes of it


@pytest.mark.behaviour("known-twice")
@pytest.mark.parametrize(
    "kind", [EventKind.CHANGED, EventKind.CREATED, EventKind.CONFIRMED, EventKind.BLOCKED, EventKind.BOUNCED]
)
def test_whatever_is_told_of_one_of_two_is_linked_carried_and_shown_to_nobody(world: Any, kind: EventKind) -> None:
    world.remembered = HERE
    decision = world.decide(twice(world, permission=Permission.DOUBLE, blocked=True), system="mail", kind=kind)
    assert (codes(decision), decision.changes, decision.facts) == (["stands-twice"], (), ())
    assert decision.remembered == HERE


@pytest.mark.behaviour("known-twice")
def test_whoever_was_linked_when_another_came_is_so_no_more_and_what_was_carried_stays_known(linked: Any) -> None:
    before = linked.remembered
    decision = linked.decide(twice(linked), system="mail")
    assert decision.changes == ()
    assert decision.remembered == replace(before, ids={"crm": "c1"})


def test_the_one_that_is_left_is_linked_and_goes_on_from_what_was_carried(linked: Any) -> None:
    linked.decide(twice(linked), system="mail")
    decision = linked.decide(linked.mail(id="m2", FIRSTNAME="Eve", peer_id="c1"), system="mail")
    assert decision.remembered.ids == {"crm": "c1", "mail": "m2"}
    values = [one.change.fields for one in decision.changes if not one.change.mirror]
    assert [{name: one.value for name, one in fields.items()} for fields in values] == [{"firstname": "Eve"}]


def test_field_values_are_not_written_while_the_address_stands_there_twice(linked: Any) -> None:
    change = SetFields(fields={"FIRSTNAME": FieldValue(value="Adda")})
    planned = Planned(system="mail", change=change, key="fields:1", because=because())
    for target in (twice(linked), twice(linked, id=None)):
        why = prepare(linked.plan, planned, target, linked.known(), linked.settings, linked.now)
        assert isinstance(why, Skip)
        assert why.because.code == STANDS_TWICE


@pytest.mark.behaviour("known-twice")
def test_an_opt_out_of_one_of_two_counts(linked: Any) -> None:
    proof = OptOutProof(key="out1", at=linked.now, final=True)
    decision: Decision = linked.decide(twice(linked), system="mail", kind=EventKind.UNSUBSCRIBED, proof=proof)
    assert [(one.kind, one.final) for one in decision.facts] == [("opted_out", True)]
    shown = [one.change.fields for one in decision.changes if isinstance(one.change, SetFields) and one.change.mirror]
    assert [fields["x_status"].value for fields in shown] == ["unsubscribed"]


def test_a_claim_that_proves_wrong_links_none_of_them(world: Any) -> None:
    world.remembered = HERE
    world.facts = [fact(world, "opted_out", "claim:1", final=False)]
    proof = OptOutProof(key="claim:1", at=world.now, final=False, denied=True)
    decision = world.decide(twice(world), system="mail", kind=EventKind.UNSUBSCRIBED, proof=proof)
    assert decision.remembered.ids == {"crm": "c1"}
    assert [one.kind.value for one in decision.facts] == ["opt_out_denied"]
    assert decision.changes == ()

"""A comparison's event decided as a whole: it mends what differs, and asks, grants, moves and tells nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.evaluate import evaluate, wants_history
from stellwerk_rules.model import (
    Contact,
    Decision,
    Enter,
    EventKind,
    Fact,
    FactKind,
    Known,
    Presence,
    Remembered,
    Seen,
    SetFields,
)

DAY = timedelta(days=1)
OUT = "unsubscribed"


def codes(decision: Decision) -> list[str]:
    return [skip.because.code for skip in decision.skips]


def compared(world: Any, contact: Contact, system: str = "crm") -> Decision:
    decision: Decision = world.decide(contact, EventKind.CHANGED, system, compared=True)
    return decision


def shown(world: Any, name: str) -> str:
    return str(world.plan.property_name("crm", name))


@pytest.fixture
def linked(world: Any) -> Any:
    """Brought in and linked at the address ada@, both names agreed on, and the status shown at the CRM as pending."""
    world.decide(world.crm(subscribe="yes", firstname="Ada"))
    digest = world.known().digest
    ada = Seen(digest=remember.digest_of(digest, "Ada"))
    crm = {"firstname": ada, shown(world, "status"): Seen(digest=remember.digest_of(digest, "pending"))}
    seen = {"crm": {**world.remembered.seen.get("crm", {}), **crm}, "mail": {"FIRSTNAME": ada}}
    world.remembered = replace(world.remembered, ids={"crm": "c1", "mail": "m1"}, seen=seen, going={})
    return world


def test_a_value_that_differs_is_carried(linked: Any) -> None:
    decision = compared(linked, linked.crm(subscribe="yes", firstname="Eve", status="pending"))
    (change,) = [one.change for one in decision.changes if one.system == "mail"]
    assert isinstance(change, SetFields)
    assert change.fields["FIRSTNAME"].value == "Eve"


def test_an_address_that_changed_is_left_to_its_own_event(linked: Any) -> None:
    before = linked.remembered
    decision = compared(linked, linked.crm(subscribe="yes", firstname="Eve", email="new@example.com"))
    assert (codes(decision), decision.changes, decision.remembered) == (["address-left"], (), before)


@pytest.mark.parametrize(
    ("system", "more"),
    [("mail", {"email": "new@example.com"}), ("crm", {"email": "new@example.com", "presence": Presence.ABSENT})],
    ids=["at the other system", "of a contact that is gone"],
)
def test_another_address_is_no_move(linked: Any, system: str, more: dict[str, Any]) -> None:
    contact = linked.crm(**more) if system == "crm" else linked.mail(**more)
    assert "address-left" not in codes(compared(linked, contact, system))


def test_nobody_is_asked_by_a_comparison_and_nothing_counts_as_handled(world: Any) -> None:
    decision = compared(world, world.crm(subscribe="yes"))
    assert (codes(decision), decision.changes, decision.remembered) == (["left-to-its-event"], (), Remembered())
    later = world.decide(world.crm(subscribe="yes"))
    assert [type(one.change) for one in later.changes] == [Enter]


def test_nothing_is_told_of_what_a_comparison_finds(make_world: Any) -> None:
    rule = {
        "id": "changes",
        "from": "crm",
        "to": "mail",
        "events": ["changed"],
        "fields": "all",
        "timeline": {"text": {"en": "Changed", "de": "Geändert"}},
    }
    world = make_world(rules=[rule])
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    contact = world.crm(firstname="Eve")
    kinds = {type(one.change).__name__ for one in compared(world, contact).changes}
    assert kinds == {"SetFields"}


def test_a_state_overwritten_at_the_crm_is_looked_up_where_it_belongs(linked: Any) -> None:
    decision = compared(linked, linked.crm(subscribe="yes", firstname="Ada", status="subscribed"))
    assert decision.look_again == ("mail",)
    assert decision.changes == ()


def test_the_state_of_who_left_is_written_again_at_once(linked: Any) -> None:
    left = linked.now - DAY
    linked.facts.append(Fact(kind=FactKind.OPTED_OUT, key="o", at=left, event="e", told_by="mail"))
    linked.suppressed = True
    linked.remembered = replace(linked.remembered, ids={"crm": "c1"})
    decision = compared(linked, linked.crm(subscribe="no", firstname="Ada", status="subscribed"))
    mirrors = [one.change for one in decision.changes if isinstance(one.change, SetFields) and one.change.mirror]
    assert [one.fields[shown(linked, "status")].value for one in mirrors] == [OUT]


def test_nothing_is_shown_anew_where_the_state_reads_as_written(linked: Any) -> None:
    linked.facts.append(Fact(kind=FactKind.OPTED_OUT, key="o", at=linked.now - DAY, event="e", told_by="mail"))
    linked.suppressed = True
    decision = compared(linked, linked.crm(subscribe="no", firstname="Ada", status="pending"))
    assert decision.changes == ()


def test_each_system_is_looked_at_once_more_at_most(linked: Any) -> None:
    merged = replace(linked.remembered, ids={"crm": "c0"})
    known = linked.known(absorbed=(merged,))
    event = linked.event(
        linked.crm(subscribe="yes", firstname="Ada", status="subscribed"), EventKind.MERGED, compared=True
    )
    assert evaluate(linked.plan, event, known, linked.settings).look_again == ("mail",)


@pytest.mark.parametrize(
    ("by_wish", "entered", "wanted"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_history_is_read_for_a_yes_where_only_an_explicit_one_brings_in(
    world: Any, by_wish: bool, entered: bool, wanted: bool
) -> None:
    contact = world.crm(subscribe="yes")
    world.decide(contact)
    world.remembered = replace(world.remembered, by_wish=by_wish, entered=entered)
    known: Known = world.known()
    assert wants_history(world.plan, contact, known, world.settings) is wanted
    assert not wants_history(world.plan, world.crm(), known, world.settings)

"""Who is not asked now, be it that a mail is out or that it confirmed, is linked with whoever stands there all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import (
    Ask,
    Enter,
    Fact,
    FactKind,
    Permission,
    Planned,
    Presence,
    Remembered,
    SetFields,
    SetPeer,
    Skip,
)
from stellwerk_rules.outlook import What, outlook
from stellwerk_rules.prepare import Ready, prepare

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def pending(world: Any) -> Any:
    """Asked an hour ago, as a contact that is no more; another one has the address now."""
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    world.facts = [fact(world, "asked", "w1", HOUR)]
    return world


def fact(world: Any, kind: str, key: str, age: timedelta = HOUR, told_by: str = "") -> Fact:
    return Fact(kind=FactKind(kind), key=key, at=world.now - age, event="e", told_by=told_by)


def planned(world: Any, **fields: Any) -> Planned:
    decision = world.decide(world.crm(subscribe="yes", **fields))
    (found,) = [one for one in decision.changes if isinstance(one.change, Enter)]
    assert isinstance(found, Planned)
    return found


@pytest.mark.behaviour("pending-linked")
def test_a_new_record_of_an_address_that_was_asked_is_linked_and_shown_as_pending(pending: Any) -> None:
    entering = planned(pending, firstname="Ada")
    ready = pending.make(entering, pending.mail(permission=Permission.NONE, peer_id="c0"))
    assert isinstance(ready, Ready)
    assert [type(one) for one in ready.changes] == [SetFields]
    assert pending.remembered.ids == {"crm": "c1", "mail": "m1"}


def test_where_nothing_is_to_be_written_it_is_linked_and_shown(pending: Any) -> None:
    entering = planned(pending)
    known, target = pending.known(), pending.mail(permission=Permission.NONE, peer_id="c0")
    done = prepare(pending.plan, entering, target, known, pending.settings, pending.now)
    assert isinstance(done, Skip)
    assert done.because.code == "linked"


def test_its_reason_is_told_with_it(pending: Any) -> None:
    decision = pending.decide(pending.crm(subscribe="yes"))
    assert [one.code for one in decision.notices] == ["asked-lately"]
    assert [one.because.code for one in decision.changes] == ["linked"]
    assert outlook(pending.plan, decision, pending.known()).what is What.CREATED


def test_who_was_asked_back_is_linked_and_nothing_is_written_there(pending: Any) -> None:
    pending.facts = [fact(pending, "opted_out", "E1", 2 * DAY, "mail"), *pending.facts]
    entering = planned(pending, firstname="Ada")
    target = pending.mail(permission=Permission.NONE, opted_out=True)
    done = prepare(pending.plan, entering, target, pending.known(), pending.settings, pending.now)
    assert isinstance(done, Skip)
    assert done.because.code == "linked"


def test_nobody_is_made_for_it(pending: Any) -> None:
    nobody = pending.mail(presence=Presence.ABSENT, id=None)
    for age in (HOUR, 2 * DAY):
        pending.facts = [fact(pending, "asked", "w1", HOUR)]
        pending.remembered = Remembered()
        entering = planned(pending)
        pending.facts = [fact(pending, "asked", "w1", age)]
        assert isinstance(prepare(pending.plan, entering, nobody, pending.known(), pending.settings, pending.now), Skip)


def test_asked_between_decision_and_delivery_it_is_linked(pending: Any) -> None:
    facts, pending.facts = pending.facts, []
    entering = planned(pending)
    pending.facts = facts
    target = pending.mail(permission=Permission.NONE, peer_id=None)
    ready = prepare(pending.plan, entering, target, pending.known(), pending.settings, pending.now)
    assert isinstance(ready, Ready)
    assert [type(one) for one in ready.changes] == [SetPeer]


def test_what_is_unlawful_for_another_reason_links_nobody(pending: Any) -> None:
    entering = planned(pending)
    pending.facts.append(fact(pending, "opted_out", "E1", told_by="mail"))
    target = pending.mail(permission=Permission.NONE)
    done = prepare(pending.plan, entering, target, pending.known(), pending.settings, pending.now)
    assert isinstance(done, Skip)
    assert done.because.code == "opted-out"


@pytest.mark.parametrize("permission", [Permission.NONE, Permission.SINGLE, Permission.OTHER, Permission.DOUBLE])
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("age", [HOUR, 2 * DAY, 40 * DAY])
def test_who_is_to_be_linked_alone_is_never_asked(
    pending: Any, permission: Permission, again: bool, linked: bool, age: timedelta
) -> None:
    entering = planned(pending, firstname="Ada")
    assert isinstance(entering.change, Enter)
    entering = replace(entering, change=replace(entering.change, again=again))
    pending.facts = [fact(pending, "asked", "w1", age)]
    if linked:
        pending.remembered = replace(pending.remembered, ids={"crm": "c1", "mail": "m1"})
    target = pending.mail(permission=permission)
    done = prepare(pending.plan, entering, target, pending.known(), pending.settings, pending.now)
    assert isinstance(done, Skip) or not any(isinstance(one, Ask) for one in done.changes)

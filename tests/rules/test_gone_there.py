"""Whoever was deleted at the mail system by somebody there, of which nothing tells, and says yes anew."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.aftermath import dropped
from stellwerk_rules.model import (
    Ask,
    Contact,
    Decision,
    Enter,
    FactKind,
    Origin,
    Permission,
    Presence,
    Remembered,
    SetPeer,
    Skip,
)
from stellwerk_rules.prepare import Ready, prepare
from stellwerk_toys.decisions import DAY, fact, mirrored


@pytest.fixture
def confirmed(world: Any) -> Any:
    """The address confirmed a week ago, as another contact than the one that comes in now."""
    world.facts = [fact(world, "asked", "w0", age=8 * DAY, told_by=""), fact(world, "confirmed", "w0", age=7 * DAY)]
    return world


def absent(world: Any) -> Contact:
    return Contact(presence=Presence.ABSENT, read_at=world.now)


def met_nobody(world: Any, contact: Contact) -> Decision:
    """The contact is to be linked with who stands there, and nobody does."""
    (planned,) = world.decide(contact).changes
    assert isinstance(planned.change, Enter)
    assert planned.change.links
    why = prepare(world.plan, planned, absent(world), world.known(), world.settings, world.now)
    assert isinstance(why, Skip)
    assert why.because.code == "already-confirmed"
    return world.keep(dropped(world.plan, planned, why, absent(world), world.known(), world.now))


@pytest.mark.behaviour("deleted-in-mail-yes")
def test_an_explicit_yes_that_meets_nobody_any_more_is_asked_anew(confirmed: Any) -> None:
    wish = confirmed.crm(subscribe="yes")
    found = met_nobody(confirmed, wish)
    assert [one.kind for one in found.facts] == [FactKind.REMOVED]
    assert (found.look_again, mirrored(found)["x_status"]) == (("crm",), "not_subscribed")
    (planned,) = confirmed.decide(wish).changes
    ready = confirmed.make(planned, absent(confirmed))
    assert isinstance(ready, Ready)
    assert [isinstance(one, Ask) and not one.way_back for one in ready.changes] == [True]
    assert confirmed.decide(wish).changes == ()


def test_who_did_not_say_so_is_not_made_again(confirmed: Any) -> None:
    found = met_nobody(confirmed, confirmed.crm(subscribe="yes", by=Origin.IMPORT))
    assert ([one.kind for one in found.facts], found.look_again) == ([FactKind.REMOVED], ())


def test_who_stands_there_is_linked_and_not_asked(confirmed: Any) -> None:
    (planned,) = confirmed.decide(confirmed.crm(subscribe="yes")).changes
    ready = confirmed.make(planned, confirmed.mail(permission=Permission.DOUBLE))
    assert isinstance(ready, Ready)
    assert [type(change) for change in ready.changes] == [SetPeer]
    assert all(one.kind is not FactKind.REMOVED for one in confirmed.facts)


@pytest.fixture
def linked_there(confirmed: Any) -> Any:
    confirmed.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    return confirmed


@pytest.mark.behaviour("deleted-in-mail-yes")
def test_so_is_that_of_a_contact_which_is_linked(linked_there: Any) -> None:
    wish = linked_there.crm(subscribe="yes")
    assert met_nobody(linked_there, wish).look_again == ("crm",)
    (planned,) = linked_there.decide(wish).changes
    ready = linked_there.make(planned, absent(linked_there), remote_id="m2")
    assert [type(change) for change in ready.changes] == [Ask]
    assert linked_there.remembered.ids["mail"] == "m2"


def test_of_whoever_is_linked_and_stands_there_nothing_is_written(linked_there: Any) -> None:
    """Not even blanks are filled: somebody may have emptied them on purpose."""
    (planned,) = linked_there.decide(linked_there.crm(subscribe="yes", firstname="Ada")).changes[:1]
    ready = linked_there.make(planned, linked_there.mail(permission=Permission.DOUBLE, peer_id="c1"))
    assert isinstance(ready, Skip)
    assert ready.because.code == "linked"


def test_a_marker_keeps_the_yes_out_of_whoever_left_while_she_was_linked(linked_there: Any) -> None:
    """That is an opt-out which is looked into, and no deletion."""
    (planned,) = linked_there.decide(linked_there.crm(subscribe="yes")).changes
    gone = replace(absent(linked_there), opted_out=True)
    linked_there.make(planned, gone)
    assert [(one.kind, one.final) for one in linked_there.facts[2:]] == [(FactKind.OPTED_OUT, False)]

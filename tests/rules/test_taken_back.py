"""A yes that was decided on and has not gone out, and a no that follows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import (
    ADDRESS,
    Contact,
    Decision,
    Enter,
    EventKind,
    Fact,
    FactKind,
    Origin,
    Planned,
    Presence,
    Skip,
    Written,
)
from stellwerk_rules.prepare import Ready, prepare

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def entry(decision: Decision) -> Planned:
    (planned,) = [one for one in decision.changes if isinstance(one.change, Enter)]
    return planned


def prepared(world: Any, planned: Planned) -> str:
    nowhere = Contact(presence=Presence.ABSENT, opted_out=world.suppressed, read_at=world.now)
    ready = prepare(world.plan, planned, nowhere, world.known(), world.settings, world.now)
    return ready.because.code if isinstance(ready, Skip) else type(ready).__name__


@pytest.fixture
def gone(world: Any) -> Any:
    """Left ten days ago, as the mail system told."""
    left = world.now - 10 * DAY
    world.facts = [Fact(kind=FactKind.OPTED_OUT, key="E1", at=left, event="e0", told_by="mail")]
    world.suppressed = True
    return world


@pytest.mark.behaviour("answer-no-meanwhile")
@pytest.mark.parametrize(
    ("by", "why"),
    [(Origin.FORM, "said-no"), (Origin.PERSON, "opted-out"), (Origin.IMPORT, "opted-out")],
)
def test_a_no_takes_back_the_yes_that_has_not_gone_out_yet(world: Any, by: Origin, why: str) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    assert prepared(world, waiting) == Ready.__name__
    world.decide(world.crm(subscribe="no", by=by, said_at=world.now - MINUTE))
    assert prepared(world, waiting) == why


@pytest.mark.behaviour("answer-no-meanwhile")
@pytest.mark.parametrize("by", [Origin.FORM, Origin.PERSON, Origin.IMPORT])
def test_a_no_takes_back_the_way_back_of_somebody_who_is_out(gone: Any, by: Origin) -> None:
    waiting = entry(gone.decide(gone.crm(subscribe="yes")))
    assert prepared(gone, waiting) == Ready.__name__
    gone.decide(gone.crm(subscribe="no", by=by, said_at=gone.now - MINUTE))
    assert prepared(gone, waiting) in ("said-no", "opt-out-younger")


def test_a_yes_after_that_no_goes_out(gone: Any) -> None:
    gone.decide(gone.crm(subscribe="yes"))
    gone.decide(gone.crm(subscribe="no", by=Origin.PERSON, said_at=gone.now - 2 * MINUTE))
    again = entry(gone.decide(gone.crm(subscribe="yes", said_at=gone.now - MINUTE)))
    assert prepared(gone, again) == Ready.__name__


def test_a_no_that_is_older_than_the_yes_takes_nothing_back(world: Any) -> None:
    world.decide(world.crm(subscribe="no", said_at=world.now - 2 * DAY))
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    assert prepared(world, waiting) == Ready.__name__


@pytest.mark.behaviour("changed-meanwhile")
def test_a_yes_that_was_emptied_is_decided_anew(world: Any) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    world.decide(world.crm(subscribe=None))
    assert prepared(world, waiting) == "changed-since"


@pytest.mark.behaviour("changed-meanwhile")
@pytest.mark.parametrize("by", [Origin.WORKFLOW, Origin.IMPORT, Origin.INTEGRATION])
def test_a_yes_that_is_no_wish_brings_back_none_that_a_no_took_back(world: Any, by: Origin) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    world.decide(world.crm(subscribe="no", by=Origin.FORM, said_at=world.now - 2 * MINUTE))
    world.decide(world.crm(subscribe="yes", by=by, said_at=world.now - MINUTE))
    assert prepared(world, waiting) == "changed-since"


@pytest.mark.behaviour("changed-meanwhile")
def test_settings_that_were_saved_since_and_an_agreement_taken_back_have_it_decided_anew(world: Any) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    nowhere = Contact(presence=Presence.ABSENT, read_at=world.now)
    stands, settings, known = world.known(), world.settings, world.known()
    changed = [
        ({**settings, "double_opt_in": not settings["double_opt_in"]}, known, world.plan),
        (settings, replace(known, agreed=None), world.plan),
        (settings, known, replace(world.plan, hash="another file")),
    ]
    for values, told, plan in changed:
        ready = prepare(plan, waiting, nowhere, told, values, world.now)
        assert isinstance(ready, Skip)
        assert ready.because.code == "changed-since"
    assert isinstance(prepare(world.plan, waiting, nowhere, stands, settings, world.now), Ready)


def test_a_younger_yes_takes_nothing_back(world: Any) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    world.decide(world.crm(subscribe="yes", said_at=world.now - MINUTE))
    assert prepared(world, waiting) == Ready.__name__


@pytest.mark.behaviour("deleted-meanwhile")
@pytest.mark.parametrize("kind", [EventKind.DELETED, EventKind.ERASED])
def test_nothing_goes_out_any_more_for_a_contact_that_was_deleted(world: Any, kind: EventKind) -> None:
    waiting = entry(world.decide(world.crm(subscribe="yes")))
    world.decide(Contact(id="c1", presence=Presence.ARCHIVED, read_at=world.now), kind)
    assert prepared(world, waiting) == "deleted"


@pytest.mark.behaviour("restored")
@pytest.mark.parametrize(("subscribe", "why"), [(None, "older"), ("yes", Ready.__name__)])
def test_back_from_a_deletion_only_an_explicit_yes_that_waits_still_goes_out(
    world: Any, subscribe: str | None, why: str
) -> None:
    waiting = entry(world.decide(world.crm(subscribe=subscribe)))
    world.decide(Contact(id="c1", presence=Presence.ARCHIVED, read_at=world.now), EventKind.DELETED)
    world.decide(world.crm(subscribe=subscribe), EventKind.RESTORED)
    assert prepared(world, waiting) == why


def test_who_moves_after_she_came_in_by_a_yes_that_followed_a_restore_enters_with_her_new_address(world: Any) -> None:
    world.decide(world.crm(subscribe=None))
    world.decide(Contact(id="c1", presence=Presence.ARCHIVED, read_at=world.now), EventKind.DELETED)
    world.decide(world.crm(subscribe=None), EventKind.RESTORED)
    world.decide(world.crm(subscribe="yes", said_at=world.now - 2 * MINUTE))
    contact = world.crm(subscribe="yes", said_at=world.now - 2 * MINUTE, email="new@example.com")
    written = Written(value="new@example.com", at=world.now - MINUTE, origin=Origin.PERSON)
    moved = entry(world.decide(replace(contact, history={**contact.history, ADDRESS: (written,)})))
    assert prepared(world, moved) == Ready.__name__

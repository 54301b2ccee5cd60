"""A dry run's word for what was decided on a contact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stellwerk_rules.evaluate import evaluate
from stellwerk_rules.model import Backfill, Because, Contact, Decision, Fact, FactKind, Permission, Remembered
from stellwerk_rules.outlook import Outlook, What, outlook

DAY = timedelta(days=1)
LINKED = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)


def older(world: Any, **more: Any) -> Contact:
    contact: Contact = world.crm(**{"created_at": world.now - 90 * DAY, "said_at": world.now - 80 * DAY, **more})
    return contact


def said_of(world: Any, contact: Contact, **terms: Any) -> Outlook:
    run = Backfill(run=7, began_at=world.now, **terms)
    known = world.known()
    decision = evaluate(world.plan, world.event(contact, backfill=run), known, world.settings)
    return outlook(world.plan, decision, known)


@pytest.mark.parametrize(
    ("terms", "what"),
    [({}, What.CREATED), ({"ask": True}, What.MAILED), ({"grant": Permission.SINGLE}, What.GRANTED)],
)
def test_who_is_not_known_over_there_is_new_by_the_terms_of_the_sync(
    world: Any, terms: dict[str, Any], what: What
) -> None:
    told = said_of(world, older(world), **terms)
    assert (told.what, told.new, told.because.code) == (what, True, "sync")


def test_who_is_there_already_and_is_asked_is_mailed_and_not_new(world: Any) -> None:
    world.remembered = LINKED
    told = said_of(world, older(world), ask=True)
    assert (told.what, told.new) == (What.MAILED, False)


def test_who_is_brought_in_and_there_already_is_changed(world: Any) -> None:
    world.remembered = Remembered(ids={"mail": "m1"})
    assert said_of(world, older(world)).what is What.CHANGED


def test_a_field_that_differs_is_a_change(world: Any) -> None:
    world.remembered = LINKED
    told = said_of(world, older(world, firstname="Ada"))
    assert (told.what, told.because.code) == (What.CHANGED, "changed")


def test_who_is_skipped_has_the_reason(world: Any) -> None:
    world.facts.append(Fact(kind=FactKind.OPTED_OUT, key="k", at=world.now, event="e", told_by="mail"))
    told = said_of(world, older(world, subscribe="yes"))
    assert (told.what, told.because.code) == (What.SKIPPED, "opted-out")


def test_a_state_that_is_only_to_be_shown_is_a_change(world: Any) -> None:
    world.remembered = LINKED
    entered = world.mail(permission=Permission.SINGLE)
    decision = evaluate(world.plan, world.event(entered, system="mail"), world.known(), world.settings)
    told = outlook(world.plan, decision, world.known())
    assert (told.what, told.because.code) == (What.CHANGED, "mirror")


def test_what_waits_for_a_person_is_held(world: Any) -> None:
    decision = world.decide(world.crm(created_at=world.now - 9 * DAY))
    told = outlook(world.plan, decision, world.known())
    assert (told.what, told.because.code) == (What.HELD, "old-wish")


def test_a_decision_without_any_reason_is_told_as_unchanged(world: Any) -> None:
    assert outlook(world.plan, Decision(), world.known()).because == Because(
        code="unchanged", text="nothing is to be done"
    )

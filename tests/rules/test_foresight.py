"""What a contact would come to under some settings, if it were created now and nobody knew it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from stellwerk_rules.foresight import foresee
from stellwerk_rules.model import Fact, FactKind, Origin, Permission, Remembered
from stellwerk_rules.outlook import Outlook, What
from stellwerk_rules.plan import compile_plan
from stellwerk_rules.spec import Ruleset

DAY = timedelta(days=1)


def seen(world: Any, contact: Any, **settings: Any) -> Outlook:
    found = foresee(world.plan, contact, world.known(), {**world.settings, **settings}, world.now)
    assert found is not None
    return found


def test_who_is_asked_would_be_mailed(world: Any) -> None:
    found = seen(world, world.crm(subscribe="yes"))
    assert (found.what, found.permission, found.because.code) == (What.MAILED, Permission.NONE, "wish")


def test_who_is_granted_a_permission_is_told_with_it(world: Any) -> None:
    found = seen(world, world.crm(subscribe="yes"), double_opt_in=False, permission="single")
    assert (found.what, found.permission) == (What.GRANTED, Permission.SINGLE)


def test_who_is_neither_is_only_created(world: Any) -> None:
    assert seen(world, world.crm(subscribe="yes"), double_opt_in=False, permission="none").what is What.CREATED


def test_who_says_no_is_left_out_with_the_reason(world: Any) -> None:
    found = seen(world, world.crm(subscribe="no"))
    assert (found.what, found.because.code) == (What.SKIPPED, "said-no")


def test_an_old_contact_with_an_old_yes_counts_as_if_it_were_new(world: Any) -> None:
    world.began_at = None
    contact = world.crm(subscribe="yes", said_at=world.now - 300 * DAY, created_at=world.now - 300 * DAY)
    assert seen(world, contact).what is What.MAILED


def test_that_it_was_asked_and_brought_in_before_does_not_count(world: Any) -> None:
    contact = world.crm(subscribe="yes")
    world.decide(contact)
    world.remembered = replace(world.remembered, ids={"crm": "c1", "mail": "m1"})
    world.facts.append(Fact(kind=FactKind.ASKED, key="k", at=world.now - DAY, event="e"))
    assert world.remembered != Remembered()
    assert seen(world, contact).what is What.MAILED


def test_who_opted_out_would_still_be_left_out(world: Any) -> None:
    world.facts.append(Fact(kind=FactKind.OPTED_OUT, key="o", at=world.now, event="e", told_by="mail"))
    world.suppressed = True
    assert seen(world, world.crm(by=Origin.FORM, subscribe="yes", said_at=world.now - DAY)).what is What.SKIPPED


def test_a_contact_whose_creation_is_not_told_counts_as_new(world: Any) -> None:
    assert seen(world, world.crm(subscribe="yes", created_at=None)).what is What.MAILED


def test_a_file_without_wishes_foresees_nothing(world: Any) -> None:
    empty = compile_plan(Ruleset(systems=("crm", "mail")))
    assert foresee(empty, world.crm(subscribe="yes"), world.known(), {}, world.now) is None

"""State shown at the other system."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from stellwerk_rules.consent import Consent, fold
from stellwerk_rules.mirror import mirrored, status, time_text
from stellwerk_rules.model import Contact, Decision, Fact, FactKind, Permission, Presence, Remembered, Seen, SetFields
from stellwerk_rules.spec import Limits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LINKED = Remembered(ids={"crm": "c1"})


def folded(*kinds: str, key: str = "k", final: bool = True) -> Consent:
    facts = [Fact(kind=FactKind(one), key=key, at=NOON, event="e", told_by="mail", final=final) for one in kinds]
    return fold(facts, False, NOON, Limits())


def contact(permission: Permission | None = Permission.NONE, **more: Any) -> Contact:
    return Contact(permission=permission, read_at=NOON, **more)


@pytest.mark.parametrize(
    ("seen", "consent", "expected"),
    [
        (contact(), folded(), "not_subscribed"),
        (contact(None), folded(), "not_subscribed"),
        (contact(), folded("asked"), "pending"),
        (contact(Permission.SINGLE), folded("asked"), "subscribed"),
        (contact(Permission.OTHER), folded(), "subscribed"),
        (contact(Permission.DOUBLE), folded("opted_out"), "unsubscribed"),
        (contact(), folded("opted_out", "asked"), "pending"),
        (contact(Permission.DOUBLE), folded("opted_out", key="out:c1"), "subscribed"),
        (contact(Permission.DOUBLE), folded("opted_out", final=False), "subscribed"),
        (contact(Permission.DOUBLE, blocked=True), folded("opted_out"), "blocked"),
        (contact(Permission.DOUBLE, presence=Presence.ABSENT), folded(), "not_subscribed"),
    ],
)
def test_the_status_is_where_the_contact_stands_at_the_mail_system(
    seen: Contact, consent: Consent, expected: str
) -> None:
    assert status(seen, consent) == expected


def shown(world: Any, seen: Contact, consent: Consent, before: Remembered = LINKED, **more: Any) -> Decision:
    return mirrored(world.plan, "mail", seen, consent, before, str, key="e1", **more)


def values(decision: Decision) -> dict[str, Any]:
    (planned,) = decision.changes
    assert isinstance(planned.change, SetFields)
    assert planned.change.mirror
    assert (planned.system, planned.key) == ("crm", "mirror:e1:crm")
    return {name: one.value for name, one in planned.change.fields.items()}


def test_status_permission_and_opt_out_are_shown(world: Any) -> None:
    assert values(shown(world, contact(Permission.NONE), folded("opted_out"))) == {
        "x_status": "unsubscribed",
        "x_permission": "none",
        "x_unsubscribed_at": "2026-11-24T12:00:00Z",
    }


def test_a_blank_that_was_never_filled_is_not_written(world: Any) -> None:
    assert values(shown(world, contact(Permission.DOUBLE), folded())) == {
        "x_status": "subscribed",
        "x_permission": "double",
    }


def test_the_time_of_an_opt_out_goes_with_it(world: Any) -> None:
    before = Remembered(ids={"crm": "c1"}, seen={"crm": {"x_unsubscribed_at": Seen(digest="2026-11-24T12:00:00Z")}})
    assert values(shown(world, contact(Permission.DOUBLE), folded(), before))["x_unsubscribed_at"] is None


def test_what_is_shown_already_or_on_its_way_is_not_written_again(world: Any) -> None:
    first = shown(world, contact(Permission.DOUBLE), folded())
    assert shown(world, contact(Permission.DOUBLE), folded(), first.remembered).changes == ()
    arrived = Remembered(ids={"crm": "c1"}, seen={"crm": first.remembered.going["crm"]})
    assert shown(world, contact(Permission.DOUBLE), folded(), arrived).changes == ()
    assert values(shown(world, contact(Permission.SINGLE), folded(), arrived)) == {"x_permission": "single"}


def test_nothing_is_shown_to_a_contact_that_is_not_linked(world: Any) -> None:
    assert shown(world, contact(), folded(), Remembered()).changes == ()


def test_the_state_of_another_system_is_not_this_mirrors(world: Any) -> None:
    assert mirrored(world.plan, "crm", contact(), folded(), LINKED, str, key="e1").changes == ()


@pytest.mark.parametrize("trouble", ["held", "error"])
def test_what_keeps_a_contact_back_is_shown(world: Any, trouble: Any) -> None:
    assert values(shown(world, contact(), folded(), trouble=trouble))["x_status"] == trouble


def test_a_mirror_shows_only_what_it_names(make_world: Callable[..., Any]) -> None:
    world = make_world(mirror=[{"of": "mail", "on": "crm", "permission": "permission"}])
    assert values(shown(world, contact(Permission.SINGLE), folded())) == {"x_permission": "single"}


def test_times_are_shown_in_utc_to_the_second() -> None:
    local = datetime(2026, 11, 24, 13, 0, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    assert time_text(local) == "2026-11-24T12:00:00Z"

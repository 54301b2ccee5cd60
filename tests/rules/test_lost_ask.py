"""An ask that only its mark over there tells of, since a back-up replaced the ledger: it counts as any other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.consent import fold
from stellwerk_rules.learned import lost_ask
from stellwerk_rules.model import (
    Ask,
    Contact,
    Enter,
    EventKind,
    Fact,
    FactKind,
    Permission,
    Planned,
    Presence,
    Remembered,
    SetFields,
    Skip,
)
from stellwerk_rules.prepare import Ready, prepare

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def unknown(world: Any) -> Any:
    """A connection that asks, and knows of no ask."""
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    return world


def entering(world: Any, answer: str | None = "yes") -> Planned:
    (found,) = [one for one in world.decide(world.crm(subscribe=answer)).changes if isinstance(one.change, Enter)]
    assert isinstance(found, Planned)
    return found


def there(world: Any, age: timedelta = HOUR, **more: Any) -> Contact:
    given = {"permission": Permission.NONE, "mark": "w0", "peer_id": "c1", "updated_at": world.now - age, **more}
    contact: Contact = world.mail(**given)
    return contact


def asks(world: Any, planned: Planned, target: Contact, **known: Any) -> bool:
    done = prepare(world.plan, planned, target, replace(world.known(), **known), world.settings, world.now)
    return isinstance(done, Ready) and any(isinstance(one, Ask) for one in done.changes)


@pytest.mark.behaviour("trouble-restored")
def test_who_carries_the_mark_of_an_ask_from_before_the_back_up_is_not_asked_within_a_day(unknown: Any) -> None:
    planned = entering(unknown)
    assert not asks(unknown, planned, there(unknown))
    assert asks(unknown, planned, there(unknown, mark=None))
    assert asks(unknown, planned, there(unknown, DAY))


def test_a_mark_whose_confirmation_is_known_tells_of_no_lost_ask(unknown: Any) -> None:
    confirmed = Fact(kind=FactKind.CONFIRMED, key="w0", at=unknown.now - DAY, event="e", permission=Permission.DOUBLE)
    known = replace(unknown.known(), facts=(confirmed,))
    consent = fold(known.facts, False, unknown.now, unknown.plan.limits)
    assert lost_ask("mail", there(unknown), known, consent, unknown.now) == ()
    assert lost_ask("mail", there(unknown, mark="w9"), known, consent, unknown.now) != ()


def test_without_an_explicit_yes_it_is_not_asked_while_that_is_pending(unknown: Any) -> None:
    planned = entering(unknown, None)
    assert not asks(unknown, planned, there(unknown, 2 * DAY))
    assert asks(unknown, planned, there(unknown, 15 * DAY))


@pytest.mark.parametrize("more", [{"updated_at": None}, {}])
def test_a_time_that_is_not_told_or_of_no_zone_is_taken_for_now(unknown: Any, more: dict[str, Any]) -> None:
    planned = entering(unknown)
    assert not asks(unknown, planned, there(unknown, 2 * DAY, **more), unzoned=frozenset({"mail"}))
    if more:
        assert not asks(unknown, planned, there(unknown, 2 * DAY, **more))


def test_a_time_still_to_come_is_taken_for_now(unknown: Any) -> None:
    unknown.make(entering(unknown), there(unknown, -HOUR))
    assert [one.at for one in unknown.facts] == [unknown.now]


@pytest.mark.behaviour("trouble-restored")
def test_it_stands_in_the_ledger_from_then_on_and_is_linked(unknown: Any) -> None:
    ready = unknown.make(entering(unknown), there(unknown))
    assert isinstance(ready, Skip)
    assert [(one.kind, one.key, one.at) for one in unknown.facts] == [(FactKind.ASKED, "w0", unknown.now - HOUR)]
    assert unknown.remembered.ids["mail"] == "m1"


@pytest.mark.parametrize("kind", ["asked", "confirmed"])
def test_an_ask_that_is_known_is_not_learned_again(unknown: Any, kind: str) -> None:
    unknown.facts = [Fact(kind=FactKind(kind), key="w0", at=unknown.now - 2 * DAY, event="e")]
    planned = replace(entering(unknown), key="enter:other")
    before = list(unknown.facts)
    unknown.make(planned, there(unknown, permission=Permission.SINGLE))
    assert [one for one in unknown.facts if one.kind is FactKind.ASKED] == [
        one for one in before if one.kind is FactKind.ASKED
    ]


@pytest.mark.parametrize("more", [{"permission": Permission.DOUBLE}, {"presence": Presence.ANONYMOUS}])
def test_who_has_answered_or_is_gone_owes_no_answer(unknown: Any, more: dict[str, Any]) -> None:
    unknown.make(entering(unknown), there(unknown, **more))
    assert "w0" not in [one.key for one in unknown.facts if one.kind is FactKind.ASKED]


def status_shown(world: Any, target: Contact, kind: EventKind = EventKind.CHANGED) -> str | None:
    """What a look at the mail system lets the CRM show, of a contact linked with who stands there."""
    world.remembered = Remembered(ids={"crm": "c1", "mail": "m1"}, entered=True)
    written = [one.change for one in world.decide(target, kind, "mail").changes]
    return next((one.fields["x_status"].value for one in written if isinstance(one, SetFields) and one.mirror), None)


@pytest.mark.behaviour("trouble-restored-asked")
@pytest.mark.parametrize("kind", [EventKind.CHANGED, EventKind.BOUNCED])
def test_it_is_shown_as_pending_like_any_other_ask_while_that_is_valid(unknown: Any, kind: EventKind) -> None:
    assert status_shown(unknown, there(unknown), kind) == "pending"
    assert status_shown(unknown, there(unknown, 15 * DAY), kind) == "not_subscribed"
    assert status_shown(unknown, there(unknown, mark=None), kind) == "not_subscribed"
    assert unknown.facts == []


def test_of_who_left_and_still_reads_as_before_that_she_left_is_shown(unknown: Any) -> None:
    unknown.facts = [Fact(kind=FactKind.OPTED_OUT, key="o", at=unknown.now, event="e", told_by="mail")]
    assert status_shown(unknown, there(unknown)) == "unsubscribed"

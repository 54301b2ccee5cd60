"""What is read together with a click: a move and a new yes come to what they would have come to without it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stellwerk_rules.model import Decision, EventKind
from stellwerk_toys.decisions import DAY, brought_in, codes, entered, fact

HOUR = timedelta(hours=1)
CLICKED = pytest.mark.parametrize("clicked", [False, True])
"""Nobody asks, or a person does."""


def came_in(world: Any, *, age: int) -> dict[str, Any]:
    """A contact that many days old said yes two hours ago, and its mail was refused; what else it reads as."""
    world.settings.update({"double_opt_in": True, "doi_mailing": "K1"})
    contact = {"created_at": world.now - age * DAY}
    said = world.now - HOUR
    enter = brought_in(world.decide(world.crm(subscribe="yes", said_at=said, **contact)))
    world.facts.append(fact(world, "ask_failed", enter.wish, age=0 * DAY, told_by=""))
    world.now += HOUR
    return {"subscribe": "yes", "said_at": said, **contact}


def says_yes_anew(world: Any, contact: dict[str, Any]) -> Any:
    return world.crm(**{**contact, "said_at": world.now - timedelta(minutes=1)})


@CLICKED
@pytest.mark.parametrize("age", [1, 30])
def test_a_new_address_enters_once_whether_or_not_a_person_asked_for_the_former_yes(
    world: Any, age: int, clicked: bool
) -> None:
    contact = {**came_in(world, age=age), "email": "new@example.com"}
    moved = world.decide(world.crm(**contact), asked_again=clicked)
    assert brought_in(moved).mails
    assert moved.changes[-1].key.startswith("enter:")
    assert entered(world.decide(world.crm(**contact), EventKind.MOVED)) is None


@CLICKED
def test_a_new_yes_waits_for_a_claimed_opt_out_and_enters_once_that_is_denied(world: Any, clicked: bool) -> None:
    contact = came_in(world, age=30)
    claim = fact(world, "opted_out", "o", age=5 * DAY, final=False)
    world.facts.append(claim)
    new = says_yes_anew(world, contact)
    assert codes(world.decide(new, asked_again=clicked)) == ["opt-out-claimed"]
    world.facts.remove(claim)
    assert brought_in(world.decide(new)).mails


@CLICKED
def test_a_new_yes_is_granted_what_the_settings_grant_where_they_ask_nobody_any_more(world: Any, clicked: bool) -> None:
    contact = came_in(world, age=30)
    world.settings["double_opt_in"] = False
    world.settings["permission"] = "single"
    assert not brought_in(world.decide(says_yes_anew(world, contact), asked_again=clicked)).mails


def test_a_click_changes_nothing_of_what_comes_of_a_new_yes(make_world: Any) -> None:
    def decided(clicked: bool) -> Decision:
        world = make_world()
        new = says_yes_anew(world, came_in(world, age=30))
        return world.decide(new, asked_again=clicked)

    assert decided(True) == decided(False)
    assert brought_in(decided(True)).mails

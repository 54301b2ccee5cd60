"""What happened to a contact, told from its state and never from the signal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from stellwerk_rules.model import Fact, FactKind, Permission
from stellwerk_rules.scene import Scene, kinds, scene

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def seen(world: Any, **fields: Any) -> Scene:
    return scene(world.plan, world.event(world.crm(**fields)), world.known(), world.settings)


@pytest.mark.parametrize(("after", "new"), [(-SECOND, False), (timedelta(0), True), (SECOND, True)])
def test_who_was_created_when_the_connection_began_or_later_is_new(world: Any, after: timedelta, new: bool) -> None:
    assert ("created" in kinds(seen(world, created_at=world.began_at + after))) is new


def test_without_a_time_of_creation_or_a_beginning_nobody_is_new(world: Any) -> None:
    assert "created" not in kinds(seen(world, created_at=None))
    world.began_at = None
    assert "created" not in kinds(seen(world))


def test_nothing_moved_or_merged_where_neither_was_told(world: Any) -> None:
    assert kinds(seen(world)) & {"moved", "merged"} == set()
    assert kinds(replace(seen(world), moved=True)) >= {"moved"}


def test_an_address_is_kept_out_until_its_own_confirmation(world: Any) -> None:
    world.suppressed = True
    world.facts.append(Fact(kind=FactKind.OPTED_OUT, key="o", at=world.now - HOUR, event="e", told_by="mail"))
    asked = Fact(kind=FactKind.ASKED, key="k", at=world.now, event="e")
    confirmed = replace(asked, kind=FactKind.CONFIRMED, permission=Permission.DOUBLE)
    now = seen(world)
    assert now.with_facts((asked,)).known.suppressed
    assert not now.with_facts((asked, confirmed)).known.suppressed
    world.suppressed = False
    assert not seen(world).with_facts((asked,)).known.suppressed

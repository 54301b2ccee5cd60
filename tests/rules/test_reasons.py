"""Of rules that did not hold, the one that came nearest is named, with what it missed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from stellwerk_rules.conditions import Look, compile_condition
from stellwerk_rules.plan import CompiledRule
from stellwerk_rules.reasons import nearest
from stellwerk_rules.spec import Condition

NOWHERE = Look(settings={}, fields={"city": "Ulm"}, history={}, handled={})


@pytest.fixture
def rule(world: Any) -> Any:
    """`rule(id, city, …)`: one that holds where the field has all these values at once; without any it always holds."""
    (some, *_) = world.plan.rules

    def made(name: str, *cities: str) -> CompiledRule:
        wanted = {"all": [{"field": "city", "is": one} for one in cities]}
        test = compile_condition(msgspec.convert(wanted, Condition), str) if cities else None
        return replace(some, spec=replace(some.spec, id=name), test=test)

    return made


def test_the_rule_that_misses_by_least_is_named(rule: Any) -> None:
    said = nearest((rule("far", "Bonn", "Köln"), rule("near", "Bonn"), rule("farther", "A", "B", "C")), NOWHERE)
    assert said is not None
    assert said.startswith("near: ")


def test_a_rule_without_a_condition_misses_nothing(rule: Any) -> None:
    assert nearest((rule("always"),), NOWHERE) is None
    said = nearest((rule("always"), rule("near", "Bonn")), NOWHERE)
    assert said is not None
    assert said.startswith("near: ")


def test_everything_that_it_missed_is_said(rule: Any) -> None:
    said = nearest((rule("far", "Bonn", "Köln"),), NOWHERE)
    assert said is not None
    assert said.count("; ") == 1

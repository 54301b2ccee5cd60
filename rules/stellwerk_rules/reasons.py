"""Reasons, each with the rule and the line it comes from."""

from __future__ import annotations

from msgspec.structs import replace

from stellwerk_rules.conditions import Look
from stellwerk_rules.model import Because, Skip
from stellwerk_rules.plan import CompiledRule


def because(rule: CompiledRule, code: str, text: str) -> Because:
    """A reason that stands at `rule`."""
    return Because(code=code, text=text, rule=rule.spec.id, line=rule.line)


def at_rule(rule: CompiledRule, reason: Because) -> Because:
    """A law's reason, with the rule whose change it forbids."""
    return replace(reason, rule=rule.spec.id, line=rule.line)


def skip(rule: CompiledRule, code: str, text: str) -> Skip:
    """Nothing is written by `rule`."""
    return Skip(because=because(rule, code, text))


def nearest(rules: tuple[CompiledRule, ...], look: Look) -> str | None:
    """Of rules whose condition does not hold, the one that misses by least, and by what."""
    missed = [(rule.spec.id, rule.test.misses(look)) for rule in rules if rule.test is not None]
    closest = min(missed, key=lambda one: len(one[1]), default=None)
    return None if closest is None else f"{closest[0]}: {'; '.join(closest[1])}"

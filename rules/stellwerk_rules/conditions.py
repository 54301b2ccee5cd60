"""Conditions, compiled to closures: one that answers yes or no, and one that says what missed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from stellwerk_rules import remember
from stellwerk_rules.chosen import as_text
from stellwerk_rules.model import Digest, Origin, Seen, Value, Written
from stellwerk_rules.spec import Condition, Scalar, SettingValue


class Look(Struct, frozen=True, kw_only=True):
    """What a condition can see: settings in effect, the source's fields and their history, what was handled before."""

    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    fields: Mapping[str, Value] = field(default_factory=dict)
    history: Mapping[str, tuple[Written, ...]] = field(default_factory=dict)
    handled: Mapping[str, Seen] = field(default_factory=dict)
    digest: Digest = str


Holds = Callable[[Look], bool]
Misses = Callable[[Look], tuple[str, ...]]
Name = Callable[[str], str]


class CompiledCondition(Struct, frozen=True, kw_only=True):
    """A compiled condition. `misses` names the single tests that do not hold, as few as would have to change."""

    holds: Holds
    misses: Misses


def compile_condition(condition: Condition, name: Name) -> CompiledCondition:
    """`condition` as closures; `name` turns a `provide` name into the field's own. A condition without a verb never holds."""
    if condition.all_ is not None:
        return _all(tuple(compile_condition(part, name) for part in condition.all_))
    if condition.any_ is not None:
        return _any(tuple(compile_condition(part, name) for part in condition.any_))
    if condition.not_ is not None:
        return _not(compile_condition(condition.not_, name))
    return _leaf(condition, name)


def last_written(history: Mapping[str, tuple[Written, ...]], fields: Mapping[str, Value], name: str) -> Written | None:
    """Who wrote the field's present value, and when. None when that was not read, or the history is of another value."""
    written = history.get(name, ())
    return written[0] if written and written[0].value == fields.get(name) else None


def _all(parts: tuple[CompiledCondition, ...]) -> CompiledCondition:
    return CompiledCondition(
        holds=lambda look: all(part.holds(look) for part in parts),
        misses=lambda look: tuple(miss for part in parts for miss in part.misses(look)),
    )


def _any(parts: tuple[CompiledCondition, ...]) -> CompiledCondition:
    def misses(look: Look) -> tuple[str, ...]:
        return min((part.misses(look) for part in parts), key=len, default=("none of no conditions",))

    return CompiledCondition(holds=lambda look: any(part.holds(look) for part in parts), misses=misses)


def _not(part: CompiledCondition) -> CompiledCondition:
    return CompiledCondition(
        holds=lambda look: not part.holds(look),
        misses=lambda look: ("what must not hold, holds",) if part.holds(look) else (),
    )


def _leaf(condition: Condition, name: Name) -> CompiledCondition:
    holds, wanted = _verb(condition, name)
    label = f"setting {condition.setting}" if condition.setting is not None else f"field {condition.field_}"
    value = _value(condition, name)

    def misses(look: Look) -> tuple[str, ...]:
        return () if holds(look) else (f"{label} is {value(look) or 'not set'}, wanted: {wanted}",)

    return CompiledCondition(holds=holds, misses=misses)


def _value(condition: Condition, name: Name) -> Callable[[Look], str]:
    setting = condition.setting
    if setting is not None:
        return lambda look: as_text(look.settings.get(setting))
    source = name(condition.field_ or "")
    return lambda look: look.fields.get(source) or ""


def _verb(condition: Condition, name: Name) -> tuple[Holds, str]:
    value = _value(condition, name)
    source = name(condition.field_ or "")
    if condition.is_ is not None:
        same = as_text(condition.is_)
        return lambda look: value(look) == same, same
    if condition.is_not is not None:
        other = as_text(condition.is_not)
        return lambda look: value(look) != other, f"not {other}"
    if condition.in_ is not None:
        several = frozenset(as_text(one) for one in condition.in_)
        return lambda look: value(look) in several, "one of " + ", ".join(sorted(several))
    if condition.matches is not None:
        pattern = re.compile(condition.matches)
        return lambda look: pattern.fullmatch(value(look)) is not None, f"matches {condition.matches}"
    if condition.became is not None:
        return _became(source, value, condition.became), f"newly {as_text(condition.became)}"
    if condition.by is not None:
        writers = frozenset(condition.by)
        return lambda look: _writer(look, source) in writers, "set by " + ", ".join(condition.by)
    if condition.by_not is not None:
        excluded = frozenset(condition.by_not)
        return lambda look: _writer(look, source) not in excluded, "not set by " + ", ".join(condition.by_not)
    if condition.set_ is not None:
        filled = condition.set_
        return lambda look: bool(value(look)) is filled, "set" if filled else "not set"
    return lambda look: False, "a condition"


def _became(source: str, value: Callable[[Look], str], wanted: Scalar) -> Holds:
    text = as_text(wanted)

    def holds(look: Look) -> bool:
        if value(look) != text:
            return False
        written = last_written(look.history, look.fields, source)
        if written is not None and written.ours:  # our own write is an echo, even where it was not yet remembered
            return False
        before = look.handled.get(source)
        if before is None or before.digest != remember.digest_of(look.digest, text):
            return True
        return written is not None and before.at is not None and written.at > before.at

    return holds


def _writer(look: Look, source: str) -> str:
    written = last_written(look.history, look.fields, source)
    return (Origin.OTHER if written is None else written.origin).value

"""Compares what a test of the file expects with what the rules made of it, and says what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from stellwerk.config.rehearse import Effect, Outcome, rehearse
from stellwerk.config.trial import Expected, Trial
from stellwerk_rules.model import AddEntry, Ask, Create, MoveStage, SetFields, Value
from stellwerk_rules.plan import Plan

__all__ = ["Verdict", "judge"]

# Bookkeeping that goes along with everything: compared only where a test lists it.
QUIET = frozenset({"mirror", "set_peer"})


class Verdict(Struct, frozen=True, kw_only=True):
    """How a test went: `differences` is empty when it is as expected; `happened` and `reasons` tell what came of it."""

    name: str
    line: int
    differences: tuple[str, ...]
    happened: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.differences


def judge(plan: Plan, trial: Trial, line: int) -> Verdict:
    """Plays one test and compares."""
    outcome = rehearse(plan, trial)
    expect = trial.expect
    differences: list[str] = []
    if expect.changes is not None:
        differences += _compared(plan, expect.changes, outcome)
    given = [because.code for because in outcome.skips]
    differences += [f"no skip '{code}'" for code in expect.skips or () if code not in given]
    if expect.because is not None and expect.because not in [because.code for because in outcome.reasons]:
        differences.append(f"no reason '{expect.because}'")
    repairs = sorted(held.repair for held in outcome.held)
    if expect.held is not None and sorted(expect.held) != repairs:
        differences.append(f"held: {', '.join(repairs) or 'nothing'}; expected: {', '.join(expect.held) or 'nothing'}")
    return Verdict(
        name=trial.name,
        line=line,
        differences=tuple(differences),
        happened=tuple(_shown(effect) for effect in outcome.effects),
        reasons=tuple(f"{because.code}: {because.text}" for because in outcome.reasons),
    )


def _compared(plan: Plan, expected: tuple[Expected, ...], outcome: Outcome) -> list[str]:
    listed = {_kind(one) for one in expected}
    left = [effect for effect in outcome.effects if kind_of(effect) not in QUIET - listed]
    differences = []
    for one in expected:
        found = next((effect for effect in left if _fits(plan, one, effect)), None)
        if found is not None:
            left.remove(found)
            continue
        alike = [_shown(effect) for effect in left if kind_of(effect) == _kind(one)]
        differences.append(f"missing: {_told(one)}" + (f"; there is {alike[0]}" if alike else ""))
    return differences + [f"not expected: {_shown(effect)}" for effect in left]


def _kind(expected: Expected) -> str:
    return str(expected.__struct_config__.tag)


def kind_of(effect: Effect) -> str:
    """The word that a test uses for this change."""
    if isinstance(effect.change, SetFields) and effect.change.mirror:
        return "mirror"
    return str(effect.change.__struct_config__.tag)


def _fits(plan: Plan, expected: Expected, effect: Effect) -> bool:
    """Whether the change is of that kind and has every detail that the test names."""
    if _kind(expected) != kind_of(effect):
        return False
    actual = _details(effect)
    for name in expected.__struct_fields__:
        wanted: Any = getattr(expected, name)
        if isinstance(wanted, dict):
            own = {plan.property_name(effect.system, key): value for key, value in wanted.items()}
            if not own.items() <= actual[name].items():
                return False
        elif wanted is not None and wanted != actual[name]:
            return False
    return True


def _details(effect: Effect) -> Mapping[str, Any]:
    """What a test can name of a change."""
    change = effect.change
    if isinstance(change, Ask):
        return {"plus": change.terms.plus, "options": change.terms.options, "fields": change.fields}
    if isinstance(change, Create):
        return {"permission": change.permission, "fields": change.fields}
    if isinstance(change, SetFields):
        values: dict[str, Value] = {name: field.value for name, field in change.fields.items()}
        return {"fields": values}
    if isinstance(change, MoveStage):
        return {"target": change.target, "reset": effect.reset}
    if isinstance(change, AddEntry):
        return {"form": change.form, "shown": dict(change.shown)}
    return {}


def _shown(effect: Effect) -> str:
    details = ", ".join(f"{name}: {_plain(value)}" for name, value in _details(effect).items())
    return f"{kind_of(effect)} at {effect.system}" + (f" ({details})" if details else "")


def _told(expected: Expected) -> str:
    named = {name: getattr(expected, name) for name in expected.__struct_fields__}
    details = ", ".join(f"{name}: {_plain(value)}" for name, value in named.items() if value is not None)
    return f"{_kind(expected)}" + (f" ({details})" if details else "")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(part)}" for key, part in value.items()) + "}"
    return (
        {True: "true", False: "false", None: "null"}.get(value, str(value))
        if not isinstance(value, str)
        else str(value)
    )

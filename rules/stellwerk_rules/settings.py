"""What the settings page, the file and the rules ask of a connection's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from stellwerk_rules import permission
from stellwerk_rules.chosen import as_permission, as_switch, possible, references
from stellwerk_rules.effect import defaults, in_effect
from stellwerk_rules.layers import Effective, Terms, effective
from stellwerk_rules.model import Permission
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import (
    ChoiceSetting,
    NumberSetting,
    PermissionSetting,
    PickSetting,
    Setting,
    SettingValue,
    StageMove,
    StageMoveSetting,
    SwitchSetting,
    Text,
)
from stellwerk_rules.stage import ANY_STAGE

__all__ = [
    "Effective",
    "SettingProblem",
    "Terms",
    "check_values",
    "defaults",
    "effective",
    "mails_or_grants",
    "visible",
]


LONGEST_TEXT = 1_000
"""Characters of a typed value: more is a mistake, and would be carried along in every line of the history."""


class SettingProblem(Struct, frozen=True, kw_only=True):
    """Why a value may not be saved. `code` is stable; `text` is shown beside the field."""

    setting: str
    code: str
    text: Text


def check_values(
    plan: Plan, values: Mapping[str, SettingValue], options: Mapping[str, Sequence[str]]
) -> list[SettingProblem]:
    """Every reason not to save `values`; a missing one is its default.

    `options` has the lists read from the systems by `SYSTEM.LIST` (`SYSTEM.stages` is the stage order); a list that is not
    there is not compared. A hidden setting keeps its value, of which only the kind is checked.
    """
    shown = visible(plan, values)
    problems = [
        _problem(name, "unknown-setting", "There is no such setting.", "Diese Einstellung gibt es nicht.")
        for name in values
        if name not in plan.settings_by_id
    ]
    for name, setting in plan.settings_by_id.items():
        value = values.get(name, setting.default)
        if not _is_of_kind(setting, value):
            problems.append(
                _problem(name, "wrong-kind", "This value is of another kind.", "Dieser Wert ist von anderer Art.")
            )
        elif name in shown:
            problems.extend(_wrong(setting, value, options))
    return problems


def visible(plan: Plan, values: Mapping[str, SettingValue]) -> frozenset[str]:
    """Ids of the settings that are shown and in effect."""
    return in_effect(plan, values)[1]


def mails_or_grants(plan: Plan, values: Mapping[str, SettingValue]) -> bool:
    """Whether somebody who has not said yes could be mailed, or anybody be granted a permission: a person must agree first."""
    consent, enter = plan.consent_spec, plan.enter_spec
    if consent is None:
        return False
    base, _ = in_effect(plan, values)
    grants = any(as_permission(one) is not Permission.NONE for one in possible(consent.grant, base))
    by_contact = any(
        one in plan.overrides for name in references(consent.ask) for one in plan.settings_behind.get(name, ())
    )
    asks = by_contact or any(as_switch(one) for one in possible(consent.ask, base))
    unasked = enter is not None and any(as_switch(one) for one in possible(enter.without_answer, base))
    return grants or (asks and unasked)


def _is_of_kind(setting: Setting, value: object) -> bool:
    if isinstance(setting, SwitchSetting):
        return isinstance(value, bool)
    if isinstance(setting, NumberSetting):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(setting, StageMoveSetting):
        return isinstance(value, StageMove)
    return isinstance(value, str)


def _wrong(setting: Setting, value: object, options: Mapping[str, Sequence[str]]) -> Iterator[SettingProblem]:
    """What is wrong with a value of the right kind."""
    if any(len(text) > LONGEST_TEXT for text in _typed_texts(value)):
        yield _problem(
            setting.id,
            "too-long",
            f"{LONGEST_TEXT} characters at most, please.",
            f"Bitte höchstens {LONGEST_TEXT} Zeichen.",
        )
    if isinstance(setting, ChoiceSetting) and value not in setting.options:
        yield _not_offered(setting.id)
    if isinstance(setting, PermissionSetting) and permission.named(value) is None:
        yield _not_offered(setting.id)
    if (
        isinstance(setting, PickSetting)
        and value
        and not setting.or_typed
        and value not in options.get(setting.of, (value,))
    ):
        yield _not_offered(setting.id)
    if isinstance(setting, NumberSetting) and isinstance(value, int) and not setting.least <= value <= setting.most:
        least, most = setting.least, setting.most
        yield _problem(
            setting.id, "out-of-range", f"Between {least} and {most}, please.", f"Bitte zwischen {least} und {most}."
        )
    if isinstance(setting, StageMoveSetting) and isinstance(value, StageMove) and value.enabled:
        yield from _wrong_move(setting.id, value, options.get(f"{setting.system}.stages"))


def _typed_texts(value: object) -> tuple[str, ...]:
    if isinstance(value, StageMove):
        return value.source or "", value.target or ""
    return (value,) if isinstance(value, str) else ()


def _wrong_move(name: str, move: StageMove, stages: Sequence[str] | None) -> Iterator[SettingProblem]:
    if not move.target:
        yield _problem(name, "target-missing", "Choose the stage to set.", "Bitte die neue Phase wählen.")
        return
    if stages is None:
        return
    source = None if move.source in (None, "", ANY_STAGE) else move.source
    if move.target not in stages or (source is not None and source not in stages):
        yield _problem(name, "unknown-stage", "This stage does not exist there.", "Diese Phase gibt es dort nicht.")
    elif source is not None and not move.reset and stages.index(move.target) < stages.index(source):
        yield _problem(
            name,
            "backward-without-reset",
            "The new stage is earlier than the old one: switch the reset on.",
            "Die neue Phase liegt vor der alten: bitte das Zurücksetzen einschalten.",
        )


def _not_offered(name: str) -> SettingProblem:
    return _problem(name, "not-offered", "This is none of the choices.", "Das ist keine der Möglichkeiten.")


def _problem(name: str, code: str, en: str, de: str) -> SettingProblem:
    return SettingProblem(setting=name, code=code, text=Text(en=en, de=de))

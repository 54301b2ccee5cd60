"""Which settings are in effect: a hidden one keeps its value and has none."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk_rules.conditions import Look
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import (
    PermissionSetting,
    PickSetting,
    Setting,
    SettingValue,
    StageMove,
    StageMoveSetting,
    SwitchSetting,
    TextSetting,
)


def defaults(plan: Plan) -> dict[str, SettingValue]:
    """The file's value of every setting."""
    return {name: setting.default for name, setting in plan.settings_by_id.items()}


def in_effect(plan: Plan, values: Mapping[str, SettingValue]) -> tuple[dict[str, SettingValue], frozenset[str]]:
    """Every setting's value as the rules see it, and the ids of those that are shown. A missing value is the default."""
    seen: dict[str, SettingValue] = {}
    shown: set[str] = set()
    for name in plan.settings_order:
        setting = plan.settings_by_id[name]
        condition = plan.shown_if.get(name)
        if condition is None or condition.holds(Look(settings=seen)):
            seen[name] = values.get(name, setting.default)
            shown.add(name)
        else:
            seen[name] = off(setting)
    return seen, frozenset(shown)


def off(setting: Setting) -> SettingValue:
    """What a setting without effect counts as: nothing is asked, granted or moved; a choice is as the file has it."""
    if isinstance(setting, SwitchSetting):
        return False
    if isinstance(setting, PermissionSetting):
        return "none"
    if isinstance(setting, TextSetting | PickSetting):
        return ""
    if isinstance(setting, StageMoveSetting):
        return StageMove()
    return setting.default

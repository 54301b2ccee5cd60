"""Values of settings, of a connection or a test: ids that exist, values that the settings page would save."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk_rules.model import Permission
from stellwerk_rules.plan import compile_plan
from stellwerk_rules.settings import check_values
from stellwerk_rules.spec import (
    ChoiceSetting,
    NumberSetting,
    PermissionSetting,
    Ruleset,
    Setting,
    SettingValue,
    StageMoveSetting,
    SwitchSetting,
)

__all__ = ["check_setting_values"]


def check_setting_values(
    draft: Draft, path: Path, values: Mapping[str, SettingValue], known: Mapping[str, Setting]
) -> None:
    """Lists read from the systems are not compared: a check calls nobody."""
    if not draft.sound("settings", "provide"):
        return
    sections = tuple(section for _, section in draft.sections())
    plan = compile_plan(Ruleset(systems=draft.names, settings=sections))
    for found in check_values(plan, values, {}):
        here = (*path, found.setting)
        setting = known.get(found.setting)
        if setting is None:
            mend = did_you_mean(found.setting, known)
            draft.note("unknown-name", here, f"no setting is called '{found.setting}'", mend=mend, key=True)
        else:
            what = f"'{found.setting}' cannot have this value: {found.text.en}"
            draft.note("setting-value", here, what, expected=_expected(setting), mend="change it")


def _expected(setting: Setting) -> str:
    if isinstance(setting, SwitchSetting):
        return "true or false"
    if isinstance(setting, ChoiceSetting):
        return one_of(setting.options)
    if isinstance(setting, NumberSetting):
        return f"a whole number from {setting.least} to {setting.most}"
    if isinstance(setting, PermissionSetting):
        return one_of(list(Permission))
    return "{enabled: …, source: …, target: …, reset: …}" if isinstance(setting, StageMoveSetting) else "text"

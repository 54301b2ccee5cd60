"""The settings of the page as typed: read from a form into values, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from stellwerk_rules.plan import Plan
from stellwerk_rules.settings import visible
from stellwerk_rules.spec import (
    NumberSetting,
    Setting,
    SettingValue,
    StageMove,
    StageMoveSetting,
    SwitchSetting,
)

YES = "yes"
LONGEST = 20_000


class Typed(Struct, frozen=True, kw_only=True):
    """`values` is complete; `unreadable` are settings whose text is no number, with that text."""

    values: dict[str, SettingValue]
    unreadable: dict[str, str] = field(default_factory=dict)


def setting_input(name: str, part: str = "") -> str:
    """The name of a setting's input; a stage move has several, told apart by `part`."""
    return f"setting.{name}.{part}" if part else f"setting.{name}"


def read_settings(plan: Plan, form: Mapping[str, str], stored: Mapping[str, SettingValue]) -> Typed:
    """The typed values over the stored ones. What the form does not have, or is hidden with what it has, stays as stored."""
    values: dict[str, SettingValue] = {}
    unreadable: dict[str, str] = {}
    for name, setting in plan.settings_by_id.items():
        value = _read(setting, form, stored[name])
        if value is None:
            unreadable[name] = form[setting_input(name)][:LONGEST]
            value = stored[name]
        values[name] = value
    shown = visible(plan, values)
    return Typed(
        values={name: value if name in shown else stored[name] for name, value in values.items()},
        unreadable={name: text for name, text in unreadable.items() if name in shown},
    )


def _read(setting: Setting, form: Mapping[str, str], stored: SettingValue) -> SettingValue | None:
    """The setting's value in the form; None for a text that is no number."""
    if isinstance(setting, StageMoveSetting):
        return _move(setting.id, form, stored)
    text = form.get(setting_input(setting.id))
    if text is None:
        return stored
    if isinstance(setting, SwitchSetting):
        return text == YES
    text = text.strip()[:LONGEST]
    if isinstance(setting, NumberSetting):
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None
    return text


def _move(name: str, form: Mapping[str, str], stored: SettingValue) -> SettingValue:
    before = stored if isinstance(stored, StageMove) else StageMove()

    def switch(part: str, otherwise: bool) -> bool:
        text = form.get(setting_input(name, part))
        return otherwise if text is None else text == YES

    def stage(part: str, otherwise: str | None) -> str | None:
        text = form.get(setting_input(name, part))
        return otherwise if text is None else text.strip()[:LONGEST] or None

    return StageMove(
        enabled=switch("enabled", before.enabled),
        source=stage("source", before.source),
        target=stage("target", before.target),
        reset=switch("reset", before.reset),
    )

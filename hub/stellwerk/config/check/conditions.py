"""Conditions: exactly one verb, something it is said of, values that can be, regular expressions that end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk_rules.model import Origin
from stellwerk_rules.spec import (
    ChoiceSetting,
    Condition,
    NumberSetting,
    PermissionSetting,
    Scalar,
    Setting,
    StageMoveSetting,
    SwitchSetting,
)

__all__ = ["check_condition", "unbounded_reason"]

OF_FIELDS = ("matches", "became", "by", "by_not")
VERBS = ("is", "is_not", "in", "set", *OF_FIELDS)
GROUPS = ("all", "any", "not")
MOST_PATTERN_CHARACTERS = 200
MOST_REPEATS = 3


def check_condition(
    draft: Draft, path: Path, condition: Condition, settings: Mapping[str, Setting], *, fields: bool = True
) -> None:
    """Notes what is wrong with `condition`. `fields`: whether it may test fields."""
    used = _verbs(condition)
    groups = [verb for verb in used if verb in GROUPS]
    if len(used) != 1:
        shown = " and ".join(f"'{verb}'" for verb in used) if used else "none"
        draft.note(
            "condition", path, f"a condition has one verb, here is {shown}" if not used else f"two verbs: {shown}",
            expected=f"exactly one of: {', '.join((*VERBS, *GROUPS))}", mend="put several tests under 'all' or 'any'",
        )  # fmt: skip
    subjects = [name for name, of in (("setting", condition.setting), ("field", condition.field_)) if of is not None]
    if groups and subjects:
        draft.note("condition", path, f"'{groups[0]}' is said of no {subjects[0]}", mend=f"remove '{subjects[0]}'")
    elif used and not groups and len(subjects) != 1:
        draft.note(
            "condition", path, f"'{used[0]}' is said of nothing" if not subjects else "a setting and a field at once",
            expected="'setting' or 'field'", mend="name the one that is meant",
        )  # fmt: skip
    if condition.field_ is not None and not fields:
        draft.note("condition", (*path, "field"), "no field can be tested here", mend="test settings only")
    if condition.setting is not None:
        _check_setting(draft, path, condition, settings)
    _check_values(draft, path, condition)
    for index, part in enumerate(condition.all_ or ()):
        check_condition(draft, (*path, "all", index), part, settings, fields=fields)
    for index, part in enumerate(condition.any_ or ()):
        check_condition(draft, (*path, "any", index), part, settings, fields=fields)
    if condition.not_ is not None:
        check_condition(draft, (*path, "not"), condition.not_, settings, fields=fields)


def _verbs(condition: Condition) -> list[str]:
    written = {
        "is": condition.is_, "is_not": condition.is_not, "in": condition.in_, "set": condition.set_,
        "matches": condition.matches, "became": condition.became, "by": condition.by, "by_not": condition.by_not,
        "all": condition.all_, "any": condition.any_, "not": condition.not_,
    }  # fmt: skip
    return [verb for verb, value in written.items() if value is not None]


def _check_setting(draft: Draft, path: Path, condition: Condition, settings: Mapping[str, Setting]) -> None:
    name = str(condition.setting)
    if name not in settings:
        if draft.whole("settings"):
            mend = did_you_mean(name, settings)
            draft.note("unknown-name", (*path, "setting"), f"no setting is called '{name}'", mend=mend)
        return
    for verb in _verbs(condition):
        if verb in OF_FIELDS:
            draft.note("condition", (*path, verb), f"'{verb}' is said of fields only", mend="use is, is_not, in or set")
    setting = settings[name]
    if isinstance(setting, StageMoveSetting):
        draft.note("wrong-kind", (*path, "setting"), "a stage move cannot be tested", mend="test another setting")
        return
    for here, value in _compared(path, condition):
        expected = _expected(setting, value)
        if expected:
            draft.note(
                "wrong-kind", here, f"'{name}' is never this", expected=expected, mend="write a value it can have"
            )


def _compared(path: Path, condition: Condition) -> list[tuple[Path, Scalar]]:
    single = [((*path, "is"), condition.is_), ((*path, "is_not"), condition.is_not)]
    several = [((*path, "in", index), value) for index, value in enumerate(condition.in_ or ())]
    return [(here, value) for here, value in single if value is not None] + several


def _expected(setting: Setting, value: Scalar) -> str:
    """What values the setting can have, when `value` is none of them."""
    if isinstance(setting, SwitchSetting):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(setting, ChoiceSetting):
        return "" if value in setting.options else one_of(setting.options)
    if isinstance(setting, NumberSetting):
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if isinstance(setting, PermissionSetting):
        names = ("none", "single", "confirmed", "double", "double_plus", "other")
        return "" if value in names else one_of(names)
    return "" if isinstance(value, str) else "text"


def _check_values(draft: Draft, path: Path, condition: Condition) -> None:
    for verb, origins in (("by", condition.by), ("by_not", condition.by_not)):
        for index, origin in enumerate(origins or ()):
            if origin not in list(Origin):
                draft.note(
                    "unknown-name", (*path, verb, index), f"nobody is called '{origin}'", expected=one_of(list(Origin)),
                    mend=did_you_mean(origin, list(Origin)),
                )  # fmt: skip
    for verb, values in (
        ("in", condition.in_),
        ("by", condition.by),
        ("by_not", condition.by_not),
        ("all", condition.all_),
        ("any", condition.any_),
    ):
        if values == ():
            draft.note("condition", (*path, verb), "an empty list", mend=f"write at least one under '{verb}'")
    if condition.matches is not None:
        reason = unbounded_reason(condition.matches)
        if reason:
            draft.note(
                "regular-expression", (*path, "matches"), reason,
                expected="a regular expression of Python's without nested repeats", mend="write a simpler one, or use 'in'",
            )  # fmt: skip


def unbounded_reason(pattern: str) -> str:
    """Why this pattern cannot be used, or nothing: it must compile, and its work must be bounded on any text."""
    if len(pattern) > MOST_PATTERN_CHARACTERS:
        return f"longer than {MOST_PATTERN_CHARACTERS} characters"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"no regular expression: {error}"
    bare = re.sub(r"\\[^0-9]", "x", pattern)
    if re.search(r"\\[0-9]|\(\?(?!:)", bare):
        return "back references, look-around and flags are not taken"
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    if re.search(r"\)(?:[*+]|\{[0-9,]*\})", bare):
        return "a repeated group can take for ever on some texts"
    if len(re.findall(r"[*+]|\{[0-9]*,[0-9]*\}", bare)) > MOST_REPEATS:
        return f"more than {MOST_REPEATS} repeats can take for ever on some texts"
    return ""

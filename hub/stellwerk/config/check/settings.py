"""`settings:` fit themselves: ids once, defaults that may be chosen, dependencies that end, overrides of the right kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stellwerk.config.check.conditions import check_condition
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk.registry import has
from stellwerk.sdk.connector import Catalogue
from stellwerk_rules.spec import (
    ChoiceSetting,
    Condition,
    NumberSetting,
    PermissionSetting,
    PickSetting,
    Setting,
    StageMoveSetting,
    SwitchSetting,
    TextSetting,
)

__all__ = ["catalogue", "check_settings"]

OVERRIDES: Mapping[type, frozenset[str]] = {
    SwitchSetting: frozenset({"yes_no"}),
    PermissionSetting: frozenset({"permission"}),
    ChoiceSetting: frozenset({"text"}),
    TextSetting: frozenset({"text"}),
    PickSetting: frozenset({"text"}),
    NumberSetting: frozenset({"number"}),
    StageMoveSetting: frozenset(),
}


def catalogue(draft: Draft) -> dict[str, Setting]:
    """The settings by id; of two with one id the first."""
    found: dict[str, Setting] = {}
    for _, setting in draft.settings():
        found.setdefault(setting.id, setting)
    return found


def check_settings(draft: Draft) -> None:
    seen: set[str] = set()
    known = catalogue(draft)
    for path, setting in draft.settings():
        if setting.id in seen:
            draft.note(
                "name-taken", (*path, "id"), f"a setting is called '{setting.id}' already", mend="rename one of them"
            )
        seen.add(setting.id)
        _check_default(draft, path, setting)
        _check_system(draft, path, setting)
        _check_override(draft, path, setting)
        if setting.only_if is not None:
            check_condition(draft, (*path, "only_if"), setting.only_if, known, fields=False)
            if setting.id == _returns_to(setting.id, known):
                draft.note(
                    "condition", (*path, "only_if"), f"'{setting.id}' is shown only if it is itself shown",
                    mend="let no setting depend on itself, also not by way of others",
                )  # fmt: skip


def _check_default(draft: Draft, path: Path, setting: Setting) -> None:
    if isinstance(setting, ChoiceSetting):
        if setting.default not in setting.options:
            draft.note(
                "not-allowed", (*path, "default"), "the default is none of the options",
                expected=one_of(setting.options), mend="use one of these",
            )  # fmt: skip
        if len(set(setting.options)) < len(setting.options):
            draft.note("name-taken", (*path, "options"), "an option stands here twice", mend="remove one of them")
        for option in setting.option_labels or {}:
            if option not in setting.options:
                here = (*path, "option_labels", option)
                mend = did_you_mean(option, setting.options)
                draft.note("unknown-name", here, f"no option is called '{option}'", mend=mend, key=True)
    elif isinstance(setting, NumberSetting) and not setting.least <= setting.default <= setting.most:
        expected = f"a whole number from {setting.least} to {setting.most}"
        draft.note(
            "not-allowed", (*path, "default"), "the default is outside", expected=expected, mend="change one of them"
        )
    elif isinstance(setting, StageMoveSetting) and setting.default.enabled and not setting.default.target:
        draft.note("missing-key", (*path, "default"), "'target' is missing", mend="name the stage to set")


def _check_system(draft: Draft, path: Path, setting: Setting) -> None:
    if isinstance(setting, PickSetting):
        system, _, wanted = setting.of.partition(".")
        _check_list(draft, (*path, "of"), system, wanted)
    elif isinstance(setting, StageMoveSetting):
        _check_list(draft, (*path, "system"), setting.system, "stages")


def _check_list(draft: Draft, path: Path, system: str, wanted: str) -> None:
    if system not in draft.names:
        draft.note(
            "unknown-name", path, f"no system is called '{system}'", expected=one_of(draft.names), mend="name one"
        )
        return
    if system not in draft.systems:
        return
    name = draft.systems[system].connector
    connector = draft.registry.connectors[name]
    lists: tuple[str, ...] = getattr(connector, "lists", ()) if has(connector, Catalogue) else ()
    if wanted not in lists:
        draft.note(
            "missing-ability", path, f"the connector '{name}' offers no list '{wanted}'", expected=one_of(lists),
            mend="use one of these, or another kind of setting",
        )  # fmt: skip


def _check_override(draft: Draft, path: Path, setting: Setting) -> None:
    if setting.per_contact is None or not draft.whole("provide"):
        return
    here = (*path, "per_contact")
    provided = {key: wanted.kind for part in draft.provide.values() for key, wanted in part.properties.items()}
    if setting.per_contact not in provided:
        mend = did_you_mean(setting.per_contact, provided)
        draft.note("unknown-name", here, f"nothing under 'provide' is called '{setting.per_contact}'", mend=mend)
    elif provided[setting.per_contact] not in OVERRIDES[type(setting)]:
        draft.note(
            "wrong-kind", here, f"'{setting.per_contact}' is of kind {provided[setting.per_contact]}",
            expected=one_of(OVERRIDES[type(setting)]), mend="name a property of that kind, or none",
        )  # fmt: skip


def _returns_to(start: str, known: Mapping[str, Setting]) -> str | None:
    """`start` when following the dependencies from it leads back to it."""
    waiting, visited = [start], set[str]()
    while waiting:
        setting = known.get(waiting.pop())
        if setting is None or setting.only_if is None:
            continue
        for name in tested(setting.only_if):
            if name == start:
                return start
            if name not in visited:
                visited.add(name)
                waiting.append(name)
    return None


def tested(condition: Condition) -> Iterator[str]:
    """The ids of the settings that a condition tests."""
    if condition.setting is not None:
        yield condition.setting
    for part in (*(condition.all_ or ()), *(condition.any_ or ()), *((condition.not_,) if condition.not_ else ())):
        yield from tested(part)

"""Values of rules: literals of the right kind, and `settings.ID` that exists and can have only such values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from stellwerk.config.check.conditions import check_condition
from stellwerk.config.check.settings import catalogue
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk_rules.model import Permission
from stellwerk_rules.spec import (
    ChoiceSetting,
    Lookup,
    NumberSetting,
    PermissionSetting,
    PickSetting,
    Rule,
    Setting,
    StageMoveSetting,
    SwitchSetting,
    TextSetting,
)

__all__ = ["PREFIX", "Slot", "check_references", "slots"]

PREFIX = "settings."


class Slot(Struct, frozen=True):
    """A place of a rule that holds a value. `words`: the texts it takes; `kinds`: the settings it takes.

    `by_field`: whether a lookup by a field of the contact may choose.
    """

    path: Path
    value: Any
    words: tuple[str, ...] = ()
    kinds: tuple[type, ...] = (ChoiceSetting,)
    flag: bool = False
    free: bool = False
    by_field: bool = False


_FREE = (TextSetting, PickSetting, ChoiceSetting, NumberSetting)


def slots(path: Path, rule: Rule) -> Iterator[Slot]:
    """Every value of the rule that may be a reference."""

    def flag(name: str, value: Any) -> Slot:
        return Slot((*path, *name.split(".")), value, kinds=(SwitchSetting,), flag=True)

    def word(name: str, value: Any, *words: str, by_field: bool = False) -> Slot:
        return Slot((*path, *name.split(".")), value, words=words, by_field=by_field)

    if rule.enter is not None:
        yield word("enter.who", rule.enter.who, "new", "ignore", "create")
        yield word("enter.without_answer", rule.enter.without_answer, "yes", "no")
    if rule.consent is not None:
        consent = rule.consent
        yield flag("consent.ask", consent.ask)
        yield flag("consent.plus", consent.plus)
        permissions = tuple(permission.value for permission in Permission)
        yield Slot((*path, "consent", "grant"), consent.grant, words=permissions, kinds=(PermissionSetting,))
        yield flag("consent.may_skip", consent.may_skip)
        yield flag("consent.may_skip_by_form", consent.may_skip_by_form)
        yield flag("consent.again", consent.again)
        yield word("consent.moved", consent.moved, "ask_again", "keep_permission")
        yield word("consent.moved_old", consent.moved_old, "keep", "unsubscribe", "delete")
        for key, value in consent.with_.items():
            yield Slot((*path, "consent", "with", key), value, kinds=_FREE, free=True, by_field=True)
    if rule.contact is not None:
        yield word("contact", rule.contact, "unsubscribe", "keep", "delete")
    if rule.stage is not None:
        yield Slot((*path, "stage"), rule.stage, kinds=(StageMoveSetting,))
    if rule.opt_out is not None:
        yield flag("opt_out", rule.opt_out)
    if rule.timeline is not None:
        yield word("timeline.as", rule.timeline.as_, "app_event", "note", "properties_only", by_field=True)


def check_references(draft: Draft) -> None:
    known = catalogue(draft)
    for path, rule in draft.rules():
        if rule.only_if is not None:
            check_condition(draft, (*path, "only_if"), rule.only_if, known)
        for slot in slots(path, rule):
            _check_slot(draft, slot, known)
        setting = known.get(str(rule.stage).removeprefix(PREFIX))
        if isinstance(setting, StageMoveSetting) and setting.system != rule.to:
            draft.note(
                "wrong-kind", (*path, "stage"), f"'{setting.id}' moves stages of '{setting.system}'",
                expected=f"a stage move of '{rule.to}'", mend="use another setting, or change its 'system'",
            )  # fmt: skip


def _check_slot(draft: Draft, slot: Slot, known: Mapping[str, Setting]) -> None:
    value = slot.value
    if isinstance(value, Lookup):
        _check_lookup(draft, slot, value, known)
    elif isinstance(value, str) and value.startswith(PREFIX):
        _check_reference(draft, slot, value.removeprefix(PREFIX), known)
    elif not _literal_fits(slot, value):
        mend = "write one of these, or settings.ID"
        draft.note("wrong-kind", slot.path, "this value cannot stand here", expected=_expected(slot), mend=mend)


def _literal_fits(slot: Slot, value: Any) -> bool:
    if slot.flag:
        return isinstance(value, bool)
    return isinstance(value, str | int) if slot.free else value in slot.words and not isinstance(value, bool)


def _check_lookup(draft: Draft, slot: Slot, lookup: Lookup, known: Mapping[str, Setting]) -> None:
    if not slot.by_field:
        draft.note(
            "breaks-a-law", slot.path, "a field of the contact cannot decide this", expected=_expected(slot),
            mend="use a setting; a contact's own value counts by its 'per_contact'",
        )  # fmt: skip
        return
    for key, value in lookup.table.items():
        here = (*slot.path, "table", key)
        _check_slot(draft, Slot(here, value, slot.words, slot.kinds, free=slot.free), known)
    if lookup.otherwise:
        _check_slot(
            draft, Slot((*slot.path, "otherwise"), lookup.otherwise, slot.words, slot.kinds, free=slot.free), known
        )


def _check_reference(draft: Draft, slot: Slot, name: str, known: Mapping[str, Setting]) -> None:
    setting = known.get(name)
    if setting is None:
        if draft.whole("settings"):
            mend = did_you_mean(name, known)
            draft.note("unknown-name", slot.path, f"no setting is called '{name}'", mend=mend)
        return
    if not isinstance(setting, slot.kinds):
        draft.note(
            "wrong-kind", slot.path, f"'{name}' is a setting of kind {_kind(type(setting))}", expected=_expected(slot),
            mend="use another setting, or change its kind",
        )  # fmt: skip
    elif isinstance(setting, ChoiceSetting) and slot.words:
        odd = [option for option in setting.options if option not in slot.words]
        if odd:
            draft.note(
                "wrong-kind", slot.path, f"the options of '{name}' have no meaning here: {', '.join(odd)}",
                expected=one_of(slot.words), mend="remove those options",
            )  # fmt: skip


def _expected(slot: Slot) -> str:
    literal = "true or false" if slot.flag else "text" if slot.free else one_of(slot.words) if slot.words else ""
    reference = f"settings.ID of kind {' or '.join(_kind(kind) for kind in slot.kinds)}"
    return f"{literal}, or {reference}" if literal else reference


def _kind(kind: type[Any]) -> str:
    return str(kind.__struct_config__.tag)

"""The settings of integration.yaml as inputs: labels, values, choices, conditions and errors in the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.sdk.connector import Option
from stellwerk.web.form import Typed, setting_input
from stellwerk.web.language import in_language
from stellwerk.web.lists import list_of
from stellwerk.web.pages import Speaker, system_title
from stellwerk_rules.chosen import as_text
from stellwerk_rules.effect import off
from stellwerk_rules.model import Permission
from stellwerk_rules.plan import Plan
from stellwerk_rules.settings import visible
from stellwerk_rules.spec import (
    ChoiceSetting,
    NumberSetting,
    PermissionSetting,
    PickSetting,
    Section,
    Setting,
    SettingValue,
    StageMove,
    StageMoveSetting,
    SwitchSetting,
)

Lists = Mapping[str, Sequence[Option] | None]
Errors = Mapping[str, Sequence[str]]
ANY_STAGE = "any"


class Choice(Struct, frozen=True, kw_only=True):
    """One entry of a select or of the suggestions beside a text."""

    value: str
    label: str


class Input(Struct, frozen=True, kw_only=True):
    """One control. `kind` is switch, select, text, number, or suggest (a text with suggestions)."""

    name: str
    kind: str
    label: str
    value: str = ""
    choices: tuple[Choice, ...] = ()
    help: str = ""
    least: int | None = None
    most: int | None = None


class Shown(Struct, frozen=True, kw_only=True):
    """One setting: its first input, the further ones that count only while it is on, and when it is in effect.

    `only_if` is the file's condition as JSON, for the script; `off` what the setting counts as while it is hidden. `warns`:
    the note is of something to be looked at before it is saved.
    """

    id: str
    first: Input
    further: tuple[Input, ...] = ()
    errors: tuple[str, ...] = ()
    note: str = ""
    warns: bool = False
    only_if: str = ""
    off: str = ""
    visible: bool = True


class ShownSection(Struct, frozen=True, kw_only=True):
    heading: str
    fields: tuple[Shown, ...]


class Painter:
    """Makes the inputs of one page."""

    def __init__(self, hub: Hub, plan: Plan, say: Speaker, typed: Typed, lists: Lists, errors: Errors) -> None:
        self._hub = hub
        self._say = say
        self._typed = typed
        self._lists = lists
        self._errors = errors
        self._visible = visible(plan, typed.values)

    def sections(self, sections: Sequence[Section]) -> tuple[ShownSection, ...]:
        """The sections in the order of the file."""
        return tuple(
            ShownSection(
                heading=in_language(one.section, self._say.language),
                fields=tuple(self._shown(setting) for setting in one.fields),
            )
            for one in sections
        )

    def _shown(self, setting: Setting) -> Shown:
        value = self._typed.values[setting.id]
        first, further = self._inputs(setting, value)
        condition = setting.only_if
        note, warns = self._note(setting, value)
        return Shown(
            id=setting.id,
            first=first,
            further=further,
            errors=tuple(self._errors.get(setting.id, ())),
            note=note,
            warns=warns,
            only_if="" if condition is None else msgspec.json.encode(condition).decode(),
            off=as_text(off(setting)),
            visible=setting.id in self._visible,
        )

    def _inputs(self, setting: Setting, value: SettingValue) -> tuple[Input, tuple[Input, ...]]:
        if isinstance(setting, StageMoveSetting) and isinstance(value, StageMove):
            return self._input(setting, "switch", part="enabled", value=value.enabled), self._move(setting, value)
        if isinstance(setting, SwitchSetting):
            return self._input(setting, "switch", value=value), ()
        if isinstance(setting, ChoiceSetting):
            return self._input(setting, "select", value=value, choices=self._options(setting)), ()
        if isinstance(setting, PermissionSetting):
            named = tuple(Choice(value=one.value, label=self._say(f"permission-{one.value}")) for one in Permission)
            return self._input(setting, "select", value=value, choices=named), ()
        if isinstance(setting, PickSetting):
            return self._pick(setting, as_text(value)), ()
        kind = "number" if isinstance(setting, NumberSetting) else "text"
        return self._input(setting, kind, value=self._typed.unreadable.get(setting.id, value)), ()

    def _input(
        self,
        setting: Setting,
        kind: str,
        *,
        value: SettingValue,
        part: str = "",
        choices: tuple[Choice, ...] = (),
    ) -> Input:
        text = setting.help
        return Input(
            name=setting_input(setting.id, part),
            kind=kind,
            label=in_language(setting.label, self._say.language),
            value=as_text(value),
            choices=choices,
            help="" if text is None else in_language(text, self._say.language),
            least=setting.least if isinstance(setting, NumberSetting) else None,
            most=setting.most if isinstance(setting, NumberSetting) else None,
        )

    def _options(self, setting: ChoiceSetting) -> tuple[Choice, ...]:
        labels = setting.option_labels or {}

        def label(option: str) -> str:
            if option in labels:
                return in_language(labels[option], self._say.language)
            return self._say(option) if option in ("yes", "no") else option.replace("_", " ")

        return tuple(Choice(value=option, label=label(option)) for option in setting.options)

    def _pick(self, setting: PickSetting, value: str) -> Input:
        options = self._lists.get(setting.of)
        if options is None:
            return self._input(setting, "text", value=value)
        choices = self._offered(options)
        if setting.or_typed:
            return self._input(setting, "suggest", value=value, choices=choices)
        none = Choice(value="", label=self._say("pick-none"))
        return self._input(setting, "select", value=value, choices=self._with(value, (none, *choices)))

    def _move(self, setting: StageMoveSetting, value: StageMove) -> tuple[Input, ...]:
        say = self._say
        stages = self._lists.get(f"{setting.system}.stages")
        reset = Input(
            name=setting_input(setting.id, "reset"),
            kind="switch",
            label=say("stage-reset"),
            value=as_text(value.reset),
            help=say("stage-reset-help"),
        )
        source, target = value.source or "", value.target or ""
        from_: tuple[Choice, ...] = ()
        to: tuple[Choice, ...] = ()
        if stages is not None:
            offered = self._offered(stages)
            none = Choice(value="", label=say("stage-none"))
            from_ = self._with(source, (none, Choice(value=ANY_STAGE, label=say("stage-any")), *offered))
            to = self._with(target, (Choice(value="", label=say("stage-choose")), *offered))
        kind = "text" if stages is None else "select"
        return (
            reset,
            Input(
                name=setting_input(setting.id, "source"),
                kind=kind,
                label=say("stage-source"),
                value=source,
                choices=from_,
                help=say("stage-source-help") if stages is None else "",
            ),
            Input(
                name=setting_input(setting.id, "target"),
                kind=kind,
                label=say("stage-target"),
                value=target,
                choices=to,
            ),
        )

    def _offered(self, options: Sequence[Option]) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                value=one.value,
                label=one.label if one.active else self._say("pick-inactive", label=one.label),
            )
            for one in options
        )

    def _with(self, value: str, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        """The choices, and the present value where it is none of them: it must not be lost by looking at the page."""
        if any(choice.value == value for choice in choices):
            return choices
        return (*choices, Choice(value=value, label=self._say("pick-unlisted", value=value)))

    def _note(self, setting: Setting, value: SettingValue) -> tuple[str, bool]:
        """What is said beside the setting, and whether it is a warning."""
        name = list_of(setting)
        if name is None:
            return "", False
        options = self._lists.get(name)
        title = system_title(self._hub.systems[name.partition(".")[0]])
        if options is None:
            return self._say("list-unread", system=title), True
        known = any(one.value == value and one.active for one in options)
        if isinstance(setting, PickSetting) and value and not known:
            return self._say("pick-unknown", system=title), True
        return self._say("pick-or-typed") if isinstance(setting, PickSetting) and setting.or_typed else "", False

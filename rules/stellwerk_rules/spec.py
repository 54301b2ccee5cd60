"""integration.yaml as far as the rules read it: one Struct per thing written there. Parsing and checking come from here.

Unknown keys are refused at every depth (`forbid_unknown_fields`). Keys that are Python words carry a trailing underscore
in code only.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from stellwerk_rules.converters import Converter

Scalar: TypeAlias = bool | int | float | str


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text in both languages of the pages."""

    en: Annotated[str, Meta(description="English.", min_length=1)]
    de: Annotated[str, Meta(description="German.", min_length=1)]


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One test of a setting or a field, or `all`/`any`/`not` of others. Exactly one verb stands in each condition."""

    setting: Annotated[str | None, Meta(description="Id of the setting that is tested.")] = None
    field_: Annotated[str | None, Meta(description="Field of the rule's source, by its `provide` name or its own.")] = (
        field(default=None, name="field")
    )
    is_: Annotated[Scalar | None, Meta(description="True when the value equals this.")] = field(default=None, name="is")
    is_not: Annotated[Scalar | None, Meta(description="True when the value is another.")] = None
    in_: Annotated[tuple[Scalar, ...] | None, Meta(description="True when the value is one of these.")] = field(
        default=None, name="in"
    )
    matches: Annotated[str | None, Meta(description="True when the whole value matches this regular expression.")] = (
        None
    )
    became: Annotated[
        Scalar | None, Meta(description="True when the value is this now and was not when last handled.")
    ] = None
    by: Annotated[
        tuple[str, ...] | None, Meta(description="True when one of these set the value: form, person, import, …")
    ] = None
    by_not: Annotated[tuple[str, ...] | None, Meta(description="True when somebody else set the value.")] = None
    set_: Annotated[bool | None, Meta(description="True: has a value. False: has none.")] = field(
        default=None, name="set"
    )
    all_: Annotated[tuple[Condition, ...] | None, Meta(description="Every one must hold.")] = field(
        default=None, name="all"
    )
    any_: Annotated[tuple[Condition, ...] | None, Meta(description="One must hold.")] = field(default=None, name="any")
    not_: Annotated[Condition | None, Meta(description="Must not hold.")] = field(default=None, name="not")


class Lookup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value chosen by a field of the source (a DOI mailing per language)."""

    lookup: Annotated[str, Meta(description="Field of the source whose value chooses.")]
    table: Annotated[dict[str, str], Meta(description="Source value to result.", min_length=1)]
    otherwise: Annotated[
        str, Meta(description="Result for a value that is not in the table; may be a `settings.ID`.")
    ] = ""


Chosen: TypeAlias = Scalar | Lookup  # a literal, `settings.ID`, or a lookup


# --- settings ----------------------------------------------------------------------------------------------------------


class StageMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The value of a `stage_move` setting."""

    enabled: Annotated[bool, Meta(description="Whether the stage may be moved.")] = False
    source: Annotated[
        str | None, Meta(description="Only from this stage; empty: only without a stage; `any`: from every one.")
    ] = None
    target: Annotated[str | None, Meta(description="The stage to set.")] = None
    reset: Annotated[bool, Meta(description="Clear the stage first, needed to move backward.")] = False


class SettingBase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every setting has."""

    id: Annotated[
        str,
        Meta(description="Name in `settings.ID`, in the database and in `connections:`.", pattern="^[a-z][a-z0-9_]*$"),
    ]
    label: Annotated[Text, Meta(description="What the page shows.")]
    help: Annotated[Text | None, Meta(description="A sentence below the field.")] = None
    only_if: Annotated[
        Condition | None, Meta(description="Shown and in effect only while this holds; tests settings only.")
    ] = None
    per_contact: Annotated[
        str | None, Meta(description="The `provide` property that overrides it for one contact.")
    ] = None


class SwitchSetting(SettingBase, frozen=True, kw_only=True, tag="switch"):
    """On or off."""

    default: Annotated[bool, Meta(description="For new connections.")] = False


class ChoiceSetting(SettingBase, frozen=True, kw_only=True, tag="choice"):
    """One of `options`."""

    options: Annotated[tuple[str, ...], Meta(description="What may be chosen, in order.", min_length=1)]
    default: Annotated[str, Meta(description="For new connections.")]
    option_labels: Annotated[dict[str, Text] | None, Meta(description="What the page shows for an option.")] = None


class TextSetting(SettingBase, frozen=True, kw_only=True, tag="text"):
    """Free text."""

    default: Annotated[str, Meta(description="For new connections.")] = ""


class NumberSetting(SettingBase, frozen=True, kw_only=True, tag="number"):
    """A whole number."""

    default: Annotated[int, Meta(description="For new connections.")] = 0
    least: Annotated[int, Meta(description="Smallest value.")] = 0
    most: Annotated[int, Meta(description="Largest value.")] = 1_000_000


class PermissionSetting(SettingBase, frozen=True, kw_only=True, tag="permission"):
    """A permission: none, single, confirmed, double, double_plus, other."""

    default: Annotated[
        Literal["none", "single", "confirmed", "double", "double_plus", "other"],
        Meta(description="For new connections."),
    ] = "none"


class PickSetting(SettingBase, frozen=True, kw_only=True, tag="pick"):
    """One entry of a list read from a system, such as its DOI mailings."""

    of: Annotated[
        str,
        Meta(
            description="`SYSTEM.LIST`, a list that the system's connector offers.",
            pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
        ),
    ]
    or_typed: Annotated[bool, Meta(description="Whether a value that is not in the list may be typed.")] = False
    default: Annotated[str, Meta(description="For new connections.")] = ""


class StageMoveSetting(SettingBase, frozen=True, kw_only=True, tag="stage_move"):
    """A stage move: on or off, source, target, reset."""

    system: Annotated[str, Meta(description="The system whose stages are offered.")]
    default: Annotated[StageMove, Meta(description="For new connections.")] = StageMove()


Setting: TypeAlias = (
    SwitchSetting | ChoiceSetting | TextSetting | NumberSetting | PermissionSetting | PickSetting | StageMoveSetting
)
SettingValue: TypeAlias = bool | int | str | StageMove


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the settings page."""

    section: Annotated[Text, Meta(description="Its heading.")]
    fields: Annotated[tuple[Setting, ...], Meta(description="Its settings, top to bottom.")]


# --- provide -----------------------------------------------------------------------------------------------------------

Kind: TypeAlias = Literal["yes_no", "text", "permission", "status", "time", "number", "date"]


class ProvidedGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where created properties are filed over there."""

    name: Annotated[str, Meta(description="Internal name; may hold `{brand}`.")]
    label: Annotated[str, Meta(description="What people see.")]


class ProvidedProperty(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A property created over there; the rest of the file uses the name on the left."""

    name: Annotated[str, Meta(description="Internal name; may hold `{brand}`.")]
    kind: Annotated[Kind, Meta(description="yes_no, text, permission, status, time, number or date.")]
    label: Annotated[str, Meta(description="What people see.")]


class Provided(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is created at one system."""

    group: Annotated[ProvidedGroup, Meta(description="The group the properties go into.")]
    properties: Annotated[dict[str, ProvidedProperty], Meta(description="By the name used in this file.")]


# --- fields ------------------------------------------------------------------------------------------------------------


class FieldRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of `fields:`: a field's name at each system. Both ways, newest wins, unless the row says otherwise."""

    names: Annotated[
        dict[str, str], Meta(description="Field name by system (written as the systems' own keys in the file).")
    ]
    type: Annotated[
        Literal["text", "integer", "number", "date", "yes_no"],
        Meta(description="Type of a field we create over there."),
    ] = "text"
    to: Annotated[str | None, Meta(description="One way only, to this system.")] = None
    owner: Annotated[str | None, Meta(description="This system's value counts.")] = None
    fill_only: Annotated[bool, Meta(description="Fill a blank at the other side, never overwrite.")] = False
    convert: Annotated[Converter | None, Meta(description="Change of the value on the way.")] = None


# --- rules -------------------------------------------------------------------------------------------------------------


class EnterSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may enter: new contacts, or an explicit yes."""

    who: Annotated[str, Meta(description="`new`, `ignore`, `create`, or `settings.ID`.")]
    answer: Annotated[str | None, Meta(description="The field that holds the contact's answer.")] = None
    without_answer: Annotated[Chosen, Meta(description="What no answer counts as: yes or no.")] = "no"


class ConsentSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How consent is asked for or granted when a contact enters."""

    ask: Annotated[Chosen, Meta(description="Whether to start a double opt-in.")] = False
    plus: Annotated[Chosen, Meta(description="Whether it asks for personal tracking too.")] = False
    with_: Annotated[
        dict[str, Chosen], Meta(description="Options of the target connector's ask, such as the mailing.")
    ] = field(default_factory=dict, name="with")
    grant: Annotated[Chosen, Meta(description="Permission of a contact that is not asked.")] = "none"
    may_skip: Annotated[Chosen, Meta(description="Whether a contact's own value may skip the double opt-in.")] = False
    may_skip_by_form: Annotated[Chosen, Meta(description="… also when a form wrote that value.")] = False
    again: Annotated[Chosen, Meta(description="Whether single and confirmed contacts are asked again.")] = False
    moved: Annotated[Chosen, Meta(description="What a new address does: ask_again or keep_permission.")] = "ask_again"
    moved_old: Annotated[Chosen, Meta(description="What becomes of the old address: keep, unsubscribe, delete.")] = (
        "keep"
    )


class TimelineSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A timeline entry."""

    text: Annotated[Text, Meta(description="What it says.")]
    show: Annotated[tuple[str, ...], Meta(description="Details of the event to show, in order.")] = ()
    as_: Annotated[Chosen, Meta(description="app_event, note or properties_only; default the setting `timeline`.")] = (
        field(default="settings.timeline", name="as")
    )


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an event at one system means at the other. First match per verb, in the order of the file."""

    id: Annotated[str, Meta(description="Name of the rule in reasons.", pattern="^[a-z][a-z0-9-]*$")]
    from_: Annotated[str, Meta(description="System the event comes from.")] = field(name="from")
    to: Annotated[str, Meta(description="System the changes go to.")]
    events: Annotated[
        tuple[
            Literal[
                "created",
                "changed",
                "moved",
                "deleted",
                "restored",
                "merged",
                "erased",
                "asked",
                "confirmed",
                "unsubscribed",
                "bounced",
                "blocked",
                "unblocked",
            ],
            ...,
        ],
        Meta(description="Which events it is for.", min_length=1),
    ]
    only_if: Annotated[Condition | None, Meta(description="Further condition.")] = None
    enter: Annotated[EnterSpec | None, Meta(description="Bring contacts in.")] = None
    consent: Annotated[ConsentSpec | None, Meta(description="How consent is asked for or granted; with `enter`.")] = (
        None
    )
    fields: Annotated[
        Literal["all"] | tuple[str, ...] | None, Meta(description="`all`, or the target's field names.")
    ] = None
    contact: Annotated[
        Chosen | None, Meta(description="What becomes of the target's contact: unsubscribe, keep, delete.")
    ] = None
    stage: Annotated[Chosen | None, Meta(description="A `stage_move` setting.")] = None
    set_: Annotated[dict[str, str] | None, Meta(description="Fields of the target to set to fixed values.")] = field(
        default=None, name="set"
    )
    opt_out: Annotated[Chosen | None, Meta(description="Whether to set the target's own opt-out from all mail.")] = None
    timeline: Annotated[TimelineSpec | None, Meta(description="An entry on the target's timeline.")] = None


class Mirror(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State of one system shown at the other; never read back as a wish."""

    of: Annotated[str, Meta(description="System whose state is shown.")]
    on_: Annotated[str, Meta(description="System where it is shown.")] = field(name="on")
    status: Annotated[str | None, Meta(description="`provide` property for the status.")] = None
    permission: Annotated[str | None, Meta(description="`provide` property for the permission.")] = None
    unsubscribed_at: Annotated[str | None, Meta(description="`provide` property for the time of the opt-out.")] = None


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Brakes and lifetimes."""

    doi_mails_per_hour: Annotated[int, Meta(ge=1, description="DOI starts an hour and source; more are held.")] = 1000
    removals_per_hour: Annotated[int, Meta(ge=1, description="Removals an hour and source; more are held.")] = 100
    wish_valid_days: Annotated[int, Meta(ge=1, description="A wish older than this is held, not mailed.")] = 7
    doi_valid_days: Annotated[int, Meta(ge=1, description="Days an unanswered DOI stays pending.")] = 14
    opt_out_late_minutes: Annotated[
        int, Meta(ge=1, description="An opt-out that is not delivered after so long is shown as a repair.")
    ] = 15


class Ruleset(Struct, frozen=True, kw_only=True):
    """All that the rules are compiled from. `systems` in the order of the file; the first wins a tie.

    `most` has, by system and field, how many characters a text may have there; a field without a number takes any.
    """

    systems: tuple[str, ...]
    provide: dict[str, Provided] = field(default_factory=dict)
    settings: tuple[Section, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    rules: tuple[Rule, ...] = ()
    mirror: tuple[Mirror, ...] = ()
    limits: Limits = Limits()
    rule_lines: dict[str, int] = field(default_factory=dict)
    most: dict[str, dict[str, int]] = field(default_factory=dict)
    hash: str = ""

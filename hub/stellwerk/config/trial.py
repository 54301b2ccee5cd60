"""`tests:` of integration.yaml: a decision as an operator says it. What stands here needs no knowledge of the code."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct, field

from stellwerk_rules.model import EventKind, Origin, Permission
from stellwerk_rules.spec import Scalar, SettingValue

__all__ = ["Consent", "Expect", "Expected", "Given", "There", "Trial"]


class Consent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the consent ledger holds of the address."""

    pending: Annotated[bool, Meta(description="Asked an hour ago, and not answered.")] = False
    suppressed: Annotated[bool, Meta(description="Opted out a day ago.")] = False
    confirmed: Annotated[bool, Meta(description="Confirmed its double opt-in a week ago.")] = False


class There(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact as it stands at the other system."""

    permission: Annotated[Permission | None, Meta(description="Its permission there.")] = None
    stage: Annotated[str | None, Meta(description="Its stage there.")] = None
    fields: Annotated[dict[str, Scalar | None], Meta(description="Its fields there.")] = field(default_factory=dict)
    opted_out: Annotated[bool, Meta(description="That system's own opt-out stands.")] = False
    blocked: Annotated[bool, Meta(description="That system mails it no more.")] = False
    twice: Annotated[bool, Meta(description="The address stands there twice.")] = False


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has happened, and what is known. Without anything else: somebody new, unknown at the other system."""

    event: Annotated[EventKind | None, Meta(description="What happened; default the first event of the rule.")] = None
    system: Annotated[str | None, Meta(description="Where it happened; default the rule's `from`.")] = None
    email: Annotated[str | None, Meta(description="The address; `null` for a contact without one.")] = "ada@example.com"
    fields: Annotated[
        dict[str, Scalar | None], Meta(description="Fields where it happened, by `provide` name or their own.")
    ] = field(default_factory=dict)
    was: Annotated[
        dict[str, Scalar | None],
        Meta(description="What fields were when last handled; default: not set, so that all of `fields` is news."),
    ] = field(default_factory=dict)
    by: Annotated[Origin, Meta(description="Who set the fields: form, person, import, …")] = Origin.PERSON
    stage: Annotated[str | None, Meta(description="The stage where it happened.")] = None
    permission: Annotated[Permission | None, Meta(description="The permission where it happened.")] = None
    opted_out: Annotated[bool, Meta(description="The own opt-out of the system where it happened stands.")] = False
    older: Annotated[bool, Meta(description="The contact is older than the connection.")] = False
    linked: Annotated[
        bool | None,
        Meta(
            description="The contact came in before and is known at both systems. Default: true for what happens at the "
            "system that mails, for moved, deleted and erased, and for somebody asked or confirmed; else false."
        ),
    ] = None
    there: Annotated[There | None, Meta(description="The contact at the other system; nothing: unknown there.")] = None
    consent: Annotated[Consent, Meta(description="What is known of its consent.")] = Consent()
    settings: Annotated[dict[str, SettingValue], Meta(description="Settings that differ from their defaults.")] = field(
        default_factory=dict
    )
    agreed: Annotated[bool, Meta(description="Whether somebody agreed, as a tick or `agreed:` does.")] = True
    confirmation_given: Annotated[
        Annotated[str, Meta(min_length=1)] | None, Meta(description="Where contacts confirmed, as in `agreed:`.")
    ] = None
    details: Annotated[dict[str, str], Meta(description="What the event says besides.")] = field(default_factory=dict)


class ExpectedBase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """A change that is expected. What it does not name is not compared."""


class ExpectedAsk(ExpectedBase, frozen=True, kw_only=True, tag="ask"):
    """One double opt-in is started."""

    plus: Annotated[bool | None, Meta(description="Whether it asks for personal tracking too.")] = None
    options: Annotated[dict[str, str] | None, Meta(description="The options of the ask.")] = None
    fields: Annotated[dict[str, str | None] | None, Meta(description="Among the fields that go along.")] = None


class ExpectedCreate(ExpectedBase, frozen=True, kw_only=True, tag="create"):
    """A contact is created."""

    permission: Annotated[Permission | None, Meta(description="The permission it gets.")] = None
    fields: Annotated[dict[str, str | None] | None, Meta(description="Among the fields that go along.")] = None


class ExpectedFields(ExpectedBase, frozen=True, kw_only=True, tag="set_fields"):
    """Fields are written."""

    fields: Annotated[dict[str, str | None] | None, Meta(description="Among the fields that are written.")] = None


class ExpectedMirror(ExpectedBase, frozen=True, kw_only=True, tag="mirror"):
    """State is shown. Compared only where a test lists one."""

    fields: Annotated[dict[str, str | None] | None, Meta(description="Among the fields that are written.")] = None


class ExpectedPeer(ExpectedBase, frozen=True, kw_only=True, tag="set_peer"):
    """The other system's id is stored. Compared only where a test lists one."""


class ExpectedMove(ExpectedBase, frozen=True, kw_only=True, tag="move_stage"):
    """The stage is moved."""

    target: Annotated[str | None, Meta(description="The stage that is set.")] = None
    reset: Annotated[bool | None, Meta(description="Whether the stage is cleared first.")] = None


class ExpectedEntry(ExpectedBase, frozen=True, kw_only=True, tag="add_entry"):
    """A timeline entry is added."""

    form: Annotated[str | None, Meta(description="app_event or note.")] = None
    shown: Annotated[dict[str, str] | None, Meta(description="Details that it shows.")] = None


class ExpectedUnsubscribe(ExpectedBase, frozen=True, kw_only=True, tag="unsubscribe"):
    """The contact is unsubscribed."""


class ExpectedDelete(ExpectedBase, frozen=True, kw_only=True, tag="delete_contact"):
    """The contact is deleted."""


class ExpectedOptOut(ExpectedBase, frozen=True, kw_only=True, tag="opt_out"):
    """The target's own opt-out is set."""


Expected: TypeAlias = (
    ExpectedAsk
    | ExpectedCreate
    | ExpectedFields
    | ExpectedMirror
    | ExpectedPeer
    | ExpectedMove
    | ExpectedEntry
    | ExpectedUnsubscribe
    | ExpectedDelete
    | ExpectedOptOut
)


class Expect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the decision must be. What is left out is not compared."""

    changes: Annotated[
        tuple[Expected, ...] | None, Meta(description="The changes, these and no others, in any order.")
    ] = None
    skips: Annotated[
        tuple[str, ...] | None, Meta(description="Codes of reasons to write nothing; each must be among those given.")
    ] = None
    because: Annotated[
        str | None, Meta(description="Code of any reason, of a change, a skip, a held one or a notice.")
    ] = None
    held: Annotated[
        tuple[str, ...] | None, Meta(description="Repairs that hold something back, these and no others.")
    ] = None


class Trial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One decision and what it must be."""

    name: Annotated[str, Meta(description="A sentence about behaviour.", min_length=1)]
    rule: Annotated[
        str | None, Meta(description="The rule meant: gives the system and the event unless `given` does.")
    ] = None
    given: Annotated[Given, Meta(description="What has happened, and what is known.")] = Given()
    expect: Annotated[Expect, Meta(description="What the decision must be.")]

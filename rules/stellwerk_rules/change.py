"""What to write at a system, and what is planned, skipped or held, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct, field

from stellwerk_rules.contact import Because, Origin, Permission, Value

CHANGED_SINCE = "changed-since"
"""Code of a change that is decided anew before anything goes out for it: what it was decided on has changed."""


class AskTerms(Struct, frozen=True, kw_only=True):
    """How a double opt-in is asked: `plus` asks for personal tracking too; `options` are the target connector's own."""

    plus: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


class FieldValue(Struct, frozen=True, kw_only=True):
    """A field's new value at the target, with what settles a conflict there.

    `at` is when the source's value was written by the source's clock (None: not known). `basis` is the digest of the
    target's value that the decision was made on (None: the target's value was never seen). `source_digest` stands with a
    value carried from a field of the source; `by_hand` says that a form or a person is known to have set it there.
    """

    value: Value
    at: datetime | None = None
    basis: str | None = None
    source_digest: str | None = None
    fill_only: bool = False
    owned: bool = False
    primary: bool = False
    by_hand: bool = False


class Elsewhere(Struct, frozen=True, kw_only=True):
    """A contact over there that is not the one linked (any more): its `id`, and the digest of the `address` it is about."""

    id: str
    address: str


class Enter(Struct, frozen=True, kw_only=True, tag="enter"):
    """Bring a contact in at the mail system; what exactly is settled against what stands there (`settle_enter`).

    At a system that does not mail it is made or linked there, and neither asked nor granted anything (`settle_known_there`).

    `wish` is the id of the wish (also the mark of the ask), `wished_at` by the source's clock, `way_back` says that only a
    double opt-in may follow because an older opt-out stands. `backfill`: a sync brings it in, and a person confirmed how many.
    `links`: it is not asked now, be it that it confirmed or that a mail is out; whoever stands there is linked with it.
    `all_the_same`: it was decided on when already only an explicit yes brought the contact in, and holds (a new address).
    `decided_on` names what it was decided on; where that has changed, it is decided anew first. Empty: that is not asked.
    """

    email: str
    peer_id: str
    wish: str
    wished_at: datetime
    explicit: bool
    ask: AskTerms | None
    grant: Permission
    fields: Mapping[str, FieldValue]
    way_back: bool = False
    again: bool = False
    origin: Origin = Origin.OTHER
    backfill: bool = False
    links: bool = False
    all_the_same: bool = False
    decided_on: str = ""

    @property
    def mails(self) -> bool:
        """Whether a double opt-in may follow."""
        return self.ask is not None and not self.links


class Ask(Struct, frozen=True, kw_only=True, tag="ask"):
    """Start one double opt-in. `fields` go along; with `existing` they only fill blanks. `mark` can be read back.

    `way_back` says that a wish younger than the address's opt-out stands behind it: only then may the mail system's
    unsubscription marker be passed over.
    """

    email: str
    peer_id: str | None
    mark: str
    terms: AskTerms
    fields: Mapping[str, Value]
    existing: bool
    way_back: bool = False


class Create(Struct, frozen=True, kw_only=True, tag="create"):
    """Create an address that the mail system does not know, with `permission`; must leave existing contacts alone."""

    email: str
    peer_id: str | None
    permission: Permission
    fields: Mapping[str, Value]


class SetFields(Struct, frozen=True, kw_only=True, tag="set_fields"):
    """Write field values; never a permission, never a stage. `mirror` marks values nobody reads back as a wish."""

    fields: Mapping[str, FieldValue]
    mirror: bool = False


class SetPeer(Struct, frozen=True, kw_only=True, tag="set_peer"):
    """Store the other system's id at this contact, where none stands or `replaces`; None takes that one away."""

    peer_id: str | None
    replaces: str | None = None
    of: Elsewhere | None = None


class MoveAddress(Struct, frozen=True, kw_only=True, tag="move_address"):
    """Give the contact there another address, with all that it allowed: by its id, where it lives and nobody else has `email`.

    `former` is the digest of the address whose consent goes along, `seen` the one by which the source's contact had it.
    """

    email: str
    former: str
    seen: str


class MoveStage(Struct, frozen=True, kw_only=True, tag="move_stage"):
    """Move the stage from `source` (None: only from blank; `any_source`: from any) to `target`, for one fact, once."""

    source: str | None
    target: str
    reset: bool
    fact: str
    any_source: bool = False


class ClearStage(Struct, frozen=True, kw_only=True, tag="clear_stage"):
    """Blank the stage; always followed by the `SetStage` of the same move."""


class SetStage(Struct, frozen=True, kw_only=True, tag="set_stage"):
    """Write the stage."""

    stage: str


class AddEntry(Struct, frozen=True, kw_only=True, tag="add_entry"):
    """One timeline entry; `text` by language, `shown` in order, `mark` can be read back."""

    text: Mapping[str, str]
    shown: tuple[tuple[str, str], ...]
    at: datetime
    mark: str
    form: str
    fact: str


class Unsubscribe(Struct, frozen=True, kw_only=True, tag="unsubscribe"):
    """Take the contact off the mail system's list: an opt-out. By `email` where no link to it is known."""

    email: str | None = None
    of: Elsewhere | None = None


class DeleteContact(Struct, frozen=True, kw_only=True, tag="delete_contact"):
    """Delete the contact there. Not an opt-out. By `email` where no link to it is known.

    `removal` says that its record, of `origin`, went away, and nobody asked for it: many of these at once wait for a person.
    """

    email: str | None = None
    origin: Origin = Origin.OTHER
    removal: bool = False
    of: Elsewhere | None = None


class OptOut(Struct, frozen=True, kw_only=True, tag="opt_out"):
    """Set the system's own "no mail at all". Nothing ever lifts it."""


Change: TypeAlias = (
    Enter
    | Ask
    | Create
    | SetFields
    | SetPeer
    | MoveAddress
    | MoveStage
    | ClearStage
    | SetStage
    | AddEntry
    | Unsubscribe
    | DeleteContact
    | OptOut
)


class Planned(Struct, frozen=True, kw_only=True):
    """A change on its way to `system`, and why. `key` is its effect key: the same key is the same effect."""

    system: str
    change: Change
    key: str
    because: Because


class Skip(Struct, frozen=True, kw_only=True):
    """Nothing is written, and why."""

    because: Because


class Held(Struct, frozen=True, kw_only=True):
    """Not now: a person releases or discards it. `repair` is the code of the problem shown to them."""

    repair: str
    because: Because

"""A contact as a system shows it, what may have happened to it, and the proof of an opt-out.

A *value* is canonical text or `None` (not set): `yes`/`no` for a yes-or-no field, `YYYY-MM-DD` for a date, ISO 8601 with
`Z` for a time, a permission's name for a permission, plain text for the rest. Connectors translate at their wire.
Times are aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field

Value: TypeAlias = str | None

ADDRESS = "@address"
"""Name under which a contact's address stands among its fields: its digest, and who wrote it. No vendor's field begins so."""


class Permission(StrEnum):
    """What a contact allowed. Compare with `rank`, never by the number a vendor gives it."""

    NONE = "none"
    SINGLE = "single"
    CONFIRMED = "confirmed"
    DOUBLE = "double"
    DOUBLE_PLUS = "double_plus"
    OTHER = "other"


CONFIRMED_BY_CONTACT = frozenset({Permission.DOUBLE, Permission.DOUBLE_PLUS})


class EventKind(StrEnum):
    """What can happen to a contact: a closed list."""

    CREATED = "created"
    CHANGED = "changed"
    MOVED = "moved"
    DELETED = "deleted"
    RESTORED = "restored"
    MERGED = "merged"
    ERASED = "erased"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


class Origin(StrEnum):
    """Who set a value. Only a form's and a person's yes is a wish; what a merge brought along nobody said."""

    FORM = "form"
    PERSON = "person"
    IMPORT = "import"
    INTEGRATION = "integration"
    WORKFLOW = "workflow"
    MERGE = "merge"
    OTHER = "other"


class Presence(StrEnum):
    """What a read found."""

    PRESENT = "present"
    ABSENT = "absent"
    ANONYMOUS = "anonymous"
    ARCHIVED = "archived"
    TWICE = "twice"


class Written(Struct, frozen=True, kw_only=True):
    """One entry of a field's history: `value`, when by that system's clock, and by whom."""

    value: Value
    at: datetime
    origin: Origin
    ours: bool = False


class Contact(Struct, frozen=True, kw_only=True):
    """A contact as one system showed it at `read_at`.

    `fields` has every field asked for (None = not set), but for those that the system does not have (any more). `history` is newest first and only there for the fields it was
    asked for, under `ADDRESS` for the address. `also_ids` are records that were merged into this one, `also_emails` its
    secondary addresses, where the system has such. `permission`, `blocked`, `mark` are of systems that send mail; `stage` of systems that have stages.
    `opted_out` is the system's own "no mail at all": a CRM's global opt-out, a mail system's unsubscription marker;
    `opted_out_at` when that was said, by its clock, where it tells.
    `changed_at` has the times of fields that events told, where no history was read; `updated_at` is one for all of them.
    """

    id: str | None = None
    email: str | None = None
    presence: Presence = Presence.PRESENT
    also_ids: tuple[str, ...] = ()
    also_emails: tuple[str, ...] = ()
    fields: Mapping[str, Value] = field(default_factory=dict)
    history: Mapping[str, tuple[Written, ...]] = field(default_factory=dict)
    stage: Value = None
    permission: Permission | None = None
    opted_out: bool = False
    opted_out_at: datetime | None = None
    blocked: bool = False
    peer_id: str | None = None
    mark: str | None = None
    origin: Origin = Origin.OTHER
    created_at: datetime | None = None
    updated_at: datetime | None = None
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    read_at: datetime


class OptOutEntry(Struct, frozen=True, kw_only=True):
    """One opt-out as the mail system reports it. `key` names it for ever; `at` by its clock, zone resolved as well as known."""

    key: str
    at: datetime
    contact_id: str | None = None
    email: str | None = None
    peer_id: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class OptOutEvidence(Struct, frozen=True, kw_only=True):
    """What the mail system shows about an address's opt-out: the contact as it reads now, its marker, report entries."""

    contact: Contact
    marker: bool
    entries: tuple[OptOutEntry, ...] = ()


class OptOutProof(Struct, frozen=True, kw_only=True):
    """How sure an opt-out at the mail system is.

    `key` names the fact (a report entry, or the end of the contact there) so that it counts once; `final` is False while the
    mail system has not yet shown it; `denied` is True when, long enough after, it shows the contact subscribed.
    """

    key: str
    at: datetime
    final: bool
    denied: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


class Backfill(Struct, frozen=True, kw_only=True):
    """The terms on which a sync brings in contacts: those that a person confirmed for all of them, not the connection's.

    `run` names it, `began_at` is when it was started. Everybody who enters is asked with `ask`, else gets `grant`.
    `left`: of so many more it was confirmed that they are mailed or granted something; None in a dry run, which counts them.
    """

    run: int
    began_at: datetime
    ask: bool = False
    grant: Permission = Permission.NONE
    left: int | None = None


class Event(Struct, frozen=True, kw_only=True):
    """Something that may have happened, with the contact as read afterwards. The signal's kind is a hint, not the truth.

    `at` is the time of the decision; the rules know no other clock. `id` names the event in reasons and the ledger. A contact
    read for a `proof` alone has no fields.
    `released`: a person let go an entry or a deletion of this contact: it is decided as if nothing had been handled before.
    `renewed`: so is an entry that nothing went out for yet, since what it was decided on has changed; nobody let it go.
    `occurred_at` is when it happened by the clock of its system, if it tells. `backfill`: nothing happened, a sync looks at it.
    `fields_released`: a person let go field values of this contact that were held. `compared`: nothing happened, a comparison looks.
    `asked_again`: nothing happened, a person asks for a mail for the explicit yes that was handled before. `linked_again`:
    a person takes back that the contact was unlinked.
    """

    id: str
    kind: EventKind
    system: str
    contact: Contact
    at: datetime
    proof: OptOutProof | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    occurred_at: datetime | None = None
    backfill: Backfill | None = None
    released: bool = False
    renewed: bool = False
    fields_released: bool = False
    compared: bool = False
    asked_again: bool = False
    linked_again: bool = False


class Because(Struct, frozen=True, kw_only=True):
    """A reason: which rule at which line, a stable code, a sentence, and the condition that missed by least."""

    code: str
    text: str
    rule: str | None = None
    line: int | None = None
    nearest: str | None = None

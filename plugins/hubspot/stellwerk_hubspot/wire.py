"""HubSpot's shapes and the model: the only place that knows how a value is written over there.

Source: reference page, sections 5 to 7. All property values are text on the wire; an empty text clears.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from msgspec import Struct, field

from stellwerk.sdk import ADDRESS, Contact, FieldSpec, Origin, Presence, Value, Written

__all__ = [
    "MOST_CHARACTERS",
    "NEEDED",
    "STAGE",
    "Association",
    "ContactObject",
    "HistoryEntry",
    "clock",
    "contact_from",
    "is_record_id",
    "iso",
    "origin_of",
    "to_wire",
    "value_from",
]

STAGE = "lifecyclestage"
OPTED_OUT = "hs_email_optout"
OTHER_ADDRESSES = "hs_additional_emails"
MERGED_IDS = "hs_merged_object_ids"
SOURCE = "hs_object_source"
NEEDED = ("email", STAGE, OPTED_OUT, "createdate", "lastmodifieddate", SOURCE, OTHER_ADDRESSES, MERGED_IDS)
"""What the model needs of every contact, whatever fields the file names."""

MOST_CHARACTERS = 65_536
FEWEST_MILLISECONDS = 11
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ORIGINS = {
    "FORM": Origin.FORM,
    "CRM_UI": Origin.PERSON,
    "IMPORT": Origin.IMPORT,
    "INTEGRATION": Origin.INTEGRATION,
}


class HistoryEntry(Struct, frozen=True, rename="camel"):
    """One entry of a property's history. Who was first decides about consent: an unreadable time makes the answer one."""

    timestamp: str
    value: str | None = None
    source_type: str | None = None
    source_id: str | None = None

    def __post_init__(self) -> None:
        self.at()

    def at(self) -> datetime:
        at = clock(self.timestamp)
        if at is None:
            raise ValueError("a history entry without a readable time")
        return at


class Associated(Struct, frozen=True):
    """The other end of an association."""

    id: str


class Association(Struct, frozen=True):
    """A contact's associations to one kind of object; `paging` says when there are more."""

    results: list[Associated] = field(default_factory=list)
    paging: dict[str, object] | None = None

    @property
    def more(self) -> bool:
        return bool(self.paging and self.paging.get("next"))


class ContactObject(Struct, frozen=True, rename="camel"):
    """A contact as HubSpot answers it; notes have the same shape."""

    id: str
    properties: dict[str, str | None] = field(default_factory=dict)
    properties_with_history: dict[str, list[HistoryEntry]] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    archived: bool | None = None
    object_write_trace_id: str | None = None
    associations: dict[str, Association | None] | None = None

    def addresses(self) -> frozenset[str]:
        """Every address that leads to this contact, lower case."""
        more = parts(self.properties.get(OTHER_ADDRESSES))
        return frozenset(one.strip().lower() for one in (self.properties.get("email") or "", *more) if one.strip())


def parts(text: str | None) -> tuple[str, ...]:
    """The entries of a `;` separated property."""
    return tuple(dict.fromkeys(one.strip() for one in (text or "").split(";") if one.strip()))


def is_record_id(text: str | None) -> TypeGuard[str]:
    """Whether this can be a record's id: an address in its place is passed over without a word, or fails a batch."""
    return text is not None and text.isascii() and text.isdigit()


def clock(text: str | None) -> datetime | None:
    """An ISO 8601 text or epoch milliseconds as an aware UTC time; None when it is neither."""
    if not text:
        return None
    try:
        if text.lstrip("-").isdigit():
            return EPOCH + timedelta(milliseconds=int(text))
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, as HubSpot writes times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value_from(spec: FieldSpec | None, raw: str | None) -> Value:
    """A property's value in the model's words: canonical text or None. What does not fit its kind stays as it is."""
    if raw is None or raw == "":
        return None
    match spec.kind if spec else "text":
        case "yes_no":
            return {"true": "yes", "false": "no"}.get(raw.lower(), raw)
        case "time":
            at = clock(raw)
            return raw if at is None else iso(at)
        case "date":
            # A text property may hold a date written without separators, which is no time in milliseconds.
            at = None if raw.isdigit() and len(raw) < FEWEST_MILLISECONDS else clock(raw)
            return raw if at is None else at.date().isoformat()
    return raw


def to_wire(spec: FieldSpec | None, value: Value) -> str:
    """What is written for a value; the empty text clears. str is cut to HubSpot's 65,536 characters."""
    if value is None:
        return ""
    match spec.kind if spec else "text":
        case "yes_no":
            return {"yes": "true", "no": "false"}.get(value, value)
        case "time":
            at = clock(value)
            return value if at is None else iso(at)
    return value[:MOST_CHARACTERS]


def origin_of(source: str | None) -> Origin:
    """Who wrote, from `sourceType`, `changeSource` or `hs_object_source` (an open list; DESIGN 7)."""
    name = (source or "").upper()
    if name in ORIGINS:
        return ORIGINS[name]
    if "AUTOMATION" in name or "WORKFLOW" in name:
        return Origin.WORKFLOW
    # What a merge writes is not in any published list; the twin calls it MERGE_OBJECTS.
    return Origin.MERGE if "MERGE" in name else Origin.OTHER


def is_ours(source: str | None, source_id: str | None, app_id: str) -> bool:
    """Whether this app wrote: `INTEGRATION` with its id (section 8, recognising own writes)."""
    return (source or "").upper() == "INTEGRATION" and source_id == app_id


def own_name(name: str) -> str:
    """The property whose history is asked for."""
    return "email" if name == ADDRESS else name


def contact_from(
    found: ContactObject,
    *,
    fields: Collection[str],
    history: Sequence[str],
    specs: Mapping[str, FieldSpec],
    app_id: str,
    read_at: datetime,
) -> Contact:
    """The contact as the rules see it, with `fields` (those HubSpot knows) and the histories asked for, newest first."""
    values = found.properties
    return Contact(
        id=found.id,
        email=values.get("email") or None,
        presence=Presence.ARCHIVED if found.archived else Presence.PRESENT,
        also_ids=tuple(one for one in parts(values.get(MERGED_IDS)) if is_record_id(one) and one != found.id),
        also_emails=tuple(one for one in parts(values.get(OTHER_ADDRESSES)) if one != values.get("email")),
        fields={name: value_from(specs.get(name), values.get(name)) for name in fields},
        history={
            name: _written(specs.get(name), (found.properties_with_history or {}).get(own_name(name), []), app_id)
            for name in history
        },
        stage=values.get(STAGE) or None,
        opted_out=(values.get(OPTED_OUT) or "").lower() == "true",
        origin=origin_of(values.get(SOURCE)),
        created_at=clock(values.get("createdate")) or clock(found.created_at),
        updated_at=clock(found.updated_at) or clock(values.get("lastmodifieddate")),
        read_at=read_at,
    )


def _written(spec: FieldSpec | None, entries: Sequence[HistoryEntry], app_id: str) -> tuple[Written, ...]:
    """History newest first; of entries of one instant, in HubSpot's own order, which is turned where it is oldest first."""
    if entries and entries[0].at() < entries[-1].at():
        entries = entries[::-1]
    found = [
        Written(
            value=value_from(spec, entry.value),
            at=entry.at(),
            origin=origin_of(entry.source_type),
            ours=is_ours(entry.source_type, entry.source_id, app_id),
        )
        for entry in entries
    ]
    return tuple(sorted(found, key=lambda written: written.at, reverse=True))

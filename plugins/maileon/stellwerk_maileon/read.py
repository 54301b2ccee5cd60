"""Reading contacts. Maileon has no batch read: each ref is one call, and each address one more for its marker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from stellwerk.sdk import Contact, Presence, Ref, RejectedError
from stellwerk_maileon import clock, wire
from stellwerk_maileon.client import Params
from stellwerk_maileon.reportentry import Entry
from stellwerk_maileon.session import Session
from stellwerk_maileon.wire import CUSTOM, MARK_FIELD, READABLE, SENDOUT_STATUS, Stored

Finder = Callable[[Params], Awaitable[tuple[Stored, ...]]]


def field_params(fields: Sequence[str]) -> Params:
    """What to ask a read for: nothing comes back unless named (reference, section 6.5). Mark and blocking go along.

    A standard field that Maileon does not have is not asked for: it would cost the whole read.
    """
    standard = [name for name in fields if name in READABLE]
    custom = [name.removeprefix(CUSTOM) for name in fields if name.startswith(CUSTOM)]
    return (
        *(("standard_field", name) for name in dict.fromkeys((*standard, SENDOUT_STATUS))),
        *(("custom_field", name) for name in dict.fromkeys((*custom, MARK_FIELD))),
    )


async def read_contacts(session: Session, refs: Sequence[Ref], fields: Sequence[str]) -> Sequence[Contact]:
    """One contact for each ref, same order. `opted_out` (the marker) is known for refs by e-mail only.

    The marker bears no time. Of whoever is not there any more the report tells it, as long as it knows the address.
    """
    return [await _with_time(session, await read_contact(session, ref, fields)) for ref in refs]


async def _with_time(session: Session, contact: Contact) -> Contact:
    if not contact.opted_out or contact.email is None or contact.presence not in (Presence.ABSENT, Presence.ANONYMOUS):
        return contact
    entries = await unsubscribed(session, (("from_date", "0"), ("emails", contact.email)))
    times = [at for entry in entries if (at := clock.read_time(entry.timestamp, session.zone)) is not None]
    return replace(contact, opted_out_at=max(times, default=None))


async def read_contact(session: Session, ref: Ref, fields: Sequence[str]) -> Contact:
    found, undeclared = await _find_declared(session, _finder(session, ref), field_params(fields))
    gone = undeclared | {name for name in fields if not name.startswith(CUSTOM) and name not in READABLE}
    marker = ref.by == "email" and await session.client.has_marker(ref.value)
    return _as_contact(session, ref, found, [name for name in fields if name not in gone], marker)


async def stands_twice(session: Session, email: str) -> bool:
    """Whether several living contacts have the address."""
    return len([one for one in await session.client.contacts_by_email(email, ()) if not one.anonymous]) > 1


def _as_contact(session: Session, ref: Ref, found: Sequence[Stored], fields: Sequence[str], marker: bool) -> Contact:
    """What a ref's hits amount to: an anonymised contact counts only when no living one is there."""
    living = [stored for stored in found if not stored.anonymous]
    hit = living[0] if len(living) == 1 else found[0] if found and not living else None
    if hit is None:
        return Contact(
            email=ref.value if ref.by == "email" else None,
            peer_id=ref.value if ref.by == "peer_id" else None,
            presence=Presence.TWICE if living else Presence.ABSENT,
            fields=dict.fromkeys(fields),
            opted_out=marker,
            read_at=session.services.now(),
        )
    return wire.to_contact(
        hit, fields, session.services.fields, zone=session.zone, read_at=session.services.now(), opted_out=marker
    )


def _finder(session: Session, ref: Ref) -> Finder:
    client = session.client

    async def by_id(params: Params) -> tuple[Stored, ...]:
        found = await client.contact_by_id(ref.value, params)
        return () if found is None else (found,)

    async def by_email(params: Params) -> tuple[Stored, ...]:
        return await client.contacts_by_email(ref.value, params)

    async def by_external_id(params: Params) -> tuple[Stored, ...]:
        return await client.contacts_by_external_id(ref.value, params)

    return {"id": by_id, "email": by_email, "peer_id": by_external_id}[ref.by]


async def _find_declared(session: Session, find: Finder, params: Params) -> tuple[tuple[Stored, ...], frozenset[str]]:
    """The hits, and the fields that do not exist; where Maileon refuses the read, once more with those that do.

    A custom field is missing before the account is provided for and after somebody deleted or renamed it there: nothing is
    known of its value then, and the rest of the contact is not lost over it.
    """
    try:
        return await find(params), frozenset()
    except RejectedError as error:
        if error.code != "bad-request":
            raise
        declared = await session.client.custom_fields()
        kept = tuple((key, name) for key, name in params if key != "custom_field" or name in declared)
        if kept == tuple(params):
            raise
        gone = frozenset(f"{CUSTOM}{name}" for key, name in params if (key, name) not in kept)
        return await find(kept), gone


async def unsubscribed(session: Session, params: Params) -> list[Entry]:
    """Every entry of the report of unsubscriptions that `params` leave."""
    found: list[Entry] = []
    page, more = 1, True
    while more:
        entries, more = await session.client.unsubscriptions(params, page)
        found.extend(entries)
        page += 1
    return found

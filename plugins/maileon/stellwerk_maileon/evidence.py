"""What Maileon shows about an opt-out: the contact, the marker, the report's entries (DESIGN, section 4.2)."""

from __future__ import annotations

from datetime import UTC, datetime

from stellwerk.sdk import Contact, OptOutEntry, OptOutEvidence, Presence, Ref
from stellwerk_maileon import clock
from stellwerk_maileon.read import read_contact, unsubscribed
from stellwerk_maileon.reportentry import Entry
from stellwerk_maileon.session import Session

BEGINNING = datetime.fromtimestamp(0, UTC)


async def opt_outs(
    session: Session, *, email: str | None, contact_id: str | None, since: datetime | None
) -> OptOutEvidence:
    """The evidence for this address or contact, oldest entry first. Raises `DeliveryError`.

    An anonymised contact keeps its id and loses its address, so the report is asked for both, each by itself.
    """
    contact = await _contact(session, email, contact_id)
    address = email or contact.email
    marker = contact.opted_out
    if email is None and address is not None:
        marker = await session.client.has_marker(address)
    start = ("from_date", str(clock.milliseconds(since or BEGINNING)))
    ids = dict.fromkeys(identity for identity in (contact_id, contact.id) if identity is not None)
    found: dict[str, Entry] = {}
    if ids:
        for entry in await unsubscribed(session, (start, *(("ids", identity) for identity in ids))):
            found[entry.key] = entry
    if address is not None:
        for entry in await unsubscribed(session, (start, ("emails", address))):
            found.setdefault(entry.key, entry)
    entries = sorted((as_opt_out(session, entry) for entry in found.values()), key=lambda entry: entry.at)
    return OptOutEvidence(contact=contact, marker=marker, entries=tuple(entries))


def as_opt_out(session: Session, entry: Entry) -> OptOutEntry:
    """The entry with its time resolved in the configured zone; one whose time cannot be read counts as of now."""
    return OptOutEntry(
        key=entry.key,
        at=clock.read_time(entry.timestamp, session.zone) or session.services.now(),
        contact_id=entry.contact.id,
        email=entry.contact.email,
        peer_id=entry.contact.external_id,
        details=entry.details,
    )


async def _contact(session: Session, email: str | None, contact_id: str | None) -> Contact:
    by_id = None if contact_id is None else Ref(by="id", value=contact_id)
    if email is None:
        if by_id is None:
            return Contact(presence=Presence.ABSENT, read_at=session.services.now())
        return await read_contact(session, by_id, ())
    contact = await read_contact(session, Ref(by="email", value=email), ())
    if contact.presence is not Presence.ABSENT or by_id is None:
        return contact
    # The address is gone; whether its contact was anonymised or deleted is only told by the id.
    remains = await read_contact(session, by_id, ())
    if remains.presence is not Presence.ANONYMOUS:
        return contact
    return Contact(
        id=remains.id,
        email=email,
        presence=Presence.ANONYMOUS,
        permission=remains.permission,
        opted_out=contact.opted_out,
        peer_id=remains.peer_id,
        read_at=remains.read_at,
    )

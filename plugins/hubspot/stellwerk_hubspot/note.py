"""Timeline entries as notes (reference page, section 10, fallbacks), with a short visible reference as their mark."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from html import escape

from stellwerk.sdk import AddEntry, DeliveryError, MarkState, Receipt
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.receipt import answered, from_error
from stellwerk_hubspot.refusal import NotFound, Refused
from stellwerk_hubspot.wire import ContactObject, clock, iso

__all__ = ["Noting", "body_of", "reference_of", "text_of"]

MOST_CHARACTERS = 65_536
NOTES_A_CALL = 100


class Noting:
    """Entries of the `Target` ability as notes, and finding their mark."""

    async def add_note(self: Opened, contact_id: str, entry: AddEntry) -> Receipt:
        """One note. Ambiguous when nobody knows whether it was made: HubSpot has no key for notes."""
        body = body_of(entry, self.system.language)
        try:
            holder = contact_id
            try:
                note = await self.client.create_note(holder, body=body, timestamp=iso(entry.at))
            except (NotFound, Refused):
                # An id that a merge ended takes no association; the contact's present id does.
                holder = (await self.client.contact(contact_id)).id
                if holder == contact_id:
                    raise
                note = await self.client.create_note(holder, body=body, timestamp=iso(entry.at))
        except DeliveryError as error:
            return from_error(error)
        return answered(holder, at=clock(note.updated_at or note.created_at))

    async def find_note(self: Opened, contact_id: str, entry: AddEntry) -> tuple[MarkState, Receipt | None]:
        """Whether a note with the entry's reference stands at the contact.

        Unreadable when HubSpot shows only a part of the contact's notes and the mark is not in it.
        """
        try:
            contact = await self.client.contact(contact_id, associations=("notes",))
        except NotFound:
            return MarkState.ABSENT, None
        # Only notes were asked for, under whatever name they come.
        there = [found for found in (contact.associations or {}).values() if found is not None]
        hidden = any(found.more for found in there)
        reference = reference_of(entry.mark)
        ids = sorted(
            {one.id for found in there for one in found.results}, key=lambda one: (len(one), one), reverse=True
        )
        for start in range(0, len(ids), NOTES_A_CALL):
            try:
                answer = await self.client.read_notes(ids[start : start + NOTES_A_CALL])
            except NotFound:
                # One of them has just gone, and the others may not have been told.
                return MarkState.UNREADABLE, None
            note = _with_reference(answer.results, reference)
            if note is not None:
                return MarkState.FOUND, answered(contact.id, at=clock(note.created_at))
        return (MarkState.UNREADABLE if hidden else MarkState.ABSENT), None


def reference_of(mark: str) -> str:
    """The visible reference of a mark: ten letters and digits, the same for the same mark."""
    return f"SW-{b32encode(hashlib.sha256(mark.encode()).digest()).decode()[:10]}"


def text_of(entry: AddEntry, language: str) -> str:
    """What the entry says, in this language or in the one it has."""
    return entry.text.get(language) or next(iter(entry.text.values()), "")


def body_of(entry: AddEntry, language: str) -> str:
    """The note's HTML: the text, the details shown, the reference. Everything that was told to us is escaped."""
    text = text_of(entry, language)
    foot = f"<p>Ref. {reference_of(entry.mark)}</p>"
    lines = [text, *(f"{name}: {value}" for name, value in entry.shown)]
    body = ""
    for line in lines:
        # Cut before escaping, line by line: half an entity or an open tag would spoil the rest.
        room = MOST_CHARACTERS - len(body) - len(foot) - len("<p></p>")
        body += f"<p>{_escaped(line, room)}</p>" if room > 0 else ""
    return body + foot


def _escaped(line: str, room: int) -> str:
    pieces = [escape(character) for character in line[:room]]
    while sum(map(len, pieces)) > room:
        pieces = pieces[: room * len(pieces) // sum(map(len, pieces))]
    return "".join(pieces)


def _with_reference(notes: Sequence[ContactObject], reference: str) -> ContactObject | None:
    return next((note for note in notes if reference in (note.properties.get("hs_note_body") or "")), None)

"""Timeline entries as app events (reference page, section 10): one event type for all entries, the mark as the event's id.

HubSpot grants them to approved apps of the marketplace alone, and nobody can ask whether ours is one but by sending. Where it
is not, the entry becomes a note, and the receipt says so.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from stellwerk.sdk import AddEntry, DeliveryError, Outcome, ReauthorizeError, Receipt
from stellwerk_hubspot.note import text_of
from stellwerk_hubspot.opened import Opened
from stellwerk_hubspot.receipt import answered, from_error
from stellwerk_hubspot.refusal import Conflict, NotFound, Refused
from stellwerk_hubspot.wire import iso

__all__ = ["SYMBOL", "Telling", "event_type_file"]

SYMBOL = "stellwerk_entry"
"""Names our event type within the project."""

MOST_CHARACTERS = 9_000
"""Of an entry's details; a template's text may have 10,000."""

UNAVAILABLE = "app-event-unavailable"
NOT_GRANTED = frozenset({"missing-scopes", "forbidden"})
HOW = "to have app events, the app needs HubSpot's approval, marketplace distribution and the deployed project"


class Telling:
    """`add_entry` of the `Target` ability."""

    async def add_entry(self: Opened, contact_id: str, entry: AddEntry) -> Receipt:
        """One entry, in the form it asks for; a note where the app may not have app events."""
        if entry.form != "app_event":
            return await self.add_note(contact_id, entry)
        told = await _told(self, contact_id, entry)
        if isinstance(told, Receipt):
            return told
        note = await self.add_note(contact_id, entry)
        if note.outcome is not Outcome.DONE:
            return note
        text = f"timeline entries are written as notes: {told}; {HOW}, or choose notes"
        return replace(note, code=UNAVAILABLE, text=text, instead=UNAVAILABLE)


async def _told(opened: Opened, contact_id: str, entry: AddEntry) -> Receipt | str:
    """The receipt of an app event, or why there can be none."""
    project = opened.system.app_events
    if project is None:
        return "no project with app events is named"
    if opened.account.access_token is not None:
        return "app events need a login, and this is a static token"
    try:
        if opened.event_type is None:
            opened.event_type = await opened.client.event_type(project, SYMBOL)
        return await _sent(opened, opened.event_type, contact_id, entry)
    except NotFound:
        return "the event type is not deployed"
    except Refused as refused:
        return f"HubSpot refuses the event ({refused.code})"
    except ReauthorizeError as refused:
        return refused.code if refused.code in NOT_GRANTED else from_error(refused)
    except DeliveryError as error:
        return from_error(error)


async def _sent(opened: Opened, event_type: str, contact_id: str, entry: AddEntry) -> Receipt:
    """Sent, or known to have been: an id that is there already was sent by an earlier try whose answer was lost."""
    try:
        return await _sent_once(opened, event_type, contact_id, entry)
    except Refused:
        # What becomes of an id that a merge ended is not documented; the contact's present id is taken.
        holder = (await opened.client.contact(contact_id)).id
        if holder == contact_id:
            raise
        return await _sent_once(opened, event_type, holder, entry)


async def _sent_once(opened: Opened, event_type: str, contact_id: str, entry: AddEntry) -> Receipt:
    properties = {"text": text_of(entry, opened.system.language), "details": _details(entry)}
    with suppress(Conflict):
        await opened.client.send_event(event_type, entry.mark, contact_id, properties, iso(entry.at))
    return answered(contact_id)


def _details(entry: AddEntry) -> str:
    return ", ".join(f"{name}: {value}" for name, value in entry.shown)[:MOST_CHARACTERS]


def event_type_file() -> dict[str, Any]:
    """The component of the developer project that declares our event type."""
    return {
        "uid": SYMBOL,
        "type": "app-event",
        "config": {
            "name": "Stellwerk entry",
            "objectType": "CONTACT",
            "headerTemplate": "{{text}}",
            "detailTemplate": "{{details}}",
            "properties": [
                {"name": "text", "label": "What happened", "type": "string"},
                {"name": "details", "label": "Details", "type": "string"},
            ],
        },
    }

"""Entries of the reports on unsubscriptions, confirmed subscribers, bounces and blocks (reference, section 9)."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from stellwerk_maileon import elements, wire
from stellwerk_maileon.wire import Stored


class Entry(Struct, frozen=True, kw_only=True):
    """`timestamp` is Maileon's own text, without a zone. `source` and `reason` are open sets of words.

    Bounces have `type` (permanent, transient) and `status_code`, blocks `reason` and `new_status` (allowed, blocked).
    """

    contact: Stored
    timestamp: str | None
    msg_id: str | None = None
    source: str | None = None
    type: str | None = None
    status_code: str | None = None
    reason: str | None = None
    new_status: str | None = None

    @property
    def who(self) -> str | None:
        """Which contact, by a name that does not change; None where it has none."""
        return self.contact.id or self.contact.external_id or None

    @property
    def key(self) -> str:
        """The entry's name for ever: it does not change when the contact's address is anonymised later."""
        own = [one for one in (self.status_code, self.new_status) if one is not None]
        text = "\n".join((self.who or "", (self.timestamp or "").strip(), self.msg_id or "", *own))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def details(self) -> dict[str, str]:
        """What a timeline may show; `method` is the word the webhook uses for the report's `source`."""
        pairs = {
            "msg_id": self.msg_id,
            "method": self.source,
            "type": self.type,
            "status_code": self.status_code,
            "reason": self.reason,
        }
        return {name: value for name, value in pairs.items() if value is not None}


def read(body: bytes) -> tuple[Entry, ...]:
    """The entries of one page. Raises `WireError`."""
    root = elements.parse(body, "unsubscriptions", "subscribers", "bounces", "blocks")
    found = []
    for element in root:
        contact = element.find("contact")
        found.append(
            Entry(
                contact=wire.read_contact(contact) if contact is not None else Stored(),
                timestamp=elements.text(element, "timestamp"),
                msg_id=elements.token(element, "msg_id"),
                source=elements.token(element, "source"),
                type=elements.token(element, "type"),
                status_code=elements.token(element, "status_code"),
                reason=elements.token(element, "reason"),
                new_status=elements.token(element, "new_status"),
            )
        )
    return tuple(found)

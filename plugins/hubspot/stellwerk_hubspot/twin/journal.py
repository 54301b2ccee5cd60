"""The webhooks journal (section 9): subscribed to by API, written into files after a while, kept for three days.

Played is the journal of one portal. What the reference does not tell is chosen: events of about a second share a file, a URL is
good for a minute, times are ISO 8601 and ids numbers.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from .call import Answer, Call, answer, no_content
from .clock import Clock, iso
from .errors import Refusal, dead_token, invalid, missing_scopes, not_found
from .portal import Happening

__all__ = ["Journal", "earliest", "following", "latest", "list_subscriptions", "read_file", "remove", "subscribe"]

READ = "developer.webhooks_journal.read"
SUBSCRIBE_READ = "developer.webhooks_journal.subscriptions.read"
SUBSCRIBE = "developer.webhooks_journal.subscriptions.write"
SCOPES = frozenset({READ, SUBSCRIBE_READ, SUBSCRIBE, "crm.objects.contacts.read"})
CONTACT_TYPE = "0-1"
ACTIONS = {
    "creation": "CREATE",
    "propertyChange": "UPDATE",
    "deletion": "DELETE",
    "merge": "MERGE",
    "restore": "RESTORE",
    "privacyDeletion": "GDPR_DELETE",
}
KEPT_MS = 3 * 86_400_000
GATHER_MS = 1_000
URL_MS = 60_000


class Wanted(Struct, forbid_unknown_fields=True, rename="camel"):
    """A subscription; empty lists mean all."""

    subscription_type: str
    portal_id: int
    object_type_id: str
    actions: list[str]
    properties: list[str]
    object_ids: list[int]


@dataclass(slots=True)
class File:
    offset: str
    written_ms: int
    events: list[dict[str, Any]]


@dataclass
class Journal:
    """Of one app. `access` has the tokens of the client-credentials grant with their scopes."""

    clock: Clock
    installed: Callable[[int], bool]
    access: dict[str, frozenset[str]] = field(default_factory=dict)
    subscriptions: dict[int, Wanted] = field(default_factory=dict)
    files: dict[int, list[File]] = field(default_factory=dict)
    urls: dict[str, tuple[File, int]] = field(default_factory=dict)
    granted: bool = True
    """Whether HubSpot lets this app have a journal: it was behind a gate once."""

    def __post_init__(self) -> None:
        self._open: dict[int, tuple[int, list[dict[str, Any]]]] = {}

    def note(self, portal: int, told: Happening) -> None:
        """Into the open file of the portal, where somebody subscribed to it."""
        action = ACTIONS.get(told.kind)
        if action is None or not any(_wants(one, portal, action, told) for one in self.subscriptions.values()):
            return
        about = told.new_id or told.object_id
        event = {
            "type": "OBJECT",
            "portalId": portal,
            "occurredAt": iso(told.at_ms),
            "action": action,
            "objectTypeId": CONTACT_TYPE,
            "objectId": about,
            "propertyChanges": {} if told.name is None else {told.name: told.value},
        }
        self._open.setdefault(portal, (self.clock.ms(), []))[1].append(event)

    def of(self, portal: int) -> list[File]:
        """The files that can be read now, the earliest first."""
        now = self.clock.ms()
        begun = self._open.get(portal)
        if begun is not None and now - begun[0] >= GATHER_MS:
            del self._open[portal]
            self.files.setdefault(portal, []).append(File(str(uuid.uuid4()), now, begun[1]))
        kept = [one for one in self.files.get(portal, []) if now - one.written_ms <= KEPT_MS]
        self.files[portal] = kept
        return kept


def _wants(one: Wanted, portal: int, action: str, told: Happening) -> bool:
    named = told.name is None or not one.properties or told.name in one.properties
    about = not one.object_ids or told.object_id in one.object_ids
    return one.portal_id == portal and (not one.actions or action in one.actions) and named and about


def _journal(call: Call, scope: str) -> Journal:
    """The app's journal, for a token of its client-credentials grant that has the scope; a portal's token is none."""
    kind, _, token = (call.header("authorization") or "").partition(" ")
    scopes = call.twin.journal.access.get(token) if kind.lower() == "bearer" else None
    if scopes is None:
        raise dead_token(expired=False)
    if scope not in scopes:
        raise missing_scopes((scope,))
    return call.twin.journal


def subscribe(call: Call) -> Answer:
    """201 with the subscription; 400 for another type of object or an action that does not exist."""
    journal = _journal(call, SUBSCRIBE)
    wanted = call.json(Wanted)
    if wanted.subscription_type != "OBJECT" or wanted.object_type_id != CONTACT_TYPE:
        raise invalid("This twin plays subscriptions of type OBJECT for contacts")
    if not set(wanted.actions) <= set(ACTIONS.values()) or not journal.installed(wanted.portal_id):
        raise invalid("An action that is unknown, or a portal that has not installed the app")
    if len(journal.subscriptions) >= 50:
        raise invalid("50 subscriptions are all there may be")
    number = len(journal.subscriptions) + 1
    journal.subscriptions[number] = wanted
    return answer(_shown(number, wanted), 201)


def list_subscriptions(call: Call) -> Answer:
    journal = _journal(call, SUBSCRIBE_READ)
    return answer({"results": [_shown(number, one) for number, one in journal.subscriptions.items()]})


def remove(call: Call) -> Answer:
    journal, number = _journal(call, SUBSCRIBE), call.params["id"]
    if not number.isdecimal() or journal.subscriptions.pop(int(number), None) is None:
        raise not_found()
    return no_content()


def _shown(number: int, one: Wanted) -> dict[str, Any]:
    return {
        "id": number,
        "subscriptionType": one.subscription_type,
        "portalId": one.portal_id,
        "objectTypeId": one.object_type_id,
        "actions": one.actions,
        "properties": one.properties,
        "objectIds": one.object_ids,
    }


def _portal(call: Call, journal: Journal) -> int:
    text = call.one("installPortalId") or ""
    if not text.isdecimal() or not journal.installed(int(text)):
        raise invalid("installPortalId names no portal that has installed the app")
    return int(text)


def earliest(call: Call) -> Answer:
    """Where the earliest file lies; 204 while there is none."""
    journal = _journal(call, READ)
    files = journal.of(_portal(call, journal))
    return _pointer(call, journal, files[0]) if files else no_content()


def latest(call: Call) -> Answer:
    journal = _journal(call, READ)
    files = journal.of(_portal(call, journal))
    return _pointer(call, journal, files[-1]) if files else no_content()


def following(call: Call) -> Answer:
    """Where the next file lies; 204 while there is none, 404 for an offset that has expired or never was."""
    journal = _journal(call, READ)
    files = journal.of(_portal(call, journal))
    places = [number for number, one in enumerate(files) if one.offset == call.params["offset"]]
    if not places:
        raise not_found("The offset has expired")
    behind = files[places[0] + 1 :]
    return _pointer(call, journal, behind[0]) if behind else no_content()


def _pointer(call: Call, journal: Journal, file: File) -> Answer:
    expires = journal.clock.ms() + URL_MS
    name = secrets.token_urlsafe(24)
    journal.urls[name] = (file, expires)
    url = f"{call.twin.url}/journal-files/{name}"
    return answer({"url": url, "currentOffset": file.offset, "expiresAt": iso(expires)})


def read_file(call: Call) -> Answer:
    """The file behind a URL that needs nothing else; 403 once it has expired."""
    file, expires = call.twin.journal.urls.get(call.params["name"], (None, 0))
    if file is None or call.twin.clock.ms() > expires:
        raise Refusal(403, {"status": "error", "message": "Request has expired"})
    return answer({"offset": file.offset, "journalEvents": file.events, "publishedAt": iso(file.written_ms)})

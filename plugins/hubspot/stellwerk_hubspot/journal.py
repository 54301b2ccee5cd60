"""The webhooks journal (reference page, section 9): the same events without a public address, any property, pulled.

Asked for with `events: journal`, where the app has the journal's scopes. Search goes on beside it: it heals what a gap of the
journal lost, and does all the work where the journal is refused. Not established, and therefore taken either way: the shape of
the list of subscriptions, whether numbers stand in quotes, how `occurredAt` is written, and what `objectId` of a merge names (it
is read, and reads as the survivor). No field names the writing app: what we wrote is known by its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from stellwerk.sdk import (
    UNREADABLE,
    DeliveryError,
    EventKind,
    PauseError,
    Ref,
    RejectedError,
    RetryableError,
    Signal,
    Unread,
)
from stellwerk_hubspot import lenient
from stellwerk_hubspot.answer import TokenAnswer
from stellwerk_hubspot.poll import Polling
from stellwerk_hubspot.refusal import NotFound
from stellwerk_hubspot.session import Call, Session, post_form
from stellwerk_hubspot.wire import clock

__all__ = ["Journaling"]

VERSION = "2026-03"
"""Of the journal, and of the token endpoint that is known to take its grant."""
SCOPES = (
    "developer.webhooks_journal.read",
    "developer.webhooks_journal.subscriptions.read",
    "developer.webhooks_journal.subscriptions.write",
    "crm.objects.contacts.read",
)
LOCAL = f"/webhooks-journal/journal-local/{VERSION}"
SUBSCRIPTIONS = f"/webhooks-journal/subscriptions/{VERSION}"
CONTACT_TYPE = "0-1"
PART = "journal"
ACTIONS = {
    "CREATE": EventKind.CREATED,
    "UPDATE": EventKind.CHANGED,
    "DELETE": EventKind.DELETED,
    "MERGE": EventKind.MERGED,
    "RESTORE": EventKind.RESTORED,
    "GDPR_DELETE": EventKind.ERASED,
}


NOT_OURS = frozenset(
    {
        "ADDED_TO_LIST",
        "APP_INSTALL",
        "APP_UNINSTALL",
        "ASSOCIATION_ADDED",
        "ASSOCIATION_REMOVED",
        "REMOVED_FROM_LIST",
        "SNAPSHOT",
    }
)
"""Documented actions that change nothing of a contact; another subscription of the app may ask for them."""


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to go on: behind which file of the journal (none: at the earliest), and in the search."""

    journal: str = ""
    search: str | None = None


class Pointer(Struct, frozen=True, rename="camel"):
    """Where a file of the journal lies."""

    url: str
    current_offset: str


class Told(Struct, frozen=True, rename="camel"):
    """One event of a file, as far as we look at it."""

    action: str = ""
    portal_id: int | str = ""
    object_type_id: str = ""
    object_id: int | str = ""
    occurred_at: int | str | None = None
    property_changes: Mapping[str, Any] = {}


class Whose(Struct, frozen=True, rename="camel"):
    """Of which portal and kind of object an event is, whatever else stands in it."""

    portal_id: int | str = ""
    object_type_id: str = CONTACT_TYPE


class File(Struct, frozen=True, rename="camel"):
    journal_events: list[msgspec.Raw]


class Subscription(Struct, frozen=True, rename="camel"):
    portal_id: int | str = ""
    object_type_id: str = ""
    subscription_type: str = ""


class Subscriptions(Struct, frozen=True):
    results: list[Subscription] = []


class Journaling(Polling):
    """The `Reporter` ability, with the journal before the search where it is asked for."""

    async def poll(self, cursor: str | None) -> tuple[Sequence[Signal | Unread], str, bool]:
        """A file of the journal, or else a page of contacts that changed. Raises `DeliveryError` where the search fails."""
        opened: Any = self
        if opened.system.events != "journal":
            return await Polling.poll(opened, _place(cursor).search)
        here = _place(cursor)
        try:
            found = await _next(opened, here.journal)
        except PauseError:
            raise
        except DeliveryError as failed:  # of the journal alone: another grant, another address, and the search goes on
            opened.services.part_asked(PART, failed)
            found = None
        else:
            opened.services.part_asked(PART, None)
        if found is not None:
            signals, offset = found
            return signals, _written(Place(journal=offset, search=here.search)), True
        changed, after, more = await Polling.poll(opened, here.search)
        return changed, _written(Place(journal=here.journal, search=after)), more


async def _next(opened: Any, offset: str) -> tuple[list[Signal | Unread], str] | None:
    """The file behind `offset` and its own; None where there is none yet. One that has expired begins anew at the earliest."""
    session = Session(opened.system, opened.account, opened.services)
    token = await _token(opened)

    async def own(stale: str | None) -> str:
        if stale is not None:
            raise RejectedError("journal-refused", "HubSpot refuses the token of its journal")
        return token

    session.token = own
    portal = ("installPortalId", opened.account.account)
    if not offset:
        await _subscribe(session, opened.account.account)
    path = f"{LOCAL}/offset/{offset}/next" if offset else f"{LOCAL}/earliest"
    try:
        pointer = await session.ask_maybe(Pointer, Call(method="GET", path=path, params=(portal,), one=True))
    except NotFound:
        if not offset:
            return None  # nothing was ever written there
        return [], ""  # older than three days: what lies between is found by the search
    if pointer is None:
        return None
    content = await _content(opened, pointer.url)
    return list(_signals(content, pointer.current_offset, opened.account.account)), pointer.current_offset


async def _token(opened: Any) -> str:
    """A token of the app itself, not of the portal's login. Raises `RejectedError` where the app may not have one."""
    system = opened.system
    refused: RejectedError | None = None
    for secret in system.secrets():
        form = {
            "grant_type": "client_credentials",
            "client_id": system.client_id,
            "client_secret": secret,
            "scope": " ".join(SCOPES),
        }
        try:
            body = await post_form(
                opened.services.http,
                f"{system.api_url.rstrip('/')}/oauth/{VERSION}/token",
                urlencode(form).encode(),
                timeout_seconds=system.timeout_seconds,
                private=system.secrets(),
            )
        except RejectedError as error:
            refused = error
            continue
        try:
            return msgspec.json.decode(body, type=TokenAnswer, strict=False).access_token
        except UNREADABLE:
            raise RetryableError("unreadable-answer", "no token of the journal") from None
    raise refused or RejectedError("journal-refused", "no token of the journal")


async def _subscribe(session: Session, portal: str) -> None:
    """To everything of this portal's contacts, unless that stands already."""
    rows = _rows(await session.ask(msgspec.Raw, Call(method="GET", path=SUBSCRIPTIONS)))
    if any(str(one.portal_id) == portal and one.object_type_id == CONTACT_TYPE for one in rows):
        return
    body = {
        "subscriptionType": "OBJECT",
        "portalId": int(portal),
        "objectTypeId": CONTACT_TYPE,
        "actions": sorted(ACTIONS),
        "properties": [],
        "objectIds": [],
    }
    await session.tell(Call(method="POST", path=SUBSCRIPTIONS, body=body))


def _rows(answer: bytes) -> list[Subscription]:
    """The list alone or as `results`; of another shape none is known, and one more is asked for."""
    try:
        return lenient.read(bytes(answer), Subscriptions).results
    except UNREADABLE:
        pass
    try:
        return lenient.read(bytes(answer), list[Subscription])
    except UNREADABLE:
        return []


async def _content(opened: Any, url: str) -> bytes:
    """The file. Its address is signed by itself, so nothing of ours goes along; it must be as safe as the API's own."""
    safe = {"https", urlsplit(opened.system.api_url).scheme}
    if urlsplit(url).scheme not in safe:
        raise RejectedError("unsafe-address", "the journal's file is not at an https address")
    await opened.services.spend(1)
    answer = await opened.services.http.request("GET", url, timeout_seconds=opened.system.timeout_seconds)
    if answer.status != 200:
        raise RetryableError("no-journal-file", f"status {answer.status} for a file of the journal")
    return bytes(answer.body)


def _signals(content: bytes, offset: str, portal: str) -> Iterator[Signal | Unread]:
    """What the file tells of this portal's contacts. An event without a key of its own: it is known by its place in the file.

    What is not understood is `Unread`, with its place before it; what is told of other portals or objects is not ours.
    """
    try:
        events = lenient.read(content, File).journal_events
    except UNREADABLE:
        raise RetryableError("unreadable-answer", "not a file of the journal") from None
    for number, raw in enumerate(events):
        if _of_others(bytes(raw), portal):
            continue
        try:
            told = lenient.read(bytes(raw), Told)
        except UNREADABLE:
            yield Unread(raw=_placed(bytes(raw), offset, number), because="not-as-described")
            continue
        if told.action in NOT_OURS:
            continue
        kind = ACTIONS.get(told.action)
        if kind is None:
            yield Unread(raw=_placed(bytes(raw), offset, number), because="unknown-kind")
            continue
        if not told.object_id:
            yield Unread(raw=_placed(bytes(raw), offset, number), because="names-nobody")
            continue
        names: list[str | None] = [*sorted(told.property_changes)] or [None]
        for name in names:
            yield Signal(
                kind=EventKind.MOVED if kind is EventKind.CHANGED and name == "email" else kind,
                ref=Ref(by="id", value=str(told.object_id)),
                key=f"journal/{offset}/{number}/{name or ''}",
                account=portal,
                occurred_at=None if told.occurred_at is None else clock(str(told.occurred_at)),
                field_name=name,
            )


def _of_others(raw: bytes, portal: str) -> bool:
    """Whether it names another portal or kind of object: of that nothing is kept, understood or not (law 9)."""
    try:
        whose = lenient.read(raw, Whose)
    except UNREADABLE:
        return False  # names nobody: as little as can be told of it must not vanish
    return str(whose.portal_id or portal) != portal or whose.object_type_id != CONTACT_TYPE


def _placed(raw: bytes, offset: str, number: int) -> bytes:
    return f"file {offset}, event {number}: ".encode() + raw


def _place(cursor: str | None) -> Place:
    """One of before the journal was asked for is where the search was."""
    try:
        return Place() if cursor is None else msgspec.json.decode(cursor, type=Place)
    except msgspec.MsgspecError:
        return Place(search=cursor)


def _written(place: Place) -> str:
    return msgspec.json.encode(place).decode()

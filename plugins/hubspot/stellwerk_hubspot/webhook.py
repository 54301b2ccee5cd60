"""Webhooks: their signature, and what their events mean (reference page, sections 8 and 16).

An event is a signal. Only its kind, its contact and who caused it are taken from it; values are read afterwards.
Version 1 of the signature leaves the age of a request open. Whether apps with a static token get version 3 is not
established, so it is taken from theirs alone, and only until a request with version 3 has come. Version 2 is never taken.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct

from stellwerk.sdk import UNREADABLE, EventKind, Ref, Signal, Unread, WebhookError, WebhookRequest
from stellwerk_hubspot import lenient
from stellwerk_hubspot.settings import HubspotAccount, HubspotSystem
from stellwerk_hubspot.wire import clock, is_ours, origin_of

__all__ = ["NOT_POSSIBLE", "Webhooks", "signature_v3"]

SIGNATURE = "x-hubspot-signature-v3"
TIMESTAMP = "x-hubspot-request-timestamp"
SIGNATURE_1 = "x-hubspot-signature"
SIGNATURE_VERSION = "x-hubspot-signature-version"
TOLERANCE = timedelta(minutes=5)
NOT_POSSIBLE = frozenset({"num_unique_conversion_events", "hs_lastmodifieddate"})
"""Properties that no subscription is possible on."""
OPT_OUTS = "hs_email_optout"
"""Whether changes of these properties come as events is not established: they count as found by asking."""
CONTACT_TYPE = "0-1"

# Of the escapes in a URL HubSpot decodes only these before it signs.
UNESCAPED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip

KINDS = {
    "creation": EventKind.CREATED,
    "propertyChange": EventKind.CHANGED,
    "deletion": EventKind.DELETED,
    "restore": EventKind.RESTORED,
    "merge": EventKind.MERGED,
    "privacyDeletion": EventKind.ERASED,
}


class Item(Struct, frozen=True, rename="camel"):
    """One event as HubSpot sends it, as far as we look at it."""

    portal_id: int
    occurred_at: int | None = None
    object_id: int | None = None
    event_id: int | None = None
    subscription_type: str | None = None
    event_type: str | None = None
    object_type_id: str | None = None
    property_name: str | None = None
    change_source: str | None = None
    source_id: str | None = None
    primary_object_id: int | None = None
    merged_object_ids: list[int] | None = None
    new_object_id: int | None = None

    @property
    def type(self) -> str:
        """HubSpot's documentation calls it both ways."""
        return self.subscription_type or self.event_type or ""

    def key(self) -> str:
        """The vendor's own key; `eventId` alone is not unique."""
        parts = (self.portal_id, self.type, self.object_id, self.event_id, self.occurred_at, self.property_name)
        return msgspec.json.encode(parts).decode()


class Portal(Struct, frozen=True, rename="camel"):
    """Just enough of an event that was not understood to file it under its portal."""

    portal_id: int | None = None


class Webhooks:
    """The `WebhookSource` ability."""

    @classmethod
    def receive(cls, request: WebhookRequest, system: HubspotSystem, /) -> Sequence[Signal | Unread]:
        """The signals of an authentic request; raises `WebhookError(401)` for any other."""
        _check(request, system)
        return cls._signals(request, system)

    @classmethod
    def receive_weak(
        cls, request: WebhookRequest, system: HubspotSystem, account: HubspotAccount, /
    ) -> Sequence[Signal | Unread]:
        """The same for a request with version 1 of the signature alone, of a portal with a static token."""
        _check_weakly(request, system, account)
        return cls._signals(request, system)

    @classmethod
    def announced(cls, fields: Sequence[str], /) -> frozenset[str]:
        """Fields that `stellwerk hubspot project` subscribes to and whose changes HubSpot surely tells."""
        return frozenset(name for name in fields if name not in NOT_POSSIBLE and not name.startswith(OPT_OUTS))

    @classmethod
    def _signals(cls, request: WebhookRequest, system: HubspotSystem) -> Sequence[Signal | Unread]:
        try:
            items = msgspec.json.decode(request.body, type=list[msgspec.Raw])
        except UNREADABLE:
            if _portal(request.body) is None:
                return [Unread(raw=request.body, because="not-as-described")]
            # One event that stands alone.
            return [_signal(request.body, system.app_id)]
        return [_signal(bytes(item), system.app_id) for item in items]


def signature_v3(secret: str, method: str, url: str, body: bytes, timestamp: str) -> str:
    """Base64 of the HMAC-SHA256, keyed with the client secret, over method, URL, raw body and timestamp."""
    for escape, character in UNESCAPED.items():
        url = url.replace(escape, character).replace(escape.lower(), character)
    message = method.upper().encode() + url.encode() + body + timestamp.encode()
    return b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def _check(request: WebhookRequest, system: HubspotSystem) -> None:
    """Raises for a request that is forged, or older or younger than five minutes by our clock."""
    given, timestamp = request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP)
    if given is None or timestamp is None:
        raise WebhookError(401, "the request is not signed")
    sent_at = clock(timestamp) if timestamp.isascii() and timestamp.isdigit() else None
    if sent_at is None or abs(request.received_at - sent_at) > TOLERANCE:
        raise WebhookError(401, "the request is stale")
    url = request.url.partition("#")[0]
    good = [
        hmac.compare_digest(signature_v3(secret, request.method, url, request.body, timestamp).encode(), given.encode())
        for secret in system.secrets()
    ]
    if not any(good):
        raise WebhookError(401, "the signature does not match")


def _check_weakly(request: WebhookRequest, system: HubspotSystem, account: HubspotAccount) -> None:
    """Raises unless version 1 alone was sent and fits, and the account has a static token."""
    given, version = request.headers.get(SIGNATURE_1), request.headers.get(SIGNATURE_VERSION)
    if account.access_token is None or given is None or version != "v1" or SIGNATURE in request.headers:
        raise WebhookError(401, "the request is not signed")
    good = [
        hmac.compare_digest(hashlib.sha256(secret.encode() + request.body).hexdigest().encode(), given.encode())
        for secret in system.secrets()
    ]
    if not any(good):
        raise WebhookError(401, "the signature does not match")


def _signal(raw: bytes, app_id: str) -> Signal | Unread:
    try:
        item = lenient.read(raw, Item)
    except UNREADABLE:
        return Unread(raw=raw, because="not-as-described", account=_portal(raw))
    account = str(item.portal_id)
    subject, _, verb = item.type.partition(".")
    contact = subject == "contact" or (subject == "object" and item.object_type_id == CONTACT_TYPE)
    kind = KINDS.get(verb) if contact else None
    if kind is None:
        return Unread(raw=raw, because="unknown-kind", account=account)
    about = (
        item.new_object_id or item.primary_object_id or item.object_id if kind is EventKind.MERGED else item.object_id
    )
    if about is None:
        return Unread(raw=raw, because="names-nobody", account=account)
    if kind is EventKind.CHANGED and item.property_name == "email":
        kind = EventKind.MOVED
    return Signal(
        kind=kind,
        ref=Ref(by="id", value=str(about)),
        key=item.key(),
        account=account,
        occurred_at=None if item.occurred_at is None else clock(str(item.occurred_at)),
        field_name=item.property_name,
        origin=None if item.change_source is None else origin_of(item.change_source),
        details=_details(item, app_id),
    )


def _details(item: Item, app_id: str) -> dict[str, str]:
    """`ours` when this app wrote; of a merge who was merged."""
    found: dict[str, str] = {}
    if is_ours(item.change_source, item.source_id, app_id):
        found["ours"] = "yes"
    if item.primary_object_id is not None:
        found["primary_id"] = str(item.primary_object_id)
    if item.merged_object_ids:
        found["merged_ids"] = ";".join(str(one) for one in item.merged_object_ids)
    return found


def _portal(raw: bytes) -> str | None:
    try:
        portal = lenient.read(raw, Portal).portal_id
    except UNREADABLE:
        return None
    return None if portal is None else str(portal)

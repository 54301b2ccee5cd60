"""Calls from Maileon. They carry no signature and no event key: each means "look at this address now" (section 10.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from stellwerk.sdk import UNREADABLE, EventKind, Ref, Signal, Unread, WebhookRequest
from stellwerk_maileon import clock
from stellwerk_maileon.settings import MaileonSystem

TOPICS: Mapping[str, EventKind] = {"doi": EventKind.CONFIRMED, "unsubscription": EventKind.UNSUBSCRIBED}
DETAILS = ("msg_id", "method")
LONGEST_DETAIL = 200

OneOrMore = dict[str, Any] | list[dict[str, Any]]

_ADDRESS = re.compile(r"[^\s@]+(?:@[^\s@]+)*@[^\s@]+")


def receive(request: WebhookRequest, system: MaileonSystem) -> Sequence[Signal | Unread]:
    """A signal, or `Unread` with the reason; of a list one each. The hub has checked the secret in the path."""
    topic = request.path[0] if len(request.path) == 1 else ""
    kind = TOPICS.get(topic)
    if kind is None:
        return [Unread(raw=request.body, because="unknown-kind")]
    calls = _calls(request)
    if not calls:
        return [Unread(raw=request.body, because="not-as-described")]
    return [_signal(kind, values, request.body, ZoneInfo(system.zone)) for values in calls]


def _signal(kind: EventKind, values: Mapping[str, Any], raw: bytes, zone: tzinfo) -> Signal | Unread:
    ref = _ref(values)
    if ref is None:
        return Unread(raw=raw, because="names-nobody")
    details = {name: text[:LONGEST_DETAIL] for name in DETAILS if (text := _text(values.get(name))) is not None}
    return Signal(kind=kind, ref=ref, occurred_at=_occurred_at(values, zone), details=details)


def _calls(request: WebhookRequest) -> Sequence[Mapping[str, Any]]:
    """The body's fields, and those of the URL where the webhook was set up so. Whether calls are bundled is not documented."""
    try:
        body = msgspec.json.decode(request.body, type=OneOrMore) if request.body.strip() else {}
    except UNREADABLE:
        return ()
    given = body if isinstance(body, list) else [body]
    return [{name.lower(): value for name, value in {**request.query, **one}.items()} for one in given]


def _ref(values: Mapping[str, Any]) -> Ref | None:
    """By address; a blank in its local part was a `+` on the way (section 10.2). An external id is better than nothing."""
    address = _text(values.get("email"))
    if address is not None:
        local, at, domain = address.rpartition("@")
        address = local.replace(" ", "+") + at + domain
        if _ADDRESS.fullmatch(address):
            return Ref(by="email", value=address)
    external_id = _text(values.get("external_id"))
    return None if external_id is None else Ref(by="peer_id", value=external_id)


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    # No database holds this character, and no address or id has it.
    return None if "\0" in text else text or None


def _occurred_at(values: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    return clock.read_time(_text(values.get("timestamp")), zone)

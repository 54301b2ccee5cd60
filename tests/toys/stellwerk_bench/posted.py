"""Webhook requests as the CRM signs them, prepared before anything is timed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Sequence

from msgspec import Struct

EVENTS = 100
STRANGERS = [str(number) for number in range(50_000_000, 50_020_000)]
"""Ids of contacts, where nobody looks them up."""

PATH = "/webhooks/hubspot"
FIELDS = ("firstname", "lastname", "company", "city", "phone")


class Posted(Struct, frozen=True, kw_only=True):
    """One request: its headers by their names in small letters, and its body."""

    headers: dict[str, str]
    body: bytes

    def on_the_wire(self, host: str, path: str = PATH) -> bytes:
        """As HTTP/1.1 over a connection that stays open."""
        told = {**self.headers, "host": host, "content-length": str(len(self.body)), "content-type": "application/json"}
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return head.encode() + b"\r\n" + self.body


def requests(
    count: int,
    *,
    secret: str,
    base_url: str,
    portal: int,
    app: int,
    events: int = EVENTS,
    start: int = 0,
    contacts: Sequence[str] = STRANGERS,
) -> Iterator[Posted]:
    """`count` requests of so many new events each, of contacts in turn."""
    now = int(time.time() * 1000)
    for first in range(start, start + count * events, events):
        body = json.dumps(
            [event(number, portal, app, now, contacts) for number in range(first, first + events)]
        ).encode()
        text = f"POST{base_url}{PATH}".encode() + body + str(now).encode()
        signature = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
        yield Posted(headers={"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": str(now)}, body=body)


def event(number: int, portal: int, app: int, now: int, contacts: Sequence[str]) -> dict[str, object]:
    """A changed property, as the reference page shows one; about 260 bytes."""
    return {
        "eventId": 1_000_000_000 + number,
        "subscriptionId": 3_000_001,
        "portalId": portal,
        "appId": app,
        "occurredAt": now,
        "subscriptionType": "object.propertyChange",
        "attemptNumber": 0,
        "objectId": int(contacts[number % len(contacts)]),
        "objectTypeId": "0-1",
        "propertyName": FIELDS[number % len(FIELDS)],
        "propertyValue": f"Value {number}",
        "changeSource": "CRM_UI",
        "sourceId": "userId:1",
    }

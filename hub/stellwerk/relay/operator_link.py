"""The link to the operator's page: signed, good for ten minutes and for one use."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.store.used_up import use_up

VALID_SECONDS = 600.0
LABEL = "operator link"
FOLLOWED = "operator links followed"


class Pass(Struct, frozen=True, kw_only=True):
    """What a link says: who asked for it, until when it is good in seconds since 1970, and which one it is."""

    by: str
    until: float
    id: str


async def operator_link(hub: Hub, *, by: str) -> dict[str, Any]:
    """`{url, seconds}`: a link to the operator's page for whoever may give this hub orders."""
    given = Pass(by=by, until=hub.now() + VALID_SECONDS, id=secrets.token_urlsafe(16))
    body = base64.urlsafe_b64encode(msgspec.json.encode(given)).rstrip(b"=")
    return {"url": f"{hub.public_url}/operator/{body.decode()}.{_signed(hub, body)}", "seconds": VALID_SECONDS}


def passed(hub: Hub, text: str) -> Pass | None:
    """What the link says, whether it was followed or not; None for one that was not signed here, or is too old."""
    body, _, signature = text.partition(".")
    if not hmac.compare_digest(_signed(hub, body.encode()).encode(), signature.encode()):
        return None
    try:
        given = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Pass)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return None
    return given if hub.now() < given.until else None


async def follow(hub: Hub, given: Pass) -> bool:
    """Use the link up; False when it was followed before."""
    now = hub.now()
    return await hub.store.write(lambda tx: use_up(tx, FOLLOWED, given.id, until=given.until, now=now))


def _signed(hub: Hub, body: bytes) -> str:
    digest = hmac.new(hub.vault.derived_key(LABEL), body, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

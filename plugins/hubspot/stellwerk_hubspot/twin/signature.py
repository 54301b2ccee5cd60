"""How HubSpot signs what it sends (section 8, signatures)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

__all__ = ["decoded_uri", "headers_for", "v1", "v2", "v3"]

ESCAPES = {
    "%3a": ":", "%2f": "/", "%3f": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2a": "*", "%2c": ",", "%3b": ";",
}  # fmt: skip


def decoded_uri(uri: str) -> str:
    """The URI as it is hashed: only these twelve escapes are decoded."""
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda found: ESCAPES.get(found[0].lower(), found[0]), uri)


def v1(secret: str, body: bytes) -> str:
    """Hex SHA-256 of secret + body."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def v2(secret: str, method: str, uri: str, body: bytes) -> str:
    """Hex SHA-256 of secret + METHOD + URI + body; for workflow actions and cards, not sent by this twin."""
    return hashlib.sha256((secret + method + uri).encode() + body).hexdigest()


def v3(secret: str, method: str, uri: str, body: bytes, timestamp_ms: int) -> str:
    """Base64 HMAC-SHA256 keyed with the client secret over METHOD + URI + body + timestamp."""
    text = (method + decoded_uri(uri)).encode() + body + str(timestamp_ms).encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()


def headers_for(secret: str, uri: str, body: bytes, timestamp_ms: int, *, with_v3: bool = True) -> dict[str, str]:
    """The v3 headers and, beside them, the v1 pair, as CRM deliveries carry both.

    Whether apps with a static token get v3 headers is not established (section 14): `with_v3` plays the other answer.
    """
    old = {"X-HubSpot-Signature": v1(secret, body), "X-HubSpot-Signature-Version": "v1"}
    if not with_v3:
        return old
    new = v3(secret, "POST", uri, body, timestamp_ms)
    return {"X-HubSpot-Signature-v3": new, "X-HubSpot-Request-Timestamp": str(timestamp_ms), **old}

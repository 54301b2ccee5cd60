"""Which account a key opens (reference, section 1.1)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.sdk import UNREADABLE
from stellwerk_maileon import clock, elements
from stellwerk_maileon.problem import WireError


class AccountInfo(Struct, frozen=True, kw_only=True):
    """`zone` is the UTC offset that stood behind the account's time of creation, such as `+02:00`."""

    id: str
    name: str
    zone: str | None = None


def read(body: bytes) -> AccountInfo:
    """From JSON, which we ask for, or from XML, the vendor's default. Raises `WireError`."""
    values = _from_xml(body) if body.lstrip().startswith(b"<") else _from_json(body)
    identity = values.get("id")
    if identity is None or not str(identity).strip():
        raise WireError("account without id")
    return AccountInfo(
        id=str(identity).strip(),
        name=str(values.get("name") or ""),
        zone=clock.read_zone(str(values.get("created") or "")),
    )


def _from_json(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE:
        raise WireError("no JSON object") from None


def _from_xml(body: bytes) -> dict[str, Any]:
    # How the root is called is not documented.
    return {child.tag: elements.content(child) for child in elements.parse(body)}

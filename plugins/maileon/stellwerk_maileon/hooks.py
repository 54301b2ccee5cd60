"""Webhooks as they are registered at Maileon (reference, section 10.1)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.sdk import UNREADABLE
from stellwerk_maileon import elements
from stellwerk_maileon.problem import WireError

EVENT_FIELDS = {"doi": (), "unsubscription": ("msg_id", "method", "timestamp")}
"""By our topics, which are Maileon's events: what beside address and external id a call shall bring."""

STANDARD_FIELDS = ("email", "external_id")


class StoredHook(Struct, frozen=True, kw_only=True):
    """A registered webhook; `fields` are the contact fields in its body, lower case."""

    id: str
    url: str
    event: str
    fields: frozenset[str]


def read(body: bytes) -> tuple[StoredHook, ...]:
    """The list of webhooks, or the list that is alone in an object. Raises `WireError`.

    Newer answers put the fields into a `bodySpec`.
    """
    found = []
    for item in _listed(body):
        nested = item.get("bodySpec")
        fields = item.get("standardFields") or (nested.get("standardFields") if isinstance(nested, dict) else None)
        if item.get("id") is None or not isinstance(item.get("url"), str):
            raise WireError("a webhook without id or url")
        names = fields if isinstance(fields, list) else []
        found.append(
            StoredHook(
                id=str(item["id"]),
                url=item["url"],
                event=str(item.get("event") or "").lower(),
                fields=frozenset(name.lower() for name in names if isinstance(name, str)),
            )
        )
    return tuple(found)


def _listed(body: bytes) -> list[dict[str, Any]]:
    try:
        answer = msgspec.json.decode(body)
        if isinstance(answer, dict):
            (answer,) = [inner for inner in answer.values() if isinstance(inner, list)]
        return msgspec.convert(answer, list[dict[str, Any]])
    except (*UNREADABLE, ValueError):
        raise WireError("no JSON list of webhooks") from None


def write(url: str, event: str) -> bytes:
    """The body that registers a webhook."""
    return msgspec.json.encode(
        {
            "url": url,
            "event": event,
            "urlParams": [],
            "standardFields": list(STANDARD_FIELDS),
            "customFields": [],
            "eventFields": list(EVENT_FIELDS[event]),
        }
    )


def read_id(body: bytes) -> str | None:
    """The id in the answer to a creation: XML by the documentation, alone or in what was made, or JSON as a client reads it.

    None when it is neither.
    """
    if body.lstrip().startswith(b"<"):
        try:
            root = elements.parse(body, "id", "contact", "webhook")
        except WireError:
            return None
        return (elements.content(root) or "").strip() or None if root.tag == "id" else elements.token(root, "id")
    try:
        answer = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    number = answer.get("id") if isinstance(answer, dict) else answer
    return str(number) if isinstance(number, int | str) and not isinstance(number, bool) and str(number) else None

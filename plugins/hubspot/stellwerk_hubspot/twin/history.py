"""Property history on the wire, and the cap on asking for it (sections 5 and 16)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .clock import iso
from .errors import invalid
from .portal import Contact, Entry

__all__ = ["MAX_WITH_HISTORY", "check_history_cap", "history_of"]

MAX_WITH_HISTORY = 50


def check_history_cap(count: int) -> None:
    """400 when more than 50 contacts are asked for with history at once."""
    if count > MAX_WITH_HISTORY:
        raise invalid(
            "The maximum number of inputs supported in a batch request for property histories is "
            f"{MAX_WITH_HISTORY}, but {count} were given"
        )


def history_of(contact: Contact, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Per property its entries, newest first; a cleared value is an empty one."""
    return {name: [_entry(entry) for entry in reversed(contact.history.get(name, []))] for name in names}


def _entry(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "value": entry.value,
        "timestamp": iso(entry.at_ms),
        "sourceType": entry.source.kind,
        "sourceId": entry.source.id,
    }
    if entry.source.label is not None:
        found["sourceLabel"] = entry.source.label
    if entry.source.user_id is not None:
        found["updatedByUserId"] = entry.source.user_id
    return found

"""Custom fields and their types (reference, section 5.2)."""

from __future__ import annotations

from stellwerk_maileon import elements
from stellwerk_maileon.wire import STANDARD_FIELDS

TYPES = {
    "text": "string",
    "yes_no": "boolean",
    "permission": "string",
    "status": "string",
    "time": "string",  # the type `date` drops the time of day
    "number": "float",
    "integer": "integer",
    "date": "date",
}
"""Type at Maileon by our kind of value."""

SHORTEST, LONGEST = 3, 64
RESERVED = frozenset(
    {"id", "created", "updated", "external_id", "local_part", "permission_type", "permission_status", "sendout_status"}
)


def read(body: bytes) -> dict[str, str]:
    """Type by name. Raises `WireError`."""
    found: dict[str, str] = {}
    for element in elements.parse(body, "custom_fields"):
        name = elements.text(element, "name")
        if name is not None:
            found[name] = (elements.token(element, "type") or "string").lower()
    return found


def is_possible(name: str) -> bool:
    """Whether Maileon takes this name for a custom field."""
    return SHORTEST <= len(name) <= LONGEST and name.lower() not in RESERVED and name.upper() not in STANDARD_FIELDS

"""Mailings as far as a DOI needs them (reference, section 11.1)."""

from __future__ import annotations

from msgspec import Struct

from stellwerk_maileon import elements
from stellwerk_maileon.problem import WireError

# States as the official client's source lists them; a DOI mailing that was released is sent on demand.
INACTIVE = frozenset({"draft", "failed", "canceled", "paused", "archiving", "archived"})


class StoredMailing(Struct, frozen=True, kw_only=True):
    """`name` and `state` are None where the list did not bring them."""

    id: str
    name: str | None
    state: str | None


def read(body: bytes) -> tuple[StoredMailing, ...]:
    """A list of mailings. Raises `WireError`."""
    found = []
    for element in elements.parse(body, "mailings").findall("mailing"):
        identity = elements.token(element, "id")
        if identity is None:
            raise WireError("a mailing without id")
        fields = {
            elements.token(entry, "name"): elements.token(entry, "value") for entry in element.iterfind("fields/field")
        }
        found.append(
            StoredMailing(
                id=identity,
                name=fields.get("name") or elements.token(element, "name"),
                state=fields.get("state") or elements.token(element, "state"),
            )
        )
    return tuple(found)


def read_text(body: bytes) -> str | None:
    """The one text of an answer such as `<doi_key>K1</doi_key>`, or bare text, in quotes or not; None when empty.

    Raises `WireError`.
    """
    if body.lstrip().startswith(b"<"):
        return (elements.content(elements.parse(body, "doi_key", "state", "name")) or "").strip() or None
    try:
        return body.decode().strip().strip('"') or None
    except UnicodeDecodeError:
        raise WireError("no text") from None

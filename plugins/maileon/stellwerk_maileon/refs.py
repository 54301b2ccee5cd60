"""How a contact that an answer shows is named to be looked at again."""

from __future__ import annotations

from stellwerk.sdk import Ref
from stellwerk_maileon.wire import Stored


def ref_of(stored: Stored, *, by_address: bool) -> Ref | None:
    """By id where there is one, or with `by_address` by the address where it is told; None when nothing names it."""
    if stored.email is not None and (by_address or stored.id is None):
        return Ref(by="email", value=stored.email)
    if stored.id is not None:
        return Ref(by="id", value=stored.id)
    return None if stored.external_id is None else Ref(by="peer_id", value=stored.external_id)

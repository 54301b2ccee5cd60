"""Reading what was stored sealed. One row that cannot be read must not stop the others."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from stellwerk.errors import StoreError
from stellwerk.store.vault import Vault

T = TypeVar("T")

UNREADABLE = "unreadable"
"""Code of a dead letter that cannot be read: sealed with a key that is lost, changed since, or of another version."""


def opened(vault: Vault, account: str, sealed: bytes | None, kind: type[T]) -> T | None:
    """What was sealed for `account`; None where it cannot be read."""
    if sealed is None:
        return None
    try:
        return msgspec.json.decode(vault.open(account, sealed), type=kind)
    except (StoreError, msgspec.MsgspecError):
        return None

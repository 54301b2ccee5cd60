"""A webhook request on its way: the test delivers, doubles, shuffles or drops it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class Post(Struct, frozen=True, kw_only=True):
    """`path` is what follows `/webhooks/{connector}/`, `what` says in a word what it tells (for the test only)."""

    connector: str
    path: tuple[str, ...]
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    what: str = ""

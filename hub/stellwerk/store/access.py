"""What lets somebody in to one connection: that which a token of the API and an invitation have in common."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Rights: TypeAlias = Literal["view", "change"]
COLUMNS = "id, connection, name, rights, made_by, created, expires, used, revoked"


class Access(Struct, frozen=True, kw_only=True):
    """One of them, without its text. Times in seconds since 1970."""

    id: int
    connection: str
    name: str
    rights: Rights
    made_by: str
    created: float
    expires: float
    used: float | None = None
    revoked: float | None = None

    def works(self, now: float) -> bool:
        return self.revoked is None and now < self.expires

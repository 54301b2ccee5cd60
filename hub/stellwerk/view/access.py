"""Tokens and invitations as their pages list them."""

from __future__ import annotations

from typing import Any

from stellwerk.store.access import Access
from stellwerk.view.moment import moment, moment_or_none


def listed(one: Access, now: float) -> dict[str, Any]:
    """`state`: `works`, `revoked` or `expired`; times as they are shown."""
    return {
        "id": one.id,
        "name": one.name,
        "rights": one.rights,
        "made_by": one.made_by,
        "created": moment(one.created),
        "expires": moment(one.expires),
        "used": moment_or_none(one.used),
        "state": "works" if one.works(now) else "revoked" if one.revoked is not None else "expired",
    }

"""The lifecycle stage moves forward only (section 7)."""

from __future__ import annotations

from .portal import Contact, Portal

__all__ = ["STAGE", "furthest", "moves_backward"]

STAGE = "lifecyclestage"


def _place(portal: Portal, stage: str) -> int:
    order = portal.properties[STAGE].stage_order()
    return order.index(stage) if stage in order else -1


def moves_backward(portal: Portal, contact: Contact, wanted: str) -> bool:
    """Whether writing `wanted` over the present stage would go back. From no stage anything goes, and so does clearing."""
    present = contact.values.get(STAGE, "")
    if not present or not wanted:
        return False
    return _place(portal, wanted) < _place(portal, present)


def furthest(portal: Portal, one: str, other: str) -> str:
    """The stage that a merge keeps (section 5)."""
    if not one or not other:
        return one or other
    return max(one, other, key=lambda stage: _place(portal, stage))

"""Permissions: codes, names, and which one a call may put in place of another (sections 5.4, 6.1, 6.2)."""

from __future__ import annotations

NONE, SINGLE, CONFIRMED, DOUBLE, DOUBLE_PLUS, OTHER = 1, 2, 3, 4, 5, 6
NAMES = {NONE: "none", SINGLE: "soi", CONFIRMED: "coi", DOUBLE: "doi", DOUBLE_PLUS: "doi+", OTHER: "other"}


def after_update(current: int, wanted: int | None) -> int:
    """What an update leaves: 4 and 5 are never lowered by a single call, everything else is set as asked."""
    if wanted is None:
        return current
    if current == DOUBLE_PLUS or (current == DOUBLE and wanted != DOUBLE_PLUS):
        return current
    return wanted


def after_create(current: int, wanted: int, raises: bool) -> int:
    """What a create leaves on a contact that exists.

    Whether an *initial* permission touches permission 1-3 and 6 is UNKNOWN (section 6.1): the account decides by
    `create_raises_permission`, default no. 4 and 5 are never lowered.
    """
    return after_update(current, wanted) if raises and wanted != NONE else current


def after_confirmation(current: int, plus: bool) -> int:
    return DOUBLE_PLUS if plus or current == DOUBLE_PLUS else DOUBLE

"""The order of permissions, and what counts as a rise."""

from __future__ import annotations

from stellwerk_rules.model import CONFIRMED_BY_CONTACT, Agreement, Permission

_RANK = {
    Permission.NONE: 0,
    Permission.SINGLE: 1,
    Permission.CONFIRMED: 2,
    Permission.DOUBLE: 3,
    Permission.DOUBLE_PLUS: 4,
}
_BY_NAME = {one.value: one for one in Permission}


def is_rise(old: Permission, new: Permission) -> bool:
    """Whether going from `old` to `new` needs evidence. `other` is outside the order: to it, and from it to anything but none."""
    if new in (old, Permission.NONE):
        return False
    if Permission.OTHER in (old, new):
        return True
    return _RANK[new] > _RANK[old]


def grantable(wanted: Permission, agreed: Agreement | None) -> Permission:
    """What may be granted of `wanted`: nothing without an agreement, a confirmed one only where it says where that was given."""
    if agreed is None:
        return Permission.NONE
    if wanted in CONFIRMED_BY_CONTACT and not agreed.confirmation_given:
        return Permission.NONE
    return wanted


def named(text: object) -> Permission | None:
    """The permission of that name, None for any other text."""
    return _BY_NAME.get(text) if isinstance(text, str) else None

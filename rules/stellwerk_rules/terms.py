"""What a connection's settings come to before a contact says anything: worked out once, used for each of its events."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from stellwerk_rules.model import Permission
from stellwerk_rules.spec import SettingValue


class Terms(Struct, frozen=True, kw_only=True):
    """How one contact's consent is asked for or granted. `options` are the target connector's."""

    ask: bool = False
    plus: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    grant: Permission = Permission.NONE
    again: bool = False


class InEffect(Struct, frozen=True, kw_only=True):
    """`values` as they were chosen; `base` as they are in effect and `visible` the ids of those that are shown.

    `terms` None: the file has no rule of consent, or the contact's fields choose some of them (a mailing per language).
    """

    values: Mapping[str, SettingValue]
    base: Mapping[str, SettingValue]
    visible: frozenset[str]
    terms: Terms | None = None

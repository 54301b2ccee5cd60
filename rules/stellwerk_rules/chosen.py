"""A value as written in the file: a literal, a reference `settings.ID`, or a lookup by a field. One function resolves all."""

from __future__ import annotations

from collections.abc import Mapping

from stellwerk_rules import permission
from stellwerk_rules.model import Permission, Value
from stellwerk_rules.spec import Chosen, Lookup, SettingValue, StageMove

_PREFIX = "settings."

Settled = SettingValue | float | None


def reference(chosen: Chosen) -> str | None:
    """The id of the setting that `chosen` refers to, None for a literal or a lookup."""
    if isinstance(chosen, str) and chosen.startswith(_PREFIX):
        return chosen[len(_PREFIX) :]
    return None


def references(chosen: Chosen) -> tuple[str, ...]:
    """Ids of all settings that may decide `chosen`, those a lookup falls back to included."""
    inner = chosen.otherwise if isinstance(chosen, Lookup) else chosen
    found = reference(inner)
    return () if found is None else (found,)


def resolve(chosen: Chosen, values: Mapping[str, SettingValue], fields: Mapping[str, Value]) -> Settled:
    """The value meant, with the settings `values` in effect and the source's `fields`. None: a setting that is not there."""
    if isinstance(chosen, Lookup):
        found = chosen.table.get(fields.get(chosen.lookup) or "")
        return resolve(chosen.otherwise, values, fields) if found is None else found
    name = reference(chosen)
    return chosen if name is None else values.get(name)


def possible(chosen: Chosen, values: Mapping[str, SettingValue]) -> tuple[Settled, ...]:
    """Every value that `chosen` can have for some contact."""
    if isinstance(chosen, Lookup):
        return (*chosen.table.values(), resolve(chosen.otherwise, values, {}))
    return (resolve(chosen, values, {}),)


def as_text(value: Settled) -> str:
    """Canonical text: `yes` and `no` for booleans (a stage move: whether it is on), empty for nothing."""
    if isinstance(value, StageMove):
        value = value.enabled
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def as_switch(value: Settled) -> bool:
    """Whether the value says yes."""
    return as_text(value).lower() in ("yes", "true")


def as_permission(value: Settled) -> Permission:
    """The permission named by the value; none for anything else."""
    return permission.named(value) or Permission.NONE

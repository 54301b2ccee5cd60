"""The rules of one brand with the fields they use, as connectors need to know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.config.fields_used import fields_used
from stellwerk.sdk.connector import FieldSpec, Wanted
from stellwerk_rules.layers import settled
from stellwerk_rules.plan import Plan, compile_plan
from stellwerk_rules.settings import defaults
from stellwerk_rules.spec import Ruleset, SettingValue, StageMove, StageMoveSetting


class Rulebook(Struct, frozen=True, kw_only=True):
    """`fields` has, by system, every field the file uses there."""

    ruleset: Ruleset
    plan: Plan
    fields: Mapping[str, tuple[FieldSpec, ...]]


def rulebook(ruleset: Ruleset) -> Rulebook:
    plan = compile_plan(ruleset)
    return Rulebook(
        ruleset=ruleset,
        plan=plan,
        fields={system: fields_used(ruleset, plan, system) for system in ruleset.systems},
    )


class Chosen(Struct, frozen=True, kw_only=True):
    """The rules of one connection with its settings worked out. `values` are typed; `stored` as the database has them."""

    of: Rulebook
    stored: Mapping[str, Any]
    book: Rulebook
    values: Mapping[str, SettingValue]


def choose(book: Rulebook, stored: Mapping[str, Any]) -> Chosen:
    """The rules under these settings, as the database has them."""
    values = typed_settings(book.plan, stored)
    worked_out = msgspec.structs.replace(book, plan=settled(book.plan, values))
    return Chosen(of=book, stored=stored, book=worked_out, values=values)


def wanted(book: Rulebook, system: str) -> Wanted:
    """What must exist at `system`, webhooks apart."""
    provided = book.ruleset.provide.get(system)
    fields = book.fields[system]
    return Wanted(
        group=None if provided is None else (provided.group.name, provided.group.label),
        created=tuple(spec for spec in fields if spec.label is not None),
        used=tuple(spec for spec in fields if spec.label is None),
    )


def typed_settings(plan: Plan, stored: Mapping[str, Any]) -> dict[str, SettingValue]:
    """Stored JSON values as the rules take them; what was never stored has the file's default."""
    values: dict[str, SettingValue] = dict(defaults(plan))
    for name, value in stored.items():
        setting = plan.settings_by_id.get(name)
        if setting is not None:
            values[name] = (
                msgspec.convert(value, StageMove)
                if isinstance(setting, StageMoveSetting) and not isinstance(value, StageMove)
                else value
            )
    return values

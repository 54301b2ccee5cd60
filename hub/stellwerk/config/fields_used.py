"""Every field that a file uses at a system, as its connector needs to know it."""

from __future__ import annotations

from stellwerk.sdk.connector import FieldSpec
from stellwerk_rules.plan import Plan
from stellwerk_rules.spec import Ruleset

__all__ = ["fields_used"]


def fields_used(rules: Ruleset, plan: Plan, system: str) -> tuple[FieldSpec, ...]:
    """Fields of `system` that the rules read or write, by its own names: those we create first, with their labels.

    `plan` is compiled from `rules`. `on_forms` is true where contacts answer or choose for themselves, false where we show
    state, None for the rest.
    """
    provided = rules.provide[system].properties if system in rules.provide else {}
    answered = {rule.enter.answer for rule in rules.rules if rule.from_ == system and rule.enter is not None}
    chosen = {setting.per_contact for section in rules.settings for setting in section.fields}
    shown = plan.mirror_fields(system)
    found: dict[str, FieldSpec] = {}
    for key, made in provided.items():
        on_forms = True if key in answered | chosen else False if made.name in shown else None
        found[made.name] = FieldSpec(name=made.name, kind=made.kind, label=made.label, on_forms=on_forms)
    for row in rules.fields:
        if system in row.names:
            found.setdefault(row.names[system], FieldSpec(name=row.names[system], kind=row.type))
    for name in plan.reads(system):
        found.setdefault(name, FieldSpec(name=name))
    return tuple(found.values())

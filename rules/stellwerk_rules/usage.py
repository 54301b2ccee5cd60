"""Which fields and settings a file uses: what has to be read, of which fields it matters who wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stellwerk_rules.naming import Names
from stellwerk_rules.spec import Chosen, Condition, Lookup, Mirror, Rule, Setting

Place = tuple[str, str]
"""A field: its system, and its own name there."""


def answers(rules: Iterable[Rule]) -> frozenset[Place]:
    """Fields that hold a contact's answer."""
    return frozenset((rule.from_, rule.enter.answer) for rule in rules if rule.enter is not None and rule.enter.answer)


def overrides(settings: Iterable[Setting], names: Names) -> dict[str, Place]:
    """By setting, the field that overrides it for one contact. A field that is not provided anywhere overrides nothing."""
    places = {key: (system, name) for (system, key), name in names.items()}
    return {one.id: places[one.per_contact] for one in settings if one.per_contact in places}


def tested(rules: Iterable[Rule], names: Names, *verbs: str) -> frozenset[Place]:
    """Fields that conditions test; with `verbs` only those tested by one of them."""
    found: set[Place] = set()
    for rule in rules:
        for leaf in leaves(rule.only_if):
            if leaf.field_ is None:
                continue
            if not verbs or any(getattr(leaf, verb) is not None for verb in verbs):
                found.add((rule.from_, names.get((rule.from_, leaf.field_), leaf.field_)))
    return frozenset(found)


def looked_up(rules: Iterable[Rule]) -> frozenset[Place]:
    """Fields whose value chooses another value."""
    return frozenset((rule.from_, one.lookup) for rule in rules for one in _chosen(rule) if isinstance(one, Lookup))


def fixed(rules: Iterable[Rule]) -> frozenset[Place]:
    """Fields that a rule sets to a fixed value."""
    return frozenset((rule.to, name) for rule in rules for name in rule.set_ or ())


def mirrored(mirrors: Iterable[Mirror]) -> frozenset[Place]:
    """Fields that show another system's state."""
    return frozenset(
        (one.on_, name) for one in mirrors for name in (one.status, one.permission, one.unsubscribed_at) if name
    )


def dependencies_first(settings: Mapping[str, Setting]) -> tuple[str, ...]:
    """All settings, each after those that its `only_if` tests; where they go in a circle, in the order of the file."""
    order: dict[str, None] = {}

    def add(one: str, above: frozenset[str]) -> None:
        for other in sorted(_tested_settings(settings[one].only_if)):
            if other in settings and other not in above:
                add(other, above | {other})
        order.setdefault(one)

    for one in settings:
        add(one, frozenset({one}))
    return tuple(order)


def behind(settings: Mapping[str, Setting], one: str) -> frozenset[str]:
    """The setting and all that decide, through any number of `only_if`, whether it has an effect."""
    found: set[str] = set()
    left = [one]
    while left:
        name = left.pop()
        if name in settings and name not in found:
            found.add(name)
            left.extend(_tested_settings(settings[name].only_if))
    return frozenset(found)


def leaves(condition: Condition | None) -> Iterator[Condition]:
    """The single tests of a condition, at every depth."""
    if condition is None:
        return
    parts = [*(condition.all_ or ()), *(condition.any_ or ()), *([] if condition.not_ is None else [condition.not_])]
    if not parts:
        yield condition
    for part in parts:
        yield from leaves(part)


def _tested_settings(condition: Condition | None) -> frozenset[str]:
    return frozenset(leaf.setting for leaf in leaves(condition) if leaf.setting is not None)


def _chosen(rule: Rule) -> Iterator[Chosen | None]:
    if rule.enter is not None:
        yield rule.enter.without_answer
    if rule.consent is not None:
        told = rule.consent
        yield from (told.ask, told.plus, told.grant, told.may_skip, told.may_skip_by_form, told.again)
        yield from (told.moved, told.moved_old)
        yield from told.with_.values()
    if rule.timeline is not None:
        yield rule.timeline.as_
    yield from (rule.contact, rule.stage, rule.opt_out)

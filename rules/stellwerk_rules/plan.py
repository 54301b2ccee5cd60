"""integration.yaml compiled: what is asked of it at every event, answered without reading it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from stellwerk_rules import usage
from stellwerk_rules.conditions import CompiledCondition, compile_condition
from stellwerk_rules.fields import Way, compile_way
from stellwerk_rules.naming import Names, named_mirror, named_rule
from stellwerk_rules.spec import (
    ConsentSpec,
    EnterSpec,
    FieldRow,
    Limits,
    Mirror,
    Rule,
    Ruleset,
    Setting,
    StageMoveSetting,
)
from stellwerk_rules.terms import InEffect

VERBS = ("enter", "fields", "contact", "stage", "set_", "opt_out", "timeline")


class CompiledRule(Struct, frozen=True, kw_only=True):
    """A rule with the systems' own field names, its line in the file, its condition and its fields as closures."""

    spec: Rule
    events: frozenset[str]
    line: int | None
    test: CompiledCondition | None
    ways: tuple[Way, ...]


class Plan(Struct, frozen=True, kw_only=True):
    """All of a ruleset that the rules ask for, with the systems' own field names.

    `settings_order` has every setting after those its `only_if` tests; `settings_behind` these, through all levels, with
    itself. `overrides` is the field that overrides a setting for one contact. `ways` has, by source and target, the rows
    that go that way. `watched` are the fields whose last handled value is remembered. `in_effect` has one connection's
    settings worked out (`layers.settled`); with other settings the plan works as well, only slower.
    """

    systems: tuple[str, ...]
    hash: str
    limits: Limits
    rules: tuple[CompiledRule, ...]
    rules_by_verb: Mapping[tuple[str, str], tuple[CompiledRule, ...]]
    mirrors: tuple[Mirror, ...]
    settings_by_id: Mapping[str, Setting]
    settings_order: tuple[str, ...]
    settings_behind: Mapping[str, frozenset[str]]
    shown_if: Mapping[str, CompiledCondition]
    overrides: Mapping[str, str]
    consent: CompiledRule | None
    stage_system: str | None
    names: Names
    ways: Mapping[tuple[str, str], tuple[Way, ...]]
    read: Mapping[str, tuple[str, ...]]
    with_history: Mapping[str, tuple[str, ...]]
    watched: Mapping[str, tuple[str, ...]]
    mirrored: Mapping[str, frozenset[str]]
    in_effect: InEffect | None = None

    @property
    def consent_rule(self) -> Rule | None:
        """The rule that says how consent is asked for or granted."""
        return None if self.consent is None else self.consent.spec

    @property
    def mail_system(self) -> str | None:
        """The system that asks contacts and mails them."""
        return None if self.consent is None else self.consent.spec.to

    @property
    def wish_system(self) -> str | None:
        """The system whose contacts say what they wish."""
        return None if self.consent is None else self.consent.spec.from_

    @property
    def consent_spec(self) -> ConsentSpec | None:
        """How consent is asked for or granted."""
        return None if self.consent is None else self.consent.spec.consent

    @property
    def enter_spec(self) -> EnterSpec | None:
        """Who may enter the system that mails, by the rule of consent."""
        return None if self.consent is None else self.consent.spec.enter

    def answer_field(self, system: str | None) -> str | None:
        """The field there that holds a contact's answer."""
        return self.enter_spec.answer if self.enter_spec is not None and system == self.wish_system else None

    def reads(self, system: str) -> tuple[str, ...]:
        """Every field to read there, sorted."""
        return self.read.get(system, ())

    def history_fields(self, system: str) -> tuple[str, ...]:
        """Fields there of whose values it matters who wrote them, sorted."""
        return self.with_history.get(system, ())

    def answered_fields(self, system: str, *, entered: bool) -> tuple[str, ...]:
        """Watched fields there that count as handled once they were decided on.

        A contact's own settings do only once it is in, since until then they are still to be read.
        """
        own = frozenset() if entered else frozenset(self.overrides.values())
        return tuple(name for name in self.watched.get(system, ()) if name not in own)

    def property_name(self, system: str, key: str) -> str:
        """The field's own name for the name used in the file; other text stays."""
        return self.names.get((system, key), key)

    def mirror_fields(self, system: str) -> frozenset[str]:
        """Fields there that show another system's state; never read back as a wish."""
        return self.mirrored.get(system, frozenset())

    def rule(self, rule_id: str | None) -> CompiledRule | None:
        """The rule of that id."""
        return next((one for one in self.rules if one.spec.id == rule_id), None)

    def tested_by(self, rule_id: str | None) -> frozenset[str]:
        """The fields that the condition of that rule tests."""
        rule = self.rule(rule_id)
        tested = () if rule is None else usage.tested((rule.spec,), self.names)
        return frozenset(name for _, name in tested)

    def others(self, system: str) -> tuple[str, ...]:
        """All systems but this one, in the order of the file."""
        return tuple(one for one in self.systems if one != system)


def compile_plan(ruleset: Ruleset) -> Plan:
    """`ruleset`, which has passed the check, ready for `evaluate`."""
    names = {
        (system, key): one.name for system, made in ruleset.provide.items() for key, one in made.properties.items()
    }
    settings = {one.id: one for section in ruleset.settings for one in section.fields}
    specs = tuple(named_rule(rule, names) for rule in ruleset.rules)
    mirrors = tuple(named_mirror(mirror, names) for mirror in ruleset.mirror)
    rules = tuple(_compiled(rule, ruleset, names) for rule in specs)
    ways = {
        (source, target): tuple(_ways(rules, ruleset, source, target))
        for source in ruleset.systems
        for target in ruleset.systems
        if source != target
    }
    overrides = usage.overrides(settings.values(), names)
    asked_who = usage.answers(specs) | usage.tested(specs, names, "by", "by_not") | frozenset(overrides.values())
    handled = asked_who | usage.tested(specs, names, "became")
    mirrored = usage.mirrored(mirrors)
    read = (
        asked_who | mirrored | usage.tested(specs, names) | usage.looked_up(specs) | usage.fixed(specs) | _mapped(ways)
    )
    return Plan(
        systems=ruleset.systems,
        hash=ruleset.hash,
        limits=ruleset.limits,
        rules=rules,
        rules_by_verb=_by_verb(rules),
        mirrors=mirrors,
        settings_by_id=settings,
        settings_order=usage.dependencies_first(settings),
        settings_behind={one: usage.behind(settings, one) for one in settings},
        shown_if={one.id: compile_condition(one.only_if, str) for one in settings.values() if one.only_if is not None},
        overrides={setting: name for setting, (_, name) in overrides.items()},
        consent=next((rule for rule in rules if rule.spec.consent is not None), None),
        stage_system=_stage_system(specs, settings),
        names=names,
        ways=ways,
        read=_by_system(ruleset.systems, read),
        with_history=_by_system(ruleset.systems, asked_who),
        watched=_by_system(ruleset.systems, handled),
        mirrored={system: frozenset(name for at, name in mirrored if at == system) for system in ruleset.systems},
    )


def _compiled(spec: Rule, ruleset: Ruleset, names: Names) -> CompiledRule:
    def own(name: str) -> str:
        return names.get((spec.from_, name), name)

    return CompiledRule(
        spec=spec,
        events=frozenset(spec.events),
        line=ruleset.rule_lines.get(spec.id),
        test=None if spec.only_if is None else compile_condition(spec.only_if, own),
        ways=tuple(
            way
            for row in ruleset.fields
            if _carries(spec, row)
            and (way := compile_way(row, spec.from_, spec.to, systems=ruleset.systems, most=ruleset.most))
        ),
    )


def _carries(rule: Rule, row: FieldRow) -> bool:
    return rule.fields == "all" or (rule.fields is not None and row.names.get(rule.to) in rule.fields)


def _ways(rules: tuple[CompiledRule, ...], ruleset: Ruleset, source: str, target: str) -> Iterator[Way]:
    """Rows that some rule carries from `source` to `target`, or back from there: then they go both ways."""
    specs = [one.spec for one in rules if {one.spec.from_, one.spec.to} == {source, target}]
    for row in ruleset.fields:
        way = compile_way(row, source, target, systems=ruleset.systems, most=ruleset.most)
        if way is not None and any(_carries(spec, row) for spec in specs):
            yield way


def _by_verb(rules: tuple[CompiledRule, ...]) -> dict[tuple[str, str], tuple[CompiledRule, ...]]:
    """By the system that events come from and the verb: the rules that say it, in the order of the file."""
    return {
        (system, verb): tuple(
            rule for rule in rules if rule.spec.from_ == system and getattr(rule.spec, verb) is not None
        )
        for system in {rule.spec.from_ for rule in rules}
        for verb in VERBS
    }


def _by_system(systems: tuple[str, ...], places: frozenset[usage.Place]) -> dict[str, tuple[str, ...]]:
    return {system: tuple(sorted(name for at, name in places if at == system)) for system in systems}


def _mapped(ways: Mapping[tuple[str, str], tuple[Way, ...]]) -> frozenset[usage.Place]:
    here = {(source, way.source) for (source, _), several in ways.items() for way in several}
    return frozenset(here | {(target, way.target) for (_, target), several in ways.items() for way in several})


def _stage_system(specs: tuple[Rule, ...], settings: Mapping[str, Setting]) -> str | None:
    moved = [rule.to for rule in specs if rule.stage is not None]
    offered = [one.system for one in settings.values() if isinstance(one, StageMoveSetting)]
    return next(iter(moved + offered), None)

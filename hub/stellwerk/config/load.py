"""integration.yaml from bytes to Structs, with every problem of the file at once. A wrong file is never used in part."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from stellwerk.config.assemble import LISTS, assemble
from stellwerk.config.check import check_draft
from stellwerk.config.check.agreement import check_agreement
from stellwerk.config.convert import Converter
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Problem
from stellwerk.config.secrets import Vault
from stellwerk.config.spec import Connection, Integration
from stellwerk.config.tree import Places, read_tree
from stellwerk.errors import ConfigError
from stellwerk.registry import Registry, has
from stellwerk.sdk.connector import Sized
from stellwerk_rules.plan import compile_plan
from stellwerk_rules.spec import Condition, Provided, ProvidedProperty, Rule, Ruleset

__all__ = ["Loaded", "load", "load_bytes", "load_or_fail", "ruleset"]


class Loaded(Struct, frozen=True, kw_only=True):
    """A file as read. `integration` is None when there is an error; `hash` names its bytes, twelve hex digits.

    `most` is what the connectors tell of how long texts may be, by system and field.
    """

    path: FilePath
    hash: str
    integration: Integration | None
    places: Places
    problems: tuple[Problem, ...]
    most: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "warning")


def load(path: FilePath | str, environ: Mapping[str, str] | None, registry: Registry) -> Loaded:
    """The file at `path`. `environ` None: secrets are not looked up, only their form is checked. Never raises."""
    path = FilePath(path)
    try:
        text = path.read_bytes()
    except (OSError, ValueError) as error:
        problem = Problem(
            code="syntax", path=(), line=1, column=1, what=f"the file cannot be read ({type(error).__name__})",
            mend="name a file that exists and may be read", file=str(path),
        )  # fmt: skip
        return Loaded(path=path, hash="", integration=None, places=Places({}, {}), problems=(problem,))
    return load_bytes(text, environ, registry, path=path)


def load_bytes(
    text: bytes, environ: Mapping[str, str] | None, registry: Registry, *, path: FilePath | str = "integration.yaml"
) -> Loaded:
    """As `load`, of bytes; `path` names the file and the folder that `file:` starts from."""
    path = FilePath(path)
    tree = read_tree(text, str(path))
    hashed = hashlib.sha256(text).hexdigest()[:12]
    problems = list(tree.problems)
    integration: Integration | None = None
    most: dict[str, dict[str, int]] = {}
    if tree.value is not None or not problems:
        converter = Converter(tree.places, Vault(environ=environ, folder=path.parent), str(path))
        draft = assemble(tree.value, converter, registry)
        check_draft(draft)
        if not tree.problems and not draft.has_errors:
            integration = _whole(draft)
            most = _most_characters(integration, registry)
            for here, connection in draft.connections():
                check_agreement(
                    draft, here, connection, compile_plan(_ruleset(integration, tree.places, hashed, connection))
                )
        problems += converter.problems
        integration = None if draft.has_errors else integration
    problems.sort(key=lambda problem: (problem.line, problem.column, problem.code))
    return Loaded(
        path=path,
        hash=hashed,
        integration=integration,
        places=tree.places,
        problems=tuple(problems),
        most=most,
    )


def load_or_fail(path: FilePath | str, registry: Registry, environ: Mapping[str, str] | None = None) -> Loaded:
    """The file at `path` without an error, secrets from `environ` (default: this process's). Raises `ConfigError`."""
    loaded = load(path, os.environ if environ is None else environ, registry)
    if loaded.integration is None:
        raise ConfigError(loaded.errors)
    return loaded


def _whole(draft: Draft) -> Integration:
    parts: dict[str, Any] = {
        name: tuple(part.values()) if name in LISTS else part for name, part in draft.parts.items()
    }
    return Integration(**parts)


def _most_characters(integration: Integration, registry: Registry) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, system in integration.systems.items():
        connector = registry.connectors[system.connector]
        if not has(connector, Sized):
            continue
        fields = {row.names[name] for row in integration.fields if name in row.names}
        told = {field_: connector.most_characters(field_) for field_ in fields}  # type: ignore[attr-defined]
        found[name] = {field_: most for field_, most in told.items() if most is not None}
    return found


def ruleset(loaded: Loaded, connection: Connection | None = None, *, brand: str | None = None) -> Ruleset:
    """What the rules of one connection are compiled from: its brand (or `brand`) fills `{brand}` in provided names.

    Raises `ConfigError` when the file has errors.
    """
    integration = loaded.integration
    if integration is None:
        raise ConfigError(loaded.errors)
    whole = _ruleset(integration, loaded.places, loaded.hash, connection, brand=brand)
    return replace(whole, most=loaded.most)


def _ruleset(
    integration: Integration, places: Places, hashed: str, connection: Connection | None, *, brand: str | None = None
) -> Ruleset:
    filled = brand if connection is None else connection.brand
    home = integration.login or next(iter(integration.systems))
    return Ruleset(
        systems=tuple(integration.systems),
        provide={system: with_brand(provided, filled or "") for system, provided in integration.provide.items()},
        settings=integration.settings,
        fields=integration.fields,
        rules=tuple(_for_its_own(rule, connection, home) for rule in integration.rules),
        mirror=integration.mirror,
        limits=integration.limits,
        rule_lines={rule.id: places.of(("rules", index))[0] for index, rule in enumerate(integration.rules)},
        hash=hashed,
    )


def _for_its_own(rule: Rule, connection: Connection | None, home: str) -> Rule:
    """A rule that brings contacts in does so only for who belongs to the connection; an opt-out counts for everybody.

    Who belongs is told by a field at `home`, where the connection's people are. It does not stand at another system: of a
    contact that is only there nobody can tell, so nobody is brought in from there.
    """
    if connection is None or connection.only_if is None or rule.enter is None:
        return rule
    if rule.from_ != home:
        return replace(rule, enter=replace(rule.enter, who="ignore"))
    both = (connection.only_if,) if rule.only_if is None else (connection.only_if, rule.only_if)
    return replace(rule, only_if=Condition(all_=both))


def with_brand(provided: Provided, brand: str) -> Provided:
    """The same with `{brand}` filled in names and labels. An empty brand leaves nothing, and no doubled underscore."""

    def name(text: str) -> str:
        filled = text.replace("{brand}", brand)
        return filled if brand else filled.replace("__", "_").strip("_") if "{brand}" in text else filled

    def of(wanted: ProvidedProperty) -> ProvidedProperty:
        return replace(wanted, name=name(wanted.name), label=wanted.label.replace("{brand}", brand).strip())

    group = replace(
        provided.group, name=name(provided.group.name), label=provided.group.label.replace("{brand}", brand).strip()
    )
    return Provided(group=group, properties={key: of(wanted) for key, wanted in provided.properties.items()})

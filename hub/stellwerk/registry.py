"""Finds the connectors that are installed, each loaded alone, and names those that cannot be used.

Not pluggy's `load_setuptools_entrypoints`: it stops at the first import that fails and skips a name taken twice in silence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, get_origin, get_type_hints

import pluggy
from msgspec import Struct, field

from stellwerk.errors import PluginError
from stellwerk.sdk import hookspecs
from stellwerk.sdk.connector import Connector
from stellwerk.sdk.settings import Settings

__all__ = ["GROUP", "PluginProblem", "Registry", "has", "load_connectors", "lookup_entry_points"]

GROUP = "stellwerk.connectors"
_OWN_DISTRIBUTION = "stellwerk"


class PluginProblem(Struct, frozen=True, kw_only=True):
    """A plugin that cannot be used. `name` is its entry point's, `code` is stable, `text` says what to mend."""

    name: str
    distribution: str
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution}): {self.text} [{self.code}]"


class Registry(Struct, frozen=True, kw_only=True):
    """The usable connectors by name, and the problems of the others."""

    connectors: Mapping[str, type[Connector]] = field(default_factory=dict)
    problems: tuple[PluginProblem, ...] = ()


def has(connector_class: type[Any], ability: type[Any]) -> bool:
    """Whether the class has every name that the ability's protocol asks of a class.

    `issubclass` refuses protocols with class variables. What a protocol declares for instances only is not asked for.
    """
    return not missing_names(connector_class, ability)


def missing_names(connector_class: type[Any], ability: type[Any]) -> tuple[str, ...]:
    """The names of the ability that the class lacks, sorted."""
    asked = _asked_of_a_class(ability)  # type: ignore[arg-type]  # mypy doubts that a class can be hashed
    return tuple(name for name in asked if getattr(connector_class, name, None) is None)


@cache
def _asked_of_a_class(ability: type[Any]) -> tuple[str, ...]:
    """Sorted. Looked up once: every decision asks what its systems can, and reading the hints was a quarter of its time."""
    declared = get_type_hints(ability)
    wanted = {name for name, kind in declared.items() if get_origin(kind) is ClassVar or kind is ClassVar}
    for ancestor in ability.__mro__:
        if getattr(ancestor, "_is_protocol", False):
            wanted.update(name for name, value in vars(ancestor).items() if _is_method(name, value))
    return tuple(sorted(wanted))


def lookup_entry_points() -> tuple[EntryPoint, ...]:
    """The installed entry points of the group; the hub's own distribution first, so that nobody takes its names."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (_distribution(point), point.name))
    return tuple(sorted(found, key=lambda point: _distribution(point) != _OWN_DISTRIBUTION))


def load_connectors(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Every connector that can be used and a problem for every one that cannot. Never raises for a plugin's fault."""
    connectors: dict[str, type[Connector]] = {}
    problems: list[PluginProblem] = []
    for point in lookup_entry_points() if points is None else points:
        try:
            if point.name in connectors:
                raise _Unusable("name-taken", f"another plugin is called `{point.name}` already; uninstall one of them")
            connectors[point.name] = _load(point)
        except _Unusable as unusable:
            problems.append(
                PluginProblem(
                    name=point.name, distribution=_distribution(point), code=unusable.code, text=unusable.text
                )
            )
    return Registry(connectors=connectors, problems=tuple(problems))


class _Unusable(PluginError):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def _load(point: EntryPoint) -> type[Connector]:
    manager = pluggy.PluginManager("stellwerk")
    manager.add_hookspecs(hookspecs)
    plugin = _guarded("import-failed", "cannot be imported", point.load)
    try:
        manager.register(plugin)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise _Unusable("unknown-hook", f"implements a hook that does not exist: {_first_line(error)}") from error
    answers = _guarded("hook-failed", "its hook fails", manager.hook.stellwerk_connector)
    if len(answers) != 1:
        raise _Unusable("no-connector", "its `stellwerk_connector` hook must return one connector class")
    return _checked(point.name, answers[0])


def _guarded(code: str, what: str, step: Callable[[], Any]) -> Any:
    try:
        return step()
    # A stranger's module may raise anything, and may even try to end the process.
    except (Exception, SystemExit) as error:
        raise _Unusable(code, f"{what}: {type(error).__name__}: {_first_line(error)}") from error


def _checked(name: str, answer: object) -> type[Connector]:
    if not inspect.isclass(answer):
        raise _Unusable("no-connector", "its `stellwerk_connector` hook must return a class")
    connector: type[Any] = answer
    missing = missing_names(connector, Connector)
    if missing:
        raise _Unusable("wrong-protocol", f"`{connector.__name__}` lacks {', '.join(missing)}")
    for attribute in ("system_type", "account_type"):
        settings = getattr(connector, attribute)
        if not (inspect.isclass(settings) and issubclass(settings, Settings)):
            raise _Unusable("wrong-protocol", f"`{connector.__name__}.{attribute}` is no Struct made from `Settings`")
    if connector.name != name:
        raise _Unusable("wrong-name", f"its class is named `{connector.name}`, its entry point `{name}`")
    return connector


def _is_method(name: str, value: object) -> bool:
    return not name.startswith("_") and (callable(value) or isinstance(value, classmethod | staticmethod))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]

"""The file while it is being read: what could be converted, and what is missing, so that the rest is checked all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from stellwerk.config.convert import Converter
from stellwerk.config.problems import Path, Severity
from stellwerk.config.spec import Connection, HubSpec, System
from stellwerk.config.trial import Trial
from stellwerk.registry import Registry
from stellwerk_rules.spec import FieldRow, Mirror, Provided, Rule, Section, Setting

__all__ = ["Draft"]

T = TypeVar("T")


class Draft(Struct, frozen=True, kw_only=True):
    """Parts by their key in the file, lists as item by index; `names` are all systems written, also unusable ones.

    `broken` has the parts from which something is missing: nothing may be called unknown because it is not in those.
    """

    parts: Mapping[str, Any]
    names: tuple[str, ...]
    broken: frozenset[str]
    registry: Registry
    converter: Converter

    @property
    def hub(self) -> HubSpec | None:
        return self.parts.get("hub") if "hub" not in self.broken else None

    @property
    def systems(self) -> Mapping[str, System]:
        systems: Mapping[str, System] = self.parts.get("systems", {})
        return systems

    @property
    def login(self) -> str | None:
        return self.parts.get("login") if "login" not in self.broken else None

    @property
    def provide(self) -> Mapping[str, Provided]:
        provide: Mapping[str, Provided] = self.parts.get("provide", {}) if "provide" not in self.broken else {}
        return provide

    def sections(self) -> Iterator[tuple[Path, Section]]:
        return self._items("settings")

    def settings(self) -> Iterator[tuple[Path, Setting]]:
        """Each setting with its path."""
        for path, section in self.sections():
            for index, setting in enumerate(section.fields):
                yield (*path, "fields", index), setting

    def rows(self) -> Iterator[tuple[Path, FieldRow]]:
        return self._items("fields")

    def rules(self) -> Iterator[tuple[Path, Rule]]:
        return self._items("rules")

    def mirrors(self) -> Iterator[tuple[Path, Mirror]]:
        return self._items("mirror")

    def connections(self) -> Iterator[tuple[Path, Connection]]:
        return self._items("connections")

    def trials(self) -> Iterator[tuple[Path, Trial]]:
        return self._items("tests")

    def _items(self, part: str) -> Iterator[tuple[Path, Any]]:
        for index, item in self.parts.get(part, {}).items():
            yield (part, index), item

    def whole(self, *parts: str) -> bool:
        """Whether nothing is missing from these parts."""
        return self.broken.isdisjoint(parts)

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.converter.problems)

    def sound(self, *parts: str) -> bool:
        """Whether nothing is missing from these parts and no error was found in them so far."""
        wrong = {problem.path[0] for problem in self.converter.problems if problem.path and problem.severity == "error"}
        return self.whole(*parts) and wrong.isdisjoint(parts)

    def note(
        self,
        code: str,
        path: Path,
        what: str,
        *,
        expected: str = "",
        mend: str = "",
        key: bool = False,
        severity: Severity = "error",
    ) -> None:
        """Adds a problem at the value of `path`, or at its key."""
        self.converter.note(code, path, what, expected=expected, mend=mend, key=key, severity=severity)

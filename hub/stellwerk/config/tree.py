"""YAML to builtins, with the line and column of every value and every problem of its syntax.

Built from ruamel.yaml's events rather than its constructors: those stop at the first duplicate key, read `2026-11-23` as a
date, follow aliases without end, and lose the place of keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from stellwerk.config.problems import Path, Problem

Place: TypeAlias = tuple[int, int]

MOST_BYTES = 1_000_000
MOST_LEVELS = 40

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")


class Places(Struct, frozen=True):
    """Where each value stands: line and column from 1, by path. `keys` has the places of the keys themselves."""

    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def of(self, path: Path) -> Place:
        """The place of the value, or of the nearest thing around it that the file has."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def of_key(self, path: Path) -> Place:
        """The place of the key, of the value where it has none."""
        return self.keys.get(path) or self.of(path)


class Tree(Struct, frozen=True):
    """What the file holds, as dicts, lists and scalars. `value` is None when its syntax is beyond reading."""

    value: Any
    places: Places
    problems: tuple[Problem, ...]


def read_tree(text: bytes, file: str) -> Tree:
    """The tree of one YAML 1.2 document; every problem carries a place inside the file. Never raises."""
    reader = _Reader(file)
    value: Any = None
    try:
        decoded = _decoded(text)
        value = reader.document(YAML(typ="safe", pure=True).parse(decoded))
    except _Unreadable as unreadable:
        reader.problem((), (unreadable.line, unreadable.column), "syntax", unreadable.what, mend=unreadable.mend)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        # A mark at the end of the text stands behind the last line.
        line = min(line, decoded.count("\n") + 1)
        tab = "\\t" in str(error.problem)
        reader.problem(
            (), (line, column), "syntax", f"this is no YAML: {error.problem or 'it cannot be read'}",
            mend="indent with blanks, not tabs" if tab else "mend the syntax here or in the line above",
        )  # fmt: skip
        value = None
    except (YAMLError, ValueError):
        reader.problem((), (1, 1), "syntax", "this is no YAML: it cannot be read", mend="mend the syntax")
        value = None
    return Tree(value, Places(reader.values, reader.keys), tuple(reader.problems))


class _Unreadable(Exception):
    def __init__(self, what: str, mend: str, line: int = 1, column: int = 1) -> None:
        super().__init__(what)
        self.what, self.mend, self.line, self.column = what, mend, line, column


def _decoded(text: bytes) -> str:
    if len(text) > MOST_BYTES:
        raise _Unreadable(f"the file is larger than {MOST_BYTES} bytes", "remove what does not belong here")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise _Unreadable("this is not UTF-8", "save the file as UTF-8", line, column) from None
    for line, written in enumerate(decoded.split("\n"), start=1):
        odd = next((index for index, sign in enumerate(written.removesuffix("\r")) if not _readable(sign)), None)
        if odd is not None:
            raise _Unreadable("a character that a YAML file may not hold", "remove it", line, odd + 1)
    return decoded


def _readable(sign: str) -> bool:
    # YAML's own rule, less the signs that some editors and not others take for a line's end.
    if sign in "\u2028\u2029\ufeff\ufffe\uffff":
        return False
    return sign == "\t" or " " <= sign <= "~" or sign >= "\xa0"


class _Reader:
    """Walks the events of one document without recursion of the parser's own making."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.problems: list[Problem] = []

    def problem(self, path: Path, place: Place, code: str, what: str, expected: str = "", mend: str = "") -> None:
        self.problems.append(
            Problem(
                code=code, path=path, line=place[0], column=place[1], what=what, expected=expected, mend=mend, file=self.file
            )
        )  # fmt: skip

    def document(self, events: Iterator[Event]) -> Any:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.problem(
                        (), _place(event), "not-used-here", "a second document", mend="keep one document a file"
                    )
                    return value
                value = self.node(next(events), events, ())
        return value

    def node(self, event: Event, events: Iterator[Event], path: Path) -> Any:
        place = _place(event)
        self.values.setdefault(path, place)
        if len(path) > MOST_LEVELS:
            raise _Unreadable(f"more than {MOST_LEVELS} levels", "nest less", *place)
        self._refuse_anchor_and_tag(event, path, place)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path, place)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, SequenceStartEvent):
            found: list[Any] = []
            while not isinstance(item := next(events), SequenceEndEvent):
                found.append(self.node(item, events, (*path, len(found))))
            return found
        return None

    def _mapping(self, events: Iterator[Event], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            place = _place(event)
            if not isinstance(event, ScalarEvent):
                self.problem(
                    path, place, "not-used-here", "a key that is a list or a mapping", mend="use a plain word as key"
                )
                self.node(event, events, (*path, "?"))
                self.node(next(events), events, (*path, "?"))
                continue
            self._refuse_anchor_and_tag(event, path, place)
            key = self._text(event, path, place)
            here = (*path, key)
            if key == "<<" and not event.style:
                self.problem(here, place, "not-used-here", "a merge key", mend="write the keys out where they are used")
                self.node(next(events), events, (*path, "<<"))
                continue
            if key in found:
                first = self.keys[here]
                self.problem(
                    here, place, "duplicate-key", f"'{key}' stands here a second time",
                    expected=f"each key once; the first is in line {first[0]}", mend="remove one of the two",
                )  # fmt: skip
                self.node(next(events), events, here)
                continue
            self.keys[here] = place
            found[key] = self.node(next(events), events, here)
        return found

    def _refuse_anchor_and_tag(self, event: Event, path: Path, place: Place) -> None:
        if isinstance(event, AliasEvent):
            self.problem(path, place, "not-used-here", "an alias", mend="write the value out where it is used")
        elif getattr(event, "anchor", None) is not None:
            self.problem(path, place, "not-used-here", "an anchor", mend="write the value out where it is used")
        elif getattr(event, "ctag", None) is not None:
            self.problem(path, place, "not-used-here", "a tag", mend="write the plain value")

    def _scalar(self, event: ScalarEvent, path: Path, place: Place) -> Any:
        text = self._text(event, path, place)
        if event.style:
            return text
        if text in _NULL:
            return None
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _NUMBER.fullmatch(text) else text

    def _text(self, event: ScalarEvent, path: Path, place: Place) -> str:
        text = str(event.value)
        if all(sign < "\ud800" or sign > "\udfff" for sign in text):
            return text
        self.problem(path, place, "syntax", "half a character (a surrogate)", mend="write the whole character")
        return "\ufffd"


def _place(event: Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1)

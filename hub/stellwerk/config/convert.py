"""Builtins to Structs, with every problem at once.

msgspec decides what is right, but stops at the first error and leaves dict keys out of its path. So a piece that it refuses
is taken apart along its type, until each refusal stands at the smallest piece that has it.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from stellwerk.config.problems import Path, Problem, Severity, did_you_mean, one_of
from stellwerk.config.secrets import BadReference, Vault, is_reference, is_whole_reference
from stellwerk.config.tree import Places
from stellwerk.sdk.settings import Secret

__all__ = ["MISSING", "Converter", "bare", "description_of", "fields_of"]


class Missing:
    """Stands for a piece that could not be converted, or not without its secrets."""


MISSING = Missing()


class Converter:
    """Converts pieces of one file and collects their problems. `rename` gives a piece's path as the file has it."""

    def __init__(self, places: Places, vault: Vault, file: str) -> None:
        self.places = places
        self.vault = vault
        self.file = file
        self.problems: list[Problem] = []

    def convert(self, raw: Any, kind: Any, path: Path, *, instead: Mapping[Path, Path] | None = None) -> Any:
        """`raw` as `kind`, or `MISSING` after at least one problem was noted. `instead` maps paths to those of the file."""
        try:
            return msgspec.convert(raw, kind, dec_hook=self._secret)
        except (msgspec.ValidationError, BadReference):
            before = len(self.problems)
            self._instead = instead or {}
            self._met_missing = False
            self._take_apart(raw, kind, path)
            if len(self.problems) == before and not self._met_missing:
                self._note("wrong-type", path, "this does not fit", mend="see the description of this part")
            return MISSING

    def resolved(self, raw: Any, kind: Any, path: Path) -> Any:
        """`raw` with the references in its plain text fields followed; secrets are followed by `convert`."""
        if not (_is_struct(kind) and isinstance(raw, dict)):
            return raw
        hints = {info.encode_name: hint for info, hint in fields_of(kind)}
        return {key: self._resolved_value(value, hints.get(key), (*path, key)) for key, value in raw.items()}

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
        line, column = self.places.of_key(path) if key else self.places.of(path)
        self.problems.append(
            Problem(
                code=code,
                path=path,
                line=line,
                column=column,
                what=what,
                expected=expected,
                mend=mend,
                severity=severity,
                file=self.file,
            )
        )

    def _resolved_value(self, value: Any, hint: Any, path: Path) -> Any:
        if hint is None or not is_reference(value) or Secret in _alternatives(hint):
            return self.resolved(value, _struct_in(hint), path) if hint is not None else value
        try:
            return self.vault.text(value)
        except BadReference as bad:
            if type(None) in _alternatives(hint) and str(value).startswith("env:"):
                return None  # optional: an unset variable leaves it out
            self.note(bad.code, path, bad.what, mend=bad.mend)
            return MISSING

    def _secret(self, kind: type[Any], written: Any) -> Any:
        if kind is Secret:
            return self.vault.secret(written)
        raise NotImplementedError(kind.__name__)

    # --- taking apart ---------------------------------------------------------------------------------------------------

    def _take_apart(self, raw: Any, kind: Any, path: Path) -> None:
        if raw is MISSING or (self.vault.environ is None and is_whole_reference(raw)):
            self._met_missing = True
            return
        try:
            msgspec.convert(raw, kind, dec_hook=self._secret)
            return
        except (msgspec.ValidationError, BadReference) as error:
            refused = error
        fitting = _fitting(raw, _alternatives(kind))
        if _is_struct(fitting) and isinstance(raw, dict):
            before = len(self.problems)
            self._take_struct_apart(raw, fitting, path)
            if len(self.problems) == before and not self._met_missing:
                # Each field fits alone: the Struct's own check has refused them together.
                self._note("not-allowed", path, str(_cause(refused)), mend="write values that go together")
        elif get_origin(fitting) in (tuple, list) and isinstance(raw, list) and raw:
            item = get_args(fitting)[0]
            for index, value in enumerate(raw):
                self._take_apart(value, item, (*path, index))
        elif get_origin(fitting) is dict and isinstance(raw, dict) and raw:
            for key, value in raw.items():
                self._take_apart(value, get_args(fitting)[1], (*path, key))
        elif isinstance(fitting, _NoSuchKind):
            self._no_such_kind(raw, fitting, path)
        else:
            self._leaf(raw, kind, path, refused)

    def _take_struct_apart(self, raw: dict[str, Any], kind: type[Struct], path: Path) -> None:
        known = {info.encode_name: (info, hint) for info, hint in fields_of(kind)}
        tag = kind.__struct_config__.tag_field
        for key, value in raw.items():
            if key in known:
                self._take_apart(value, known[key][1], (*path, key))
            elif key != tag:
                names = [*known, tag] if tag else [*known]
                self._note("unknown-key", (*path, key), f"unknown key '{key}'", mend=did_you_mean(key, names), key=True)
        for name, (info, hint) in known.items():
            if info.required and name not in raw:
                described = description_of(hint)
                self._note("missing-key", path, f"'{name}' is missing", expected=described, mend=f"add '{name}:'")

    def _no_such_kind(self, raw: dict[str, Any], choice: _NoSuchKind, path: Path) -> None:
        written = raw.get(choice.tag_field)
        if written is None:
            self._note(
                "missing-key", path, f"'{choice.tag_field}' is missing", expected=one_of(choice.tags),
                mend=f"add '{choice.tag_field}:'",
            )  # fmt: skip
        else:
            shown = f"unknown {choice.tag_field} '{written}'" if isinstance(written, str) else f"no {choice.tag_field}"
            self._note(
                "unknown-name", (*path, choice.tag_field), shown, expected=one_of(choice.tags), mend="use one of these"
            )

    def _leaf(self, raw: Any, kind: Any, path: Path, refused: Exception) -> None:
        cause = _cause(refused)
        if isinstance(cause, BadReference):
            self._note(cause.code, path, cause.what, mend=cause.mend)
            return
        choices = [choice for part in _alternatives(kind) if get_origin(part) is Literal for choice in get_args(part)]
        if choices and isinstance(raw, str):
            self._note(
                "not-allowed", path, f"'{raw[:60]}' is none of the choices", expected=one_of(map(str, choices)),
                mend=did_you_mean(raw, map(str, choices)),
            )  # fmt: skip
            return
        what, expected = _said(refused)
        code = "not-allowed" if what == "this value is not allowed" else "wrong-type"
        self._note(code, path, what, expected=expected, mend="write a value of that kind")

    def _note(self, code: str, path: Path, what: str, *, expected: str = "", mend: str = "", key: bool = False) -> None:
        self.note(code, self._instead.get(path, path), what, expected=expected, mend=mend, key=key)

    _instead: Mapping[Path, Path] = types.MappingProxyType({})
    _met_missing = False


class _NoSuchKind(Struct, frozen=True):
    tag_field: str
    tags: tuple[str, ...]


def fields_of(kind: type[Struct]) -> Iterator[tuple[FieldInfo, Any]]:
    """Each field of a Struct with its whole annotation."""
    hints = get_type_hints(kind, include_extras=True)
    for info in msgspec.structs.fields(kind):
        yield info, hints[info.name]


def description_of(hint: Any) -> str:
    """The description in an annotation, or nothing."""
    for part in _parts(hint):
        if get_origin(part) is Annotated:
            for meta in part.__metadata__:
                if isinstance(meta, Meta) and meta.description:
                    return meta.description
    return ""


def holds_secret(hint: Any) -> bool:
    """Whether an annotation takes a secret."""
    return Secret in _alternatives(hint)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    if get_origin(hint) in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _parts(part)


def bare(kind: Any) -> Any:
    """A type without its annotations."""
    while get_origin(kind) is Annotated:
        kind = kind.__origin__
    return kind


def _alternatives(kind: Any) -> tuple[Any, ...]:
    kind = bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(part for each in get_args(kind) for part in _alternatives(each))
    return (kind,)


def _is_struct(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, Struct)


def _struct_in(hint: Any) -> Any:
    return next((part for part in _alternatives(hint) if _is_struct(part)), None)


def _fitting(raw: Any, kinds: tuple[Any, ...]) -> Any:
    """The alternative that `raw` was meant for, as far as its outer shape tells."""
    if isinstance(raw, list):
        return next((kind for kind in kinds if get_origin(kind) in (tuple, list)), None)
    if not isinstance(raw, dict):
        return None
    structs = [kind for kind in kinds if _is_struct(kind)]
    if len(structs) <= 1:
        return structs[0] if structs else next((kind for kind in kinds if get_origin(kind) is dict), None)
    tag_field = str(structs[0].__struct_config__.tag_field)
    tags = {str(struct.__struct_config__.tag): struct for struct in structs}
    written = raw.get(tag_field)
    if isinstance(written, str) and written in tags:
        return tags[written]
    return _NoSuchKind(tag_field, tuple(tags))


def _cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


_TYPE_NAMES = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a mapping", "null": "nothing", "date": "a date as YYYY-MM-DD", "datetime": "a time",
}  # fmt: skip


def _said(error: Exception) -> tuple[str, str]:
    """What msgspec found and what it expected, in an operator's words and without the value."""
    text = re.sub(r" - at `.*", "", str(error), flags=re.DOTALL)
    typed = re.fullmatch(r"Expected `([^`]*)`, got `([^`]*)`", text)
    if typed:
        expected = " or ".join(_TYPE_NAMES.get(name.strip(), name.strip()) for name in typed[1].split("|"))
        return f"this is {_TYPE_NAMES.get(typed[2], typed[2])}", expected
    limited = re.fullmatch(r"Expected `([^`]*)` (.*)", text, flags=re.DOTALL)
    if limited:
        return "this value is not allowed", f"{_TYPE_NAMES.get(limited[1], limited[1])} {limited[2]}"
    return "this value is not allowed", ""

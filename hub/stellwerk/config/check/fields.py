"""`fields:` and `mirror:`: each field once, at both systems, of types that fit."""

from __future__ import annotations

from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path, did_you_mean, one_of
from stellwerk_rules.converters import (
    CaseConverter,
    ChoicesConverter,
    CountryConverter,
    DateConverter,
    LocaleConverter,
    NumberConverter,
    PhoneConverter,
)
from stellwerk_rules.dates import is_complete
from stellwerk_rules.spec import FieldRow

__all__ = ["check_fields", "check_mirror", "targets_of"]

_SHOWN = (("status", "status"), ("permission", "permission"), ("unsubscribed_at", "time"))
_RESULTS: dict[type, tuple[str, ...]] = {
    DateConverter: ("date", "text"), NumberConverter: ("number", "integer", "text"),
    LocaleConverter: ("text",), CaseConverter: ("text",), CountryConverter: ("text",), PhoneConverter: ("text",),
    ChoicesConverter: ("text",),
}  # fmt: skip


def check_fields(draft: Draft) -> None:
    written: dict[tuple[str, str], Path] = {}
    for path, row in draft.rows():
        _check_sides(draft, path, row)
        for system in targets_of(draft, row):
            name = row.names.get(system)
            if name is None:
                continue
            if not name:
                draft.note("missing-key", (*path, system), "this names no field", mend="write the field's name")
            elif (system, name) in written:
                draft.note(
                    "name-taken", (*path, system), f"'{name}' is written by another row already",
                    expected=f"each field of '{system}' written by one row", mend="remove one of the two rows",
                )  # fmt: skip
            written.setdefault((system, name), path)


def targets_of(draft: Draft, row: FieldRow) -> tuple[str, ...]:
    """The systems that this row writes to."""
    return (row.to,) if row.to is not None else draft.names


def _check_sides(draft: Draft, path: Path, row: FieldRow) -> None:
    for name in draft.names:
        if name not in row.names:
            draft.note("missing-key", path, f"'{name}' is missing", expected=f"{name}: FIELD", mend=f"add '{name}:'")
    for key, system in (("to", row.to), ("owner", row.owner)):
        if system is not None and system not in draft.names:
            draft.note(
                "unknown-name", (*path, key), f"no system is called '{system}'", expected=one_of(draft.names),
                mend=did_you_mean(system, draft.names),
            )  # fmt: skip
    if row.owner is not None and (row.fill_only or row.to is not None):
        other = "fill_only" if row.fill_only else "to"
        draft.note(
            "without-effect", (*path, "owner"), f"'owner' means nothing beside '{other}'", mend="remove one of the two",
            severity="warning",
        )  # fmt: skip
    for number, pattern in enumerate(row.convert.formats if isinstance(row.convert, DateConverter) else ()):
        if not is_complete(pattern):
            draft.note(
                "not-allowed", (*path, "convert", "formats", number), f"'{pattern[:60]}' names no day",
                expected="iso, or a pattern with DD, MM and YYYY once each", mend="write the missing part",
            )  # fmt: skip
    possible = _RESULTS.get(type(row.convert))
    if possible is not None and row.type not in possible:
        draft.note(
            "wrong-kind", (*path, "type"), f"'convert' makes no {row.type}", expected=one_of(possible),
            mend="change the type or the converter",
        )  # fmt: skip


def check_mirror(draft: Draft) -> None:
    for path, mirror in draft.mirrors():
        for key, system in (("of", mirror.of), ("on", mirror.on_)):
            if system not in draft.names:
                draft.note(
                    "unknown-name", (*path, key), f"no system is called '{system}'", expected=one_of(draft.names),
                    mend=did_you_mean(system, draft.names),
                )  # fmt: skip
        if mirror.of == mirror.on_:
            draft.note("not-allowed", (*path, "on"), "a system does not mirror itself", mend="name the other system")
        if not draft.whole("provide") or mirror.on_ not in draft.names:
            continue
        part = draft.provide.get(mirror.on_)
        properties = part.properties if part is not None else {}
        for key, kind in _SHOWN:
            wanted = getattr(mirror, key)
            if wanted is not None and wanted not in properties:
                draft.note(
                    "unknown-name", (*path, key), f"nothing under 'provide: {mirror.on_}' is called '{wanted}'",
                    mend=did_you_mean(wanted, properties),
                )  # fmt: skip
            elif wanted is not None and properties[wanted].kind != kind:
                draft.note(
                    "wrong-kind", (*path, key), f"'{wanted}' is of kind {properties[wanted].kind}",
                    expected=f"a property of kind {kind}", mend="name a property of that kind",
                )  # fmt: skip

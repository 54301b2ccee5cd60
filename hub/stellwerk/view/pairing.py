"""Which unmapped fields of the two systems mean the same, and the row of integration.yaml that would carry them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from stellwerk.sdk.connector import FieldSpec

__all__ = ["Suggestion", "any_brand", "suggestions"]

MOST_CHOICES = 50
"""A table of more choices is no line to paste."""

_NO_DATA_WITHIN = re.compile(
    r"optin|optout|opted|doi|subscri|unsub|newsletter|abonn|anmeld|angemeld|abmeld|abgemeld|consent|permi|allow|erlaub"
    r"|berechtig|einwillig|eingewillig|einverst|zustimm|zugestimm|accept|akzept|agree|widerr|widerspr|donot|dont|blacklist"
    r"|blocklist|sperr|robinson|gdpr|dsgvo|datenschutz|privacy|legalbasis|rechtsgrundlage|werbung|marketing"
    r"|nummer|number|iban|hash|checksum|token|apikey|passw|secret"
)
"""What tells, anywhere in a name or label, of consent, an id or a secret: no row carries those. Rather one field too many."""

_NO_ID = re.compile(r"(?:un|pre)?paid|bid|kid|grid|hybrid|(?:in)?valid|solid|liquid|android|kleid")
"""Any other word that ends in id is one."""

_HARMLESS = re.compile(r"(?:phone|telefon|mobile?|handy|ruf|fax|house|haus)(?:number|nummer)|numberof|adopt(?:ing|ed)")
_YES_NO = frozenset(["yes", "no", "ja", "nein", "true", "false", "y", "n", "j", "1", "0"])

_PARTED = re.compile(r"(?<=[a-z\d])(?=[A-Z])|[^\w]|_")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NOT_PLAIN = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])


class Suggestion(Struct, frozen=True, kw_only=True):
    """`fields` by system; `line` stands as it is under `fields:` of integration.yaml."""

    fields: dict[str, str]
    line: str


def suggestions(
    systems: tuple[str, str], first: Sequence[FieldSpec], second: Sequence[FieldSpec]
) -> tuple[Suggestion, ...]:
    """A row for each unmapped field that has exactly one counterpart; `first` and `second` are in the file's order of systems.

    Counterparts have a name, label or further name in common, equal names before any other, and types that travel both ways
    without loss. Fields that hold yes or no, carry consent, an id, or may not be written are none.
    """
    left, right = ([spec for spec in side if _is_data(spec)] for side in (first, second))
    found: list[Suggestion] = []
    for named in (_name, _words):
        pairs = [(a, b) for a in left for b in right if named(a) & named(b)]
        once = [Counter(pair[side].name for pair in pairs) for side in (0, 1)]
        for a, b in pairs:
            # Two that might be meant are a person's choice.
            if once[0][a.name] > 1 or once[1][b.name] > 1:
                continue
            left, right = [one for one in left if one is not a], [one for one in right if one is not b]
            rest = _carried(a, b)
            if rest is not None:
                names = dict(zip(systems, (a.name, b.name), strict=True))
                found.append(Suggestion(fields=names, line=f"  - {{{', '.join((*_keys(names), *rest))}}}"))
    return tuple(sorted(found, key=lambda one: one.line))


def _is_data(spec: FieldSpec) -> bool:
    # What is told by yes or no is a consent far too often, whatever it is called.
    if not spec.suggested or spec.kind in ("yes_no", "permission", "status", "time"):
        return False
    if spec.choices and _YES_NO.issuperset(map(str.casefold, spec.choices)):
        return False
    return not any(_tells(text) for text in (spec.name, spec.label or ""))


def _tells(text: str) -> bool:
    """Whether it tells of consent, an id or a secret."""
    words = _parts(text)
    joined = _HARMLESS.sub("", "".join(words))
    return _NO_DATA_WITHIN.search(joined) is not None or any(map(_is_id, words))


def _is_id(word: str) -> bool:
    one = word.removesuffix("s")
    return word == "key" or (one.endswith("id") and _NO_ID.fullmatch(one) is None)


def _parts(text: str) -> list[str]:
    return [part.casefold() for part in _PARTED.split(unicodedata.normalize("NFKC", text)) if part]


def _plain(text: str) -> str:
    return "".join(_parts(text))


def _name(spec: FieldSpec) -> frozenset[str]:
    return frozenset({_plain(spec.name)})


def _words(spec: FieldSpec) -> frozenset[str]:
    return frozenset(_plain(text) for text in (spec.name, spec.label or "", *spec.also)) - {""}


def _carried(a: FieldSpec, b: FieldSpec) -> tuple[str, ...] | None:
    """The rest of the row; None where a value could not go there and come back."""
    kinds = {a.kind, b.kind}
    if a.choices or b.choices:
        return _by_choices(a, b) if kinds == {"text"} else None
    if kinds == {"text"}:
        return ()
    if len(kinds) == 1:
        return (f"type: {a.kind}",)
    if kinds == {"number", "integer"}:
        return ("type: integer",)
    other = next(iter(kinds - {"text"})) if "text" in kinds else None
    if other in ("date", "number", "integer"):
        # The type is the second system's: what is created or compared over there is of that type.
        converter = "date" if other == "date" else "number"
        return (*(() if b.kind == "text" else (f"type: {b.kind}",)), f"convert: {{kind: {converter}}}")
    return None


def _by_choices(a: FieldSpec, b: FieldSpec) -> tuple[str, ...] | None:
    """Only choices that both sides take travel: any other would be refused over there."""
    common = [one for one in a.choices or b.choices if not b.choices or one in b.choices]
    if not common or len(common) > MOST_CHOICES:
        return None
    table = f"table: {{{', '.join(f'{_yaml(one)}: {_yaml(one)}' for one in common)}}}"
    if a.separator is None and b.separator is None:
        return (f"convert: {{kind: lookup, {table}}}",)
    between = ", ".join(_yaml(one.separator or ", ") for one in (a, b))
    return (f"convert: {{kind: choices, separators: [{between}], {table}}}",)


def _keys(names: dict[str, str]) -> Iterator[str]:
    return (f"{system}: {_yaml(name)}" for system, name in names.items())


def _yaml(text: str) -> str:
    """The text as a scalar of YAML: plain where it can be misread as nothing else."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _NOT_PLAIN:
        return text
    # Not by JSON's escapes: outside the first plane those are halves of characters, which YAML refuses.
    return '"' + "".join(_escaped(one) for one in text) + '"'


def _escaped(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    return one if one.isprintable() else f"\\U{ord(one):08x}"


def any_brand(patterns: Collection[str]) -> re.Pattern[str]:
    """Matches, whole, names that `provide:` gives for whatever brand; `{brand}` stands for any text."""
    return re.compile("|".join(re.escape(one).replace(re.escape("{brand}"), ".*") for one in patterns) or r"(?!)")

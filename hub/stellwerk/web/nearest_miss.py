"""What kept the rule that missed by least from holding, in the visitor's language. The values stand as they were seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_PART = re.compile(r"(?P<kind>setting|field) (?P<name>\S+) is (?P<value>.*?), wanted: (?P<wanted>.*)", re.DOTALL)
_KINDS = {"setting": "Einstellung", "field": "Feld"}
_WHOLE = {
    "what must not hold, holds": "was nicht zutreffen darf, trifft zu",
    "none of no conditions": "keine von keinen Bedingungen",
}
_SET = {"set": "gesetzt", "not set": "nicht gesetzt", "a condition": "eine Bedingung"}
_WANTED: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("not set by ", lambda rest: f"nicht gesetzt durch {_writers(rest)}"),
    ("set by ", lambda rest: f"gesetzt durch {_writers(rest)}"),
    ("one of ", lambda rest: f"eines von {rest}"),
    ("matches ", lambda rest: f"passend zu {rest}"),
    ("newly ", lambda rest: f"neu {_said(rest)}"),
    ("not ", lambda rest: f"nicht {_said(rest)}"),
)
_SAID = {"yes": "Ja", "no": "Nein", "true": "Ja", "false": "Nein"}
_WRITERS: Mapping[str, str] = {
    "form": "ein Formular", "person": "eine Person", "import": "einen Import", "workflow": "einen Workflow",
    "integration": "eine Integration", "merge": "eine Zusammenführung", "other": "anderes",
}  # fmt: skip


def in_german(nearest: str) -> str:
    """Of `RULE: MISS; MISS` each miss in German; one of another form stands as it is."""
    rule, colon, misses = nearest.partition(": ")
    return rule + colon + "; ".join(_miss(one) for one in misses.split("; "))


def _miss(one: str) -> str:
    found = _PART.fullmatch(one)
    if found is None:
        return _WHOLE.get(one, one)
    value = _SET.get(found["value"]) or _said(found["value"])
    return f"{_KINDS[found['kind']]} {found['name']} ist {value}, gebraucht: {_wanted(found['wanted'])}"


def _wanted(text: str) -> str:
    if text in _SET:
        return _SET[text]
    for begins, said in _WANTED:
        if text.startswith(begins):
            return said(text.removeprefix(begins))
    return _said(text)


def _said(value: str) -> str:
    return _SAID.get(value, value)


def _writers(names: str) -> str:
    return ", ".join(_WRITERS.get(one, one) for one in names.split(", "))

"""Laws that a file could break by what it maps and sets. Each finding names the law it protects."""

from __future__ import annotations

from collections.abc import Iterator

from stellwerk.config.check.rules import property_kinds
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path
from stellwerk_rules.model import CONFIRMED_BY_CONTACT

__all__ = ["check_laws"]

_PERMISSION_WORDS = frozenset({"permission", "consent"})
_OPT_OUT_EVENTS = frozenset({"unsubscribed", "blocked"})


def check_laws(draft: Draft) -> None:
    answers = {(rule.from_, rule.enter.answer) for _, rule in draft.rules() if rule.enter and rule.enter.answer}
    shown = set(_shown(draft))
    overrides = {setting.per_contact for _, setting in draft.settings() if setting.per_contact}
    _check_answers(draft, shown)
    _check_mapped(draft, answers, shown, overrides)
    _check_set(draft, answers, shown, overrides)
    for path, rule in draft.rules():
        if rule.consent is not None and rule.consent.grant in CONFIRMED_BY_CONTACT:
            _breaks(
                draft, (*path, "consent", "grant"), 2, f"'{rule.consent.grant}' is confirmed by the contact, never granted by a rule",
                "use a permission setting, and 'confirmation_given' of the connection's 'agreed'",
            )  # fmt: skip


def _shown(draft: Draft) -> Iterator[tuple[str, str]]:
    for _, mirror in draft.mirrors():
        for key in (mirror.status, mirror.permission, mirror.unsubscribed_at):
            if key is not None:
                yield mirror.on_, key


def _check_answers(draft: Draft, shown: set[tuple[str, str]]) -> None:
    for path, rule in draft.rules():
        if rule.enter is not None and (rule.from_, str(rule.enter.answer)) in shown:
            _breaks(
                draft, (*path, "enter", "answer"), 1, f"'{rule.enter.answer}' shows state, it is never read as a wish",
                "name a property that only contacts and people set",
            )  # fmt: skip
    for path, setting in draft.settings():
        if any(key == setting.per_contact for _, key in shown):
            _breaks(
                draft, (*path, "per_contact"), 2, f"'{setting.per_contact}' shows state, it is never read as a wish",
                "name another property",
            )  # fmt: skip


def _check_mapped(
    draft: Draft, answers: set[tuple[str, str]], shown: set[tuple[str, str]], overrides: set[str]
) -> None:
    for path, row in draft.rows():
        for system, name in row.names.items():
            here = (*path, system)
            kinds = property_kinds(draft, system)
            key = _key_of(draft, system, name)
            if (system, key) in answers:
                _breaks(
                    draft, here, 1, f"'{name}' holds the contact's answer", "remove this row; rules carry the answer"
                )
            elif (system, key) in shown:
                _breaks(
                    draft, here, 2, f"'{name}' shows state of the other side", "remove this row; 'mirror' writes it"
                )
            elif key in overrides and key in kinds:
                _breaks(draft, here, 4, f"'{name}' is a contact's own choice", "remove this row")
            elif kinds.get(key) == "permission" or name.lower() in _PERMISSION_WORDS:
                _breaks(draft, here, 2, "a permission is no field", "remove this row; 'consent' decides on permissions")


def _check_set(draft: Draft, answers: set[tuple[str, str]], shown: set[tuple[str, str]], overrides: set[str]) -> None:
    for path, rule in draft.rules():
        for name, value in (rule.set_ or {}).items():
            here = (*path, "set", name)
            key = _key_of(draft, rule.to, name)
            if (rule.to, key) in answers:
                if value != "no" or not _OPT_OUT_EVENTS.issuperset(rule.events):
                    _breaks(
                        draft, here, 1, "only an opt-out sets the contact's answer, and only to no",
                        'write "no" in a rule of the event unsubscribed, or nothing',
                    )  # fmt: skip
            elif (rule.to, key) in shown:
                _breaks(draft, here, 2, f"'{name}' shows state of the other side", "remove it; 'mirror' writes it")
            elif key in overrides and key in property_kinds(draft, rule.to):
                _breaks(draft, here, 4, f"'{name}' is a contact's own choice", "remove it")
            elif name.lower() in _PERMISSION_WORDS:
                _breaks(draft, here, 2, "a permission is no field", "remove it; 'consent' decides on permissions")


def _key_of(draft: Draft, system: str, name: str) -> str:
    """The file's name of a property that is written by its name over there."""
    part = draft.provide.get(system)
    if part is None or name in part.properties:
        return name
    return next((key for key, wanted in part.properties.items() if wanted.name == name), name)


def _breaks(draft: Draft, path: Path, law: int, what: str, mend: str) -> None:
    draft.note("breaks-a-law", path, what, expected=f"nothing against law {law} (docs/problems.md)", mend=mend)

"""`connections:` are whole: accounts at both systems, values that settings can have."""

from __future__ import annotations

from stellwerk.config.check.conditions import check_condition
from stellwerk.config.check.settings import catalogue
from stellwerk.config.check.values import check_setting_values
from stellwerk.config.draft import Draft
from stellwerk.config.problems import Path
from stellwerk.config.spec import Connection

__all__ = ["check_connections"]


def check_connections(draft: Draft) -> None:
    known = catalogue(draft)
    seen: set[str] = set()
    for path, connection in draft.connections():
        if connection.id in seen:
            mend = "rename one of them"
            draft.note("name-taken", (*path, "id"), f"a connection is called '{connection.id}' already", mend=mend)
        seen.add(connection.id)
        for name in draft.names:
            if name not in connection.accounts:
                draft.note(
                    "missing-key", path, f"'{name}' is missing", expected="the account there", mend=f"add '{name}:'"
                )
        if connection.only_if is not None:
            check_condition(draft, (*path, "only_if"), connection.only_if, known)
        check_setting_values(draft, (*path, "settings"), connection.settings, known)
        _check_brand(draft, path, connection)


def _check_brand(draft: Draft, path: Path, connection: Connection) -> None:
    names = [wanted.name for part in draft.provide.values() for wanted in part.properties.values()]
    if connection.brand is not None and draft.whole("provide") and not any("{brand}" in name for name in names):
        draft.note(
            "without-effect", (*path, "brand"), "no name under 'provide' holds {brand}",
            mend="write {brand} into those names, or remove 'brand'", severity="warning",
        )  # fmt: skip

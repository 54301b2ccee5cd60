"""Who saved what and when: each line of a connection's history with what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.store import connections
from stellwerk.store.connections import Connection, Saved
from stellwerk.view.moment import moment


class SettingChanged(Struct, frozen=True, kw_only=True):
    """One setting; None where it was not stored. A stage move is a mapping of its parts."""

    setting: str
    before: Any
    after: Any


class Line(Struct, frozen=True, kw_only=True):
    """One save. `note` is what was done besides settings (the new state), `about` whom that concerns, `agreed_by` who
    answered for consent then."""

    id: int
    at: str
    who: str
    note: str
    about: str
    state: str
    agreed_by: str | None
    changed: list[SettingChanged]
    settings: dict[str, Any]


async def history(hub: Hub, connection: Connection) -> list[Line]:
    """The last two hundred, newest first."""
    lines = await hub.store.read(lambda tx: connections.history(tx, connection.id))
    older: Sequence[Saved | None] = [*lines[1:], None]
    return [_line(line, before) for line, before in zip(lines, older, strict=True)]


def _line(line: Saved, before: Saved | None) -> Line:
    return Line(
        id=line.id,
        at=moment(line.at),
        who=line.who,
        note=line.note,
        about=line.about,
        state=line.state,
        agreed_by=None if line.agreed is None else line.agreed.by,
        changed=[] if before is None else _changed(before.settings, line.settings),
        settings=dict(line.settings),
    )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[SettingChanged]:
    return [
        SettingChanged(setting=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys((*after, *before))
        if before.get(name) != after.get(name)
    ]

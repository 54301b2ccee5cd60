"""What replaying letters of one connection would come to under today's rules, told before anybody does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.relay.dead import DELIVERY
from stellwerk.relay.hub import Hub
from stellwerk.relay.letters import Find, whole
from stellwerk.relay.preview import preview_of
from stellwerk.store import contacts
from stellwerk.store.connections import Connection
from stellwerk.store.store import Row, Tx
from stellwerk.view.activity import Reason


class Foreseen(Struct, frozen=True, kw_only=True):
    """One change that would be made; `fields` are names. `held`: a person would have to let it go first."""

    change: str
    system: str
    fields: list[str]
    because: Reason
    held: Reason | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What would be decided. `outcome` is a word of `foretold`: decided, skipped, held, goes out again, cannot be told."""

    outcome: str
    changes: list[Foreseen]
    reasons: list[Reason]


class Meant(Struct, frozen=True, kw_only=True):
    """One letter: `what` (event or delivery) and `number` name it, `change` is its kind."""

    what: str
    number: int
    change: str


class Replay(Struct, frozen=True, kw_only=True):
    """Letters of one contact, which are decided together. `ids` is its id by system, empty where it is not known."""

    letters: list[Meant]
    ids: dict[str, str]
    outcomes: list[Outcome]


class Preview(Struct, frozen=True, kw_only=True):
    """`kept` of the letters cannot be replayed, `more` were not looked at."""

    replays: list[Replay]
    kept: int
    more: int


async def replaying(hub: Hub, connection: Connection, find: Find) -> Preview:
    """Worked out on the systems as they are now; nothing is changed anywhere. Nothing of another connection is told."""

    def look(tx: Tx) -> tuple[list[tuple[str, Row]], dict[int, dict[str, str]]]:
        rows = whole(tx, find)
        return rows, {row["id"]: _ids(tx, row["contact"]) for what, row in rows if what == DELIVERY}

    rows, ids = await hub.store.read(look)
    told = await preview_of(hub, rows)
    return Preview(
        replays=[_replay(connection, one, ids) for one in told["replays"]], kept=told["kept"], more=told["more"]
    )


def _ids(tx: Tx, contact: int) -> dict[str, str]:
    state = contacts.by_id(tx, contact)
    return {} if state is None else dict(state.remembered.ids)


def _replay(connection: Connection, one: Mapping[str, Any], ids: Mapping[int, dict[str, str]]) -> Replay:
    letters = [Meant(what=it["what"], number=it["number"], change=it["change"] or "") for it in one["letters"]]
    named = (ids[it.number] for it in letters if it.what == DELIVERY and it.number in ids)
    mine = [it for it in one["outcomes"] if it["connection"] in (None, connection.id)]
    return Replay(letters=letters, ids=next(named, {}), outcomes=msgspec.convert(mine, list[Outcome]))

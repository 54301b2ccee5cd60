"""Who is told of a connection's repairs, and how the last message to each fared."""

from __future__ import annotations

from msgspec import Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.recipients import ready
from stellwerk.store import notifications, recipients
from stellwerk.store.connections import Connection
from stellwerk.store.recipients import Kind, Language, Recipient
from stellwerk.store.store import Tx
from stellwerk.view.moment import moment


class LastTold(Struct, frozen=True, kw_only=True):
    """The newest message: `state` is waiting, sent or failed; `code` says what kept it from arriving, `due` when it is tried again."""

    what: str
    state: str
    code: str
    created: str
    due: str
    attempts: int


class Told(Struct, frozen=True, kw_only=True):
    """One recipient. The secret of a webhook is told once, in the answer that adds it."""

    id: int
    name: str
    kind: Kind
    to: str
    language: Language
    made_by: str
    created: str
    last: LastTold | None = None
    secret: str | None = None


async def told(hub: Hub, connection: Connection) -> list[Told]:
    """Oldest first."""
    await ready(hub)

    def look(tx: Tx) -> list[Told]:
        return [_told(tx, one) for one in recipients.of_connection(tx, hub.vault, connection.id)]

    return await hub.store.read(look)


def as_told(one: Recipient, *, secret: str | None = None, last: LastTold | None = None) -> Told:
    return Told(
        id=one.id,
        name=one.name,
        kind=one.kind,
        to=one.reach.to,
        language=one.language,
        made_by=one.made_by,
        created=moment(one.created),
        last=last,
        secret=secret,
    )


def _told(tx: Tx, one: Recipient) -> Told:
    newest = notifications.last(tx, one.id)
    if newest is None:
        return as_told(one)
    last = LastTold(
        what=newest.content.what,
        state=newest.state,
        code=newest.code,
        created=moment(newest.created),
        due=moment(newest.due),
        attempts=newest.attempts,
    )
    return as_told(one, last=last)

"""Inviting somebody to look after a connection, and taking that back; the history says who did it and whom it concerns."""

from __future__ import annotations

from stellwerk.relay.hub import Hub
from stellwerk.store import connections, invitations
from stellwerk.store.access import Rights
from stellwerk.store.connections import Connection
from stellwerk.store.invitations import Invitation
from stellwerk.store.store import Tx

LONGEST_NAME = 80


async def invite(hub: Hub, connection: Connection, *, name: str, rights: Rights, by: str) -> tuple[Invitation, str]:
    """The invitation and its link, which is told once."""
    now = hub.now()

    def work(tx: Tx) -> tuple[Invitation, str]:
        one, text = invitations.add(
            tx, hub.vault, connection=connection.id, name=name, rights=rights, made_by=by, now=now
        )
        connections.note(tx, connection.id, who=by, now=now, note=connections.INVITED, about=name)
        made = invitations.by_id(tx, one)
        assert made is not None
        return made, text

    made, text = await hub.store.write(work)
    return made, link(hub, text)


async def revoke(hub: Hub, connection: Connection, one: int, *, by: str) -> bool:
    """False when this connection has no such invitation that still stands."""
    now = hub.now()

    def work(tx: Tx) -> bool:
        ended = invitations.revoke(tx, connection.id, one, now)
        if ended is not None:
            connections.note(tx, connection.id, who=by, now=now, note=connections.UNINVITED, about=ended.name)
        return ended is not None

    return await hub.store.write(work)


def link(hub: Hub, text: str) -> str:
    return f"{hub.public_url}/invited/{text}"


def name_of(invitation: Invitation) -> str:
    """What the history calls who was invited."""
    return f"{invitation.name} ({invitation.made_by})"

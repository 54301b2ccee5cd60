"""Following an invitation's link: who invites to what is shown first, and a click accepts it."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template

from stellwerk.relay.hub import Hub
from stellwerk.relay.inviting import name_of
from stellwerk.store import accounts, connections, invitations
from stellwerk.store.connections import Connection
from stellwerk.store.invitations import Invitation
from stellwerk.store.store import Tx
from stellwerk.view.moment import moment
from stellwerk.web.entry_links import ended, looking
from stellwerk.web.limits import Limits
from stellwerk.web.pages import page
from stellwerk.web.session import enter
from stellwerk.web.visitor import Visitor

LONGEST = 100


@get("/invited/{text:str}", name="invited")
async def show_invited(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    limits: NamedDependency[Limits],
    text: FromPath[str],
) -> Template:
    """Who invites to what; nothing is done by looking, since links are also opened by programs that check mails."""
    found = await _found(hub, text)
    if found is None:
        return ended(request, hub, visitor, limits, "invited-ended")
    invitation, connection = found
    context = {
        "invitation": invitation,
        "until": moment(invitation.expires),
        "sides": await _names(hub, connection),
        "text": text,
    }
    return page(request, hub, "invited.html", visitor=looking(request, visitor), context=context)


@post("/invited/{text:str}", name="accept-invitation", status_code=200)
async def accept(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    limits: NamedDependency[Limits],
    text: FromPath[str],
) -> Redirect | Template:
    """From now on this browser looks after the connection, as far as the invitation goes."""
    found = await _found(hub, text)
    if found is None:
        return ended(request, hub, visitor, limits, "invited-ended")
    invitation, connection = found
    await hub.store.write(lambda tx: invitations.used(tx, invitation.id, hub.now()))
    guest = Visitor(user=name_of(invitation), connection=connection.id, invitation=invitation.id)
    await enter(request, hub, visitor, guest)
    return Redirect("/overview", status_code=303)


async def _found(hub: Hub, text: str) -> tuple[Invitation, Connection] | None:
    """None for a link that nobody was given, or that works no more."""
    if len(text) > LONGEST:
        return None

    def look(tx: Tx) -> tuple[Invitation, Connection] | None:
        invitation = invitations.by_text(tx, hub.vault, text)
        connection = None if invitation is None else connections.living(tx, invitation.connection)
        if invitation is None or connection is None or not invitation.works(hub.now()):
            return None
        return invitation, connection

    return await hub.store.read(look)


async def _names(hub: Hub, connection: Connection) -> list[str]:
    def look(tx: Tx) -> list[str]:
        rows = (accounts.by_id(tx, hub.vault, one) for one in connection.accounts.values())
        return [row.name or row.remote for row in rows if row is not None]

    return await hub.store.read(look)

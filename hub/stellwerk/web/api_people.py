"""The JSON API about people: who was invited to the connection, a new invitation, and taking one back."""

from __future__ import annotations

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.inviting import LONGEST_NAME, invite, revoke
from stellwerk.store import invitations
from stellwerk.store.access import Rights
from stellwerk.store.invitations import Invitation
from stellwerk.view.moment import moment, moment_or_none
from stellwerk.web.api_answers import RowNumber, problems
from stellwerk.web.api_key import CHANGES, Caller


class Invited(Struct, frozen=True, kw_only=True):
    """An invitation; `link` only in the answer that made it."""

    id: int
    name: str
    rights: Rights
    made_by: str
    created: str
    expires: str
    used: str | None
    works: bool
    link: str | None = None


class Guest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite, and whether they may also change."""

    name: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")]
    rights: Rights = "view"


@get("/invitations", name="api-invitations", responses=problems())
async def api_invitations(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> list[Invited]:
    """Every invitation, newest first."""
    found = await hub.store.read(lambda tx: invitations.of_connection(tx, caller.connection.id))
    return [_invited(hub, one) for one in found]


@post("/invitations", name="api-invite", opt=CHANGES, responses=problems(changes=True, body=True))
async def api_invite(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Guest]) -> Invited:
    """Invite somebody for seven days. Whoever has the link is let in."""
    made, link = await invite(hub, caller.connection, name=data.name.strip(), rights=data.rights, by=caller.name)
    return _invited(hub, made, link)


@post(
    "/invitations/{invitation:int}/revoke",
    name="api-uninvite",
    status_code=204,
    opt=CHANGES,
    responses=problems(400, 404, changes=True),
)
async def api_uninvite(hub: NamedDependency[Hub], caller: NamedDependency[Caller], invitation: RowNumber) -> None:
    """The link and whoever came by it are let in no more."""
    if not await revoke(hub, caller.connection, invitation, by=caller.name):
        raise NotFoundException()


def _invited(hub: Hub, one: Invitation, link: str | None = None) -> Invited:
    return Invited(
        id=one.id,
        name=one.name,
        rights=one.rights,
        made_by=one.made_by,
        created=moment(one.created),
        expires=moment(one.expires),
        used=moment_or_none(one.used),
        works=one.works(hub.now()),
        link=link,
    )


about_people: tuple[HTTPRouteHandler, ...] = (api_invitations, api_invite, api_uninvite)

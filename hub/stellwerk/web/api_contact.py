"""The JSON API about what a person may do for one contact."""

from __future__ import annotations

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.relay.hub import Hub
from stellwerk.relay.sync_now import sync_now
from stellwerk.web.api_answers import problems
from stellwerk.web.api_key import CHANGES, Caller
from stellwerk.web.limits import SYNCS_NOW, Limits


class Whom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact, by its address or its id at a system."""

    who: Annotated[str, Meta(min_length=1, max_length=320)]


class Requested(Struct, frozen=True, kw_only=True):
    """The systems that the contact is read at. `POST /api/activity` says in `sync_now` what came of it."""

    systems: list[str]


@post(
    "/contact/sync-now",
    name="api-sync-now",
    status_code=202,
    opt=CHANGES,
    responses=problems(422, changes=True, body=True),
)
async def api_sync_now(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], limits: NamedDependency[Limits], data: JSONBody[Whom]
) -> Requested:
    """Have a contact read again at both systems, decided as after any change; thirty times a minute at most."""
    limits.spend(SYNCS_NOW, caller.connection.id)
    systems = await sync_now(hub, caller.connection, who=data.who.strip(), by=caller.name)
    if not systems:
        raise HTTPException(status_code=422, detail="no contact is known by that, and it is no e-mail address")
    return Requested(systems=systems)


about_a_contact: tuple[HTTPRouteHandler, ...] = (api_sync_now,)

"""The JSON API about what a person may do for one contact."""

from __future__ import annotations

from typing import Annotated

from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.relay.asking_again import ask_again
from stellwerk.relay.hub import Hub
from stellwerk.relay.linking import NOT_RUNNING, link_again, unlink
from stellwerk.relay.sync_now import sync_now
from stellwerk.view.asking_again import Asking, as_told
from stellwerk.web.api_answers import problems
from stellwerk.web.api_key import CHANGES, Caller
from stellwerk.web.limits import ASKS_AGAIN, LINKINGS, SYNCS_NOW, Limits
from stellwerk_rules.asking_again import ALLOWED


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


@post(
    "/contact/ask-again",
    name="api-ask-again",
    status_code=202,
    opt=CHANGES,
    responses=problems(404, 409, changes=True, body=True),
)
async def api_ask_again(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], limits: NamedDependency[Limits], data: JSONBody[Whom]
) -> Asking:
    """Ask a contact once more for its last explicit yes, where the rules still allow a mail for it. 409 names what forbids it.

    That a mail did not go out (`ask-unknown`) only a person may say, on the page.
    """
    limits.spend(ASKS_AGAIN, caller.connection.id)
    told = await ask_again(hub, caller.connection, who=data.who.strip(), by=caller.name)
    if told is None:
        raise NotFoundException()
    if told.code != ALLOWED:
        raise ClientException(told.code, status_code=409)
    return as_told(told)


class Pressed(Struct, frozen=True, kw_only=True):
    """What came of it: `unlinked`; `asked-for` (to be linked again once it is read); `done` (it is not unlinked any more, and
    there was nothing to read); `already` (it was so before).
    """

    outcome: str


@post(
    "/contact/unlink",
    name="api-unlink",
    status_code=200,
    opt=CHANGES,
    responses=problems(404, changes=True, body=True),
)
async def api_unlink(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], limits: NamedDependency[Limits], data: JSONBody[Whom]
) -> Pressed:
    """Unlink a contact: nothing of it is carried any more but opt-outs and deletions for privacy, until it is linked again."""
    limits.spend(LINKINGS, caller.connection.id)
    outcome = await unlink(hub, caller.connection, who=data.who.strip(), by=caller.name)
    if outcome is None:
        raise NotFoundException()
    return Pressed(outcome=outcome)


@post(
    "/contact/link-again",
    name="api-link-again",
    status_code=202,
    opt=CHANGES,
    responses=problems(404, 409, changes=True, body=True),
)
async def api_link_again(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], limits: NamedDependency[Limits], data: JSONBody[Whom]
) -> Pressed:
    """Read an unlinked contact again and link it: blanks are filled, nobody is mailed, nothing is granted or moved for it.

    409 where the connection does not run.
    """
    limits.spend(LINKINGS, caller.connection.id)
    outcome = await link_again(hub, caller.connection, who=data.who.strip(), by=caller.name)
    if outcome is None:
        raise NotFoundException()
    if outcome == NOT_RUNNING:
        raise ClientException(outcome, status_code=409)
    return Pressed(outcome=outcome)


about_a_contact: tuple[HTTPRouteHandler, ...] = (api_sync_now, api_ask_again, api_unlink, api_link_again)

"""The JSON API about syncs: a dry run and what it says of each contact, starting, stopping, and how far it is."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from stellwerk.relay import sync
from stellwerk.relay.hub import Hub
from stellwerk.relay.sync import SyncRefused
from stellwerk.view.syncs import ForeseenContacts, Syncs, foreseen_contacts, last_syncs
from stellwerk.web.api_answers import problems
from stellwerk.web.api_key import CHANGES, Caller
from stellwerk.web.pages import mail_title
from stellwerk_rules.model import Permission
from stellwerk_rules.outlook import What

MOST = 1_000


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As if everybody who comes in were asked, or were granted `permission`; by default neither."""

    ask: bool = False
    permission: Permission = Permission.NONE


@get("/sync", name="api-sync", responses=problems())
async def api_sync(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Syncs:
    """The last dry run and the last sync, with how far they are."""
    return await last_syncs(hub, caller.connection)


@get("/sync/contacts", name="api-sync-contacts", responses=problems(400))
async def api_sync_contacts(
    hub: NamedDependency[Hub],
    caller: NamedDependency[Caller],
    after: Annotated[str, QueryParameter(max_length=200)] = "",
    what: FromQuery[What | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 100,
) -> ForeseenContacts:
    """What the last dry run says of each contact, part by part."""
    mail = mail_title(hub, caller.connection)
    return await foreseen_contacts(hub, caller.connection, mail, after=after, what=what, limit=limit)


@post(
    "/sync/dry-run",
    name="api-sync-dry-run",
    status_code=202,
    opt=CHANGES,
    responses=problems(409, changes=True, body=True),
)
async def api_sync_dry_run(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Terms]) -> Syncs:
    """Begin to say of every contact what a sync on these terms would do; nothing is written over there."""
    return await _ordered(hub, caller, sync.dry_run, ask=data.ask, permission=data.permission.value)


@post("/sync/start", name="api-sync-start", status_code=202, opt=CHANGES, responses=problems(409, changes=True))
async def api_sync_start(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Syncs:
    """Do what the last dry run said. One that mails or grants is refused: a person confirms the number, on the page."""
    return await _ordered(hub, caller, sync.start)


@post("/sync/stop", name="api-sync-stop", status_code=200, opt=CHANGES, responses=problems(409, changes=True))
async def api_sync_stop(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Syncs:
    """Nothing more of it is read or sent until it is resumed or cancelled."""
    return await _ordered(hub, caller, sync.stop)


@post("/sync/resume", name="api-sync-resume", status_code=202, opt=CHANGES, responses=problems(409, changes=True))
async def api_sync_resume(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Syncs:
    """Go on where it was stopped."""
    return await _ordered(hub, caller, sync.resume)


@post("/sync/cancel", name="api-sync-cancel", status_code=200, opt=CHANGES, responses=problems(409, changes=True))
async def api_sync_cancel(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Syncs:
    """End it: who is in stays in, who is not stays out."""
    return await _ordered(hub, caller, sync.cancel)


async def _ordered(hub: Hub, caller: Caller, order: Any, **terms: Any) -> Syncs:
    try:
        await order(hub, connection=caller.connection.id, by=caller.name, **terms)
    except SyncRefused as refused:
        raise ClientException(f"{refused} [{refused.code}]", status_code=409) from None
    return await last_syncs(hub, caller.connection)


about_syncs: tuple[HTTPRouteHandler, ...] = (
    api_sync,
    api_sync_contacts,
    api_sync_dry_run,
    api_sync_start,
    api_sync_stop,
    api_sync_resume,
    api_sync_cancel,
)

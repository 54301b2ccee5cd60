"""The JSON API: what the pages show and do, for programs with a token. Described at /schema/openapi.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from stellwerk.errors import DeliveryError, StellwerkError
from stellwerk.relay import connect, holding
from stellwerk.relay.foresight import Foresight, foresight
from stellwerk.relay.forgetting import forget_connection
from stellwerk.relay.hub import Hub
from stellwerk.relay.leaving import OptOutsWait
from stellwerk.relay.operate import State, change_state, end_repair, set_up_again
from stellwerk.relay.rulebook import typed_settings
from stellwerk.store import connections
from stellwerk.store.connections import Changed, Connection
from stellwerk.view.field_table import FieldTable, field_table
from stellwerk.view.finding import Explained, explained
from stellwerk.view.history import Line, history
from stellwerk.view.overview import Overview, overview
from stellwerk.view.parting import Parting, parting
from stellwerk.web.agreement import words_for
from stellwerk.web.api_answers import RowNumber, problems
from stellwerk.web.api_contact import about_a_contact
from stellwerk.web.api_key import CHANGES, Caller, provide_caller
from stellwerk.web.api_letters import about_letters
from stellwerk.web.api_notifications import about_notifications
from stellwerk.web.api_people import about_people
from stellwerk.web.api_person import about_a_person
from stellwerk.web.api_reconcile import about_reconciling
from stellwerk.web.api_sync import about_syncs
from stellwerk.web.limits import Limits
from stellwerk.web.lists import Lists
from stellwerk_rules.settings import check_values
from stellwerk_rules.spec import SettingValue

MOST_BYTES = 100_000


class Conflict(HTTPException):
    """Another version stands than the one that was seen."""

    status_code = 412
    detail = (
        "somebody saved this connection in the meantime; nothing was changed: read it again, and send the ETag of that"
    )


class Unversioned(HTTPException):
    """Which version was seen must be said."""

    status_code = 428
    detail = "nothing was changed: send If-Match with the ETag that GET /api/settings answered, so that nobody is overwritten"


class Refusal(HTTPException):
    """What was sent can be read and is refused."""

    status_code = 422


class Who(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact, by its address or its id at either system."""

    who: Annotated[str, Meta(min_length=1, max_length=320)]


class WantedState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Runs, watches (decides and writes nothing) or rests."""

    state: State


class WantedHold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether everything that mails or grants is stopped; opt-outs, fields and mirrors go on."""

    stopped: bool


class Goodbye(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`anyway`: also while opt-outs are on their way, which somebody then has to carry over by hand."""

    anyway: bool = False


class SettingsShown(Struct, frozen=True, kw_only=True):
    """Every setting with its value. `version` is what If-Match needs, also in the ETag header."""

    version: int
    settings: dict[str, Any]


class Differences(Struct, frozen=True, kw_only=True):
    """What could not be mended over there, by code, subject and text."""

    differences: list[dict[str, str]]


@get("/overview", name="api-overview", responses=problems())
async def api_overview(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Overview:
    """How the connection does, with its repairs."""
    return await overview(hub, caller.connection)


@put("/state", name="api-state", opt=CHANGES, responses=problems(409, 412, changes=True, body=True))
async def api_state(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[WantedState]
) -> Overview:
    """Let it run, watch or rest."""
    _not_in_file(caller)
    try:
        changed = await change_state(hub, caller.connection, data.state, who=caller.name)
    except Changed:
        raise Conflict() from None
    return await overview(hub, changed)


@put("/hold", name="api-hold", opt=CHANGES, responses=problems(412, changes=True, body=True))
async def api_hold(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[WantedHold]) -> Overview:
    """Stop everything of this connection that mails or grants, or let it go on."""
    change = holding.hold if data.stopped else holding.go_on
    try:
        await change(hub, by=caller.name, connection=caller.connection.id)
    except StellwerkError:
        raise Conflict() from None  # ended meanwhile
    stored = await hub.store.read(lambda tx: connections.by_id(tx, caller.connection.id))
    return await overview(hub, stored or caller.connection)


@get("/disconnect", name="api-parting", responses=problems())
async def api_parting(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Parting:
    """What disconnecting would do."""
    return await parting(hub, caller.connection)


@post(
    "/disconnect", name="api-disconnect", status_code=204, opt=CHANGES, responses=problems(409, changes=True, body=True)
)
async def api_disconnect(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Goodbye]) -> None:
    """End the connection; what is kept of it is erased after its days. This token ends with it."""
    _not_in_file(caller)
    try:
        await forget_connection(
            hub, connection=caller.connection.id, by=caller.name, keep_days=True, anyway=data.anyway
        )
    except OptOutsWait as waiting:
        raise ClientException(str(waiting), status_code=409) from None


@post("/set-up", name="api-set-up", status_code=200, opt=CHANGES, responses=problems(502, changes=True))
async def api_set_up(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Differences:
    """Create what is missing over there."""
    try:
        found = await set_up_again(hub, caller.connection)
    except DeliveryError as failed:
        raise HTTPException(status_code=502, detail=failed.code) from None
    return Differences(differences=[{"code": one.code, "subject": one.subject, "text": one.text} for one in found])


@post(
    "/repairs/{repair:int}/end",
    name="api-end-repair",
    status_code=204,
    opt=CHANGES,
    responses=problems(400, 404, changes=True),
)
async def api_end_repair(hub: NamedDependency[Hub], caller: NamedDependency[Caller], repair: RowNumber) -> None:
    """Take a repair off the list; what still fails opens it again."""
    if not await end_repair(hub, caller.connection, repair, by=caller.name):
        raise NotFoundException()


@post("/activity", name="api-activity", status_code=200, responses=problems(body=True))
async def api_activity(hub: NamedDependency[Hub], caller: NamedDependency[Caller], data: JSONBody[Who]) -> Explained:
    """Everything known of one contact and why. By POST, so that no address stands in a URL."""
    return await explained(hub, caller.connection, data.who)


@get("/fields", name="api-fields", responses=problems())
async def api_fields(
    hub: NamedDependency[Hub], caller: NamedDependency[Caller], lists: NamedDependency[Lists]
) -> FieldTable:
    """The file's table with each side's real fields."""
    return await field_table(hub, caller.connection, caller.accounts, await lists.fields(caller.accounts))


@get("/history", name="api-history", responses=problems())
async def api_history(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> list[Line]:
    """Who saved what and when, newest first."""
    return await history(hub, caller.connection)


@get("/settings", name="api-settings", responses=problems())
async def api_settings(hub: NamedDependency[Hub], caller: NamedDependency[Caller]) -> Response[SettingsShown]:
    """Every setting; the ETag names the version."""
    return _settings(hub, caller.connection)


@put("/settings", name="api-save", opt=CHANGES, responses=problems(409, 412, 422, 428, changes=True, body=True))
async def api_save(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    caller: NamedDependency[Caller],
    data: JSONBody[dict[str, Any]],
) -> Response[SettingsShown]:
    """Change the settings named in the body; the others stay. If-Match must name the version that was seen.

    What mails or grants under other words than a person agreed to on the page is refused: a program cannot agree.
    """
    _not_in_file(caller)
    _seen(request, caller.connection)
    plan = hub.book(caller.connection).plan
    values = _read(hub, caller, data)
    words = words_for(hub, plan, values)
    if words is not None and not words.stand_in(caller.connection.agreed):
        raise Refusal(detail="these settings mail or grant: a person has to agree to that on the settings page first")
    plain: dict[str, Any] = msgspec.to_builtins(values)
    fresh = msgspec.structs.replace(caller.connection, settings=plain)
    try:
        return _settings(hub, await connect.save(hub, fresh, who=caller.name))
    except Changed:
        raise Conflict() from None


@post("/foresight", name="api-foresight", status_code=200, responses=problems(422, 502, body=True))
async def api_foresight(
    hub: NamedDependency[Hub],
    caller: NamedDependency[Caller],
    lists: NamedDependency[Lists],
    data: JSONBody[dict[str, Any]],
) -> Foresight:
    """What the settings named in the body, over those that stand, would come to for the last contacts; nothing is saved."""
    book = hub.book(caller.connection)
    values = _read(hub, caller, data)
    account = caller.accounts.get(book.plan.wish_system or "")
    contacts = None if account is None else await lists.newest(account, book)
    plain: dict[str, Any] = msgspec.to_builtins(values)
    seen = None if contacts is None else await foresight(hub, caller.connection, plain, contacts, begun=True)
    if seen is None:
        raise HTTPException(status_code=502, detail="the last contacts cannot be read")
    return seen


def _read(hub: Hub, caller: Caller, data: Mapping[str, Any]) -> dict[str, SettingValue]:
    """The settings that stand with those of the body over them. Raises `Refusal` for what is no value of theirs."""
    plan = hub.book(caller.connection).plan
    stored = typed_settings(plan, caller.connection.settings)
    strange = sorted(str(name)[:80] for name in data.keys() - plan.settings_by_id.keys())
    if strange:
        raise Refusal(detail=f"unknown settings: {', '.join(strange)}")
    try:
        sent = typed_settings(plan, data)
    except msgspec.ValidationError as wrong:
        raise Refusal(detail=str(wrong)) from None
    # Only what was sent: `typed_settings` fills the rest with defaults, which are not what stands.
    values = {**stored, **{name: sent[name] for name in data}}
    problems = check_values(plan, values, {})
    if problems:
        raise Refusal(detail="; ".join(f"{one.setting}: {one.text.en}" for one in problems))
    return values


def _settings(hub: Hub, connection: Connection) -> Response[SettingsShown]:
    values: dict[str, Any] = msgspec.to_builtins(typed_settings(hub.book(connection).plan, connection.settings))
    shown = SettingsShown(version=connection.version, settings=values)
    return Response(content=shown, headers={"etag": _etag(connection)})


def _etag(connection: Connection) -> str:
    # The id is part of it, so that an ETag of one connection says nothing about another.
    return f'"{connection.id}-{connection.version}"'


def _seen(request: Request[Any, Any, Any], connection: Connection) -> None:
    seen = request.headers.get("if-match")
    if seen is None:
        raise Unversioned()
    if seen.strip() != _etag(connection):
        raise Conflict()


def _not_in_file(caller: Caller) -> None:
    if caller.from_file:
        raise ClientException("this connection stands in integration.yaml and is changed there", status_code=409)


handlers: tuple[HTTPRouteHandler, ...] = (
    api_overview,
    api_state,
    api_hold,
    api_parting,
    api_disconnect,
    api_set_up,
    api_end_repair,
    api_activity,
    api_fields,
    api_history,
    api_settings,
    api_save,
    api_foresight,
    *about_letters,
    *about_a_contact,
    *about_a_person,
    *about_notifications,
    *about_people,
    *about_syncs,
    *about_reconciling,
)


def api(lists: Lists, limits: Limits) -> Router:
    """Everything below /api."""
    return Router(
        path="/api",
        route_handlers=list(handlers),
        request_max_body_size=MOST_BYTES,
        dependencies={
            "caller": Provide(provide_caller),
            "lists": Provide(lambda: lists, sync_to_thread=False),
            "limits": Provide(lambda: limits, sync_to_thread=False),
        },
        security=[{"token": []}],
        include_in_schema=True,
    )

"""The operator's page over all connections, behind a link that only a command at the hub's own machine gives."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from msgspec import structs

from stellwerk.relay import holding
from stellwerk.relay.hub import Hub
from stellwerk.relay.operate import end_any_repair
from stellwerk.relay.operator_link import follow, passed
from stellwerk.view.all_connections import AllConnections, OpenRepair, all_connections
from stellwerk.view.moment import moment
from stellwerk.web.credentials import why_code
from stellwerk.web.entry_links import ended, looking
from stellwerk.web.forgery import posted, row_id
from stellwerk.web.limits import Limits
from stellwerk.web.pages import Speaker, page, speaker, system_title
from stellwerk.web.repair_phrases import repair_text
from stellwerk.web.session import enter
from stellwerk.web.visitor import Flash, NotLoggedIn, Visitor, goes_on, keep_visitor

SESSION_SECONDS = 3600.0
LONGEST = 600


def provide_operator(hub: NamedDependency[Hub], visitor: NamedDependency[Visitor]) -> str:
    """Who followed an operator's link in this browser within the hour. Raises `NotLoggedIn`."""
    if visitor.operator is None or hub.now() >= visitor.operator_until:
        raise NotLoggedIn()
    return visitor.operator


@get("/operator/{text:str}", name="operator-link")
async def show_link(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    limits: NamedDependency[Limits],
    text: FromPath[str],
) -> Template:
    """A button; looking uses nothing up."""
    if len(text) > LONGEST or passed(hub, text) is None:
        return ended(request, hub, visitor, limits, "operator-ended")
    return page(request, hub, "operator_link.html", visitor=looking(request, visitor), context={"text": text})


@post("/operator/{text:str}", name="follow-operator-link", status_code=200)
async def follow_link(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    limits: NamedDependency[Limits],
    text: FromPath[str],
) -> Redirect | Template:
    """The link is used up, and this browser is the operator's for an hour; whoever was logged in here is no more."""
    given = passed(hub, text) if len(text) <= LONGEST else None
    if given is None or not await follow(hub, given):
        return ended(request, hub, visitor, limits, "operator-ended")
    operator = Visitor(user=given.by, operator=given.by, operator_until=hub.now() + SESSION_SECONDS)
    await enter(request, hub, visitor, operator)
    return Redirect("/operator", status_code=303)


@get("/operator", name="operator")
async def show_operator(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    operator: NamedDependency[str],
) -> Template:
    """Every connection, what is to be mended anywhere, and how many accounts there are."""
    if visitor.flashes:
        keep_visitor(request, structs.replace(visitor, flashes=()))
    say = speaker(request, visitor)
    shown = await all_connections(hub)
    context = {
        "all": shown,
        "operator": operator,
        "titles": {name: system_title(system) for name, system in hub.systems.items()},
        "repairs": [_repair(hub, say, one) for one in shown.repairs],
        "troubles": _troubles(hub, say, shown),
        "hold_since": None if shown.hold is None else moment(shown.hold.since),
    }
    return page(request, hub, "operator.html", visitor=visitor, context=context)


@post("/operator", name="change-operator", status_code=303)
async def change_operator(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    operator: NamedDependency[str],
) -> Redirect:
    """Stop what mails in the whole hub or let it go on; take a repair off the list."""
    action, _, value = (await posted(request)).get("action", "").partition(":")
    repair = row_id(value)
    say = speaker(request, visitor)
    if action == "stop":
        await holding.hold(hub, by=operator)
        flash = Flash(kind="good", text=say("operator-stopped"))
    elif action == "go-on":
        went = await holding.go_on(hub, by=operator)
        flash = Flash(kind="good" if went else "warning", text=say("operator-went-on" if went else "operator-not-held"))
    elif action == "repaired" and repair is not None:
        ended = await end_any_repair(hub, repair, by=operator)
        flash = Flash(kind="good" if ended else "warning", text=say("repair-ended" if ended else "repair-gone"))
    else:
        raise ClientException("no such action")
    return goes_on(request, visitor, "/operator", flash)


def _troubles(hub: Hub, say: Speaker, shown: AllConnections) -> dict[str, list[str]]:
    """By connection, what keeps its sides from working."""
    return {
        one.id: [
            why_code(say, system_title(hub.systems[side.system]), side.code) for side in one.sides if side.state != "ok"
        ]
        for one in shown.connections
    }


def _repair(hub: Hub, say: Speaker, one: OpenRepair) -> dict[str, object]:
    system = one.place.partition(":")[0]
    title = system_title(hub.systems[system]) if system in hub.systems else hub.integration.title
    text = repair_text(one.code)
    german = say.language == "de"
    return {
        "repair": one,
        "meaning": text.meaning[german].format(system=title),
        "mend": text.mend[german].format(system=title),
    }

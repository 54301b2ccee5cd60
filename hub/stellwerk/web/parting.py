"""Disconnect: what it will do, a person's yes, and what was done."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template

from stellwerk.relay.forgetting import forget_connection
from stellwerk.relay.hub import Hub
from stellwerk.relay.leaving import OptOutsWait
from stellwerk.view.parting import Leaving, Parting, parting
from stellwerk.web.choose import OWN, Here
from stellwerk.web.forgery import posted
from stellwerk.web.form import YES
from stellwerk.web.inside import inside
from stellwerk.web.pages import Speaker, page, speaker, system_title
from stellwerk.web.session import leave


@get("/disconnect", name="disconnect", opt=OWN)
async def show_disconnect(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """What would be done, and the button that does it."""
    return await _page(request, hub, running)


@post("/disconnect", name="change-disconnect", status_code=200, opt=OWN)
async def change_disconnect(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template | Redirect:
    """End the connection, keep what is known for its days, and log out: its login may be gone over there."""
    form = await posted(request)
    if running.from_file:
        raise ClientException("a connection of the file is ended there")
    say = speaker(request, running.visitor)
    if form.get("sure") != YES:
        return await _page(request, hub, running, wrong=say("parting-sure-needed"), status=422)
    shown = await parting(hub, running.connection)
    try:
        await forget_connection(
            hub,
            connection=running.connection.id,
            by=running.by,
            keep_days=True,
            anyway=form.get("anyway") == YES,
        )
    except OptOutsWait:
        return await _page(request, hub, running, wrong=say("parting-opt-outs-wait"), status=422)
    visitor = await leave(request, hub, running.visitor)
    context = {"done": _sentences(hub, say, shown), "erased": shown.erased}
    return page(request, hub, "parted.html", visitor=visitor, context=context, zone=running.zone(hub))


async def _page(
    request: Request[Any, Any, Any], hub: Hub, running: Here, *, wrong: str = "", status: int = 200
) -> Template:
    say = speaker(request, running.visitor)
    shown = await parting(hub, running.connection)
    context = {
        "parting": shown,
        "sentences": _sentences(hub, say, shown),
        "wrong": wrong,
        "sides": [side.name for side in shown.sides],
    }
    return inside(request, hub, "disconnect.html", running, context, status=status)


def _sentences(hub: Hub, say: Speaker, shown: Parting) -> list[str]:
    """What becomes of each side."""
    return [say(_fate(side), system=system_title(hub.systems[side.system]), account=side.name) for side in shown.sides]


def _fate(side: Leaving) -> str:
    if side.shared:
        return "parting-shared"
    if not side.undone:
        return "parting-by-hand"
    return "parting-login" if side.login else "parting-webhooks" if side.webhooks else "parting-credentials"

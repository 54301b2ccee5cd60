"""Dead letters and held changes: grouped by cause, replayed, or ended with a reason."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template
from msgspec import structs

from stellwerk.relay.hub import Hub
from stellwerk.relay.letters import dismiss, release, replay
from stellwerk.view.letters import dead_finder, group_finder, letters
from stellwerk.web.activity import Words
from stellwerk.web.choose import Here
from stellwerk.web.forgery import posted
from stellwerk.web.inside import inside
from stellwerk.web.pages import speaker, system_title
from stellwerk.web.visitor import Flash, keep_visitor


@get("/letters", name="letters")
async def show_letters(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """What was given up and what is held."""
    context = {
        "letters": await letters(hub, running.connection),
        "titles": {name: system_title(system) for name, system in hub.systems.items()},
        "word": Words(speaker(request, running.visitor)),
    }
    return inside(request, hub, "letters.html", running, context)


@post("/letters", name="change-letters", status_code=303)
async def change_letters(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Redirect:
    """Replay one group or all, release one, or end one with a reason."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    one = running.connection
    action, why = form.get("action", ""), form.get("why", "").strip()
    if action == "replay-all":
        flash = Flash(kind="good", text=say("letters-replayed", count=await replay(hub, one, dead_finder(one))))
    elif action == "replay":
        count = await replay(hub, one, group_finder(one, form.get("group", "")))
        flash = Flash(kind="good" if count else "warning", text=say("letters-replayed", count=count))
    elif action == "release":
        count = await release(hub, one, group_finder(one, form.get("group", "")))
        flash = Flash(kind="good" if count else "warning", text=say("letters-released", count=count))
    elif action == "dismiss" and not why:
        flash = Flash(kind="bad", text=say("letters-why-needed"))
    elif action == "dismiss":
        who = running.visitor.user or one.id
        count = await dismiss(hub, one, group_finder(one, form.get("group", "")), who=who, why=why)
        flash = Flash(kind="good" if count else "warning", text=say("letters-dismissed", count=count))
    else:
        raise ClientException("no such action")
    keep_visitor(request, structs.replace(running.visitor, flashes=(flash,)))
    return Redirect("/letters", status_code=303)

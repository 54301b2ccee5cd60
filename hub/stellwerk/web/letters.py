"""Dead letters and held changes: grouped by cause, previewed, replayed, released, or ended with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template
from msgspec import structs

from stellwerk.relay.dead import DELIVERY, EVENT
from stellwerk.relay.hub import Hub
from stellwerk.relay.letters import Find, dismiss, only, release, replay
from stellwerk.view.letters import dead_finder, group_finder, letters
from stellwerk.view.replaying import Preview, replaying
from stellwerk.web.activity import Words
from stellwerk.web.choose import Here
from stellwerk.web.forgery import posted, row_id
from stellwerk.web.inside import inside
from stellwerk.web.limits import PREVIEWS, Limits
from stellwerk.web.pages import Speaker, speaker, system_title
from stellwerk.web.visitor import Flash, goes_on

EVERY = "every"
"""Stands for the key of a group where all dead letters are meant."""


@get("/letters", name="letters")
async def show_letters(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """What was given up and what is held."""
    return await _page(request, hub, running)


@post("/letters", name="change-letters", status_code=200)
async def change_letters(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    running: NamedDependency[Here],
    limits: NamedDependency[Limits],
) -> Template | Redirect:
    """Say what replaying would come to; replay one, one group or all; release; or end one group with a reason."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    action, _, group = form.get("action", "").partition(":")
    if action != "preview":
        flash = await _change(hub, running, say, form)
        return goes_on(request, running.visitor, "/letters", flash)
    group = group or form.get("group", "")
    seconds = limits.wait(PREVIEWS, running.connection.id)
    if seconds is not None:
        flash = Flash(kind="warning", text=say("letters-preview-often", seconds=seconds))
        running = structs.replace(running, visitor=structs.replace(running.visitor, flashes=(flash,)))
        return await _page(request, hub, running, status=429)
    foreseen = await replaying(hub, running.connection, _finder(running, group))
    return await _page(request, hub, running, group=group, foreseen=foreseen)


def _finder(running: Here, group: str) -> Find:
    one = running.connection
    return dead_finder(one) if group == EVERY else group_finder(one, group)


async def _change(hub: Hub, running: Here, say: Speaker, form: Mapping[str, str]) -> Flash:
    one = running.connection
    action, why = form.get("action", ""), form.get("why", "").strip()
    find = group_finder(one, form.get("group", ""))
    if action == "replay-all":
        return Flash(kind="good", text=say("letters-replayed", count=await replay(hub, one, dead_finder(one))))
    if action.startswith(("replay:", "release:")):
        verb, _, letter = action.partition(":")
        what, _, number = letter.partition("-")
        row = row_id(number)
        if what not in (EVENT, DELIVERY) or row is None:
            raise ClientException("no such letter")
        action, find = verb, only(_finder(running, form.get("group", "")), what, row)
    if action == "replay":
        return _counted(say, "letters-replayed", await replay(hub, one, find))
    if action == "release":
        return _counted(say, "letters-released", await release(hub, one, find))
    if action == "dismiss" and not why:
        return Flash(kind="bad", text=say("letters-why-needed"))
    if action == "dismiss":
        count = await dismiss(hub, one, find, who=running.by, why=why)
        return _counted(say, "letters-dismissed", count)
    raise ClientException("no such action")


def _counted(say: Speaker, phrase: str, count: int) -> Flash:
    return Flash(kind="good" if count else "warning", text=say(phrase, count=count))


async def _page(
    request: Request[Any, Any, Any],
    hub: Hub,
    running: Here,
    *,
    group: str = "",
    foreseen: Preview | None = None,
    status: int = 200,
) -> Template:
    context = {
        "letters": await letters(hub, running.connection),
        "titles": {name: system_title(system) for name, system in hub.systems.items()},
        "word": Words(speaker(request, running.visitor), hub),
        "previewed": group,
        "foreseen": foreseen,
        "every": EVERY,
    }
    return inside(request, hub, "letters.html", running, context, status=status)

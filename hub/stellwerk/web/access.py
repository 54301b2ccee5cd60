"""Tokens of the JSON API: made with a name, rights and an end; shown once; revoked."""

from __future__ import annotations

from typing import Any, get_args

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template

from stellwerk.relay.hub import Hub
from stellwerk.store import api_tokens, connections
from stellwerk.store.access import Rights
from stellwerk.store.store import Tx
from stellwerk.view.access import listed
from stellwerk.web.choose import OWN, Here
from stellwerk.web.forgery import posted, row_id
from stellwerk.web.inside import inside
from stellwerk.web.pages import speaker
from stellwerk.web.visitor import Flash, goes_on

DAYS = ("7", "30", "90", "365")
DAY_SECONDS = 86_400.0
LONGEST_NAME = 80
RIGHTS: tuple[Rights, ...] = get_args(Rights)


@get("/access", name="access", opt=OWN)
async def show_access(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """The tokens of this connection."""
    return await _page(request, hub, running)


@post("/access", name="change-access", status_code=200, opt=OWN)
async def change_access(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template | Redirect:
    """Make a token, whose text is in this answer and in no other, or revoke one."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    action, _, number = form.get("action", "").partition(":")
    token = row_id(number)
    if action == "revoke" and token is not None:
        gone = await hub.store.write(lambda tx: _revoked(tx, running, token, hub.now()))
        flash = Flash(kind="good" if gone else "warning", text=say("access-revoked" if gone else "access-gone"))
        return goes_on(request, running.visitor, "/access", flash)
    if action != "make" or form.get("rights") not in RIGHTS or form.get("days") not in DAYS:
        raise ClientException("no such action")
    name = form.get("name", "").strip()[:LONGEST_NAME]
    if not name:
        return await _page(request, hub, running, wrong=say("access-name-needed"), status=422)
    rights: Rights = "change" if form["rights"] == "change" else "view"
    lasts = int(form["days"]) * DAY_SECONDS
    text = await hub.store.write(lambda tx: _made(tx, hub, running, name, rights, lasts))
    return await _page(request, hub, running, text=text)


def _made(tx: Tx, hub: Hub, running: Here, name: str, rights: Rights, lasts: float) -> str:
    """The text of a new token; the history says who made it."""
    one, now = running.connection.id, hub.now()
    connections.note(tx, one, who=running.by, now=now, note=connections.TOKEN_MADE, about=name)
    return api_tokens.add(
        tx, hub.vault, connection=one, name=name, rights=rights, made_by=running.by, now=now, expires=now + lasts
    )


def _revoked(tx: Tx, running: Here, token: int, now: float) -> bool:
    one = running.connection.id
    ended = api_tokens.revoke(tx, one, token, now)
    if ended is not None:
        connections.note(tx, one, who=running.by, now=now, note=connections.TOKEN_REVOKED, about=ended.name)
    return ended is not None


async def _page(
    request: Request[Any, Any, Any], hub: Hub, running: Here, *, text: str = "", wrong: str = "", status: int = 200
) -> Template:
    tokens = await hub.store.read(lambda tx: api_tokens.of_connection(tx, running.connection.id))
    now = hub.now()
    shown = [listed(one, now) for one in tokens]
    context = {"tokens": shown, "text": text, "wrong": wrong, "days": DAYS, "rights": RIGHTS, "url": hub.public_url}
    return inside(request, hub, "access.html", running, context, status=status)

"""People: colleagues invited by a link, to look or also to change, for seven days; revoked at any time."""

from __future__ import annotations

from typing import Any, get_args

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template

from stellwerk.relay.hub import Hub
from stellwerk.relay.inviting import LONGEST_NAME, invite, revoke
from stellwerk.store import invitations
from stellwerk.store.access import Rights
from stellwerk.view.access import listed
from stellwerk.web.choose import OWN, Here
from stellwerk.web.forgery import posted, row_id
from stellwerk.web.inside import inside
from stellwerk.web.pages import login_title, speaker
from stellwerk.web.visitor import Flash, goes_on

RIGHTS: tuple[Rights, ...] = get_args(Rights)


@get("/people", name="people", opt=OWN)
async def show_people(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Who was invited to this connection."""
    return await _page(request, hub, running)


@post("/people", name="change-people", status_code=200, opt=OWN)
async def change_people(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template | Redirect:
    """Invite somebody, whose link is in this answer and in no other, or take an invitation back."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    action, _, number = form.get("action", "").partition(":")
    invitation = row_id(number)
    if action == "revoke" and invitation is not None:
        gone = await revoke(hub, running.connection, invitation, by=running.by)
        flash = Flash(kind="good" if gone else "warning", text=say("people-revoked" if gone else "people-gone"))
        return goes_on(request, running.visitor, "/people", flash)
    if action != "invite" or form.get("rights") not in RIGHTS:
        raise ClientException("no such action")
    name = form.get("name", "").strip()[:LONGEST_NAME]
    if not name:
        return await _page(request, hub, running, wrong=say("people-name-needed"), status=422)
    rights: Rights = "change" if form["rights"] == "change" else "view"
    _, link = await invite(hub, running.connection, name=name, rights=rights, by=running.by)
    return await _page(request, hub, running, link=link, invited=name)


async def _page(
    request: Request[Any, Any, Any],
    hub: Hub,
    running: Here,
    *,
    link: str = "",
    invited: str = "",
    wrong: str = "",
    status: int = 200,
) -> Template:
    found = await hub.store.read(lambda tx: invitations.of_connection(tx, running.connection.id))
    now = hub.now()
    shown = [listed(one, now) for one in found]
    context = {
        "people": shown,
        "link": link,
        "invited": invited,
        "wrong": wrong,
        "rights": RIGHTS,
        "login": login_title(hub),
    }
    return inside(request, hub, "people.html", running, context, status=status)

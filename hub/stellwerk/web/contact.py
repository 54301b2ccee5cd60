"""What a person may do for one contact, under Activity.

The contact is named in the body, as it is looked for under Activity.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Template

from stellwerk.relay.asking_again import TO_BE_DONE, ask_again
from stellwerk.relay.hub import Hub
from stellwerk.relay.linking import NOT_RUNNING, link_again, unlink
from stellwerk.relay.sync_now import sync_now
from stellwerk.web.activity import LONGEST, activity_page
from stellwerk.web.choose import Here
from stellwerk.web.forgery import posted
from stellwerk.web.inside import inside
from stellwerk.web.limits import ASKS_AGAIN, LINKINGS, SYNCS_NOW, Limits
from stellwerk.web.pages import speaker, system_title
from stellwerk_rules.asking_again import ALLOWED

ACTIONS = frozenset({"sync-now", "ask-again", "ask-again-not-sent", "unlink-ask", "unlink", "link-again"})
LIMITS = {"sync-now": SYNCS_NOW, "unlink": LINKINGS, "link-again": LINKINGS}


@get("/activity/contact", name="contact")
async def show_contact(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Whom? A page that was sent a name forgets it when it is opened anew."""
    return await activity_page(request, hub, running, "")


@post("/activity/contact", name="change-contact", status_code=200)
async def change_contact(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    running: NamedDependency[Here],
    limits: NamedDependency[Limits],
) -> Template:
    """Do it, and show the contact; or first say what it would do."""
    form = await posted(request)
    who = form.get("who", "").strip()[:LONGEST]
    action = form.get("action", "")
    if action not in ACTIONS or not who:
        raise ClientException("no such action")
    say = speaker(request, running.visitor)
    if action == "unlink-ask":
        titles = [system_title(system) for system in hub.systems.values()]
        return inside(request, hub, "unlink.html", running, {"who": who, "titles": titles})
    seconds = limits.wait(LIMITS.get(action, ASKS_AGAIN), running.connection.id)
    if seconds is not None:
        wrong = say("contact-often", seconds=seconds)
        return await activity_page(request, hub, running, who, wrong=wrong, status=429)
    if action in ("unlink", "link-again"):
        return await _linked(request, hub, running, who, action)
    if action == "sync-now":
        if not await sync_now(hub, running.connection, who=who, by=running.by):
            return await activity_page(request, hub, running, who, wrong=say("sync-now-unknown"), status=422)
        return await activity_page(request, hub, running, who, good=say("sync-now-asked"))
    not_sent = action == "ask-again-not-sent"
    told = await ask_again(hub, running.connection, who=who, by=running.by, did_not_go_out=not_sent)
    if told is None or told.code not in (ALLOWED, TO_BE_DONE):
        wrong = say("ask-again-nobody" if told is None else "ask-again-not")
        return await activity_page(request, hub, running, who, wrong=wrong, status=409)
    good = say("ask-again-asked" if told.code == ALLOWED else "ask-again-already")
    return await activity_page(request, hub, running, who, good=good)


async def _linked(request: Request[Any, Any, Any], hub: Hub, running: Here, who: str, action: str) -> Template:
    say = speaker(request, running.visitor)
    press = unlink if action == "unlink" else link_again
    told = await press(hub, running.connection, who=who, by=running.by)
    if told is None or told == NOT_RUNNING:
        wrong = say("linking-nobody" if told is None else "link-again-not-running")
        return await activity_page(request, hub, running, who, wrong=wrong, status=409)
    return await activity_page(request, hub, running, who, good=say(f"{action}-told-{told}"))

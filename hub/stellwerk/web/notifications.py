"""Notifications: which named people are told of repairs, by e-mail or by a webhook, and a test message to each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template

from stellwerk.relay.hub import Hub
from stellwerk.relay.recipients import LONGEST_NAME, LONGEST_TO, NotTaken, add, is_name, remove, try_out
from stellwerk.store.recipients import Kind, Recipient
from stellwerk.view.recipients import told
from stellwerk.web.choose import Here
from stellwerk.web.forgery import posted, row_id
from stellwerk.web.inside import inside
from stellwerk.web.limits import NOTIFICATION_TESTS, Limits
from stellwerk.web.pages import Speaker, speaker
from stellwerk.web.visitor import Flash, goes_on

KINDS: Mapping[str, Kind] = {"email": "email", "webhook": "webhook"}


@get("/notifications", name="notifications")
async def show_notifications(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Who is told, and how the last message fared."""
    return await _page(request, hub, running)


@post("/notifications", name="change-notifications", status_code=200)
async def change_notifications(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    running: NamedDependency[Here],
    limits: NamedDependency[Limits],
) -> Template | Redirect:
    """Add somebody (the secret of a webhook is in this answer and in no other), remove somebody, or send a test message."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    action, _, number = form.get("action", "").partition(":")
    if action == "add":
        return await _add(request, hub, running, form, say)
    one = row_id(number)
    if action not in ("remove", "test") or one is None:
        raise ClientException("no such action")
    if action == "remove":
        gone = await remove(hub, running.connection, one, by=running.by)
        flash = Flash(kind="good" if gone else "warning", text=say("told-removed" if gone else "told-gone"))
    elif limits.wait(NOTIFICATION_TESTS, running.connection.id) is not None:
        flash = Flash(kind="warning", text=say("told-test-often"))
    else:
        sent = await try_out(hub, running.connection, one)
        flash = Flash(kind="good" if sent else "warning", text=say("told-tested" if sent else "told-gone"))
    return goes_on(request, running.visitor, "/notifications", flash)


async def _add(
    request: Request[Any, Any, Any], hub: Hub, running: Here, form: Mapping[str, str], say: Speaker
) -> Template:
    kind = KINDS.get(form.get("kind", ""))
    if kind is None:
        raise ClientException("no such kind")
    name, to = form.get("name", "").strip()[:LONGEST_NAME], form.get("to", "").strip()[: LONGEST_TO + 1]
    if not is_name(name):
        return await _page(request, hub, running, typed=form, wrong=say("told-name-needed"), about="name", status=422)
    try:
        made = await add(hub, running.connection, name=name, kind=kind, to=to, language=say.language, by=running.by)
    except NotTaken as refused:
        wrong = say(f"told-wrong-{refused.code}")
        return await _page(request, hub, running, typed=form, wrong=wrong, about="to", status=422)
    return await _page(request, hub, running, made=made)


async def _page(
    request: Request[Any, Any, Any],
    hub: Hub,
    running: Here,
    *,
    typed: Mapping[str, str] | None = None,
    made: Recipient | None = None,
    wrong: str = "",
    about: str = "",
    status: int = 200,
) -> Template:
    typed = typed or {}
    context = {
        "told": await told(hub, running.connection),
        "made": made,
        "typed": {name: typed.get(name, "") for name in ("name", "kind", "to")},
        "wrong": wrong,
        "about": about,
        "mails": hub.integration.hub.smtp is not None,
        "internal": hub.integration.hub.notify_internal,
    }
    return inside(request, hub, "notifications.html", running, context, status=status)

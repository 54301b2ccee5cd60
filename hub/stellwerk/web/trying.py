"""Try it with my address: one button sends it the whole way, and each step lights up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage, Template
from msgspec import structs

from stellwerk.errors import DeliveryError
from stellwerk.relay.hub import Hub
from stellwerk.relay.trying import can_try, try_address
from stellwerk.view.trying import How, Stage, Way, way_of
from stellwerk.web.activity import Words
from stellwerk.web.choose import Here
from stellwerk.web.credentials import why
from stellwerk.web.forgery import posted
from stellwerk.web.inside import inside
from stellwerk.web.limits import TRIES, Limits
from stellwerk.web.pages import Speaker, speaker, system_title
from stellwerk.web.times import as_text
from stellwerk.web.visitor import Flash, Trying, keep_visitor

LONGEST = 254
LOOK_SECONDS = 0.5
A_STREAM_SECONDS = 10.0
"""A browser asks for the next by itself; a hub that is to end does not wait longer than this for one that looks on."""
ADDRESS = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\"]+\.[^\s@,;<>()\"]+")
EXPLAINED = frozenset({("told", How.NOW), ("confirmed", How.NOW)})


@get("/try", name="try")
async def show_try(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """The form, or how far the address has come that is watched."""
    return await _page(request, hub, running)


@post("/try", name="change-try", status_code=200)
async def change_try(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    running: NamedDependency[Here],
    limits: NamedDependency[Limits],
) -> Template | Redirect:
    """Create the contact and watch it, only watch, or stop watching."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    action, email = form.get("action", ""), form.get("email", "").strip()[: LONGEST + 1]
    if action == "end":
        keep_visitor(request, structs.replace(running.visitor, trying=None, flashes=()))
        return Redirect("/try", status_code=303)
    if action not in ("create", "watch") or (action == "create" and not can_try(hub, running.connection)):
        raise ClientException("no such action")
    if len(email) > LONGEST or not ADDRESS.fullmatch(email):
        return await _page(request, hub, running, typed=email, wrong=say("try-email-wrong"), status=422)
    watched = Trying(connection=running.connection.id, email=email)
    flashes: tuple[Flash, ...] = ()
    if action == "create":
        if not _goes(running):
            return await _page(request, hub, running, typed=email, wrong=say("try-rests"), status=422)
        if limits.wait(TRIES, running.connection.id) is not None:
            return await _page(request, hub, running, typed=email, wrong=say("try-often"), status=429)
        source = _titles(hub, running)["source"]
        try:
            tried = await try_address(hub, running.connection, email)
        except DeliveryError as failed:
            wrong = say("try-failed", reason=why(say, source, failed))
            return await _page(request, hub, running, typed=email, wrong=wrong, status=422)
        watched = structs.replace(watched, contact=tried.id)
        kind, key = ("good", "try-created") if tried.new else ("warning", "try-stood")
        flashes = (Flash(kind=kind, text=say(key, system=source)),)
    keep_visitor(request, structs.replace(running.visitor, trying=watched, flashes=flashes))
    return Redirect("/try", status_code=303)


@get("/try/progress", name="try-progress")
async def try_progress(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> ServerSentEvent:
    """The steps, each time that one of them changes; `over` once nothing more is to come."""
    return ServerSentEvent(_events(hub, running, speaker(request, running.visitor)))


async def _events(hub: Hub, running: Here, say: Speaker) -> AsyncIterator[ServerSentEventMessage]:
    loop = asyncio.get_running_loop()
    until = loop.time() + A_STREAM_SECONDS
    watched, titles = _watched(running), _titles(hub, running)
    told: list[dict[str, str]] = []
    while watched is not None:
        way = await way_of(hub, running.connection, watched.email, watched.contact)
        stages = _shown(hub, say, way, titles)
        if stages != told:
            told = stages
            yield ServerSentEventMessage(event="way", data=msgspec.json.encode(told).decode(), retry=500)
        if way.ended:
            arrived = "true" if _arrived(way) else "false"
            yield ServerSentEventMessage(event="over", data=f'{{"arrived": {arrived}}}')
            return
        if loop.time() >= until:
            return
        await asyncio.sleep(LOOK_SECONDS)
    yield ServerSentEventMessage(event="over", data="{}")


def _arrived(way: Way) -> bool:
    return all(stage.how is How.DONE for stage in way.stages)


def _watched(running: Here) -> Trying | None:
    """What this visitor watches of the connection that is shown."""
    watched = running.visitor.trying
    return watched if watched is not None and watched.connection == running.connection.id else None


async def _page(
    request: Request[Any, Any, Any], hub: Hub, running: Here, *, typed: str = "", wrong: str = "", status: int = 200
) -> Template:
    say = speaker(request, running.visitor)
    titles = _titles(hub, running)
    watched = None if wrong else _watched(running)
    way = None if watched is None else await way_of(hub, running.connection, watched.email, watched.contact)
    context = {
        "titles": titles,
        "email": typed if watched is None else watched.email,
        "wrong": wrong,
        "watched": watched is not None,
        "stages": [] if way is None else _shown(hub, say, way, titles),
        "ended": way is None or way.ended,
        "arrived": way is not None and _arrived(way),
        "goes": _goes(running),
        "can_create": can_try(hub, running.connection),
    }
    return inside(request, hub, "try.html", running, context, status=status)


def _goes(running: Here) -> bool:
    one = running.connection
    return one.state == "runs" and one.on_hold is None and one.began is not None


def _titles(hub: Hub, running: Here) -> dict[str, str]:
    plan = hub.book(running.connection).plan
    named = {"source": plan.wish_system or "", "target": plan.mail_system or ""}
    return {name: system_title(hub.systems[one]) if one in hub.systems else "" for name, one in named.items()}


def _shown(hub: Hub, say: Speaker, way: Way, titles: dict[str, str]) -> list[dict[str, str]]:
    word = Words(say, hub)

    def about(stage: Stage) -> str:
        if stage.because is not None:
            return as_text(word.reason(stage.because.code, stage.because.text))
        if stage.trouble:
            return as_text(word.reason(stage.trouble, ""))
        return say(f"way-{stage.code}-now") if (stage.code, stage.how) in EXPLAINED else ""

    return [
        {
            "how": stage.how.value,
            "text": say(f"way-{stage.code}", **titles),
            "word": say(f"how-{stage.how.value}"),
            "about": about(stage),
        }
        for stage in way.stages
    ]

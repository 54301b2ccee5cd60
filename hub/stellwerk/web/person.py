"""What one person may ask of us: the history of their consent, to be printed or saved, and to be forgotten.

The address is sent in the body, as it is looked for under Activity.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from msgspec import structs

from stellwerk.relay.forgetting import erase_person
from stellwerk.relay.hub import Hub
from stellwerk.store.erasure import OnItsWay
from stellwerk.view.proof import Exported, export
from stellwerk.web.activity import LONGEST, Words
from stellwerk.web.choose import LOOKS, OWN, Here
from stellwerk.web.forgery import posted
from stellwerk.web.inside import inside
from stellwerk.web.pages import Speaker, speaker, system_title
from stellwerk.web.visitor import Flash, goes_on
from stellwerk_rules.model import EventKind

JSON = "application/json"
FILE = "consent.json"
"""Name of what is saved: an address in it would stand in the history of whatever the browser does with files."""


@get("/activity/consent", name="consent")
async def show_consent(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Whose history?"""
    return _consent_page(request, hub, running, "", None)


@post("/activity/consent", name="print-consent", status_code=200, opt=LOOKS)
async def print_consent(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template | Response[bytes]:
    """The history of one address, as a page to print or as JSON to save."""
    form = await posted(request)
    who = form.get("who", "").strip()[:LONGEST]
    if "@" not in who:
        say = speaker(request, running.visitor)
        wrong = say("person-address-needed")
        return _consent_page(request, hub, running, who, None, wrong=wrong, status=422)
    known = await export(hub, running.connection, who, running.by)
    if form.get("action") == "save":
        saved = msgspec.json.format(msgspec.json.encode(known), indent=2)
        headers = {"content-disposition": f'attachment; filename="{FILE}"'}
        return Response(content=saved, media_type=JSON, headers=headers)
    return _consent_page(request, hub, running, who, known)


def _consent_page(
    request: Request[Any, Any, Any],
    hub: Hub,
    running: Here,
    who: str,
    known: Exported | None,
    *,
    wrong: str = "",
    status: int = 200,
) -> Template:
    titles = {name: system_title(system) for name, system in hub.systems.items()}
    word = Words(speaker(request, running.visitor), hub)
    context = {"who": who, "known": known, "wrong": wrong, "titles": titles, "word": word}
    return inside(request, hub, "consent.html", running, context, status=status)


@get("/activity/erase", name="erase", opt=OWN)
async def show_erase(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Whom, and what it would do."""
    return _erase_page(request, hub, running, "")


@post("/activity/erase", name="change-erase", status_code=200, opt=OWN)
async def change_erase(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template | Redirect:
    """Say what it would do, or do it once the address was typed twice."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    who = form.get("who", "").strip()[:LONGEST]
    if form.get("action") != "erase":
        return _erase_page(request, hub, running, who)
    if "@" not in who:
        return _erase_page(request, hub, running, who, wrong=say("person-address-needed"), status=422)
    if hub.vault.address(form.get("again", "")) != hub.vault.address(who):
        return _erase_page(request, hub, running, who, wrong=say("erase-again-differs"), status=422)
    try:
        gone = await erase_person(hub, running.connection, address=who, by=running.by)
    except OnItsWay:
        return _erase_page(request, hub, running, who, wrong=say("erase-on-its-way"), status=409)
    done = say("erase-done", contacts=gone.contacts, events=gone.events, changes=gone.changes, reasons=gone.reasons)
    flash = Flash(kind="good", text=done) if gone else Flash(kind="warning", text=say("erase-nothing"))
    return goes_on(request, structs.replace(running.visitor, trying=None), "/activity", flash)


def _erase_page(
    request: Request[Any, Any, Any], hub: Hub, running: Here, who: str, *, wrong: str = "", status: int = 200
) -> Template:
    say = speaker(request, running.visitor)
    context = {"who": who, "wrong": wrong, "sides": _both_sides(hub, running, say)}
    return inside(request, hub, "erase.html", running, context, status=status)


def _both_sides(hub: Hub, running: Here, say: Speaker) -> list[str]:
    """What becomes of the person at each system, by what the rules say of a deletion for privacy there."""
    titles = {name: system_title(system) for name, system in hub.systems.items()}
    erasing = [one.spec for one in hub.book(running.connection).plan.rules if EventKind.ERASED in one.spec.events]
    told = [say("erase-leads", system=titles[one.from_], target=titles[one.to]) for one in erasing]
    return [*(say("erase-there", system=title) for title in titles.values()), *told]

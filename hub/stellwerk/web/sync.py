"""The page of the initial sync: a dry run, what it says of everybody, the number confirmed, and how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage, Template

from stellwerk.relay import sync
from stellwerk.relay.hub import Hub
from stellwerk.relay.sync import SyncRefused
from stellwerk.store.connections import Connection
from stellwerk.view.syncs import Syncs, SyncStatus, foreseen_contacts, last_syncs
from stellwerk.web.activity import Words
from stellwerk.web.choose import Here
from stellwerk.web.forgery import posted
from stellwerk.web.inside import inside
from stellwerk.web.pages import Speaker, mail_title, speaker
from stellwerk.web.visitor import Flash, goes_on
from stellwerk_rules.model import Permission
from stellwerk_rules.outlook import CONFIRMED, What
from stellwerk_rules.permission import grantable

A_PAGE = 50
LOOK_SECONDS = 1.0
A_STREAM_SECONDS = 10.0
"""A browser asks for the next by itself; a hub that is to end does not wait longer than this for one that looks on."""


@get("/sync", name="sync")
async def show_sync(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """Where it stands: nothing yet, a dry run and what it said, or a sync and how far it is."""
    say = speaker(request, running.visitor)
    one = running.connection
    known = await last_syncs(hub, one)
    after, what = request.query_params.get("after", "")[:200], _what(request.query_params.get("what", ""))
    mail = mail_title(hub, one)
    contacts = None
    if known.dry_run is not None and known.dry_run.state == "done":
        contacts = await foreseen_contacts(hub, one, mail, after=after, what=what, limit=A_PAGE)
    startable = known.dry_run is not None and known.dry_run.state == "done" and _is_last(known)
    context = {
        "syncs": known,
        "now": known.now,
        "now_text": "" if known.now is None else progress_text(say, known.now),
        "contacts": contacts,
        "after": after,
        "what": what,
        "whats": list(What),
        "startable": startable,
        "number": 0 if known.dry_run is None else sum(known.dry_run.counts.get(one.value, 0) for one in CONFIRMED),
        "permissions": _grantable(one),
        "mail": mail,
        "word": Words(say, hub),
    }
    return inside(request, hub, "sync.html", running, context)


@post("/sync", name="change-sync", status_code=303)
async def change_sync(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Redirect:
    """Begin a dry run, start with the number, stop, resume or cancel."""
    form = await posted(request)
    say = speaker(request, running.visitor)
    about: dict[str, Any] = {"connection": running.connection.id, "by": running.by}
    action, terms = form.get("action", ""), form.get("terms", "none")
    try:
        if action == "dry-run":
            ask = terms == "ask"
            await sync.dry_run(hub, ask=ask, permission="none" if ask else terms[:40], **about)
        elif action == "start":
            await sync.start(hub, **await _numbers(hub, running.connection, form.get("number", "")), **about)
        elif action in ("stop", "resume", "cancel"):
            await {"stop": sync.stop, "resume": sync.resume, "cancel": sync.cancel}[action](hub, **about)
        else:
            raise ClientException("no such action")
        flash = Flash(kind="good", text=say(f"sync-done-{action}"))
    except SyncRefused as refused:
        flash = Flash(kind="warning", text=say(f"sync-refused-{refused.code}", **refused.values))
    return goes_on(request, running.visitor, "/sync", flash)


@get("/sync/progress", name="sync-progress")
async def sync_progress(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> ServerSentEvent:
    """How far it is, once a second while this lasts; `over` once nothing is going on."""
    return ServerSentEvent(_events(hub, running.connection, speaker(request, running.visitor)))


async def _events(hub: Hub, connection: Connection, say: Speaker) -> AsyncIterator[ServerSentEventMessage]:
    loop = asyncio.get_running_loop()
    until = loop.time() + A_STREAM_SECONDS
    while True:
        now = (await last_syncs(hub, connection)).now
        if now is None or now.state != "running":
            yield ServerSentEventMessage(event="over", data="{}")
            return
        told = {"contacts": now.contacts, "total": now.total, "text": progress_text(say, now)}
        yield ServerSentEventMessage(event="progress", data=msgspec.json.encode(told).decode(), retry=1000)
        if loop.time() >= until:
            return
        await asyncio.sleep(LOOK_SECONDS)


def progress_text(say: Speaker, now: SyncStatus) -> str:
    """How far it is, as a sentence."""
    seen = say("sync-seen-of" if now.total is not None else "sync-seen", contacts=now.contacts, total=now.total or 0)
    return f"{seen} {say('sync-under-way', count=now.under_way)}" if now.kind == "sync" else seen


async def _numbers(hub: Hub, connection: Connection, typed: str) -> dict[str, Any]:
    """What was typed, as the number of mails or of grants: whichever the dry run counted."""
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    dry = (await last_syncs(hub, connection)).dry_run
    return {"grant" if dry is not None and dry.counts.get(What.GRANTED.value) else "ask": number}


def _is_last(known: Syncs) -> bool:
    """Whether no sync followed the dry run."""
    return known.dry_run is not None and (known.sync is None or known.sync.run < known.dry_run.run)


def _what(text: str) -> What | None:
    return next((one for one in What if one.value == text), None)


def _grantable(one: Connection) -> list[Permission]:
    """What may be granted as things were agreed to."""
    every = (Permission.SINGLE, Permission.CONFIRMED, Permission.DOUBLE, Permission.DOUBLE_PLUS)
    return [wanted for wanted in every if grantable(wanted, one.agreed) is wanted]

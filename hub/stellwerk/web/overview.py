"""The overview: how the connection does, whom it asked, and what a person has to mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template

from stellwerk.errors import DeliveryError, StellwerkError
from stellwerk.relay import holding
from stellwerk.relay.hub import Hub
from stellwerk.relay.operate import State, change_state, end_repair, set_up_again
from stellwerk.relay.scopes import NOT_GRANTED
from stellwerk.store.accounts import AccountRow
from stellwerk.store.connections import Changed
from stellwerk.view.overview import Repair, Side, overview
from stellwerk.view.syncs import last_syncs
from stellwerk.web.choose import Here
from stellwerk.web.credentials import why_code, why_there
from stellwerk.web.forgery import posted, row_id
from stellwerk.web.inside import inside
from stellwerk.web.pages import Speaker, speaker, system_title
from stellwerk.web.repair_phrases import repair_text
from stellwerk.web.repair_text import Button
from stellwerk.web.scopes import shown_scopes
from stellwerk.web.visitor import Flash, goes_on

STATES: tuple[State, ...] = get_args(State)
NO_BUTTON: Button = "none"


@get("/overview", name="overview")
async def show_overview(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Template:
    """What stands at this moment."""
    say = speaker(request, running.visitor, running.zone(hub))
    shown = await overview(hub, running.connection)
    return inside(
        request,
        hub,
        "overview.html",
        running,
        {
            "overview": shown,
            "titles": {name: system_title(system) for name, system in hub.systems.items()},
            "never_synced": (await last_syncs(hub, running.connection)).sync is None,
            "sides": [_side(hub, say, side) for side in shown.sides],
            "repairs": [
                _repair(hub, say, one, running.accounts, may_watch=shown.state == "runs" and not running.from_file)
                for one in shown.repairs
            ],
            "held": sum(side.changes.get("held", 0) for side in shown.sides),
            "dead": sum(side.changes.get("dead", 0) + side.events.get("dead", 0) for side in shown.sides),
            "other_states": [state for state in STATES if state != shown.state and not running.from_file],
        },
    )


@post("/overview", name="change-overview", status_code=303)
async def change_overview(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], running: NamedDependency[Here]
) -> Redirect:
    """Let it run, watch or rest; stop what mails or let it go on; set up again; end a repair."""
    action, _, value = (await posted(request)).get("action", "").partition(":")
    repair = row_id(value)
    say = speaker(request, running.visitor)
    if action == "state" and value in STATES and not running.from_file:
        flash = await _change_state(hub, running, value, say)
    elif action in ("stop", "go-on"):
        flash = await _hold(hub, running, stop=action == "stop", say=say)
    elif action == "set-up":
        flash = await _set_up(hub, running, say)
    elif action == "repaired" and repair is not None:
        ended = await end_repair(hub, running.connection, repair, by=running.by)
        flash = Flash(kind="good" if ended else "warning", text=say("repair-ended" if ended else "repair-gone"))
    else:
        raise ClientException("no such action")
    return goes_on(request, running.visitor, "/overview", flash)


async def _change_state(hub: Hub, running: Here, state: State, say: Speaker) -> Flash:
    try:
        await change_state(hub, running.connection, state, who=running.by)
    except Changed:
        return Flash(kind="warning", text=say("state-changed-meanwhile"))
    return Flash(kind="good", text=say(f"state-{state}-now"))


async def _hold(hub: Hub, running: Here, *, stop: bool, say: Speaker) -> Flash:
    change = holding.hold if stop else holding.go_on
    try:
        await change(hub, by=running.by, connection=running.connection.id)
    except StellwerkError:
        return Flash(kind="warning", text=say("state-changed-meanwhile"))
    return Flash(kind="good", text=say("state-stopped-now" if stop else "state-went-on-now"))


async def _set_up(hub: Hub, running: Here, say: Speaker) -> Flash:
    try:
        found = await set_up_again(hub, running.connection)
    except DeliveryError as failed:
        return Flash(kind="warning", text=say("set-up-failed", reason=why_there(hub, say, failed)))
    return Flash(kind="warning", text=say("set-up-differs")) if found else Flash(kind="good", text=say("set-up-good"))


def _side(hub: Hub, say: Speaker, side: Side) -> dict[str, object]:
    title = system_title(hub.systems[side.system])
    good = side.state == "ok"
    if good:
        sentence = say("side-works")
    elif side.state == "paused":
        sentence = say("side-paused", until=say.when.at(side.paused_until), reason=why_code(say, title, side.code))
    else:
        sentence = say("account-waits", system=title, reason=why_code(say, title, side.code))
    return {
        "title": title,
        "name": side.name,
        "good": good,
        "sentence": sentence,
        "events": side.events.get("waiting", 0),
        "changes": sum(side.changes.get(state, 0) for state in ("waiting", "sent", "parked")),
    }


def _repair(
    hub: Hub, say: Speaker, repair: Repair, rows: Mapping[str, AccountRow], *, may_watch: bool
) -> dict[str, object]:
    """The repair in the visitor's language, with where a button leads: a link, or an action of this page."""
    system = repair.place.partition(":")[0]
    title = system_title(hub.systems[system]) if system in hub.systems else hub.integration.title
    text = repair_text(repair.code)
    german = say.language == "de"
    links = {
        "login": f"{hub.public_url}/login/{hub.integration.login}",
        "key": "/settings#account-heading",
        "settings": "/settings",
        "letters": "/letters",
        "held": "/letters#held",
    }
    at_login = system == hub.integration.login
    button = ("login" if at_login else "key") if text.button in ("login", "key") else text.button
    if button == "watch" and not may_watch:
        button = NO_BUTTON
    return {
        "repair": repair,
        "scopes": shown_scopes(hub, say, rows[system]) if repair.code == NOT_GRANTED and system in rows else (),
        "place": title,
        "meaning": text.meaning[german].format(system=title),
        "mend": say("scopes-mend-shared")
        if repair.code == NOT_GRANTED and not repair.closable
        else text.mend[german].format(system=title),
        "button": "" if button == NO_BUTTON else "state:watches" if button == "watch" else button,
        "link": links.get(button, ""),
        "label": "" if button == NO_BUTTON else say(f"repair-button-{button}"),
    }

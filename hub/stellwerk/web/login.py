"""Routes of the login: the first page, to the system and back, and the way out."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from msgspec import structs

from stellwerk.relay.clock_there import ask_zone
from stellwerk.relay.hub import Hub, System
from stellwerk.web import oauth
from stellwerk.web.choose import first_connection
from stellwerk.web.limits import LOGINS, Limits, caller
from stellwerk.web.oauth import LoginFailed, Return, UsedStates
from stellwerk.web.pages import login_title, page, speaker, system_title
from stellwerk.web.session import enter, leave
from stellwerk.web.visitor import Visitor, keep_visitor


@get("/", name="home")
async def home(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], visitor: NamedDependency[Visitor]
) -> Template:
    """The login page."""
    if visitor.flashes:
        keep_visitor(request, structs.replace(visitor, flashes=()))
    login = hub.integration.login
    usable = login is not None and oauth.login_system(hub, login) is not None
    return page(
        request,
        hub,
        "login.html",
        visitor=visitor,
        context={
            "login_title": login_title(hub) if usable else None,
            # On the address that the login comes back to: a cookie for 127.0.0.1 is none for localhost.
            "login_url": f"{hub.public_url}/login/{login}",
        },
    )


@get("/login/{name:str}", name="login")
async def go(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    limits: NamedDependency[Limits],
    name: FromPath[str],
) -> Redirect:
    """To the system's own page, where people log in and grant access."""
    limits.spend(LOGINS, caller(request))
    visitor, url = oauth.begin(hub, _system(hub, name), visitor)
    keep_visitor(request, visitor)
    return Redirect(url, status_code=303)


@get("/oauth/{name:str}/callback", name="oauth-callback")
async def come_back(
    request: Request[Any, Any, Any],
    hub: NamedDependency[Hub],
    visitor: NamedDependency[Visitor],
    used_states: NamedDependency[UsedStates],
    limits: NamedDependency[Limits],
    name: FromPath[str],
) -> Template | Redirect:
    """From the system's page: logged in, or a sentence that says why not."""
    system = _system(hub, name)
    back = Return(**{key: request.query_params.get(key, "") for key in Return.__struct_fields__})
    visitor, begun = oauth.take_begun(visitor, system, used_states, back.state, hub.now())
    keep_visitor(request, visitor)
    try:
        account, user = await oauth.finish(hub, system, begun, back)
    except LoginFailed as failed:
        limits.refused(request)
        return _sentence(request, hub, system, visitor, failed)
    await ask_zone(hub, account)
    connection, first_page = await first_connection(hub, account)
    await enter(request, hub, visitor, Visitor(account=account, user=user, connection=connection))
    return Redirect(first_page, status_code=303)


@post("/logout", name="logout")
async def log_out(
    request: Request[Any, Any, Any], hub: NamedDependency[Hub], visitor: NamedDependency[Visitor]
) -> Redirect:
    """Forget who is here."""
    await leave(request, hub, visitor)
    return Redirect("/", status_code=303)


def _system(hub: Hub, name: str) -> System:
    system = oauth.login_system(hub, name)
    if system is None:
        raise NotFoundException()
    return system


def _sentence(
    request: Request[Any, Any, Any], hub: Hub, system: System, visitor: Visitor, failed: LoginFailed
) -> Template:
    say = speaker(request, visitor)
    return page(
        request,
        hub,
        "problem.html",
        visitor=structs.replace(visitor, account=None),
        status=failed.status,
        context={
            "sentence": say(failed.phrase, system=system_title(system), code=failed.code),
            "again": f"{hub.public_url}/login/{system.name}",
            "again_label": say("log-in-with", system=system_title(system)),
        },
    )

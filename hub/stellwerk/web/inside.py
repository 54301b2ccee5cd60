"""Pages of a connection that is set up: the way from one to the other, and what the last action has to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.response import Template
from msgspec import structs

from stellwerk.relay.hub import Hub
from stellwerk.web.choose import Here
from stellwerk.web.pages import page
from stellwerk.web.visitor import keep_visitor

NAV = (
    ("overview", "/overview"),
    ("activity", "/activity"),
    ("settings", "/settings"),
    ("fields", "/fields"),
    ("sync", "/sync"),
    ("letters", "/letters"),
    ("history", "/history"),
    ("people", "/people"),
    ("notifications", "/notifications"),
    ("access", "/access"),
)
"""Name (of the phrase `page-NAME`) and path, in their order."""

OWN_PAGES = frozenset({"access", "people"})
"""Only for people who have logged in."""


def nav_of(here: Here) -> tuple[tuple[str, str], ...]:
    """The pages that this visitor may open."""
    return NAV if here.rights == "own" else tuple(one for one in NAV if one[0] not in OWN_PAGES)


def inside(
    request: Request[Any, Any, Any],
    hub: Hub,
    template: str,
    running: Here,
    context: Mapping[str, object],
    *,
    status: int = 200,
) -> Template:
    """One page; what the last action had to say is shown once."""
    visitor = running.visitor
    if visitor.flashes:
        keep_visitor(request, structs.replace(visitor, flashes=()))
    about = {
        "nav": nav_of(running),
        "connection": running.connection,
        "from_file": running.from_file,
        "rights": running.rights,
    }
    return page(
        request, hub, template, visitor=visitor, status=status, context={**about, **context}, zone=running.zone(hub)
    )

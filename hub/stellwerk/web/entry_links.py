"""Links that let somebody in, an invitation and the operator's: looking uses none up, and one that works no more says so."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Request
from litestar.response import Template
from msgspec import structs

from stellwerk.relay.hub import Hub
from stellwerk.web.limits import Limits
from stellwerk.web.pages import page, speaker
from stellwerk.web.visitor import Visitor, keep_visitor


def looking(request: Request[Any, Any, Any], visitor: Visitor) -> Visitor:
    """The visitor of such a page, with a token for the form that stands on it."""
    if visitor.token:
        return visitor
    return keep_visitor(request, structs.replace(visitor, token=secrets.token_urlsafe(32)))


def ended(request: Request[Any, Any, Any], hub: Hub, visitor: Visitor, limits: Limits, phrase: str) -> Template:
    """404 for a link that nobody was given, or that works no more. Raises `TooManyRequestsException` for whoever guesses."""
    limits.refused(request)
    context = {"sentence": speaker(request, visitor)(phrase), "again": "/", "again_label": ""}
    return page(request, hub, "problem.html", visitor=visitor, status=404, context=context)

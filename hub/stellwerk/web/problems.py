"""Errors: RFC 9457 problem documents for programs, a plain page for people. Neither tells what only the log should know."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template
from litestar.types import ExceptionHandlersMap

from stellwerk.errors import StoreAway, StoreError, StoreFull
from stellwerk.relay.bug import place
from stellwerk.relay.hub import Hub, log
from stellwerk.web.api_answers import PROBLEM_JSON
from stellwerk.web.language import wanted_language
from stellwerk.web.pages import home_of, page, speaker
from stellwerk.web.session import Sealed, cookie_reader
from stellwerk.web.visitor import Flash, NotAllowed, NotLoggedIn, NotSetUp, goes_on, visitor_of

FOR_PROGRAMS = ("/api", "/webhooks", "/health", "/metrics", "/schema")
API = "/api/"
TOLD = frozenset({400, 409, 412, 422, 428, 502})
"""Statuses whose detail is told to who calls the API with a token."""
NO_ROOM = "the disk of the database is full; nothing was changed"
EXPLAINED = frozenset({400, 403, 404, 405, 413, 429, 503})


def problem_handlers(hub: Hub) -> ExceptionHandlersMap:
    """What an exception becomes."""
    cookies = cookie_reader(hub)

    def refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        detail = error.detail if request.url.path.startswith(API) and error.status_code in TOLD else ""
        return answer(request, hub, cookies, error.status_code, headers=error.headers, detail=detail)

    def not_logged_in(request: Request[Any, Any, Any], error: NotLoggedIn) -> Redirect:
        visitor = visitor_of(request)
        say = speaker(request, visitor)
        why = say("error-no-operator" if request.url.path == "/operator" else "error-not-logged-in")
        return goes_on(request, visitor, "/", Flash(kind="warning", text=why))

    def not_allowed(request: Request[Any, Any, Any], error: NotAllowed) -> Template:
        say = speaker(request)
        context = {"sentence": say("error-not-allowed"), "again": "/overview", "again_label": say("page-overview")}
        return page(request, hub, "problem.html", status=403, context=context)

    def no_store(request: Request[Any, Any, Any], error: StoreError) -> Response[Any]:
        if not isinstance(error, (StoreAway, StoreFull)):  # the store has said so, once
            log.error("web: %s", error)
        if isinstance(error, StoreFull):
            return answer(request, hub, cookies, 503, because="error-full", detail=NO_ROOM)
        return answer(request, hub, cookies, 503)

    def bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        log.error("web: a bug stopped %s %s: %s", request.method, request.scope["route_handler"].name, place(error))
        return answer(request, hub, cookies, 500)

    return {
        HTTPException: refused,
        NotAllowed: not_allowed,
        NotLoggedIn: not_logged_in,
        NotSetUp: lambda request, error: Redirect("/settings", status_code=303),
        StoreError: no_store,
        Exception: bug,
    }


def answer(
    request: Request[Any, Any, Any],
    hub: Hub,
    cookies: Sealed,
    status: int,
    *,
    headers: dict[str, str] | None = None,
    detail: str = "",
    because: str = "",
) -> Response[Any] | Template:
    """The error as a problem document or a page; `because` is the phrase of a page that says more than its status does."""
    if _for_program(request):
        return _document(status, headers, detail)
    # An address without a route has no session middleware, and its error is seen by people all the same.
    request.scope.setdefault("session", cookies.held(request))
    visitor = visitor_of(request)
    asked = wanted_language(request.query_params.get("lang"))
    visitor = msgspec.structs.replace(visitor, language=asked or visitor.language)
    say = speaker(request, visitor)
    sentence = say(because or (f"error-{status}" if status in EXPLAINED else "error-500"))
    # A language chosen on this page is kept by the next.
    again = home_of(visitor) + (f"?lang={asked}" if asked else "")
    context = {"sentence": sentence, "again": again, "again_label": ""}
    shown = page(request, hub, "problem.html", visitor=visitor, status=status, context=context)
    for name, value in (headers or {}).items():
        shown.set_header(name, value)
    return shown


def _for_program(request: Request[Any, Any, Any]) -> bool:
    if request.url.path.startswith(FOR_PROGRAMS):
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def _document(status: int, headers: dict[str, str] | None, detail: str) -> Response[bytes]:
    known = HTTPStatus(status) if status in {one.value for one in HTTPStatus} else HTTPStatus.INTERNAL_SERVER_ERROR
    document: dict[str, object] = {"type": "about:blank", "title": known.phrase, "status": status}
    if detail:
        document["detail"] = detail
    return Response(
        content=msgspec.json.encode(document), status_code=status, media_type=PROBLEM_JSON, headers=headers or {}
    )

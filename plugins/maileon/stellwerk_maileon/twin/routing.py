"""Which call is meant: method and path, with everything the reference does not name refused (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from .account import Account
from .elements import CONTENT_TYPE
from .exchange import Answer, Request
from .parameters import Parameters
from .problem import Problem, Refusal

if TYPE_CHECKING:
    from .maileon import Maileon

JSON = "application/vnd.maileon.api+json"
MEDIA = {"": (), "xml": (CONTENT_TYPE,), "contact": (CONTENT_TYPE, JSON), "json": ("application/json",)}


class Call(Struct, kw_only=True):
    """An authenticated call that matched a route; `path` holds the values of the template's names."""

    maileon: Maileon
    account: Account
    request: Request
    path: dict[str, str]
    parameters: Parameters
    now: float

    @property
    def is_json(self) -> bool:
        return self.request.media_type == JSON


class Route(Struct, frozen=True, kw_only=True):
    """`template` below `/1.0`; `{name}` takes any segment, `{@name}` one with an @ in it.

    `body` says what the call takes: nothing, `xml`, `contact` (XML or JSON), `json`, or `any` (unread; optional).
    """

    method: str
    template: str
    handle: Callable[[Call], Answer]
    parameters: tuple[str, ...] = ()
    body: str = ""


class Routes:
    """Routes by number of segments; one with more literal segments goes first."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.by_length: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(route.template.split("/")[1:])
            self.by_length.setdefault(len(parts), []).append((parts, route))
        for entries in self.by_length.values():
            entries.sort(key=lambda entry: [part.startswith("{") for part in entry[0]])

    def find(self, method: str, segments: tuple[str, ...]) -> tuple[Route, dict[str, str]]:
        """The route and its path values; `Refusal` 404 for an unknown path, 405 for a known one with another method."""
        known = False
        for parts, route in self.by_length.get(len(segments), ()):
            path = match(parts, segments)
            if path is not None:
                if route.method == method:
                    return route, path
                known = True
        if known:
            raise Refusal(405, f"method {method} is not allowed here")
        raise Refusal(404, "no such resource")


def match(parts: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    path: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{@"):
            if "@" not in segment:
                return None
            path[part[2:-1]] = segment
        elif part.startswith("{"):
            if not segment:
                return None
            path[part[1:-1]] = segment
        elif part != segment:
            return None
    return path


def check_shape(request: Request, route: Route) -> Parameters:
    """Headers, parameters and content type of a call; `Refusal` for what the reference does not know."""
    for name in request.headers:
        if name.startswith("x-"):
            raise Refusal(400, f"unknown header {name}")
    if "expect" in request.headers:
        raise Refusal(400, "the header Expect is not supported")
    parameters = Parameters(request.pairs, route.parameters)
    if route.body == "any":
        return parameters
    if route.body:
        if request.body and request.media_type not in MEDIA[route.body]:
            raise Refusal(415, f"content type must be {' or '.join(MEDIA[route.body])}")
        if not request.body:
            raise Problem(400, "the body is missing")
    elif request.body:
        raise Refusal(400, "this call takes no body")
    return parameters

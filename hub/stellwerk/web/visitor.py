"""Who is looking at the pages: what the sealed cookie remembers between two requests."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.response import Redirect
from msgspec import Struct

from stellwerk.web.language import Language, wanted_language


class Begun(Struct, frozen=True, kw_only=True):
    """A login on its way: what must come back, and the proof that it was ours. `at` in seconds since 1970."""

    system: str
    state: str
    verifier: str
    at: float


class Tested(Struct, frozen=True, kw_only=True):
    """Account settings that were tested and wait for Save. They live in the sealed cookie only."""

    account: str
    name: str
    settings: dict[str, Any]


class Trying(Struct, frozen=True, kw_only=True):
    """Whose way through a connection is watched. The address stands in the sealed cookie only.

    `contact` is its id where it was created.
    """

    connection: str
    email: str
    contact: str | None = None


class Flash(Struct, frozen=True, kw_only=True):
    """A sentence for the next page. `kind` is good, warning or bad."""

    kind: str
    text: str


class Visitor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`account` is the id of the account that the login leads to, `connection` the one being looked at.

    Who came by an invitation has no account, and the number of the `invitation`, which is looked up at each request. `operator` is who followed an operator's link, until `operator_until`.

    `token` is in every form of this session (against forged requests), and `session` names it, so that it can be ended; both are
    new with every login, which was at `since`.
    """

    language: Language | None = None
    begun: tuple[Begun, ...] = ()
    account: str | None = None
    user: str = ""
    connection: str | None = None
    invitation: int | None = None
    operator: str | None = None
    operator_until: float = 0.0
    token: str = ""
    session: str = ""
    since: float = 0.0
    tested: dict[str, Tested] = {}
    flashes: tuple[Flash, ...] = ()
    trying: Trying | None = None

    @property
    def is_somebody(self) -> bool:
        return self.account is not None or self.invitation is not None or self.operator is not None


class NotLoggedIn(Exception):
    """Only for people who have logged in; they are led to the login page."""


class NotAllowed(Exception):
    """Who was invited may do less than who has logged in."""


class NotSetUp(Exception):
    """Only for a connection that is stored; people are led to its settings."""


def visitor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor:
    """The visitor of this request; somebody new for a cookie that says nothing."""
    return visitor_in(connection.scope.get("session") or {})


def visitor_in(held: Any) -> Visitor:
    """Whom a session holds."""
    try:
        return msgspec.convert(held, Visitor)
    except msgspec.ValidationError:
        return Visitor()


def keep_visitor(request: Request[Any, Any, Any], visitor: Visitor) -> Visitor:
    """Remember the visitor in the answer's cookie."""
    request.set_session(msgspec.to_builtins(visitor))
    return visitor


def goes_on(request: Request[Any, Any, Any], visitor: Visitor, path: str, flash: Flash) -> Redirect:
    """To the page at `path`, which says `flash` once."""
    keep_visitor(request, msgspec.structs.replace(visitor, flashes=(flash,)))
    return Redirect(path, status_code=303)


def provide_visitor(request: Request[Any, Any, Any]) -> Visitor:
    """The visitor, with the language chosen by `?lang=` kept."""
    visitor = visitor_of(request)
    chosen = wanted_language(request.query_params.get("lang"))
    if chosen is not None and chosen != visitor.language:
        visitor = keep_visitor(request, msgspec.structs.replace(visitor, language=chosen))
    return visitor

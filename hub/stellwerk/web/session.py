"""The session cookie: sealed with AES-GCM under a key of its own, unreadable and unchangeable for the browser.

What is sealed cannot be taken back, so a session that let somebody in has a name: one that was ended counts no more, whoever
kept a copy of its cookie, and none counts longer than thirty days after its login however often it is used.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import SerializationException
from litestar.middleware.base import DefineMiddleware
from litestar.middleware.session.client_side import ClientSideSessionBackend, CookieBackendConfig
from msgspec import structs

from stellwerk.relay.hub import Hub
from stellwerk.store.used_up import is_used_up, use_up
from stellwerk.web.visitor import Visitor, keep_visitor, visitor_in

SESSION_SECONDS = 12 * 3600
"""Without any use."""
LONGEST_SECONDS = 30 * 86_400.0
LABEL = "session cookie"
ENDED = "sessions ended"


class Sealed(ClientSideSessionBackend):
    """Whatever is wrong with a cookie, it is as if there were none."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Litestar copies what a router has; a key cannot be copied and need not be."""
        return self

    config: SealedConfig

    async def load_from_connection(self, connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
        held = self.held(connection)
        return held if await _counts(self.config.hub, visitor_in(held)) else {}

    def held(self, connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
        """What the cookies of this request hold."""
        # Litestar reads the expiry that stands beside the sealed part before it checks the seal, so a changed cookie can
        # also raise what bad JSON raises.
        try:
            parts = [connection.cookies[key].encode("utf-8") for key in self.get_cookie_keys(connection)]
            held = self.load_data(parts) if parts else {}
        except (InvalidTag, SerializationException, RecursionError, ValueError, KeyError, TypeError):
            return {}
        return held if isinstance(held, dict) else {}


@dataclass
class SealedConfig(CookieBackendConfig):
    """Litestar's cookie sessions with `Sealed`."""

    _backend_class = Sealed
    hub: Hub = field(kw_only=True)


def session_middleware(hub: Hub) -> DefineMiddleware:
    """Sessions that end 12 hours after their last use, for this host only, never sent by another site's form, over https where the hub has it."""
    return _config(hub).middleware


def cookie_reader(hub: Hub) -> Sealed:
    """Reads sessions where no middleware has: an address that leads nowhere has no route, and none of its middleware."""
    return Sealed(_config(hub))


def _config(hub: Hub) -> SealedConfig:
    secure = hub.public_url.startswith("https://")
    return SealedConfig(
        hub=hub,
        secret=hub.vault.derived_key(LABEL),
        # The prefix makes browsers refuse a cookie of this name from a sub-domain or over http.
        key="__Host-stellwerk" if secure else "stellwerk",
        max_age=SESSION_SECONDS,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


async def enter(request: Request[Any, Any, Any], hub: Hub, before: Visitor, fresh: Visitor) -> None:
    """From now on `fresh` is here: of the session `before` nothing counts any more but its language."""
    await _end(hub, before)
    now = hub.now()
    keep_visitor(
        request,
        structs.replace(
            fresh,
            language=before.language,
            token=secrets.token_urlsafe(32),
            session=secrets.token_urlsafe(16),
            since=now,
        ),
    )


async def leave(request: Request[Any, Any, Any], hub: Hub, before: Visitor) -> Visitor:
    """Nobody is here any more, in this browser or with a copy of its cookie."""
    await _end(hub, before)
    return keep_visitor(request, Visitor(language=before.language))


async def _end(hub: Hub, visitor: Visitor) -> None:
    if visitor.session:
        now = hub.now()
        # No cookie of it that is out there lives longer.
        until = now + SESSION_SECONDS
        await hub.store.write(lambda tx: use_up(tx, ENDED, visitor.session, until=until, now=now))


async def _counts(hub: Hub, visitor: Visitor) -> bool:
    """Whether the session still stands; one that let nobody in always does."""
    if not visitor.is_somebody:
        return True
    if not visitor.session or hub.now() - visitor.since > LONGEST_SECONDS:
        return False
    return not await hub.store.read(lambda tx: is_used_up(tx, ENDED, visitor.session))

"""The session cookie: sealed with AES-GCM under a key of its own, unreadable and unchangeable for the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from litestar.connection import ASGIConnection
from litestar.exceptions import SerializationException
from litestar.middleware.base import DefineMiddleware
from litestar.middleware.session.client_side import ClientSideSessionBackend, CookieBackendConfig

from stellwerk.relay.hub import Hub

SESSION_SECONDS = 12 * 3600
LABEL = "session cookie"


class Sealed(ClientSideSessionBackend):
    """Whatever is wrong with a cookie, it is as if there were none."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Litestar copies what a router has; a key cannot be copied and need not be."""
        return self

    async def load_from_connection(self, connection: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
        return self.held(connection)

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


def session_middleware(hub: Hub) -> DefineMiddleware:
    """Sessions of 12 hours, for this host only, never sent by another site's form, over https where the hub has it."""
    return _config(hub).middleware


def cookie_reader(hub: Hub) -> Sealed:
    """Reads sessions where no middleware has: an address that leads nowhere has no route, and none of its middleware."""
    return Sealed(_config(hub))


def _config(hub: Hub) -> SealedConfig:
    secure = hub.public_url.startswith("https://")
    return SealedConfig(
        secret=hub.vault.derived_key(LABEL),
        # The prefix makes browsers refuse a cookie of this name from a sub-domain or over http.
        key="__Host-stellwerk" if secure else "stellwerk",
        max_age=SESSION_SECONDS,
        secure=secure,
        httponly=True,
        samesite="lax",
    )

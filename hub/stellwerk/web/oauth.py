"""Login through a system's OAuth: state and PKCE verifier in the sealed session, each good for one return."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from stellwerk.errors import AmbiguousError, DeliveryError, PauseError, RejectedError, RetryableError
from stellwerk.registry import has
from stellwerk.relay.connect import keep_login
from stellwerk.relay.hub import Hub, System, log
from stellwerk.sdk.connector import Grant, OAuth
from stellwerk.web.visitor import Begun, Visitor

VALID_SECONDS = 600.0
MOST_AT_ONCE = 3
"""Logins that one browser may have under way, in several tabs."""


class LoginFailed(Exception):
    """A login that leads nowhere. `phrase` names the sentence that says so, `status` its HTTP status."""

    def __init__(self, phrase: str, status: int, code: str = "") -> None:
        super().__init__(phrase)
        self.phrase = phrase
        self.status = status
        self.code = code


class Return(Struct, frozen=True, kw_only=True):
    """What the system's page sent back in the query."""

    state: str = ""
    code: str = ""
    error: str = ""


class UsedStates:
    """States that have come back, kept as long as a login is valid: the cookie of before cannot bring one back twice."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._used: dict[str, float] = {}

    def use(self, state: str) -> bool:
        """False when it was used before."""
        now = self._now()
        self._used = {one: until for one, until in self._used.items() if until > now}
        if state in self._used:
            return False
        self._used[state] = now + VALID_SECONDS
        return True


def login_system(hub: Hub, name: str) -> System | None:
    """The system that people sign in with, if `name` is it and its connector can."""
    if name != hub.integration.login or name not in hub.systems:
        return None
    system = hub.systems[name]
    return system if has(system.connector, OAuth) else None


def begin(hub: Hub, system: System, visitor: Visitor) -> tuple[Visitor, str]:
    """The visitor with one more login under way, and where the browser goes."""
    begun = Begun(system=system.name, state=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(64), at=hub.now())
    connector: Any = system.connector
    url = connector.authorize_url(
        system.settings, redirect_uri=redirect_uri(hub, system), state=begun.state, challenge=challenge(begun.verifier)
    )
    return structs.replace(visitor, begun=(*visitor.begun, begun)[-MOST_AT_ONCE:]), url


def redirect_uri(hub: Hub, system: System) -> str:
    return f"{hub.public_url}/oauth/{system.name}/callback"


def challenge(verifier: str) -> str:
    """PKCE S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def take_begun(
    visitor: Visitor, system: System, used: UsedStates, state: str, now: float
) -> tuple[Visitor, Begun | None]:
    """The login that this state belongs to, and the visitor without it. None: not begun here, used, or too old."""
    found = None
    for begun in visitor.begun:
        # Every one is compared, so that the time taken tells nothing.
        if secrets.compare_digest(begun.state.encode(), state.encode()):
            found = begun
    left = structs.replace(visitor, begun=tuple(begun for begun in visitor.begun if begun is not found))
    if found is None or found.system != system.name or now - found.at > VALID_SECONDS or not used.use(found.state):
        return left, None
    return left, found


async def finish(hub: Hub, system: System, begun: Begun | None, back: Return) -> tuple[str, str]:
    """The account's id and the person's name, once the system has confirmed the login. Raises `LoginFailed`."""
    # A refusal needs no state to be told, and some systems send none with it.
    if begun is None and (back.state or not back.error):
        raise LoginFailed("login-not-begun", 400)
    if back.error:
        refused = back.error == "access_denied"
        raise LoginFailed("login-refused" if refused else "login-error", 403 if refused else 400, back.error[:60])
    if begun is None or not back.code:
        raise LoginFailed("login-error", 400)
    connector: Any = system.connector
    try:
        grant: Grant = await connector.exchange(
            system.settings,
            hub.http(system),
            code=back.code,
            redirect_uri=redirect_uri(hub, system),
            verifier=begun.verifier,
        )
    except DeliveryError as failed:
        log.warning("login with %s: %s", system.name, failed.code)
        raise _failed(failed) from None
    return await keep_login(hub, system.name, grant), grant.user or grant.account_name or grant.account


def _failed(failed: DeliveryError) -> LoginFailed:
    if isinstance(failed, RejectedError):
        return LoginFailed("login-expired", 400)
    if isinstance(failed, RetryableError | AmbiguousError | PauseError):
        return LoginFailed("login-unreachable", 503)
    return LoginFailed("login-app-refused", 502, failed.code)

"""What has been granted to the app: codes, access and refresh tokens, static tokens (section 3)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .portal import Source

__all__ = ["Code", "Grant", "Grants"]


@dataclass(slots=True)
class Grant:
    """One installation of an app in one account, or a static token."""

    portal_id: int
    app_id: str
    scopes: tuple[str, ...]
    user_id: int = 1
    refresh_token: str = ""
    older_token: str = ""
    static: bool = False
    revoked: bool = False

    @property
    def source(self) -> Source:
        """API writes are told by the app's id as a string (section 8)."""
        return Source("INTEGRATION", self.app_id)


@dataclass(slots=True)
class Code:
    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires: float


@dataclass(slots=True)
class Grants:
    """Tables of everything handed out. Access tokens outlive a revocation until they expire (section 3.4).

    Lifetimes run on real time, or on the `time` given for it, whatever the control API does to the clock.
    """

    token_seconds: float
    rotate: bool = False
    code_seconds: float = 60.0
    time: Callable[[], float] = time.monotonic
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    installed: dict[int, Grant] = field(default_factory=dict)

    def install(self, grant: Grant, redirect_uri: str, challenge: str | None) -> str:
        """The code that goes back to the app: for one use, and short-lived."""
        code = f"eu1-{secrets.token_hex(16)}"
        self.codes[code] = Code(grant, redirect_uri, challenge, self.time() + self.code_seconds)
        return code

    def redeem(self, grant: Grant) -> None:
        """Make an authorised grant the portal's installation, with a refresh token."""
        grant.refresh_token = f"eu1-{secrets.token_hex(18)}"
        self.refresh[grant.refresh_token] = grant
        self.installed[grant.portal_id] = grant

    def new_access(self, grant: Grant) -> str:
        """A fresh access token, long as section 3.2 warns."""
        now = self.time()
        for token in [t for t, (_, expires) in self.access.items() if expires < now - 3600]:
            del self.access[token]
        token = f"CL{secrets.token_urlsafe(320)}"
        self.access[token] = (grant, now + self.token_seconds)
        return token

    def refreshed(self, token: str) -> Grant | None:
        """The grant of a living refresh token, rotated if so configured; the one before stays good until then."""
        grant = self.refresh.get(token)
        if grant is None or grant.revoked:
            return None
        if self.rotate:
            if token == grant.refresh_token and grant.older_token:
                self.refresh.pop(grant.older_token, None)
            grant.older_token, grant.refresh_token = token, f"eu1-{secrets.token_hex(18)}"
            self.refresh[grant.refresh_token] = grant
        return grant

    def bearer(self, token: str) -> tuple[Grant | None, bool]:
        """The grant behind an access token; when there is none, whether the token was good once."""
        found = self.access.get(token)
        if found is None:
            return None, False
        grant, expires = found
        if expires <= self.time():
            return None, True
        return grant, False

    def revoke(self, grant: Grant) -> None:
        """No more refreshes; the app stays installed."""
        grant.revoked = True

    def uninstall(self, portal_id: int) -> None:
        """The app leaves the account: refresh and access tokens die (the latter is not established, section 14)."""
        self.installed.pop(portal_id, None)
        for token in [t for t, (grant, _) in self.access.items() if grant.portal_id == portal_id and not grant.static]:
            del self.access[token]
        for grant in self.refresh.values():
            if grant.portal_id == portal_id:
                grant.revoked = True

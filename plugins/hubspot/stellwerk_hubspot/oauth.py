"""Login by OAuth (reference page, section 3): authorize with PKCE, exchange, refresh, introspection."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from stellwerk.sdk import (
    UNREADABLE,
    DeliveryError,
    Grant,
    Http,
    HttpResponse,
    ReauthorizeError,
    RejectedError,
    RetryableError,
)
from stellwerk_hubspot import lenient
from stellwerk_hubspot.answer import AccountDetails, TokenAnswer, TokenInfo
from stellwerk_hubspot.lenient import listed
from stellwerk_hubspot.refusal import Refused, parse_error, redact
from stellwerk_hubspot.session import VERSION, post_form
from stellwerk_hubspot.settings import HubspotSystem

__all__ = ["OPTIONAL_SCOPES", "Login", "granted_scopes", "scopes_of"]

SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
)
TIMELINE = "timeline"
"""What an app with app events needs besides (section 4)."""

OPTIONAL_SCOPES = ("communication_preferences.read_write",)
"""Only for the portal's own opt-out; dropped without a word where the plan has none."""

CUSTOMER = frozenset({"bad-refresh-token", "bad-hub", "invalid-grant", "access-denied"})
"""Refusals of a refresh that a new login mends; every other is of our own configuration."""
ONCE = frozenset({"bad-auth-code", "bad-code-verifier", "bad-hub", "invalid-grant", "access-denied"})
"""Refusals of an exchange that another login mends."""

WRONG_SECRET = frozenset({"bad-client-secret", "invalid-client"})

T = TypeVar("T")


def scopes_of(system: HubspotSystem) -> tuple[str, ...]:
    """The scopes that this app requires; what the login asks for must be just these."""
    return SCOPES if system.app_events is None else (*SCOPES, TIMELINE)


class Login:
    """The `OAuth` ability."""

    @classmethod
    def authorize_url(cls, system: HubspotSystem, *, redirect_uri: str, state: str, challenge: str) -> str:
        """HubSpot's page where a person chooses the account and grants access."""
        query = {
            "client_id": system.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes_of(system)),
            "optional_scope": " ".join(OPTIONAL_SCOPES),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{system.app_url.rstrip('/')}/oauth/authorize?{urlencode(query, quote_via=quote)}"

    @classmethod
    async def exchange(cls, system: HubspotSystem, http: Http, *, code: str, redirect_uri: str, verifier: str) -> Grant:
        """A code for tokens. Raises `RejectedError` for a code that is used, expired or not ours, `ReauthorizeError` when
        the app itself is refused, `RetryableError` for an outage."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        try:
            answer = await _token(system, http, form, (code, verifier))
        except Refused as refused:
            if refused.code in ONCE:
                raise RejectedError(refused.code, "log in once more", answer=refused.answer) from None
            raise _app_refused(refused) from None
        return await _grant(system, http, answer)

    @classmethod
    async def refresh(cls, system: HubspotSystem, http: Http, *, refresh_token: str, account: str) -> Grant:
        """New tokens; the refresh token may be a new one too. Raises `ReauthorizeError` when the customer must reconnect
        (`bad-refresh-token`, `bad-hub`) or the app is refused (`bad-client-secret`, …), `RetryableError` for an outage."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            answer = await _token(system, http, form, (refresh_token,))
        except Refused as refused:
            if refused.code in CUSTOMER:
                text = "connect the portal again"
                raise ReauthorizeError(refused.code, text, answer=refused.answer, for_good=True) from None
            raise _app_refused(refused) from None
        if answer.hub_id is not None and str(answer.hub_id) != account:
            raise ReauthorizeError("other-account", f"the token is of portal {answer.hub_id}")
        return Grant(
            access_token=answer.access_token,
            refresh_token=answer.refresh_token or refresh_token,
            expires_in=answer.expires_in,
            account=account,
            scopes=listed(answer.scopes),
        )

    @classmethod
    async def why_refused(
        cls, system: HubspotSystem, http: Http, *, access_token: str, refused: ReauthorizeError
    ) -> ReauthorizeError:
        """`token-revoked` while the last access token still works, `app-uninstalled` once it is dead before its time.

        A revoked login leaves its access tokens alive until they expire (section 3.4); what an uninstall does to them is
        not established (section 14), and an expired one tells nothing: then it stays as HubSpot said it.
        """
        if refused.code not in CUSTOMER:
            return refused
        try:
            answer = await _details(system, http, access_token)
        except DeliveryError:
            return refused
        if answer.status == 200:
            text = "the login was revoked: log in once more"
            return ReauthorizeError("token-revoked", text, answer=refused.answer, for_good=True)
        if answer.status == 401 and parse_error(answer.body).category == "INVALID_AUTHENTICATION":
            text = "the app is no longer installed in the portal: log in once more to install it"
            return ReauthorizeError("app-uninstalled", text, answer=refused.answer, for_good=True)
        return refused


async def granted_scopes(system: HubspotSystem, http: Http, token: str) -> tuple[str, ...] | None:
    """The scopes behind an access token; None when HubSpot does not tell."""
    try:
        info = await _introspect(system, http, token)
    except DeliveryError:
        return None
    return listed(info.scopes) if info.active and info.scopes is not None else None


async def _grant(system: HubspotSystem, http: Http, answer: TokenAnswer) -> Grant:
    """The grant of a first login, with the portal's name and the person who logged in."""
    if not answer.refresh_token:
        raise RetryableError("unreadable-answer", "HubSpot sent no refresh token")
    try:
        info = await _introspect(system, http, answer.access_token)
    except DeliveryError:
        # The name is an ornament, and the portal's id stands elsewhere too.
        info = TokenInfo()
    hub = answer.hub_id or info.hub_id or await _portal(system, http, answer.access_token)
    return Grant(
        access_token=answer.access_token,
        refresh_token=answer.refresh_token,
        expires_in=answer.expires_in,
        account=str(hub),
        account_name=info.hub_domain or f"HubSpot {hub}",
        user=info.user or "",
        scopes=listed(answer.scopes or info.scopes),
    )


async def _token(system: HubspotSystem, http: Http, form: dict[str, str], private: tuple[str, ...]) -> TokenAnswer:
    return await _post(system, http, "token", form, private, TokenAnswer)


async def _introspect(system: HubspotSystem, http: Http, token: str) -> TokenInfo:
    """HubSpot's specification and its guide put the token into different fields (section 3.3): first the one, then the other."""
    try:
        return await _post(system, http, "token/introspect", {"token": token}, (token,), TokenInfo)
    except Refused:
        form = {"token_type_hint": "access_token", "access_token": token}
        return await _post(system, http, "token/introspect", form, (token,), TokenInfo)


async def _portal(system: HubspotSystem, http: Http, token: str) -> int:
    """Whose token it is, by its own account's details."""
    answer = await _details(system, http, token)
    try:
        return lenient.read(answer.body, AccountDetails).portal_id
    except UNREADABLE:
        raise RetryableError("unreadable-answer", "HubSpot does not say which portal the token is of") from None


async def _details(system: HubspotSystem, http: Http, token: str) -> HttpResponse:
    """The account's details, or the refusal of them."""
    url = f"{system.api_url.rstrip('/')}/account-info/{VERSION}/details"
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    return await http.request("GET", url, headers=headers, timeout_seconds=system.timeout_seconds)


async def _post(
    system: HubspotSystem, http: Http, path: str, form: dict[str, str], private: tuple[str, ...], kind: type[T]
) -> T:
    """Everything in the body, nothing secret in the URL. While secrets are rotated, HubSpot may still want the old one."""
    url = f"{system.api_url.rstrip('/')}/oauth/{VERSION}/{path}"
    secrets = system.secrets()
    for place, secret in enumerate(secrets, start=1):
        content = urlencode({**form, "client_id": system.client_id, "client_secret": secret}).encode()
        try:
            body = await post_form(
                http, url, content, timeout_seconds=system.timeout_seconds, private=(*secrets, *private)
            )
            break
        except Refused as refused:
            if refused.code not in WRONG_SECRET or place == len(secrets):
                raise
    try:
        # Numbers may stand in quotes; a token is text and nothing else.
        return msgspec.json.decode(body, type=kind, strict=False)
    except UNREADABLE:
        # The body may hold tokens in any disguise: only its length is told.
        answer = redact(f"{len(body)} bytes")
        raise RetryableError("unreadable-answer", f"not a {kind.__name__}", answer=answer) from None


def _app_refused(refused: Refused) -> ReauthorizeError:
    return ReauthorizeError(refused.code, "HubSpot refuses the app's own settings", answer=refused.answer)

"""Token endpoint, introspection, revocation (sections 3.2 to 3.4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from .call import Answer, Call, answer
from .errors import Refusal
from .grants import Grant
from .journal import SCOPES

__all__ = ["introspect", "revoke", "token"]

ERRORS = {
    "BAD_REFRESH_TOKEN": ("invalid_grant", "refresh token is invalid, expired or revoked"),
    "BAD_AUTH_CODE": ("invalid_grant", "missing or unknown auth code"),
    "BAD_CLIENT_ID": ("invalid_client", "missing or unknown client id"),
    "BAD_CLIENT_SECRET": ("invalid_client", "missing or invalid client secret"),
    "BAD_REDIRECT_URI": ("invalid_grant", "redirect uri does not match the one used for the auth code"),
    "BAD_GRANT_TYPE": ("unsupported_grant_type", "missing or unknown grant type"),
    "BAD_CODE_VERIFIER": ("invalid_grant", "code verifier does not match the code challenge"),
    "BAD_SCOPES": ("invalid_scope", "the scopes are not those that were granted"),
    "BAD_REQUEST": ("invalid_request", "a form field stands twice, is unknown, or is missing"),
}
CLIENT_FIELDS = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})
GRANT_FIELDS = frozenset({"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"})
TOKEN_FIELDS = CLIENT_FIELDS | GRANT_FIELDS
INSPECT_FIELDS = frozenset({"client_id", "client_secret", "token", "token_type_hint"})


def _bad(status: str) -> Refusal:
    """HTTP 400 with RFC 6749's keys beside HubSpot's older ones."""
    error, words = ERRORS[status]
    return Refusal(400, {"error": error, "error_description": words, "status": status, "message": words})


def _client(call: Call, fields: dict[str, str]) -> None:
    app = call.twin.app
    if app is None or fields.get("client_id") != app.client_id:
        raise _bad("BAD_CLIENT_ID")
    if not hmac.compare_digest(fields.get("client_secret", "").encode(), app.client_secret.encode()):
        raise _bad("BAD_CLIENT_SECRET")


def token(call: Call) -> Answer:
    """An access token for a code or a refresh token; 400 with a BAD_* status otherwise."""
    fields = call.form(TOKEN_FIELDS)
    match fields.get("grant_type"):
        case "authorization_code":
            _client(call, fields)
            grant = _by_code(call, fields)
        case "refresh_token":
            _client(call, fields)
            found = call.twin.grants.refreshed(fields.get("refresh_token", ""))
            if found is None:
                raise _bad("BAD_REFRESH_TOKEN")
            if not set(fields.get("scope", "").split()) <= set(found.scopes):
                raise _bad("BAD_SCOPES")
            grant = found
        case "client_credentials":
            _client(call, fields)
            return _of_the_app(call, fields)
        case _:
            raise _bad("BAD_GRANT_TYPE")
    body = {
        "access_token": call.twin.grants.new_access(grant),
        "refresh_token": grant.refresh_token,
        "expires_in": int(call.twin.grants.token_seconds),
        "token_type": "bearer",
        "token_use": "access_token",
        "hub_id": grant.portal_id,
        "user_id": grant.user_id,
        "scopes": list(grant.scopes),
    }
    return answer(body, headers={"cache-control": "no-store"})


def _of_the_app(call: Call, fields: dict[str, str]) -> Answer:
    """A token of the app itself, for the journal (section 9)."""
    journal, scopes = call.twin.journal, frozenset(fields.get("scope", "").split())
    if not journal.granted or not scopes or not scopes <= SCOPES:
        raise _bad("BAD_SCOPES")
    found = secrets.token_urlsafe(320)
    journal.access[found] = scopes
    body = {"access_token": found, "expires_in": int(call.twin.grants.token_seconds), "token_type": "bearer"}
    return answer({**body, "token_use": "access_token"}, headers={"cache-control": "no-store"})


def _by_code(call: Call, fields: dict[str, str]) -> Grant:
    code = call.twin.grants.codes.pop(fields.get("code", ""), None)
    if code is None or code.expires <= call.twin.grants.time():
        raise _bad("BAD_AUTH_CODE")
    if fields.get("redirect_uri") != code.redirect_uri:
        raise _bad("BAD_REDIRECT_URI")
    verifier = fields.get("code_verifier")
    if (code.challenge is None) != (verifier is None):
        raise _bad("BAD_CODE_VERIFIER")
    if code.challenge is not None and verifier is not None:
        digest = hashlib.sha256(verifier.encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
            raise _bad("BAD_CODE_VERIFIER")
    call.twin.grants.redeem(code.grant)
    return code.grant


def introspect(call: Call) -> Answer:
    """What a token is; `{active: false}` for a dead one."""
    fields = call.form(INSPECT_FIELDS)
    _client(call, fields)
    text, grants = fields.get("token"), call.twin.grants
    if text is None or fields.get("token_type_hint") not in (None, "access_token", "refresh_token"):
        raise _bad("BAD_REQUEST")
    grant, _ = grants.bearer(text)
    if grant is not None and not grant.static:
        left = int(grants.access[text][1] - grants.time())
        signed = {"hublet": "eu1", "hubId": grant.portal_id, "userId": grant.user_id, "appId": int(grant.app_id)}
        more = {
            "expires_in": left,
            "is_private_distribution": call.twin.private,
            "signed_access_token": {**signed, "scopes": " ".join(grant.scopes)},
        }
        return answer(_described(call, grant, text, "access_token") | more)
    grant = grants.refresh.get(text)
    if grant is not None and not grant.revoked:
        return answer(_described(call, grant, text, "refresh_token"))
    return answer({"active": False})


def _described(call: Call, grant: Grant, text: str, use: str) -> dict[str, Any]:
    app = call.twin.app
    return {
        "active": True,
        "token": text,
        "token_use": use,
        "token_type": "bearer",
        "hub_id": grant.portal_id,
        "user_id": grant.user_id,
        "app_id": int(grant.app_id),
        "client_id": app.client_id if app else "",
        "user": f"admin@portal-{grant.portal_id}.example",
        "hub_domain": f"portal-{grant.portal_id}.example",
        "scopes": list(grant.scopes),
    }


def revoke(call: Call) -> Answer:
    """200; the refresh token dies, access tokens live until they expire, and the app stays installed."""
    fields = call.form(INSPECT_FIELDS)
    _client(call, fields)
    grant = call.twin.grants.refresh.get(fields.get("token", ""))
    if grant is not None:
        call.twin.grants.revoke(grant)
    return answer({})

"""The install dialogue: choose an account, see the scopes, grant access (section 3.1)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

from msgspec import Struct

from .call import Answer, Call
from .errors import Refusal, not_found
from .grants import Grant
from .rendering import go_to, page
from .twin import App, Twin

__all__ = ["choose_account", "decide", "show_scopes"]

KNOWN = {"client_id", "redirect_uri", "scope", "optional_scope", "state", "code_challenge", "code_challenge_method"}
PRIVATE_ACCOUNTS = 10


class Request(Struct, frozen=True):
    """What the app asks for, checked."""

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    optional: frozenset[str]
    state: str | None
    challenge: str | None
    pairs: tuple[tuple[str, str], ...]


def _stop(message: str) -> Refusal:
    """Errors stop the install on HubSpot's own page; nothing goes back to the app."""
    return Refusal(400, {"message": message})


def _request(twin: Twin, pairs: list[tuple[str, str]]) -> Request:
    given = dict(pairs)
    if strange := sorted(given.keys() - KNOWN):
        raise _stop(f"Unknown parameter: {strange[0]}")
    if len(given) != len(pairs):
        raise _stop("A parameter stands twice")
    app = twin.app
    if app is None or app.project.auth.type != "oauth" or given.get("client_id") != app.client_id:
        raise _stop("No app with this client_id is deployed here")
    redirect_uri = given.get("redirect_uri", "")
    if redirect_uri not in app.project.auth.redirect_urls:
        raise _stop("The redirect_uri is not one of the app's redirect URLs")
    challenge = given.get("code_challenge")
    if (given.get("code_challenge_method") == "S256") != (challenge is not None):
        raise _stop("code_challenge and code_challenge_method=S256 go together")
    asked, optional = given.get("scope", "").split(), given.get("optional_scope", "").split()
    scopes = _scopes(app, asked, optional)
    return Request(
        app, redirect_uri, scopes, frozenset(optional) - frozenset(asked), given.get("state"), challenge, tuple(pairs)
    )


def _scopes(app: App, asked: list[str], optional: list[str]) -> tuple[str, ...]:
    auth = app.project.auth
    if missing := [scope for scope in auth.required_scopes if scope not in asked]:
        raise _stop(f"Scope mismatch: the URL lacks the required {', '.join(missing)}")
    allowed = {*auth.required_scopes, *auth.optional_scopes, *auth.conditionally_required_scopes}
    if strange := [scope for scope in asked if scope not in allowed]:
        raise _stop(f"Scope mismatch: the app does not have {', '.join(strange)}")
    if strange := [scope for scope in optional if scope not in auth.optional_scopes]:
        raise _stop(f"Scope mismatch: not an optional scope of the app: {', '.join(strange)}")
    return tuple(dict.fromkeys([*asked, *optional]))


def choose_account(call: Call) -> Answer:
    """Step one: the accounts of the person who is logged in."""
    wanted = _request(call.twin, call.query_pairs())
    return page(
        "choose_account.html",
        title="Choose an account",
        app=wanted.app,
        portals=call.twin.portals.values(),
        query=call.query_text,
    )


def show_scopes(call: Call) -> Answer:
    """Step two: what the app may do, and the button."""
    portal = _portal(call)
    wanted = _request(call.twin, call.query_pairs())
    return page(
        "grant_access.html",
        title=f"Connect {wanted.app.project.name} to {call.twin.portals[portal].name}",
        app=wanted.app,
        portal=call.twin.portals[portal],
        scopes=_offered(call.twin, portal, wanted),
        optional=wanted.optional,
        pairs=wanted.pairs,
    )


def decide(call: Call) -> Answer:
    """302 back to the app with `code` and `state`, or with `error=access_denied`."""
    portal = _portal(call)
    fields = call.pairs()
    decisions = [value for name, value in fields if name == "decision"]
    refused = {value for name, value in fields if name == "refuse"}
    wanted = _request(call.twin, [pair for pair in fields if pair[0] not in ("decision", "refuse")])
    if strange := sorted(refused - wanted.optional):
        raise _stop(f"Not an optional scope: {strange[0]}")
    if decisions != ["grant"]:
        return _back(wanted, {"error": "access_denied", "error_description": "The user denied access"})
    installed = call.twin.grants.installed
    if call.twin.private and portal not in installed and len(installed) >= PRIVATE_ACCOUNTS:
        raise _stop(f"An app of private distribution can be installed in {PRIVATE_ACCOUNTS} accounts")
    scopes = tuple(scope for scope in _offered(call.twin, portal, wanted) if scope not in refused)
    grant = Grant(portal, wanted.app.app_id, scopes)
    return _back(wanted, {"code": call.twin.grants.install(grant, wanted.redirect_uri, wanted.challenge)})


def _offered(twin: Twin, portal: int, wanted: Request) -> tuple[str, ...]:
    """Optional scopes that the account's plan does not have are dropped without a word."""
    lacks = twin.portals[portal].plan_lacks
    return tuple(scope for scope in wanted.scopes if scope not in wanted.optional or scope not in lacks)


def _portal(call: Call) -> int:
    text = call.params["portal"]
    if not text.isdecimal() or int(text) not in call.twin.portals:
        raise not_found(f"There is no account {text}")
    return int(text)


def _back(wanted: Request, fields: dict[str, str]) -> Answer:
    if wanted.state is not None:
        fields = {**fields, "state": wanted.state}
    parts = urlsplit(wanted.redirect_uri)
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return go_to(urlunsplit(parts._replace(query=query)), 302)

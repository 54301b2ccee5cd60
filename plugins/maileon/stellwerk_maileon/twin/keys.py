"""API keys: who calls, what the key may do, ping and account info (sections 1, 1.1)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from . import elements
from .account import Account
from .exchange import Answer, Request
from .problem import Problem
from .routing import Call, Route

if TYPE_CHECKING:
    from .maileon import Maileon

METHODS = ("GET", "POST", "PUT", "DELETE")
STATES = ("active", "expired", "deactivated")


class Key(Struct, kw_only=True, forbid_unknown_fields=True):
    """12 to 265 characters, case-sensitive; one right for each HTTP method."""

    account: int
    key: str
    state: str = "active"
    rights: tuple[str, ...] = METHODS

    def __post_init__(self) -> None:
        if not 12 <= len(self.key) <= 265:
            raise ValueError("an API key has 12 to 265 characters")
        if self.state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}")
        if any(right not in METHODS for right in self.rights):
            raise ValueError(f"rights must be among {', '.join(METHODS)}")


def authenticate(maileon: Maileon, request: Request) -> tuple[Account, Key]:
    """The account the key opens; 401 for a key that is missing, wrong, expired or deactivated, or a blocked account.

    Both `base64(key)` and `base64(key:)` are taken (section 1).
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not credentials:
        raise Problem(401, "the API key is missing")
    try:
        plain = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise Problem(401, "the API key is wrong") from None
    key = maileon.keys.get(plain) or maileon.keys.get(plain.removesuffix(":"))
    if key is None:
        raise Problem(401, "the API key is wrong")
    if key.state != "active":
        raise Problem(401, f"the API key is {key.state}")
    account = maileon.accounts[key.account]
    if account.options.blocked:
        raise Problem(401, "the account is blocked")
    return account, key


def check_right(key: Key, method: str) -> None:
    if method in METHODS and method not in key.rights:
        raise Problem(403, f"the API key has no right for {method}")


def ping(call: Call) -> Answer:
    """The official client sends a few letters as the body of its POST; nobody reads them."""
    return Answer()


def account_info(call: Call) -> Answer:
    """XML unless `Accept` asks for JSON (section 1.1)."""
    account = call.account
    values: dict[str, int | str] = {
        "id": account.id,
        "name": account.name,
        "customer_account_id": account.id + 500_000,
        "customer_account_name": f"{account.name} (customer)",
        "created": call.maileon.clock.offset_text(account.created),
        "locale": "de_DE",
        "mailing_domain": f"news-{account.id}.example",
        "login_domain": "login.maileon.example",
        "type": "demo",
    }
    if "application/json" in call.request.headers.get("accept", ""):
        return Answer(body=msgspec.json.encode(values), content_type="application/json")
    return elements.answer(elements.element("account", *(elements.text(key, values[key]) for key in values)))


ROUTES = (
    *(Route(method=method, template="/ping", handle=ping, body="any") for method in METHODS),
    Route(method="GET", template="/account/info", handle=account_info),
)

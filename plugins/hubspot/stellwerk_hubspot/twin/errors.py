"""HubSpot's refusals: one exception, and a constructor per shape of body (section 12)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

__all__ = [
    "PropertyProblem",
    "Refusal",
    "conflict",
    "dead_token",
    "from_problems",
    "invalid",
    "missing_scopes",
    "not_found",
    "rate_limited",
    "unknown_key",
    "unknown_path",
]

STRUCTURAL = frozenset(
    {
        "PROPERTY_DOESNT_EXIST",
        "READ_ONLY_VALUE",
        "MISSING_REQUIRED_PROPERTY",
        "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
    }
)
SCOPES_PAGE = "https://developers.hubspot.com/scopes"


class Refusal(Exception):
    """An answer that is not a success. `unknown` marks what the reference does not know: the log calls it refused."""

    def __init__(
        self, status: int, body: dict[str, Any], *, headers: Mapping[str, str] | None = None, unknown: bool = False
    ) -> None:
        super().__init__(body.get("message", ""))
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.unknown = unknown

    def as_row_error(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """This refusal as an entry of a 207's `errors[]`."""
        kept = ("status", "category", "message", "subCategory", "errors")
        row: dict[str, Any] = {key: value for key, value in self.body.items() if key in kept}
        return {**row, "context": {**self.body.get("context", {}), **context}}


class PropertyProblem(Struct, frozen=True):
    """One value that cannot be written: `code` is HubSpot's word for why."""

    name: str
    code: str
    message: str


def _body(message: str, category: str, **more: Any) -> dict[str, Any]:
    return {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category, **more}


def invalid(message: str, *, code: str | None = None, context: Mapping[str, Sequence[str]] | None = None) -> Refusal:
    """400 VALIDATION_ERROR; with `code` in the shape `errors[].code` + `context`."""
    if code is None:
        return Refusal(400, _body(message, "VALIDATION_ERROR"))
    errors = [{"message": message, "code": code, "context": dict(context or {})}]
    return Refusal(400, _body(message, "VALIDATION_ERROR", errors=errors))


def unknown_key(message: str) -> Refusal:
    """400 for a parameter, header or body key that the reference does not know."""
    return Refusal(400, _body(message, "VALIDATION_ERROR"), unknown=True)


def unknown_path(method: str, path: str, *, status: int = 404) -> Refusal:
    """404 or 405 for a path or method that the reference does not know."""
    message = "resource not found" if status == 404 else f"HTTP {method} is not allowed on {path}"
    return Refusal(status, _body(message, "OBJECT_NOT_FOUND" if status == 404 else "METHOD_NOT_ALLOWED"), unknown=True)


def not_found(message: str = "resource not found", *, sub_category: str | None = None) -> Refusal:
    more = {} if sub_category is None else {"subCategory": sub_category}
    return Refusal(404, _body(message, "OBJECT_NOT_FOUND", **more))


def conflict(message: str, *, sub_category: str | None = None, category: str = "CONFLICT") -> Refusal:
    more = {} if sub_category is None else {"subCategory": sub_category}
    return Refusal(409, _body(message, category, **more))


def dead_token(*, expired: bool) -> Refusal:
    """401: EXPIRED_AUTHENTICATION for a token that was good once, INVALID_AUTHENTICATION for any other."""
    if expired:
        return Refusal(401, _body("The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION"))
    message = "Authentication credentials not found or not valid."
    return Refusal(401, _body(message, "INVALID_AUTHENTICATION"))


def missing_scopes(scopes: Iterable[str]) -> Refusal:
    """403 MISSING_SCOPES: any one of `scopes` would have done."""
    errors = [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": sorted(scopes)},
        }
    ]
    message = f"This app hasn't been granted all required scopes to make this call. Read more: {SCOPES_PAGE}."
    return Refusal(403, _body(message, "MISSING_SCOPES", errors=errors, links={"scopes": SCOPES_PAGE}))


def rate_limited(policy: str, headers: Mapping[str, str]) -> Refusal:
    """429 in the shape of section 12; `policy` is TEN_SECONDLY_ROLLING or SECONDLY."""
    words = "ten_secondly_rolling" if policy == "TEN_SECONDLY_ROLLING" else "secondly"
    body = {
        "status": "error",
        "message": f"You have reached your {words} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
        "requestId": str(uuid.uuid4()),
    }
    return Refusal(429, body, headers=headers)


def from_problems(problems: Sequence[PropertyProblem]) -> Refusal:
    """400 for values that cannot be written, in one of two shapes (section 12).

    A property that does not exist, is read-only or is required: `errors[].code` with `context.propertyName`. A bad value of a
    good property: JSON inside `message`.
    """
    structural = [p for p in problems if p.code in STRUCTURAL]
    if structural:
        errors = [{"message": p.message, "code": p.code, "context": {"propertyName": [p.name]}} for p in structural]
        return Refusal(400, _body("Property values were not valid", "VALIDATION_ERROR", errors=errors))
    inner = [{"isValid": False, "message": p.message, "error": p.code, "name": p.name} for p in problems]
    return Refusal(400, _body(f"Property values were not valid: {json.dumps(inner)}", "VALIDATION_ERROR"))

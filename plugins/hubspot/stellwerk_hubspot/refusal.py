"""What HubSpot says when it refuses: its error bodies as named reasons, redacted.

Source: reference page, section 12. Every field is optional. Problems with properties come either as `errors[].code` with
`context.propertyName`, or as JSON inside `message` after "Property values were not valid: ".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import msgspec
from msgspec import Struct

from stellwerk.sdk import UNREADABLE, RejectedError
from stellwerk_hubspot import lenient
from stellwerk_hubspot.lenient import OneOrMore, listed

__all__ = [
    "Conflict",
    "ErrorBody",
    "NotFound",
    "PropertyProblem",
    "Refused",
    "code_of",
    "parse_error",
    "property_problems",
    "redact",
    "required_scopes",
    "without_values",
]

MOST_CHARACTERS = 500
IN_MESSAGE = "Property values were not valid: "
EMAIL = re.compile(r'[^\s"<>(),:;\[\]\\]+(?:@|%40)[^\s"<>(),:;\[\]\\]+')
QUOTED = re.compile(r'^Property "([a-z][a-z0-9_]*)" ')
VALUE = re.compile(r'(:\s*")(?:[^"\\]|\\.)*')
TOKEN = re.compile(r"(?i)bearer\s+\S+|pat-[a-z0-9]+-[a-z0-9-]+|[A-Za-z0-9_\-]{60,}")

CODES = {
    "PROPERTY_DOESNT_EXIST": "unknown-field",
    "READ_ONLY_VALUE": "read-only-field",
    "INVALID_EMAIL": "invalid-email",
    "INVALID_OPTION": "invalid-option",
    "MISSING_REQUIRED_PROPERTY": "required-field-missing",
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY": "required-field-missing",
}


class PropertyProblem(Struct, frozen=True):
    """One property that HubSpot would not take: its name and HubSpot's word for why."""

    name: str
    code: str


class Refused(RejectedError):
    """A 4xx for what was asked. `problems` has the properties it names."""

    def __init__(
        self, code: str, text: str = "", *, answer: str | None = None, problems: tuple[PropertyProblem, ...] = ()
    ) -> None:
        super().__init__(code, text, answer=answer)
        self.problems = problems


class NotFound(RejectedError):
    """404: gone, or never there."""


class Conflict(RejectedError):
    """409: it exists already."""


class Detail(Struct, frozen=True, rename="camel"):
    """One entry of `errors[]`."""

    message: str | None = None
    code: str | None = None
    sub_category: str | None = None
    context: dict[str, OneOrMore] | None = None

    def named(self, key: str) -> tuple[str, ...]:
        """What the context lists under `key`."""
        return listed((self.context or {}).get(key))


class ErrorBody(Struct, frozen=True, rename="camel"):
    """An error body, also one row of a batch's `errors[]`."""

    message: str | None = None
    category: str | None = None
    sub_category: str | None = None
    policy_name: str | None = None
    errors: list[Detail] | None = None
    context: dict[str, OneOrMore] | None = None

    @property
    def details(self) -> list[Detail]:
        return self.errors or []

    def named(self, key: str) -> tuple[str, ...]:
        """What the context lists under `key`."""
        return listed((self.context or {}).get(key))


SILENT = ErrorBody()
"""A body that says nothing."""


class InMessage(Struct, frozen=True):
    """One entry of the JSON inside `message`."""

    name: str
    error: str = "INVALID"


def parse_error(body: bytes) -> ErrorBody:
    """The error body, an empty one when it is not in HubSpot's shape (a proxy's page, a cut answer)."""
    try:
        return lenient.read(body, ErrorBody)
    except UNREADABLE:
        return SILENT


def property_problems(error: ErrorBody) -> tuple[PropertyProblem, ...]:
    """The properties that an error names, in either of the two shapes."""
    found = [PropertyProblem(name, detail.code) for detail in error.details if detail.code for name in _names(detail)]
    _, marker, rest = (error.message or "").partition(IN_MESSAGE)
    if marker:
        try:
            inner = msgspec.json.decode(rest.encode(), type=list[InMessage])
        except UNREADABLE:
            inner = []
        found += [PropertyProblem(one.name, one.error) for one in inner]
    return tuple(dict.fromkeys(found))


def _names(detail: Detail) -> Iterable[str]:
    named = [name for key in ("propertyName", "properties", "propertyNames") for name in detail.named(key)]
    return named or QUOTED.findall(detail.message or "")[:1]


def required_scopes(error: ErrorBody) -> tuple[str, ...]:
    """The scopes that a 403 says are missing."""
    return tuple(dict.fromkeys(scope for detail in error.details for scope in detail.named("requiredGranularScopes")))


def code_of(problems: Iterable[PropertyProblem], error: ErrorBody = SILENT) -> str:
    """Our stable code for what was refused: by the properties named, else by any word of HubSpot's that we know."""
    words = [problem.code for problem in problems]
    words += [word for detail in error.details for word in (detail.code, detail.sub_category) if word]
    words += [word for word in (error.sub_category, error.category) if word]
    # A word may stand behind the name of a family: `Properties.READ_ONLY_VALUE`.
    known = (CODES.get(word.rpartition(".")[2]) for word in words)
    return next((code for code in known if code is not None), "refused")


def without_values(text: str) -> str:
    """JSON with its text values blanked: the shape of an answer that holds contacts."""
    return VALUE.sub(r"\1…", text)


def redact(text: str, private: Collection[str] = ()) -> str:
    """`text` without addresses, tokens and the values in `private`, cut to 500 characters."""
    for value in sorted((value for value in private if len(value) > 1), key=len, reverse=True):
        text = text.replace(value, "[value]")
    text = TOKEN.sub("[token]", EMAIL.sub("[address]", text))
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"

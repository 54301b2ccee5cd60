"""One request on its way through the twin, its answer, and the row of the route table that leads there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Struct

from .errors import Refusal, invalid, not_found, unknown_key

if TYPE_CHECKING:
    from .grants import Grant
    from .portal import Portal
    from .twin import Twin

__all__ = ["Answer", "Call", "Route", "answer", "match", "no_content"]

T = TypeVar("T")


class Answer(Struct, frozen=True):
    """Status, headers and bytes that go back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    kind = ("content-type", "application/json;charset=utf-8")
    return Answer(status, msgspec.json.encode(body), (kind, *(headers or {}).items()))


def no_content() -> Answer:
    return Answer(204)


@dataclass(slots=True)
class Call:
    """A request with what has been found out about it so far."""

    twin: Twin
    method: str
    path: str
    query_text: str
    headers: list[tuple[str, str]]
    body: bytes
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    grant: Grant | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def granted(self) -> Grant:
        """The grant behind the bearer; only asked for on routes that need one."""
        if self.grant is None:
            raise RuntimeError("a route without authentication asked for a grant")
        return self.grant

    @property
    def portal(self) -> Portal:
        return self.twin.portals[self.granted.portal_id]

    @property
    def named_portal(self) -> Portal:
        """The account that the path of a page names; raises 404."""
        text = self.params["portal"]
        portal = self.twin.portals.get(int(text)) if text.isdecimal() else None
        if portal is None:
            raise not_found(f"There is no account {text}")
        return portal

    def json(self, kind: type[T]) -> T:
        """The body as `kind`; 400 in HubSpot's shape when it is not, refused when a key is unknown, 415 for other types."""
        content_type = (self.header("content-type") or "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise Refusal(415, {"status": "error", "message": "HTTP 415 Unsupported Media Type"}, unknown=True)
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.ValidationError as problem:
            refuse = unknown_key if "unknown field" in str(problem) else invalid
            raise refuse(f"Invalid input JSON: {problem}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise invalid(f"Invalid input JSON: {problem}") from None

    def form(self, known: frozenset[str]) -> dict[str, str]:
        """A urlencoded body; each key once, none that `known` does not name."""
        content_type = (self.header("content-type") or "").split(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise Refusal(415, {"status": "error", "message": "HTTP 415 Unsupported Media Type"}, unknown=True)
        pairs = parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)
        fields = dict(pairs)
        strange = sorted(fields.keys() - known)
        if strange or len(fields) != len(pairs):
            raise unknown_key(f"Unknown or repeated form fields: {strange}")
        return fields

    def pairs(self) -> list[tuple[str, str]]:
        """The fields of a page's form, in order."""
        return parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)

    def query_pairs(self) -> list[tuple[str, str]]:
        """The query of a page, in order."""
        return parse_qsl(self.query_text, keep_blank_values=True)

    def one(self, name: str, default: str | None = None) -> str | None:
        values = self.query.get(name)
        if values is None:
            return default
        if len(values) > 1:
            raise invalid(f"The query parameter {name} may stand once")
        return values[0]

    def flag(self, name: str) -> bool:
        text = self.one(name, "false")
        if text not in ("true", "false"):
            raise invalid(f"The query parameter {name} is true or false")
        return text == "true"

    def names(self, name: str) -> list[str] | None:
        """A comma-separated or repeated list parameter; None when it is absent."""
        values = self.query.get(name)
        if values is None:
            return None
        return [part for value in values for part in value.split(",") if part]

    def whole(self, name: str, default: int, *, top: int) -> int:
        text = self.one(name)
        if text is None:
            return default
        if not text.isdecimal() or not 1 <= int(text) <= top:
            raise invalid(f"The query parameter {name} is a number from 1 to {top}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path of the reference, who may call it and what it may carry.

    `path` has `{name}` for any part and `{contacts}` for `contacts` or its type id `0-1`. Any one of `scopes` is
    enough. `budget` is `ten_seconds`, `search` or None; `open` routes need no bearer.
    """

    method: str
    path: str
    run: Callable[[Call], Answer]
    scopes: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    budget: str | None = "ten_seconds"
    open: bool = False

    def parts(self) -> list[str]:
        return self.path.strip("/").split("/")


def match(pattern: list[str], raw_parts: list[str]) -> dict[str, str] | None:
    """The parameters when `raw_parts` (still percent-encoded) fit the pattern, else None."""
    params: dict[str, str] = {}
    for wanted, raw in zip(pattern, raw_parts, strict=True):
        if wanted == "{contacts}":
            if raw not in ("contacts", "0-1"):
                return None
        elif wanted.startswith("{"):
            if raw == "":
                return None
            params[wanted[1:-1]] = unquote(raw)
        elif wanted != raw:
            return None
    return params

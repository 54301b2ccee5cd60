"""Reading JSON as HubSpot might also write it: an id as a number, a number as text, a name where a list should stand."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

__all__ = ["OneOrMore", "listed", "read"]

T = TypeVar("T")

OneOrMore = list[str] | str | None


def listed(names: OneOrMore) -> tuple[str, ...]:
    """The names of a list, or of a text with blanks between them."""
    return tuple(names.split() if isinstance(names, str) else names or ())


def read(body: bytes, kind: type[T]) -> T:
    """The answer as `kind`. Raises one of `UNREADABLE` for everything else."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError:
        # As text every number and truth value fits where text is wanted, and is read back where it is not.
        return msgspec.convert(_as_text(msgspec.json.decode(body)), type=kind, strict=False)


def _as_text(found: Any) -> Any:
    match found:
        case bool():
            return "true" if found else "false"
        case int() | float():
            return str(found)
        case list():
            return [_as_text(one) for one in found]
        case dict():
            return {name: _as_text(one) for name, one in found.items()}
    return found

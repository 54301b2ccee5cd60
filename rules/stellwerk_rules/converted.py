"""What a converter makes of a value: another value, or a named reason why there is none."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Converted(Struct, frozen=True, kw_only=True):
    """A converted text. `code` is None where nothing is to tell; with `text` None the value does not fit and is left out."""

    text: str | None = None
    code: str | None = None


Convert = Callable[[str], Converted]


def kept(text: str) -> Converted:
    """The value as it is."""
    return Converted(text=text)


def left_out(code: str) -> Converted:
    """No value, and why."""
    return Converted(code=code)

"""Query parameters, strictly: unknown, repeated or malformed ones are 400 (section 2)."""

from __future__ import annotations

from collections.abc import Sequence

from .problem import Problem, Refusal

WORDS = {"true": True, "false": False}


class Parameters:
    """`allowed` names what the call knows; a name ending in `*` may be repeated."""

    def __init__(self, pairs: Sequence[tuple[str, str]], allowed: Sequence[str]) -> None:
        known = {name.removesuffix("*"): name.endswith("*") for name in allowed}
        self.values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in known:
                raise Refusal(400, f"unknown parameter {name}")
            if name in self.values and not known[name]:
                raise Refusal(400, f"parameter {name} stands twice")
            self.values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def many(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def text(self, name: str) -> str | None:
        """The value; None when absent or empty."""
        return self.values.get(name, [""])[0] or None

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name)
        if value is None:
            return default
        if value not in WORDS:
            raise Problem(400, f"{name} must be true or false but was {value}")
        return WORDS[value]

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not value.isascii() or not value.isdigit():
            raise Problem(400, f"{name} must be a whole number but was {value}")
        number = int(value)
        if number > high:
            raise Problem(400, f"{name} must not exceed {high} but was {value}")
        if number < low:
            raise Problem(400, f"{name} must not be less than {low} but was {value}")
        return number

    def choice(self, name: str, options: Sequence[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in options:
            raise Problem(400, f"{name} must be one of {', '.join(options)} but was {value}")
        return value

    def permission(self) -> int | None:
        return self.whole("permission", 1, 6)

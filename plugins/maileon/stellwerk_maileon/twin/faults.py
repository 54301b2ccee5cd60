"""Faults the control API injects into API calls: which calls they hit, and how often."""

from __future__ import annotations

import itertools
import re
from typing import Literal

import msgspec
from msgspec import Struct, field

from .exchange import Request

Kind = Literal["latency", "fail_before", "fail_after", "cut", "hold", "status"]
PARTS = ("method", "path", "query", "body")


class Match(Struct, kw_only=True, forbid_unknown_fields=True):
    """Regular expressions, each searched for in its part of the request; absent ones match anything."""

    method: str | None = None
    path: str | None = None
    query: str | None = None
    body: str | None = None

    def __post_init__(self) -> None:
        for part in PARTS:
            try:
                re.compile(getattr(self, part) or "")
            except re.error as failure:
                raise ValueError(f"{part} is not a regular expression: {failure}") from None

    def hits(self, request: Request) -> bool:
        texts = (request.method, request.path, request.query)
        for pattern, text in zip((self.method, self.path, self.query), texts, strict=True):
            if pattern is not None and re.search(pattern, text) is None:
                return False
        return self.body is None or re.search(self.body, request.body.decode("utf-8", "replace")) is not None


class Fault(Struct, kw_only=True, forbid_unknown_fields=True):
    """`every` N hits each Nth matching call, `times` K the first K, neither hits all; seconds are for latency."""

    kind: Kind
    name: str = ""
    match: Match = field(default_factory=Match)
    every: int | None = None
    times: int | None = None
    seconds: tuple[float, float] = (0.0, 0.0)
    status: int = 503
    headers: dict[str, str] = {}
    body: str = ""
    close: bool = False

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise ValueError("every must be at least 1")
        if not 100 <= self.status <= 599:
            raise ValueError("status must be a status code")


class Active(Struct, kw_only=True):
    id: int
    fault: Fault
    matched: int = 0
    hit: int = 0


class Faults:
    """The faults in force; `choose` counts for each of them."""

    def __init__(self) -> None:
        self.active: dict[int, Active] = {}
        self.numbers = itertools.count(1)

    def add(self, fault: Fault) -> int:
        number = next(self.numbers)
        self.active[number] = Active(id=number, fault=fault)
        return number

    def choose(self, request: Request) -> list[Fault]:
        """The faults that hit this call, in the order they were added."""
        hits: list[Fault] = []
        for entry in self.active.values():
            fault = entry.fault
            if not fault.match.hits(request):
                continue
            entry.matched += 1
            if fault.times is not None and entry.hit >= fault.times:
                continue
            if fault.every is not None and entry.matched % fault.every:
                continue
            entry.hit += 1
            hits.append(fault)
        return hits

    def remove(self, number: int) -> bool:
        return self.active.pop(number, None) is not None

    def listed(self) -> list[object]:
        return [msgspec.to_builtins(entry) for entry in self.active.values()]

"""Faults that the control API plants into vendor calls."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

__all__ = ["Fault", "Faults", "Held", "Holds", "Match"]


class Match(Struct, frozen=True, forbid_unknown_fields=True):
    """Regular expressions searched in path and body; `method` in full. Absent ones match all."""

    method: str | None = None
    path: str | None = None
    body: str | None = None


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """`every` Nth matching call, or the first `times` of them, or each; `after` skips that many first."""

    name: str
    kind: Literal["latency", "fail_before", "fail_after", "cut", "hold", "status"]
    match: Match = Match()
    every: int | None = None
    times: int | None = None
    after: int = 0
    seconds: tuple[float, float] = (0.0, 0.0)
    status: int = 500
    headers: dict[str, str] = {}
    body: str | None = None
    close: bool = False


@dataclass(slots=True)
class _Planted:
    fault: Fault
    path: re.Pattern[str] | None
    body: re.Pattern[str] | None
    seen: int = 0
    fired: int = 0


@dataclass(slots=True)
class Faults:
    planted: dict[int, _Planted] = field(default_factory=dict)
    last_id: int = 0

    def add(self, fault: Fault) -> int:
        """Its id; re.error for a pattern that is none."""
        path = re.compile(fault.match.path) if fault.match.path else None
        body = re.compile(fault.match.body) if fault.match.body else None
        self.last_id += 1
        self.planted[self.last_id] = _Planted(fault, path, body)
        return self.last_id

    def remove(self, number: int) -> bool:
        return self.planted.pop(number, None) is not None

    def clear(self) -> None:
        self.planted.clear()

    def due(self, method: str, path: str, body: str) -> tuple[list[Fault], Fault | None]:
        """The latencies to suffer, and one other fault that is due: a hold, which waits for its moment, else the first."""
        due = [planted for planted in self.planted.values() if _fits(planted, method, path, body) and _is_due(planted)]
        latencies = [planted for planted in due if planted.fault.kind == "latency"]
        others = [planted for planted in due if planted.fault.kind != "latency"]
        chosen = sorted(others, key=lambda planted: planted.fault.kind != "hold")[:1]
        for planted in (*latencies, *chosen):
            planted.fired += 1
        return [planted.fault for planted in latencies], chosen[0].fault if chosen else None


def _is_due(planted: _Planted) -> bool:
    """Counts the call, and says whether it is one of those that the fault is for."""
    planted.seen += 1
    fault, place = planted.fault, planted.seen - planted.fault.after
    if place < 1 or (fault.every is not None and place % fault.every):
        return False
    return fault.times is None or planted.fired < fault.times


def _fits(planted: _Planted, method: str, path: str, body: str) -> bool:
    wanted = planted.fault.match.method
    return (
        (wanted is None or wanted.upper() == method)
        and (planted.path is None or planted.path.search(path) is not None)
        and (planted.body is None or planted.body.search(body) is not None)
    )


class Held(Struct):
    """A call that was applied and not yet answered."""

    number: int
    method: str
    path: str
    body: str


@dataclass(slots=True)
class Holds:
    held: dict[int, Held] = field(default_factory=dict)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, held: Held) -> None:
        """Until `release`; a caller that goes away cancels this."""
        self.held[held.number] = held
        try:
            await self._opened.wait()
        finally:
            del self.held[held.number]

    def release(self) -> int:
        """Let all go that are held now; how many."""
        count = len(self.held)
        self._opened.set()
        self._opened = asyncio.Event()
        return count

"""The log of vendor calls that the control API shows."""

from __future__ import annotations

from collections import deque
from itertools import islice

from msgspec import Struct

__all__ = ["Record", "Seen"]

MAX_KEPT = 200_000


class Seen(Struct):
    """One vendor call. `refused`: the reference does not know something about it. `applied`: it was carried out."""

    number: int
    time: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int | None = None
    refused: bool = False
    applied: bool = False
    portal: int | None = None
    fault: str | None = None


class Record:
    def __init__(self) -> None:
        self.calls: deque[Seen] = deque(maxlen=MAX_KEPT)
        self.running = 0
        self._last = 0

    def open(self, time: str, method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes) -> Seen:
        """A new entry; the bearer is redacted."""
        self._last += 1
        shown = {name: "redacted" if name == "authorization" else value for name, value in headers}
        seen = Seen(self._last, time, method, path, query, shown, body.decode(errors="replace"))
        self.calls.append(seen)
        return seen

    def since(self, number: int) -> list[Seen]:
        """The entries above `number`, oldest first."""
        first = self.calls[0].number if self.calls else 0
        return list(islice(self.calls, max(number - first + 1, 0), None))

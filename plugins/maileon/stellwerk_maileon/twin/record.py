"""What was asked and answered: every API request, in order, with the key left out."""

from __future__ import annotations

from msgspec import Struct

from .exchange import Request

KEEP = 100_000


class Asked(Struct, kw_only=True):
    """`refused`: the reference does not know the call in this form. `applied`: carried out with a 2xx of its own,
    whatever a fault then made of the answer; `status` is what was sent, None while open or when cut off."""

    number: int
    time: float
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    status: int | None = None
    refused: bool = False
    applied: bool = False


class Record:
    def __init__(self) -> None:
        self.entries: list[Asked] = []
        self.dropped = 0
        self.open = 0

    def begin(self, request: Request, now: float) -> Asked:
        headers = {name: "(redacted)" if name == "authorization" else v for name, v in request.headers.items()}
        entry = Asked(
            number=self.dropped + len(self.entries) + 1,
            time=now,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=headers,
            body=request.body.decode("utf-8", "replace"),
        )
        self.entries.append(entry)
        if len(self.entries) > KEEP:
            del self.entries[: KEEP // 2]
            self.dropped += KEEP // 2
        return entry

    def since(self, number: int) -> list[Asked]:
        """The entries with a higher number."""
        return self.entries[max(0, number - self.dropped) :]

"""What is noticed of webhooks on their way: those that come again, and those that an older one follows."""

from __future__ import annotations

import hashlib
from collections import Counter

import httpx
import msgspec


class Telling:
    """Counts into `reached`; equal bytes at one address are the same webhook again."""

    def __init__(self, reached: Counter[str]) -> None:
        self._reached = reached
        self._seen: set[bytes] = set()
        self._latest = 0

    def of(self, request: httpx.Request) -> None:
        """Look at one call of a vendor."""
        print_of = hashlib.sha256(str(request.url).encode() + request.content).digest()
        self._reached["webhook"] += 1
        if print_of in self._seen:
            self._reached["webhook again"] += 1
        self._seen.add(print_of)
        times = [one["occurredAt"] for one in _events(request.content)]
        if times and min(times) < self._latest:
            self._reached["webhook after a younger one"] += 1
        self._latest = max(self._latest, *times, 0)


def _events(body: bytes) -> list[dict[str, int]]:
    """Those of a webhook that says when they happened."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return []
    return [one for one in found if "occurredAt" in one] if isinstance(found, list) else []

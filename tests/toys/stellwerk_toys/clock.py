"""The one clock of a world: it moves when a test says so, and a little with everything that is written over there."""

from __future__ import annotations

from datetime import UTC, datetime

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
TICK_SECONDS = 0.001


class Clock:
    """Seconds since 1970. Call it for the time."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def stamp(self) -> datetime:
        """The time of a write; two writes never have the same."""
        self.now += TICK_SECONDS
        return self.moment()

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

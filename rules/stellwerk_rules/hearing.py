"""What is heard of a system, and whether it may be relied on: its clock, its events, and how a field's changes arrive."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Literal

from msgspec import Struct

__all__ = ["CLOCK_OFF_SECONDS", "SILENT_SECONDS", "Arrival", "ClockState", "arrival", "clock_state", "is_silent"]

CLOCK_OFF_SECONDS = 60.0
CLOCK_WRONG_SECONDS = 300.0
"""Signed requests older or younger than this are refused: from here on none would be taken."""

SILENT_SECONDS = 600.0


class ClockState(StrEnum):
    """How far our clock and a system's are apart."""

    GOOD = "good"
    OFF = "off"
    WRONG = "wrong"


class Arrival(Struct, frozen=True, kw_only=True):
    """How changes of one field reach us. `seconds` is the longest wait by asking; None where nobody is asked.

    `heard`: an event of this field has come, so that its way is known and not only meant.
    """

    field: str
    way: Literal["event", "poll", "none"]
    seconds: float | None
    heard: bool


def clock_state(offset_seconds: float) -> ClockState:
    """What an offset means: above a minute somebody must look, above five nothing can be relied on."""
    apart = abs(offset_seconds)
    if apart > CLOCK_WRONG_SECONDS:
        return ClockState.WRONG
    return ClockState.OFF if apart > CLOCK_OFF_SECONDS else ClockState.GOOD


def is_silent(written_at: float, listening_since: float, now: float) -> bool:
    """Whether what we wrote should have come back as an event by now; we must have been there to hear it."""
    return now - max(written_at, listening_since) > SILENT_SECONDS


def arrival(field: str, *, told: Collection[str], heard: Collection[str], poll_seconds: float | None) -> Arrival:
    """The way of one field: by event where one was heard or the system tells of it, else by asking, else not at all."""
    known = field in heard
    if known or field in told:
        return Arrival(field=field, way="event", seconds=poll_seconds, heard=known)
    return Arrival(field=field, way="none" if poll_seconds is None else "poll", seconds=poll_seconds, heard=False)

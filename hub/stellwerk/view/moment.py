"""Times as they are shown: ISO 8601 in UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """`seconds` since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def moment_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)

"""HubSpot's clock, as the `Date` header of its answers tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["clock_offset"]

SECOND = timedelta(seconds=1)


def clock_offset(date: str, sent: datetime, received: datetime) -> float | None:
    """Seconds that HubSpot's clock is ahead of ours, negative when it is behind; None when `date` does not tell.

    The header has whole seconds, and the answer was made at some moment between `sent` and `received`: only what lies
    outside of that counts, so that a slow call is no wrong clock.
    """
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    if at + SECOND < sent:
        return (at + SECOND - sent).total_seconds()
    return max((at - received).total_seconds(), 0.0)

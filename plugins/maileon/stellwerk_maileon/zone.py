"""The zone of the times that Maileon prints, learnt from a contact that we have just written (DESIGN, section 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from stellwerk_maileon import clock

QUARTER = timedelta(minutes=15)
"""Every zone's offset is a whole number of these."""

NEAR = timedelta(minutes=2)
"""How far Maileon's clock and ours may be apart, with the call between them; beyond it nothing is learnt."""

FARTHEST = timedelta(hours=14)


def named(text: str) -> tzinfo:
    """A zone by its name, or by an offset such as `+02:00`."""
    if text[:1] not in ("+", "-"):
        return ZoneInfo(text)
    size = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-size if text[0] == "-" else size)


def learnt(printed: str | None, written_at: datetime, supposed: str) -> str | None:
    """The zone in which `printed` says `written_at`, by our clock; None when it says nothing believable.

    `supposed` where that is it: a name follows the changes of the clock, a mere offset is learnt anew after each.
    """
    if clock.read_zone(printed) is not None:
        return None
    told = clock.read_time(printed, UTC)
    if told is None:
        return None
    offset = round((told - written_at) / QUARTER) * QUARTER
    if abs(told - written_at - offset) > NEAR or abs(offset) > FARTHEST:
        return None
    if written_at.astimezone(named(supposed)).utcoffset() == offset:
        return supposed
    minutes = int(abs(offset) / timedelta(minutes=1))
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"

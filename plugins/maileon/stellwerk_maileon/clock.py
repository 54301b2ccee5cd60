"""Maileon's times: printed without a zone, filtered in milliseconds (reference, sections 9 and 12)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_TIME = re.compile(
    r"^\s*(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?\s*$"
)
_MILLISECONDS = re.compile(r"^\d{12,14}$")


def read_time(text: str | None, zone: tzinfo) -> datetime | None:
    """An aware UTC time of `2016-06-13 09:14:41.0`, of one with an offset, or of milliseconds; None when it is none.

    A time without an offset is one of `zone`; in the hour that a clock change repeats, the first of the two.
    """
    if text is None:
        return None
    if _MILLISECONDS.match(text.strip()):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    found = _TIME.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    micro = int((fraction or "0").ljust(6, "0")[:6])
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro, tzinfo=zone
        )
        if offset is not None:
            local = local.replace(tzinfo=UTC) - _offset(offset)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or one before the first or after the last year
        return None


def read_zone(text: str | None) -> str | None:
    """The offset at the end of a time such as `2020-07-06T09:41:00+0200`, as `+02:00`; None without one."""
    found = _TIME.match(text or "")
    if found is None or found[8] is None:
        return None
    return "+00:00" if found[8] == "Z" else f"{found[8][:3]}:{found[8][-2:]}"


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970, rounded down, never negative."""
    return max(0, int(at.timestamp() * 1000))


def printed(milliseconds: int) -> str:
    """`2024-01-01 00:00:00`, as `updated_after` takes it, of milliseconds that were read from such a text as if it were UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return -size if text[0] == "-" else size

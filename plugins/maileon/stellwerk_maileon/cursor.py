"""Where a poll stands: the stage of its run, the page, and by hashes what earlier runs have met. It holds no address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal

import msgspec
from msgspec import Struct

MOST_MET = 5000
"""Hashes a cursor holds at most. What falls out is signalled again: a contact under the key it had, which is no event then; an entry of
a report as a look that does no harm, or as a dead letter once more."""

Stage = Literal["unsubscriptions", "subscribers", "bounces", "blocks", "contacts"]


class Cursor(Struct, frozen=True, kw_only=True):
    """`since` and `until` are milliseconds by our clock. `high` and `rising` are times that Maileon printed, read as if they
    were UTC: by its clock and nobody else's, whatever its zone.

    `high` is the newest `updated` of earlier runs, `rising` that of this run; `reached` says that this run has met it again.
    `silent` marks that no run has learnt yet which contacts are already there: the first that does tells none of them. `wide`
    marks a run that asks a whole day back.
    `left` has the sources that failed and the `since` of the run in which they first did.
    """

    stage: Stage
    since: int
    until: int
    high: int
    rising: int
    page: int = 1
    seen: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    silent: bool = False
    wide: bool = True
    reached: bool = False
    left: Mapping[Stage, int] = {}


def read(text: str) -> Cursor:
    """A cursor from its text."""
    return msgspec.json.decode(text, type=Cursor)


def write(cursor: Cursor) -> str:
    """The cursor as text."""
    return msgspec.json.encode(cursor).decode()


def finished(at: Cursor, *, wide: bool) -> Cursor:
    """Where the next run begins."""
    return Cursor(
        stage="unsubscriptions",
        since=at.until,
        until=at.until,
        high=at.rising,
        rising=at.rising,
        seen=at.met,
        wide=wide,
        silent=at.silent,
        left=at.left,
    )


def name(*parts: str) -> str:
    """What something met is known by."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def keep(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, the newest of them."""
    return tuple(dict.fromkeys(names))[-MOST_MET:]


def milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)

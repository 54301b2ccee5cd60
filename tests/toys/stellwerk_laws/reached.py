"""What a history reached, of what the laws are most likely to break at."""

from __future__ import annotations

from collections.abc import Iterator

from stellwerk_laws import crashed
from stellwerk_laws.truth import Truth
from stellwerk_laws.variants import OVERRIDES, RANKS
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import API_SOURCE, Record

BEFORE = "opt-out before an ask"
BETWEEN = "opt-out between ask and confirmation"
AFTER = "opt-out after confirmation"
TWICE = "the same fact twice"
BOTH = "both sides changed"
UP = "a contact's own value asks for more"
DOWN = "a contact's own value asks for less"
MERGED = "two records become one"
MOVED = "an address moves"
ERASED = "a privacy deletion"
DELETED = "a deletion"
RESTORED = "a restore"
RECONNECTED = "disconnected and connected again"
ROTATED = "another secret key"
RESTORED_BACK_UP = "a restored back-up"
STOPPED = "a field that keeps changing by itself is held"
WENT_ALONG = "a permission goes along to a new address"
SYNCED = "somebody older than the connection is brought in"
UNLINKED = "a contact is unlinked"
LINKED_AGAIN = "an unlinked contact is linked again"
CLICKED = "a contact is asked again on a person's word"
OF_SYNCS = (SYNCED,)
OF_RECORDS = (MERGED, MOVED, WENT_ALONG, ERASED, DELETED, RESTORED)
OF_OPERATORS = (RECONNECTED, ROTATED, RESTORED_BACK_UP)
OF_AUTOMATIONS = (STOPPED,)
GROUND = (*OF_RECORDS, *OF_OPERATORS, *OF_AUTOMATIONS, *OF_SYNCS)
ALL = (
    BEFORE,
    BETWEEN,
    AFTER,
    TWICE,
    BOTH,
    UP,
    DOWN,
    crashed.RECEIVE_DECIDE,
    crashed.DECIDE_DELIVER,
    crashed.CALL_RECEIPT,
    crashed.CLEAR_SET,
    crashed.ASK_RECEIPT,
)


def afterwards(truth: Truth) -> set[str]:
    """What can be told once it is over: how contacts came in with values of their own, and what changed at both sides."""
    found = {name for touch in truth.world.touches if touch.what in ("doi", "create") for name in _own(truth, touch)}
    if any(touch.what == "move" for touch in truth.world.touches):
        found.add(WENT_ALONG)
    if any(touch.what == "create" and truth.is_older(touch.email or "") for touch in truth.world.touches):
        found.add(SYNCED)
    return found | ({BOTH} if _both_changed(truth) else set())


def _own(truth: Truth, touch: Touch) -> Iterator[str]:
    file = truth.file
    for record in truth.records(touch.email or ""):
        own = {
            name: value
            for name, field in OVERRIDES.items()
            if name in file.overrides and (value := _value(record, field, touch.at)) is not None
        }
        if (own.get("ask_first") == "yes" and not file.asks) or (own.get("ask_tracking") == "yes" and not file.tracks):
            yield UP
        if own.get("ask_first") == "no" and file.asks:
            yield DOWN
        level = own.get("level")
        if level in RANKS and not file.asks and RANKS.index(level) < RANKS.index(file.level):
            yield DOWN


def _value(record: Record, field: str, at: float) -> str | None:
    entries = [entry for entry in record.history.get(field, []) if entry.at.timestamp() <= at]
    return entries[-1].value if entries else None


def _both_changed(truth: Truth) -> bool:
    """Whether people changed one row at both sides with no rest of the hub in between."""
    for at, email, field, _ in truth.edits_there:
        for row in truth.file.rows:
            if row.news != field:
                continue
            for record in truth.records(email):
                for entry in record.history.get(row.shop, []):
                    first, second = sorted((at, entry.at.timestamp()))
                    if entry.source != API_SOURCE and not any(first < calm < second for calm in truth.calm):
                        return True
    return False

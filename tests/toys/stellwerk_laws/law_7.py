"""No echo: what people changed is carried once to the other side, and what the hub wrote itself is carried nowhere."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.variants import Row
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import API_SOURCE, Record

LINKING = 1
"""Writes at the shop that come of two contacts being linked: what is known at the other side fills the blank."""


WINDOW_SECONDS = 600.0
MOST = 5
BY_HAND = frozenset({"form", "clerk"})


def holds(player: Player) -> None:
    for row in player.file.rows:
        _is_stopped(player, row)
    # A call whose answer was lost is made once more; it writes what stands there already or nothing.
    lost = len(player.world.lost)
    for record in player.world.crm.records.values():
        for row in player.file.rows:
            made_there, made_here = _edits_there(player, record, row), _edits_here(player, record, row)
            brought_in = sum(
                touch.email == record.value("email") and touch.what in ("doi", "create")
                for touch in player.world.touches
            )
            linked = LINKING + len(player.truth.unlinked_of(record))
            at_shop, at_news = _at_shop(player, record, row), _at_news(player, record, row)
            assert at_shop <= made_there + linked + lost, f"{row.news} changed {made_there} times, {at_shop} writes"
            assert at_news <= made_here + brought_in + lost, f"{row.shop} changed {made_here} times, {at_news} writes"


def _is_stopped(player: Player, row: Row) -> None:
    """After five writes of a field within ten minutes, none set by a form or a person, there is no sixth."""
    for contact in {touch.contact for touch in player.world.touches}:
        writes = writes_of(player, contact, row)
        for number in range(MOST, len(writes)):
            before = writes[number - MOST : number + 1]
            quick = before[-1][0] - before[0][0] < WINDOW_SECONDS
            assert not quick or any(by_hand for _, by_hand in before), (
                f"{row.news} was written six times in ten minutes"
            )


def writes_of(player: Player, contact: str, row: Row) -> list[tuple[float, bool]]:
    """When the hub changed the field at that contact of the newsletter, and whether a person or a form had set the value."""
    found = []
    for touch in player.world.touches:
        if (touch.what, touch.contact) != ("update", contact) or touch.before is None or touch.after is None:
            continue
        value = touch.after.fields.get(row.news)
        if value != touch.before.fields.get(row.news):
            found.append((touch.at, _was_set_by_hand(player, touch, row, value)))
    return found


def _was_set_by_hand(player: Player, touch: Touch, row: Row, value: str | None) -> bool:
    """By the last entry with this value before the write; a value that came from elsewhere was set by nobody here."""
    entries = [
        entry
        for record in player.truth.records(touch.email or "")
        for entry in record.history.get(row.shop, [])
        if row.there(entry.value) == value and entry.at.timestamp() <= touch.at
    ]
    return bool(entries) and max(entries, key=lambda entry: entry.at).source in BY_HAND


def may_be_stopped(player: Player, contact: str, row: Row) -> bool:
    """Whether the breaker may have left the field of that contact as it is."""
    writes = writes_of(player, contact, row)
    return any(late[0] - early[0] < WINDOW_SECONDS for early, late in zip(writes, writes[MOST - 1 :], strict=False))


def _edits_here(player: Player, record: Record, row: Row) -> int:
    """At every contact that ever had its address: that is what the writes over there are counted by."""
    records = player.truth.records(record.value("email") or "")
    return sum(entry.source != API_SOURCE for one in records for entry in one.history.get(row.shop, []))


def _edits_there(player: Player, record: Record, row: Row) -> int:
    emails = player.truth.emails(record)
    return sum(one in emails and field == row.news for _, one, field, _ in player.truth.edits_there)


def _at_shop(player: Player, record: Record, row: Row) -> int:
    return sum(
        touch.what == "fields" and (touch.contact, touch.field) == (record.id, row.shop)
        for touch in player.world.touches
    )


def _at_news(player: Player, record: Record, row: Row) -> int:
    """Times that a call of the hub changed the field at an address of this record; who is taken out keeps no field."""
    email = record.value("email")
    return sum(
        touch.after is not None
        and touch.after.email is not None
        and touch.email == email
        and touch.after.fields.get(row.news) != (None if touch.before is None else touch.before.fields.get(row.news))
        for touch in player.world.touches
    )

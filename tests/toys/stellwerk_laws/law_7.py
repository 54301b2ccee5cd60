"""No echo: what people changed is carried once to the other side, and what the hub wrote itself is carried nowhere."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.variants import Row
from stellwerk_toys.crm import API_SOURCE, Record

LINKING = 1
"""Writes at the shop that come of two contacts being linked: what is known at the other side fills the blank."""


def holds(player: Player) -> None:
    # A call whose answer was lost is made once more; it writes what stands there already or nothing.
    lost = len(player.world.lost)
    for record in player.world.crm.records.values():
        for row in player.file.rows:
            made_there, made_here = _edits_there(player, record, row), _edits_here(record, row)
            brought_in = sum(
                touch.email == record.value("email") and touch.what in ("doi", "create")
                for touch in player.world.touches
            )
            at_shop, at_news = _at_shop(player, record, row), _at_news(player, record, row)
            assert at_shop <= made_there + LINKING + lost, f"{row.news} changed {made_there} times, {at_shop} writes"
            assert at_news <= made_here + brought_in + lost, f"{row.shop} changed {made_here} times, {at_news} writes"


def _edits_here(record: Record, row: Row) -> int:
    return sum(entry.source != API_SOURCE for entry in record.history.get(row.shop, []))


def _edits_there(player: Player, record: Record, row: Row) -> int:
    email = record.value("email")
    return sum((one, field) == (email, row.news) for _, one, field, _ in player.truth.edits_there)


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

"""Of an unlinked contact nothing is written at either side but opt-outs and deletions for privacy, until it is linked again."""

from __future__ import annotations

from stellwerk_laws.happenings import Clicks
from stellwerk_laws.player import Player
from stellwerk_laws.truth import NEVER, Apart, Truth, address_at
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import Record

AT_THE_SHOP = ("fields", "clear", "stage", "note")
IN_FLIGHT_SECONDS = 0.0045
"""An ask takes three calls of a millisecond, and what it does a fourth; what is on its way then cannot be called back."""


def holds(player: Player) -> None:
    for apart in player.truth.apart:
        cleared = False
        for touch in player.world.touches:
            if not _concerns(player.truth, apart, touch):
                continue
            if apart.since + IN_FLIGHT_SECONDS < touch.at < apart.until:
                # What stands between clear and set is the set, whatever happens.
                ends = touch.what == "stage" and cleared
                assert ends or _goes_on(player, apart, touch), f"{touch.what} of a contact that was unlinked"
            cleared = touch.what == "clear" or (cleared and touch.what in AT_THE_SHOP and touch.what != "stage")
            if touch.what == "doi" and touch.at >= apart.until:
                _is_wished_since(player, apart, touch)


def _goes_on(player: Player, apart: Apart, touch: Touch) -> bool:
    if touch.what == "delete":
        erased = [act for act in player.truth.acts if act.what == "erased" and act.at <= touch.at]
        return any(_is_part(apart, act.record) for act in erased)
    return touch.what == "unsubscribe" or (touch.what, touch.field, touch.value) == ("fields", "no_mail", "yes")


def _concerns(truth: Truth, apart: Apart, touch: Touch) -> bool:
    """Whether it was written at the contact's record, or for it: not for one that has the address by now."""
    if touch.what in AT_THE_SHOP:
        record = truth.record(touch.contact)
        return record is not None and _is_part(apart, record, touch.at)
    holders = [one for one in truth.records(touch.email or "") if _has(truth, one, touch.email or "", touch.at)]
    return bool(holders) and all(_is_part(apart, one, touch.at) for one in holders)


def _is_part(apart: Apart, record: Record, at: float = NEVER) -> bool:
    """Whether the record is the one that was unlinked, or has taken it in by then."""
    return apart.record.id == record.id or (apart.record.id in record.took_in and record.created.timestamp() <= at)


def _has(truth: Truth, record: Record, email: str, at: float) -> bool:
    """Whether it had that address at the time, and was not merged away."""
    went = [one.at for one in truth.acts if one.record is record and one.what in ("merged away", "erased")]
    stands = record.created.timestamp() <= at and not any(one <= at for one in went)
    return stands and address_at(record, at) == email


def _is_wished_since(player: Player, apart: Apart, touch: Touch) -> None:
    """A click is no wish: whoever is linked again is asked for a yes that was said since, unless somebody asks for an older one."""
    records = player.truth.records(touch.email or "")
    if len(records) != 1 or any(isinstance(one.step, Clicks) for one in player.history.steps):
        return
    since = max((one for one in player.truth.calm if one <= apart.until), default=apart.since)
    said = player.truth.explicit(touch.email or "", touch.at)
    assert any(at >= since for at in said), "asked, since it was linked again"

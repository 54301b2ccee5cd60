"""A stage moves only from its source, while its fact holds, and never stops half-way."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.truth import Truth
from stellwerk_laws.variants import STAGES, Move
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import API_SOURCE, Record

FRESH_SECONDS = 60.0


def holds(player: Player) -> None:
    file = player.file
    moves = {move.target: (name, move) for name in ("welcome", "farewell") if (move := file.move(name)) is not None}
    for record in player.world.crm.records.values():
        touches = [one for one in player.world.touches if one.contact == record.id and one.what in ("clear", "stage")]
        cleared: Touch | None = None
        made = {"welcome": 0, "farewell": 0}
        for touch in touches:
            if touch.what == "clear":
                _is_where_it_starts(player, record, touch, [move for _, move in moves.values() if move.reset])
                cleared = touch
                continue
            assert touch.value in moves, f"the stage was set to {touch.value}"
            name, move = moves[touch.value or ""]
            if cleared is None:
                _is_where_it_starts(player, record, touch, [move])
                assert touch.old is None or move.reset or STAGES.index(touch.old) < STAGES.index(move.target), (
                    "backward"
                )
            else:
                assert touch.old is None, "set over somebody's choice after a crash"
            assert move.any_or(cleared.old if cleared is not None else touch.old), (
                "moved from another stage than its source"
            )
            _fact_holds(player.truth, touch, name)
            made[name] += 1
            cleared = None
        _nothing_is_left_blank(record, player)
        truth, emails = player.truth, player.truth.emails(record)
        confirmed = sum(len(truth.confirmations(email)) for email in emails)
        outs = sum(len(truth.left(email)) + _noes(player, email) for email in emails)
        assert made["welcome"] <= confirmed, "more moves than confirmations"
        assert made["farewell"] <= outs, "more moves than opt-outs"


def _is_where_it_starts(player: Player, record: Record, touch: Touch, moves: list[Move]) -> None:
    """Within a minute before, the hub could read a stage that one of the moves starts from."""
    looks = [
        look.stages[record.id]
        for look in player.world.looks
        if record.id in look.stages and look.call <= touch.call and touch.at - look.at <= FRESH_SECONDS
    ]
    assert any(move.any_or(stage) for move in moves for stage in looks), "moved from another stage than its source"


def _fact_holds(truth: Truth, touch: Touch, name: str) -> None:
    email = touch.email or ""
    confirmed = [one.at for one in truth.confirmations(email) if one.at <= touch.at]
    known = [out.at for out in truth.outs(email) if out.known < touch.at and out.by == "news"]
    if name == "welcome":
        assert confirmed, "moved for a confirmation that never was"
        assert not any(out > max(confirmed) for out in known), "moved for a confirmation that an opt-out has ended"
    else:
        outs = [out.at for out in truth.outs(email) if out.at <= touch.at] + [
            at for at in truth.left(email) if at <= touch.at
        ]
        assert outs, "moved for an opt-out that never was"


def _noes(player: Player, email: str) -> int:
    return sum(player.truth.is_opt_out(record, entry) for record, entry in player.truth.answers(email))


def _nothing_is_left_blank(record: Record, player: Player) -> None:
    entries = record.history.get("stage", [])
    if entries and not record.gone:
        assert not (entries[-1].value is None and entries[-1].source == API_SOURCE), "the stage was left blank"

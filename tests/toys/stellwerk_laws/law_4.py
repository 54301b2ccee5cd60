"""Tracking is a yes of its own."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.variants import OVERRIDES


def holds(player: Player) -> None:
    for mail in player.world.mail.sent:
        if mail.plus and not player.file.tracks:
            assert "ask_tracking" in player.file.overrides, "asked for tracking, and nobody could have said so"
            said = [
                entry.value
                for record in player.truth.records(mail.email)
                for entry in record.history.get(OVERRIDES["ask_tracking"], [])
                if entry.at <= mail.at
            ]
            assert "yes" in said, "asked for tracking, and nobody said so"
    for touch in player.world.touches:
        if touch.after is not None and touch.after.permission == "full+":
            before = None if touch.before is None else touch.before.permission
            assert before == "full+" or player.file.may_be_granted("double_plus"), "the hub itself made it a plus"

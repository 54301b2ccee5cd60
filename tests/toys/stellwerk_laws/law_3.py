"""One double opt-in mail for one wish, at most."""

from __future__ import annotations

from itertools import pairwise

from stellwerk_laws.happenings import PEOPLE
from stellwerk_laws.player import Player

AGAIN_SECONDS = 24 * 3600.0 - 60.0
WINDOW_SECONDS = 30 * 86_400.0 - 60.0


def holds(player: Player) -> None:
    marks = [mail.mark for mail in player.world.mail.sent]
    assert len(marks) == len(set(marks)), "one wish was asked twice"
    for touch in player.world.touches:
        if touch.what == "doi" and touch.before is not None:
            assert touch.before.permission not in ("full", "full+"), "a confirmed address was asked"
    for person in PEOPLE:
        _of_one_address(player, f"{person}@example.com")


def _of_one_address(player: Player, email: str) -> None:
    truth = player.truth
    mails = [mail.at.timestamp() for mail in player.world.mails_to(email)]
    for number, at in enumerate(mails, start=1):
        explicit, made = truth.explicit(email, at), truth.made(email, at)
        assert len(explicit) + len(made) >= number, "more mails than wishes"
        if not explicit:
            assert made, "somebody was asked who is older than the connection and never said yes"
            said = [entry for _, entry in truth.answers(email) if entry.at.timestamp() <= at]
            assert any(entry.value == "yes" for entry in said) or player.file.silence_is_yes, (
                "silence was taken for yes"
            )
    ends = [one.at for one in truth.confirmations(email)] + [out.at for out in truth.outs(email)] + truth.left(email)
    for first, second in pairwise(mails):
        if any(first <= end <= second for end in ends):
            continue
        assert second - first >= AGAIN_SECONDS, f"asked again after {second - first:.0f} seconds"
        assert truth.explicit(email, second), "asked again without an explicit yes"
    for number, at in enumerate(mails):
        window = [one for one in mails[: number + 1] if one > at - WINDOW_SECONDS]
        last_end = max((end for end in ends if end <= at), default=0.0)
        assert len([one for one in window if one > last_end]) <= 3, "asked more than three times, unanswered"

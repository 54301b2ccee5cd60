"""A permission rises only on evidence the ledger names."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.variants import OVERRIDES, RANKS
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import Record

WORDS = {
    "nothing": "none",
    "one": "single",
    "two": "confirmed",
    "full": "double",
    "full+": "double_plus",
    "odd": "other",
}


def holds(player: Player) -> None:
    for touch in player.world.touches:
        if touch.after is None:
            continue
        before = "none" if touch.before is None else WORDS[touch.before.permission]
        after = WORDS[touch.after.permission]
        if after in (before, "none"):
            continue
        assert "other" not in (before, after), f"{before} became {after}"
        if RANKS.index(after) <= RANKS.index(before):
            continue
        _is_a_lawful_grant(player, touch, after)


def _is_a_lawful_grant(player: Player, touch: Touch, granted: str) -> None:
    file = player.file
    assert (touch.what, touch.before) == ("create", None), f"{touch.what} raised an existing permission to {granted}"
    assert file.may_be_granted(granted), f"{granted} was granted where {file.level} is the most"
    records = player.truth.records(touch.email or "")
    if file.asks:
        assert file.may_go_unasked, "granted where the connection asks"
        assert any(_went_unasked(player, record) for record in records), "granted without the contact's own value"
    levels = [entry for one in records for entry in one.history.get(OVERRIDES["level"], [])]
    if (
        file.literal_level is None
        and "level" in file.overrides
        and len(records) == 1
        and [one.value for one in levels] == ["none"]
    ):
        created = records[0].created.timestamp()
        assert levels[0].at.timestamp() > created + 1.0, "granted more than the contact's own value allows"
    facts = [fact for fact in player.truth.ledgers[touch.email or ""].facts if fact["kind"] == "granted"]
    forgotten = player.truth.in_a_gap(touch.at)
    named = [fact for fact in facts if fact["permission"] == granted and fact["words"] == "words"]
    # Whoever left before a lost answer could be looked for has left nothing to look for.
    unseen = touch.call in player.world.lost and any(out.contact == touch.contact for out in player.world.mail.report)
    assert named or unseen or forgotten, f"{granted} was granted, and the ledger does not name it"


def _went_unasked(player: Player, record: Record) -> bool:
    """Whether the contact's own value ever said that it need not be asked, written by somebody who may say so."""
    if "ask_first" not in player.file.overrides:
        return False
    return any(
        entry.value == "no" and (entry.source != "form" or player.file.forms_may_skip)
        for entry in record.history.get(OVERRIDES["ask_first"], [])
    )

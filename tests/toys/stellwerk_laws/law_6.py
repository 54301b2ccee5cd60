"""Twice is once, and in the end everything stands as the true history demands."""

from __future__ import annotations

from stellwerk_laws.law_2 import WORDS
from stellwerk_laws.law_7 import may_be_stopped
from stellwerk_laws.player import Player
from stellwerk_laws.truth import Truth, address_at
from stellwerk_laws.variants import Row
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import API_SOURCE, MERGE_SOURCE, Entry, Record
from stellwerk_toys.mail import Address

MARGIN_SECONDS = 7200.0
SURELY_SECONDS = 2 * 3600.0 + 60.0
"""More than what counts as written at once."""

YES_NOTE, LEFT_NOTE, BACK_NOTE = "Said yes", "Left", "Came back"


def holds(player: Player) -> None:
    for record in player.world.crm.records.values():
        email = record.value("email") or ""
        _noted_once(player.truth, record)
        if not record.gone and player.truth.is_told_whole(record):
            there = player.world.news(email)
            apart = player.truth.is_apart(record)
            if not apart:
                _shown(player, record, there)
            _answer(player, record, email, there, apart=apart)
            if there is not None and there.extern == record.id and not apart:
                _fields(player, record, email, there)
    for touch in player.world.touches:
        if touch.what == "unsubscribe":
            _is_meant(player, touch)
        if touch.what == "delete":
            assert _went(player, touch, "delete"), "deleted, and no record of the address went or was erased"


def _noted_once(truth: Truth, record: Record) -> None:
    """One note for one fact; for one that an older back-up does not know, one more."""
    emails, most = truth.emails(record), 1 + truth.restores
    notes = [note.text.split("\n")[0] for note in record.notes]
    for text, facts in ((YES_NOTE, truth.confirmations), (LEFT_NOTE, truth.left), (BACK_NOTE, truth.returned)):
        happened = sum(len(facts(email)) for email in emails)
        assert notes.count(text) <= most * happened, f"“{text}” was noted twice"


def _is_meant(player: Player, touch: Touch) -> None:
    """Taken out by us only for something that is not older than the last confirmation, as far as two clocks can tell."""
    email = touch.email or ""
    confirmed = [one.at for one in player.truth.confirmations(email) if one.at < touch.at]
    since = max(confirmed, default=0.0) - MARGIN_SECONDS
    noes = [
        entry.at.timestamp()
        for record in player.truth.records(email)
        for name in ("wants_news", "no_mail")
        for entry in record.history.get(name, [])
        if entry.value == {"wants_news": "no", "no_mail": "yes"}[name]
        and entry.source not in (API_SOURCE, MERGE_SOURCE)
    ]
    assert _went(player, touch, "unsubscribe") or any(since < at <= touch.at for at in noes), (
        "taken out for something older than the confirmation"
    )


def _went(player: Player, touch: Touch, how: str) -> bool:
    """Whether the file lets a contact go in this way for what a clerk did to a record of its address."""
    values, truth, email = player.file.values, player.truth, touch.email or ""
    deleted = "removed" in player.file.rules and values["on_removal"] == how and truth.did("deleted", email, touch.at)
    left = values["on_move_old"] == how and truth.did("moved", email, touch.at)
    ended = [act for act in truth.acts if act.what == "erased" and act.at <= touch.at]
    forgotten = how == "delete" and "forgotten" in player.file.rules
    erased = forgotten and any(email in truth.emails(act.record) for act in ended)
    return bool(deleted or left or erased)


def _is_in(player: Player, record: Record) -> bool:
    """Whether the hub ever brought this contact in or linked it: it wrote its id there."""
    return any(touch.after is not None and touch.after.extern == record.id for touch in player.world.touches)


def _shown(player: Player, record: Record, there: Address | None) -> None:
    """The mirror shows the permission and the state that stand at the newsletter."""
    if not player.file.mirrored or not _is_in(player, record):
        return
    permission = "none" if there is None else WORDS[there.permission]
    assert record.value("news_level") in (permission, None if permission == "none" else permission), (
        f"shows the permission {record.value('news_level')}, and it is {permission}"
    )
    state = record.value("news_state")
    if permission != "none":
        expected = "blocked" if there is not None and there.blocked else "subscribed"
        assert state == expected, f"shows {state}, and it is {expected}"
    else:
        assert state != "subscribed", "shows subscribed, and it is not"


def _answer(player: Player, record: Record, email: str, there: Address | None, *, apart: bool) -> None:
    """A no that takes out has taken out; an opt-out at the newsletter has set the answer to no, or a yes is younger."""
    said = record.history.get("wants_news", [])
    own = bool(said) and address_at(record, said[-1].at.timestamp()) == email
    if own and player.truth.is_opt_out(record, said[-1]) and _is_in(player, record):
        later = [one for one in player.truth.confirmations(email) if one.at > said[-1].at.timestamp()]
        assert there is None or there.permission == "nothing" or later, "said no, and is still subscribed"
    left = list(player.truth.left(email))
    confirmed = [one.at for one in player.truth.confirmations(email)]
    stays_out = left and max(left) > max(confirmed, default=0.0)
    if stays_out and not apart and "left" in player.file.rules and there is None and _is_in(player, record):
        younger = [entry for entry in said if entry.at.timestamp() > max(left)]
        assert record.value("wants_news") == "no" or younger, "left, and the answer still reads yes"


def _fields(player: Player, record: Record, email: str, there: Address) -> None:
    out = player.truth.standing(email, player.world.clock.now)
    if out or there.permission == "nothing":
        return
    for row in player.file.rows:
        if row.fill_only:
            here, over_there = record.value(row.shop), there.fields.get(row.news)
            if row.goes("news") and here:
                assert over_there, f"{row.news} is blank and could be filled"
            if row.goes("shop") and over_there and not _was_emptied(player, row, record, there):
                assert here, f"{row.shop} is blank and could be filled"
            continue
        if may_be_stopped(player, there.id, row):
            continue  # what the breaker holds waits for a person
        _agrees(player, row, record, email, there)


def _was_emptied(player: Player, row: Row, record: Record, there: Address) -> bool:
    """Whether somebody emptied the field after all that stands at the newsletter stood there: it is not filled at once again."""
    entries = record.history.get(row.shop, [])
    if not entries or entries[-1].value is not None or entries[-1].source == API_SOURCE:
        return False
    edits = [at for at, email, field, _ in player.truth.edits_there if (email, field) == (there.email, row.news)]
    return entries[-1].at.timestamp() > max([_linked_at(player, record, there), *edits])


def _agrees(player: Player, row: Row, record: Record, email: str, there: Address) -> None:
    """Both sides show the same once somebody changed the field since they were linked; before, only blanks were filled."""
    here, over_there = record.value(row.shop), there.fields.get(row.news)
    linked = _linked_at(player, record, there)
    changed_here = [
        one for one in record.history.get(row.shop, []) if one.source != API_SOURCE and one.at.timestamp() > linked
    ]
    changed_there = [one for one in player.truth.edits_there if one[0] > linked and one[1:3] == (email, row.news)]
    if not changed_here and not changed_there:
        return
    if row.goes("news") and row.goes("shop"):
        assert row.there(here) == over_there, f"{row.shop} is {here} here and {over_there} there"
        if changed_here and changed_there:
            _newest_won(player, record, changed_here[-1], changed_there[-1], here)
    elif row.goes("news") and changed_here:
        assert row.there(here) == over_there or changed_there, f"{row.shop} is {here} here and {over_there} there"
    elif row.goes("shop") and changed_there:
        assert here == over_there or changed_here, f"{row.shop} is {here} here and {over_there} there"


def _newest_won(
    player: Player, record: Record, mine: Entry, theirs: tuple[float, str, str, str], stands: str | None
) -> None:
    """Of two changes that no rest came between, the newsletter's, where it is surely the younger.

    The shop's contact tells one time for all its fields, so nothing else of it may have changed meanwhile.
    """
    at, changed = mine.at.timestamp(), theirs[0]
    calm = min((one for one in player.truth.calm if one > at), default=at)
    others = [
        entry
        for name, entries in record.history.items()
        for entry in entries
        if entry is not mine and at <= entry.at.timestamp() <= calm and entry.source != API_SOURCE
    ]
    if at + SURELY_SECONDS < changed < calm and not others:
        assert stands == theirs[3], f"{stands} won over the younger {theirs[3]}"


def _linked_at(player: Player, record: Record, there: Address) -> float:
    """Since when both sides are to agree: from the start where the hub itself made the contact there.

    Linked again it is linked anew.
    """
    again = [one.until for one in player.truth.unlinked_of(record)]
    return max([_first_linked_at(player, record, there), *again])


def _first_linked_at(player: Player, record: Record, there: Address) -> float:
    touches = [touch for touch in player.world.touches if touch.contact == there.id]
    made = touches and touches[0].before is None and touches[0].what in ("doi", "create")
    if made and touches[0].after is not None and touches[0].after.extern in (record.id, *record.took_in):
        return record.created.timestamp()
    return min(touch.at for touch in touches if touch.after is not None and touch.after.extern == record.id)

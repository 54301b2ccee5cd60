"""What a record that merges, moves, goes or comes back may lead to: consent stays with its address, and nobody is brought in."""

from __future__ import annotations

from stellwerk_laws.player import Player
from stellwerk_laws.truth import Happened, Truth, address_at
from stellwerk_laws.watched import Touch
from stellwerk_toys.crm import Record

BY_WISH_ALONE = ("restored", "merged")
LEAVES = ("moved", "merged away", "erased", "deleted")


def holds(player: Player) -> None:
    for touch in player.world.touches:
        if touch.what in ("doi", "create"):
            _is_wished_since(player.truth, touch)
        if touch.what == "update":
            _is_somebodys(player.truth, touch)
        if touch.what == "move":
            _went_along(player, touch)
    for email in player.truth.ledgers:
        _who_left_is_out(player, email)


def _is_wished_since(truth: Truth, touch: Touch) -> None:
    """Out of a merge or back from a deletion, a contact comes in only by a yes that was said since, or was not handled yet."""
    holders = _holders(truth, touch.email or "", touch.at)
    if not holders:
        return
    bare: list[Happened] = []
    for record in holders:
        acts = [one for one in truth.acts if one.record is record and one.what in BY_WISH_ALONE and one.at <= touch.at]
        since = [one for one in truth.acts if one.record is record and one.what == "moved" and one.at <= touch.at]
        if not acts or (since and since[-1].at > acts[-1].at):
            return
        bare.append(acts[-1])
    handled = min(act.calm for act in bare)
    said = [at for at in truth.explicit(touch.email or "", touch.at) if at >= handled]
    assert said, f"{touch.what} for a contact that was {bare[0].what}, and nobody has said yes since"


def _is_somebodys(truth: Truth, touch: Touch) -> None:
    """Values go to the address that a contact has: not to one it left, nor to a secondary one."""
    email = touch.email or ""
    if _holders(truth, email, touch.at):
        return
    left = [act for act in truth.acts if act.email == email and act.what in LEAVES and act.at <= touch.at]
    news = [act for act in left if not any(act.at < calm < touch.at for calm in truth.calm)]
    assert news, "values went to an address that no contact has any more"


def _went_along(player: Player, touch: Touch) -> None:
    """A permission goes along to a new address only where the file says so, and never because of a form or a merge."""
    assert touch.before is not None
    assert player.file.values["on_move"] == "keep_permission", "a permission went along, and nobody has said so"
    moves = player.truth.did("moved", touch.before.email or "", touch.at)
    assert any(act.by not in ("form", "") for act in moves), (
        "a permission went along though no person changed the address"
    )


def _who_left_is_out(player: Player, email: str) -> None:
    """In the end: who opted out, and has not confirmed since, is not subscribed."""
    truth, there = player.truth, player.world.news(email)
    if there is None or there.permission == "nothing":
        return
    confirmed = max((one.at for one in truth.confirmations(email)), default=0.0)
    noes = [out for out in truth.outs(email) if out.by == "no" and out.at > confirmed]
    ours = any(touch.email == email and touch.after is not None for touch in player.world.touches)
    joined = there.created.timestamp()
    assert not any(ours and out.at > joined for out in noes), "said no, and is subscribed in the end"


def _holders(truth: Truth, email: str, at: float) -> list[Record]:
    """The records that had this address at the time, and were not gone."""
    found = []
    for record in truth.records(email):
        went = [one.at for one in truth.acts if one.record is record and one.what in ("merged away", "erased")]
        if record.created.timestamp() <= at and not any(one <= at for one in went) and address_at(record, at) == email:
            found.append(record)
    return found

"""unlinked: a contact that a person took out of what is carried between the systems. One filter over every decision.

Its opt-outs and a deletion for privacy go on, what was said of consent is recorded, and our id is taken from an address that it
left; nothing else is written anywhere. The same question is put again immediately before a write, for what was decided before.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from stellwerk_rules import moving, remember
from stellwerk_rules.model import (
    ADDRESS,
    Because,
    Decision,
    DeleteContact,
    Enter,
    EventKind,
    Known,
    MoveAddress,
    OptOut,
    Planned,
    Remembered,
    SetPeer,
    Skip,
    Unlinked,
    Unsubscribe,
)
from stellwerk_rules.plan import Plan

UNLINKED = "unlinked"
"""Code of the reason."""


def standing(known: Known) -> Unlinked | None:
    """Who unlinked the contact, and when; or the one that it is, or was just, merged with."""
    return _own(known) or known.within_unlinked


def refusal(planned: Planned, known: Known) -> Because | None:
    """Why `planned` may not be made, or None."""
    flag = standing(known)
    return None if flag is None or goes_on(planned) else because(flag)


def because(flag: Unlinked) -> Because:
    """The reason, as it is told."""
    return Because(code=UNLINKED, text=f"it was unlinked by {flag.by} on {flag.at:%Y-%m-%d %H:%M} (UTC)")


def goes_on(planned: Planned) -> bool:
    """Whether it is made all the same: an opt-out, or the deletion of whoever was deleted for privacy.

    That an address was left for another one is no opt-out; but our id goes from it, as it is somebody else's now.
    """
    change = planned.change
    if isinstance(change, SetPeer):
        return change.peer_id is None and change.of is not None
    if isinstance(change, DeleteContact):
        return planned.because.code == EventKind.ERASED.value
    return isinstance(change, OptOut) or (isinstance(change, Unsubscribe) and change.of is None)


def instead(plan: Plan, left_out: Planned, known: Known) -> tuple[Planned, ...]:
    """Our id taken from an address that was left, where what was to become of it is not made."""
    change, key = left_out.change, left_out.key
    if isinstance(change, Unsubscribe | DeleteContact) and change.of is not None:
        return moving.freed(plan, left_out.system, change.of.id, change.of.address, known, key)
    there = known.remembered.ids.get(left_out.system)
    if isinstance(change, MoveAddress) and there is not None:
        return moving.freed(plan, left_out.system, there, change.former, known, key)
    return ()


def held_back(plan: Plan, decision: Decision, known: Known, *, tell: bool = False) -> Decision:
    """`decision` without what is not carried of a contact that is unlinked, which is remembered as not made.

    With the reason where something was left out, or where it is to be told anyway.
    """
    flag = standing(known)
    if flag is None:
        return decision
    planned = (*decision.changes, *(one for one, _ in decision.held))
    left_out = tuple(one for one in planned if not goes_on(one))
    skips = decision.skips
    if (left_out or tell) and all(one.because.code != UNLINKED for one in skips):
        skips = (Skip(because=because(flag)), *skips)
    return replace(
        decision,
        changes=(
            *(one for one in decision.changes if goes_on(one)),
            *(freed for one in left_out for freed in instead(plan, one, known)),
        ),
        held=tuple(pair for pair in decision.held if goes_on(pair[0])),
        skips=skips,
        remembered=replace(_as_not_made(plan, left_out, decision.remembered, known), unlinked=_own(known)),
    )


def _own(known: Known) -> Unlinked | None:
    """Whoever is merged with one that was unlinked stays so."""
    told = (known.remembered.unlinked, *(one.unlinked for one in known.absorbed))
    return next((one for one in told if one is not None), None)


def _as_not_made(plan: Plan, left_out: Sequence[Planned], remembered: Remembered, known: Known) -> Remembered:
    home = plan.wish_system or ""
    for one in left_out:
        remembered = remember.given_up(remembered, one.system, one.change, known.digest)
        if isinstance(one.change, MoveAddress):  # what was allowed stays with the old address
            for other in plan.others(home):
                remembered = remember.unlinked(remembered, other)
            remembered = replace(remembered, entered=False)
        if isinstance(one.change, Enter):
            was_in = known.remembered.entered and not _moved(remembered, known, home)
            remembered = replace(remembered, entered=was_in)
    return remembered


def _moved(remembered: Remembered, known: Known, home: str) -> bool:
    before = remember.seen(known.remembered, home, ADDRESS)
    return before is not None and before != remember.seen(remembered, home, ADDRESS)

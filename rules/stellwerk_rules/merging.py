"""Contacts that became one: links go along, consent never does. Nobody is asked, subscribed or unsubscribed by a merge.

What is decided here follows from the contact as it reads, with the ids it has taken in, and not from the signal: a merge's own
event may come late, twice, or after a deletion of the one that lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stellwerk_rules import remember
from stellwerk_rules.conditions import last_written
from stellwerk_rules.model import (
    Because,
    Contact,
    Known,
    Origin,
    Planned,
    Remembered,
    Seen,
    SetPeer,
)
from stellwerk_rules.wishes import handled

_EARLIEST = 0.0


class Stored(Struct, frozen=True, kw_only=True):
    """A contact that may be part of the merged one: the digest of its address, and what is remembered of it."""

    address: str | None
    remembered: Remembered


def survivor(
    stored: Sequence[Stored], system: str, contact_id: str, address: str | None, others: frozenset[str]
) -> int | None:
    """Which of `stored` goes on as the contact with this id and address; None: none of them, and it starts anew.

    The one with the address, since consent belongs to it; `others` are the digests of its secondary addresses, whose contacts
    never do. One that has no address yet, or another that is no secondary one, moves to this address.
    """

    def rank(number: int) -> tuple[bool, bool, int]:
        one = stored[number]
        return (one.address != address, one.remembered.ids.get(system) != contact_id, number)

    fitting = [
        number
        for number, one in enumerate(stored)
        if one.address == address or (one.remembered.within is None and one.address not in others)
    ]
    return min(fitting, key=rank, default=None)


def holder(stored: Sequence[Remembered], system: str) -> int | None:
    """Whose an address is that several of `stored` have, told of at `system`, where a contact is known by it alone.

    Whoever is known there comes before all others, then one that was not deleted before one that was, a first address before
    a secondary one. Of several that are left it is the youngest, and none of them where all are known there.
    """
    numbers = list(range(len(stored)))
    better: tuple[Callable[[Remembered], bool], ...] = (
        lambda one: system in one.ids,
        lambda one: not (one.binned or one.erased),
        lambda one: one.within is None,
    )
    for is_better in better:
        numbers = [number for number in numbers if is_better(stored[number])] or numbers
    if len(numbers) > 1 and system in stored[numbers[0]].ids:
        return None
    return max(numbers, default=None)


def secondary(remembered: Remembered, system: str, within: str) -> Remembered:
    """As a contact whose address became a secondary one of the contact `within`: it keeps its contact elsewhere."""
    return replace(
        remembered,
        ids={name: one for name, one in remembered.ids.items() if name != system},
        by_wish=True,
        within=within,
    )


def is_merge(known: Known, system: str, contact: Contact) -> bool:
    """Whether the contact reads as the outcome of a merge that is news to us."""
    before = known.remembered
    return bool(known.absorbed) or before.within is not None or before.ids.get(system) not in (None, contact.id)


def taken_over(remembered: Remembered, known: Known, contact: Contact, watched: Sequence[str]) -> Remembered:
    """What is remembered of the survivor of a merge: whatever any of the merged had answered is handled.

    So is what the merge itself brought along. Only an explicit yes that none of them had handled brings it in. What was
    carried belongs to a pair of contacts: an address that was a secondary one has another one of them now.
    """
    if remembered.within is not None:
        remembered = replace(remembered, seen={}, going={})
    told = (remembered.answered, *(other.answered for other in known.absorbed))
    answered: dict[str, Seen] = {}
    for name in {name for one in told for name in one}:
        now = remember.digest_of(known.digest, contact.fields.get(name))
        answered[name] = max(
            (one[name] for one in told if name in one), key=lambda seen: (seen.digest == now, _when(seen))
        )
    merged = replace(remembered, answered=answered, within=None, by_wish=True)
    brought = tuple(name for name in watched if _came_along(contact, name))
    return remember.with_answers(merged, handled(contact, brought, replace(known, remembered=merged)))


def renamed(remembered: Remembered, before: Remembered, system: str, mail: str | None, key: str) -> tuple[Planned, ...]:
    """The survivor's id at `system`, to be stored at its contact at the system `mail` in the place of the one it had.

    Also where that contact's id could not be read when it was made: only what is stored there tells then which it is.
    """
    old, new = before.ids.get(system), remembered.ids.get(system)
    if mail is None or not remember.is_met(remembered, mail) or old in (None, new):
        return ()
    why = Because(code="merged", text=f"the contact has another id at {system} since a merge")
    return (Planned(system=mail, change=SetPeer(peer_id=new, replaces=old), key=f"merged:{key}:{new}", because=why),)


def _came_along(contact: Contact, name: str) -> bool:
    written = last_written(contact.history, contact.fields, name)
    return written is not None and written.origin is Origin.MERGE


def _when(seen: Seen) -> float:
    return _EARLIEST if seen.at is None else seen.at.timestamp()

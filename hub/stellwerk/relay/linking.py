"""unlink and link again: a person takes one contact out of what is carried between the systems, and takes that back.

Unlinked it is at once: what waits of it is refused just before its write. To be linked again it is read first, since both
records are to meet as they stand then; what is put into the inbox says only that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from stellwerk.relay.hub import Hub
from stellwerk.relay.receive import subject_of
from stellwerk.relay.sync_now import LINK_AGAIN, UNLINK, contacts_named, request
from stellwerk.relay.trace import Trace
from stellwerk.sdk.connector import Ref, Signal
from stellwerk.store import accounts, connections, contacts, inbox, traces
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import ContactState, Stale
from stellwerk.store.store import Tx
from stellwerk_rules.model import Because, EventKind, Known, Unlinked
from stellwerk_rules.unlinked import because

LINKED_AGAIN = "linked_again"
"""Names, in the details of an event of ours, the connection that it was asked for at, and which unlinking is taken back."""

UNLINKED = "unlinked"
ALREADY = "already"
ASKED_FOR = "asked-for"
DONE = "done"
NOT_RUNNING = "not-running"
"""What came of a press."""

MOST_RETRIES = 10
_T = TypeVar("_T")


def is_linked_again(connection: Connection, known: Known, signals: Iterable[Signal]) -> bool:
    """Whether one of the events takes back that the contact is unlinked as it is now: not an older unlinking."""
    flags = {known.remembered.unlinked, *(one.unlinked for one in known.absorbed)} - {None}
    told = {one.details.get(LINKED_AGAIN) for one in signals}
    return any(flag is not None and _token(connection, flag) in told for flag in flags)


async def unlink(hub: Hub, connection: Connection, *, who: str, by: str) -> str | None:
    """Unlink the contact named by its address or its id at a system. None where nobody is known by that, or several are."""

    def work(tx: Tx) -> str | None:
        now, states = hub.now(), _named(tx, hub, connection, who)
        new = [one for one in states if one.remembered.unlinked is None or _is_asked_for(tx, hub, connection, one)]
        for state in new:
            before = state.remembered.unlinked
            at = hub.time() if before is None else max(hub.time(), before.at + timedelta(microseconds=1))
            flag = Unlinked(by=by, at=at)
            contacts.save(tx, replace(state, remembered=replace(state.remembered, unlinked=flag)), now)
            _tell(tx, hub, connection, state, UNLINK, because(flag), now)
        if new:
            _note(tx, connection, new, connections.UNLINKED, by, now)
        return (UNLINKED if new else ALREADY) if states else None

    return await _written(hub, work)


async def link_again(hub: Hub, connection: Connection, *, who: str, by: str) -> str | None:
    """Have the contact read, to be linked again; of one that can be read nowhere it is only taken back that it is unlinked.

    None where nobody is known by that name, or several are.
    """

    def work(tx: Tx) -> str | None:
        now, states = hub.now(), _named(tx, hub, connection, who)
        apart = [one for one in states if one.remembered.unlinked is not None]
        waiting = [one for one in apart if _is_asked_for(tx, hub, connection, one)]
        if len(waiting) < len(apart) and connection.state != "runs":
            return NOT_RUNNING
        outcome = ALREADY
        for state in apart:
            if state in waiting:
                continue
            asked = _put(tx, hub, connection, state, by, now)
            outcome = ASKED_FOR if asked or outcome == ASKED_FOR else DONE
        if len(waiting) < len(apart):
            _note(tx, connection, apart, connections.LINKED_AGAIN, by, now)
        return outcome if states else None

    told = await _written(hub, work)
    hub.wake()
    return told


def _named(tx: Tx, hub: Hub, connection: Connection, who: str) -> list[ContactState]:
    """The contacts meant, with every address of theirs; nobody where an id is one contact's here and another's there."""
    found = [one for one in contacts_named(tx, hub, connection, who) if not one.remembered.erased]
    if len(found) > 1 and "@" not in who:
        return []
    home = hub.book(connection).plan.wish_system or ""
    every = {one.id: one for one in found}
    for one in found:
        own = one.remembered.within or one.remembered.ids.get(home)
        if own is not None:
            first = contacts.by_link(tx, connection.id, home, own)
            related = (*(() if first is None else (first,)), *contacts.within(tx, connection.id, own))
            every |= {other.id: other for other in related}
    return list(every.values())


def _put(tx: Tx, hub: Hub, connection: Connection, state: ContactState, by: str, now: float) -> bool:
    """Whether it is to be read: where contacts have their addresses, else wherever it is known."""
    remembered = state.remembered
    assert remembered.unlinked is not None
    place = _place(hub, connection, state)
    if place is None:
        taken_back = replace(remembered, unlinked=None, by_wish=True)
        contacts.save(tx, replace(state, remembered=taken_back), now)
        _tell(tx, hub, connection, state, LINK_AGAIN, Because(code=LINK_AGAIN, text=f"asked for by {by}"), now)
        return False
    system, ref = place
    signal = Signal(
        kind=EventKind.CHANGED,
        ref=ref,
        key=f"{_ours(connection)}{now}/{subject_of(hub.vault, ref)}",
        details={LINKED_AGAIN: _token(connection, remembered.unlinked)},
    )
    return request(tx, hub, connection, system, signal, state, LINK_AGAIN, by, now)


def _place(hub: Hub, connection: Connection, state: ContactState) -> tuple[str, Ref] | None:
    """Where it is read; a secondary address nowhere, since it is no contact of its own."""
    remembered = state.remembered
    home = hub.book(connection).plan.wish_system
    known = [system for system in (home, *connection.accounts) if system in remembered.ids]
    if not known or known[0] is None or remembered.within is not None:
        return None
    return known[0], Ref(by="id", value=remembered.ids[known[0]])


def _is_asked_for(tx: Tx, hub: Hub, connection: Connection, state: ContactState) -> bool:
    """Whether it is to be linked again as soon as it is read."""
    place = _place(hub, connection, state)
    if place is None:
        return False
    system, ref = place
    rows = inbox.waiting_of(tx, connection.accounts[system], subject_of(hub.vault, ref), EventKind.CHANGED.value)
    return any((row["dedup"] or "").startswith(_ours(connection)) for row in rows)


def _ours(connection: Connection) -> str:
    return f"{LINK_AGAIN}/{connection.id}/"


def _token(connection: Connection, flag: Unlinked) -> str:
    return f"{connection.id} {flag.at.isoformat()}"


def _tell(
    tx: Tx, hub: Hub, connection: Connection, state: ContactState, what: str, reason: Because, now: float
) -> None:
    account = next(iter(connection.accounts.values()))
    accounts.by_id(tx, hub.vault, account)
    trace = Trace(what=what, reasons=(reason,), outcome=DONE)
    traces.add(
        tx,
        connection=connection.id,
        contact=state.id,
        address=state.address,
        event=what,
        kind=DONE,
        body=hub.vault.seal(account, msgspec.json.encode(trace)),
        now=now,
    )


def _note(tx: Tx, connection: Connection, states: Sequence[ContactState], note: str, by: str, now: float) -> None:
    digest = next((one.address for one in states if one.address), "")
    connections.note(tx, connection.id, who=by, now=now, note=note, about=digest[:16])


async def _written(hub: Hub, work: Callable[[Tx], _T]) -> _T:
    for _ in range(MOST_RETRIES):
        try:
            return await hub.store.write(work)
        except Stale:
            continue
    raise Stale("a contact kept changing while it was unlinked or linked again")

"""sync now: a person has one contact read again at both systems; it is decided as any other event of the live lane.

It goes into the inbox of each account by the id that is known there, by the address where none is. Whatever comes of it
would have come of the next change of the contact as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from stellwerk.relay.hub import Hub
from stellwerk.relay.receive import new_event, subject_of
from stellwerk.relay.trace import Trace
from stellwerk.sdk.connector import Ref, Signal
from stellwerk.store import accounts, connections, contacts, counts, inbox, lease, meta, traces
from stellwerk.store.connections import SYNCED_NOW, Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.store import Tx
from stellwerk_rules.model import Because, EventKind

SYNC_NOW = "sync-now"
ASK_AGAIN = "ask-again"
UNLINK = "unlink"
LINK_AGAIN = "link-again"
"""What a trace calls what a person asked for, and the code of its reason."""

REQUESTED = "requested"
"""Outcome of that trace: what came of it, its event's own traces say."""

_ADDRESS = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


async def sync_now(hub: Hub, connection: Connection, *, who: str, by: str) -> list[str]:
    """Have the contact named by its address or its id at a system read again. The systems it is read at.

    Nowhere if nothing is known by that name and it is no address. Asked for again before it was read it is the same.
    """

    def work(tx: Tx) -> list[str]:
        now = hub.now()
        states = contacts_named(tx, hub, connection, who)
        refs = _refs(connection, states, who)
        new = [system for system, ref, state in refs if _put(tx, hub, connection, system, ref, state, by, now)]
        if new:
            digest = next((one.address for one in states if one.address), None) or hub.vault.address(who)
            connections.note(tx, connection.id, who=by, now=now, note=SYNCED_NOW, about=digest[:16])
        return list(dict.fromkeys(system for system, _, _ in refs))

    systems = await hub.store.write(work)
    hub.wake()
    return systems


def contacts_named(tx: Tx, hub: Hub, connection: Connection, who: str) -> list[ContactState]:
    """The connection's contacts with that address, or that id at a system."""
    if "@" in who:
        return contacts.by_address(tx, connection.id, hub.vault.address(who))
    return [one for one in contacts.by_remote(tx, who) if one.connection == connection.id]


def _refs(
    connection: Connection, states: Sequence[ContactState], who: str
) -> list[tuple[str, Ref, ContactState | None]]:
    """By what name the contact is read at each system, and whose trace tells of it."""
    found: list[tuple[str, Ref, ContactState | None]] = []
    for system in connection.accounts:
        known = [(state, state.remembered.ids[system]) for state in states if system in state.remembered.ids]
        found += [(system, Ref(by="id", value=remote), state) for state, remote in known]
        if not known and _ADDRESS.fullmatch(who):
            found.append((system, Ref(by="email", value=who), next(iter(states), None)))
    return found


def _put(
    tx: Tx,
    hub: Hub,
    connection: Connection,
    system: str,
    ref: Ref,
    state: ContactState | None,
    by: str,
    now: float,
) -> bool:
    """False where that was asked for already and is still to be read."""
    subject, ours = subject_of(hub.vault, ref), f"{SYNC_NOW}/{connection.id}/"
    waiting = inbox.waiting_of(tx, connection.accounts[system], subject, EventKind.CHANGED.value)
    if any((row["dedup"] or "").startswith(ours) for row in waiting):
        return False
    signal = Signal(kind=EventKind.CHANGED, ref=ref, key=f"{ours}{now}/{subject}")
    return request(tx, hub, connection, system, signal, state, SYNC_NOW, by, now)


def request(
    tx: Tx,
    hub: Hub,
    connection: Connection,
    system: str,
    signal: Signal,
    state: ContactState | None,
    what: str,
    by: str,
    now: float,
) -> bool:
    """Put `signal`, which has a key, into the inbox of the account at `system`, and who asked for it into the traces.

    What is asked for at several systems at once has one `now`. False where an event with that key stands already.
    """
    account, ref = connection.accounts[system], signal.ref
    accounts.by_id(tx, hub.vault, account)
    new = inbox.put(tx, [new_event(hub, account, signal, now)])
    if not new:
        return False
    meta.count(tx, counts.ACKNOWLEDGED, new)
    lease.wake(tx, account, now)
    trace = Trace(
        what=what,
        reasons=(Because(code=what, text=f"asked for by {by}, to be read at {system}"),),
        outcome=REQUESTED,
    )
    traces.add(
        tx,
        connection=connection.id,
        contact=None if state is None else state.id,
        address=hub.vault.address(ref.value) if ref.by == "email" else None if state is None else state.address,
        event=str(inbox.number_of(tx, account, signal.key or "")),
        kind=REQUESTED,
        body=hub.vault.seal(account, msgspec.json.encode(trace)),
        now=now,
    )
    return True

"""Deciding again what a person let go: by an event of its contact, so that today's rules and what is true today count.

Who is to be brought in, or taken out because its record went away, is read and decided anew at its own system. Other
changes go back into the outbox: what they write is asked of the laws again just before the call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stellwerk.relay import case as cases
from stellwerk.relay.case import Case
from stellwerk.relay.decide import write
from stellwerk.relay.hub import Hub
from stellwerk.relay.opened import opened
from stellwerk.relay.putting import tag_of
from stellwerk.relay.receive import new_event
from stellwerk.sdk.connector import Ref, Signal
from stellwerk.store import accounts, connections, counts, inbox, lease, meta, outbox, repairs
from stellwerk.store import held as held_rows
from stellwerk.store.store import Row, Tx
from stellwerk_rules.aftermath import dropped
from stellwerk_rules.model import (
    Because,
    Contact,
    Decision,
    DeleteContact,
    Enter,
    EventKind,
    Planned,
    Presence,
    SetFields,
    Skip,
)
from stellwerk_rules.outlook import outlook


def decide_again(tx: Tx, hub: Hub, rows: Sequence[Row]) -> None:
    """Put `rows` (held, or dead) on their way once more."""
    now = hub.now()
    for row in rows:
        accounts.by_id(tx, hub.vault, row["account"])
        signal = signal_of(tx, hub, row)
        if signal is None:
            outbox.replay(tx, row["id"], now)
            lease.wake(tx, row["account"], now)
            continue
        held_rows.release(tx, row["id"], now)
        _have_decided(tx, hub, row, *signal, now)


def decide_anew(tx: Tx, hub: Hub, one: int) -> bool:
    """Have the contact of a delivery that waits decided on again first. False where it cannot be read where it wishes."""
    now = hub.now()
    row = outbox.whole(tx, [one])[0]
    signal = signal_of(tx, hub, row)
    if signal is None:
        return False
    held_rows.renew_first(tx, one, now)
    _have_decided(tx, hub, row, *signal, now)
    return True


def leave(tx: Tx, hub: Hub, events: Sequence[Row], text: str) -> None:
    """Give dead `events` up for good. What was let go with one of them is held as before, or waits to be decided anew."""
    now = hub.now()
    inbox.dismiss(tx, [row["id"] for row in events], text)
    for row in events:
        known = accounts.by_id(tx, hub.vault, row["account"]) is not None
        told = opened(hub.vault, row["account"], row["body"], Signal) if known else None
        released = "" if told is None else told.details.get(held_rows.RELEASED, "")
        for one in held_rows.unrelease(tx, [int(released)] if released.isdecimal() else [], now):
            repairs.open_(tx, one["connection"], one["code"], one["text"] or one["code"], now)


def _have_decided(tx: Tx, hub: Hub, row: Row, account: str, told: Signal, now: float) -> None:
    """Put the event in; whom a sync was to bring in is decided on that sync's terms again."""
    meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, [new_event(hub, account, told, now, run=run_of(row))]))
    lease.wake(tx, account, now)


def run_of(row: Row) -> int | None:
    """The sync on whose terms a delivery is decided again. Its other changes follow from what reads over there, as ever."""
    return row["run"] if row["tag"] == "enter" else None


def counted(hub: Hub, case: Case, row: Row) -> list[str]:
    """As what a sync counted the contact when this was planned; nothing where that cannot be read any more."""
    planned = opened(hub.vault, row["account"], row["body"], Planned)
    return [] if planned is None else [outlook(case.book.plan, Decision(changes=(planned,)), case.known).what.value]


def end(tx: Tx, hub: Hub, rows: Sequence[Row], code: str, text: str) -> None:
    """Never make `rows`; the contact's state is shown as it is without them."""
    now = hub.now()
    for row in rows:
        accounts.by_id(tx, hub.vault, row["account"])
        outbox.settle(tx, row["id"], "skipped", code=code, text=text, answer=None, now=now)
        lease.wake(tx, row["account"], now)  # what comes after it in its contact has waited for it
        connection = connections.by_id(tx, row["connection"])
        planned = opened(hub.vault, row["account"], row["body"], Planned)
        case = None if connection is None else cases.load_stored(tx, hub, connection, row["contact"])
        if case is None or planned is None:
            continue
        skip = Skip(because=Because(code=code, text=text))
        nothing = Contact(presence=Presence.ABSENT, read_at=hub.time())
        decision = dropped(case.book.plan, planned, skip, nothing, case.known, hub.time())
        write(tx, hub, case, decision, event=row["event"], what=tag_of(planned), outcome=code)


def signal_of(tx: Tx, hub: Hub, row: Row) -> tuple[str, Signal] | None:
    """The account to read the contact at, and the event that says so; None for what is not decided by reading it."""
    planned = opened(hub.vault, row["account"], row["body"], Planned)
    connection = connections.by_id(tx, row["connection"])
    if planned is None or connection is None or not isinstance(planned.change, Enter | DeleteContact | SetFields):
        return None
    case = cases.load_stored(tx, hub, connection, row["contact"])
    source = next((name for name in connection.accounts if name != planned.system), None)
    remote = None if case is None or source is None else case.known.remembered.ids.get(source)
    if isinstance(planned.change, DeleteContact) and planned.change.of is not None:
        return None  # of an address that the contact has left
    if source is None or remote is None or (isinstance(planned.change, SetFields) and planned.change.mirror):
        return None
    kind = EventKind.DELETED if isinstance(planned.change, DeleteContact) else EventKind.CHANGED
    details: Mapping[str, str] = {held_rows.RELEASED: str(row["id"])}
    account = connection.accounts[source]
    accounts.by_id(tx, hub.vault, account)
    return account, Signal(kind=kind, ref=Ref(by="id", value=remote), details=details)

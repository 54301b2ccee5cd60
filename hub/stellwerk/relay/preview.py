"""What replaying would come to: it is done under today's rules, on a store that undoes everything, and nobody is written to."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from stellwerk.errors import DeliveryError
from stellwerk.relay import again, dead, foretold
from stellwerk.relay.company import companies
from stellwerk.relay.deliver import look_up
from stellwerk.relay.happened import decide_contact
from stellwerk.relay.hub import Desk, Hub
from stellwerk.relay.opened import UNREADABLE, opened
from stellwerk.relay.read import read_contacts
from stellwerk.relay.receive import new_event, subject_of
from stellwerk.relay.seeking import SOUGHT
from stellwerk.relay.undoing import Undoing
from stellwerk.relay.waiting import Waiting
from stellwerk.sdk.connector import Reader, Signal
from stellwerk.store import accounts, dead_letters, inbox, lease
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import PLAYED, Lease
from stellwerk.store.store import Row, Tx

MOST = 200
"""Dead letters that one preview looks at, the oldest."""


class Letter(Struct, frozen=True, kw_only=True):
    """One dead letter. `signal` is the event by which it is decided again; None: it goes out again as it was decided.

    `number` is that of this event in the undone transactions.
    """

    what: str
    row: Row
    number: int
    account: str
    signal: Signal | None


async def preview(
    hub: Hub, *, code: str, by: str, what: str | None = None, number: int | None = None
) -> dict[str, Any]:
    """`{replays, kept, more}`: what would be decided on the dead letters of `code`, by contact; nothing is changed anywhere.

    Each of `replays` is `{letters, account, outcomes}`, each outcome `{connection, outcome, changes, reasons}`; no value of a
    field is told. `kept` cannot be replayed, `more` were not looked at. Raises `StellwerkError` when there are none.
    """
    rows = await hub.store.read(lambda tx: _rows(tx, code, what, number))
    if not rows:
        raise dead.none_of(code)
    return await preview_of(hub, rows)


async def preview_of(hub: Hub, rows: Sequence[tuple[str, Row]]) -> dict[str, Any]:
    """The same of these letters, each with what it is (`dead.EVENT` or `dead.DELIVERY`); also of held ones, if let go."""
    good = [(kind, row) for kind, row in rows if dead.can_be_replayed(row)]
    letters = await hub.store.read(lambda tx: _letters(tx, hub, good[:MOST]))
    replays: list[dict[str, Any]] = []
    for account, group in groupby(sorted(letters, key=lambda one: one.account), key=lambda one: one.account):
        replays += await _at(hub, account, list(group))
    return {"replays": replays, "kept": len(rows) - len(good), "more": len(good) - len(letters)}


def _rows(tx: Tx, code: str, what: str | None, number: int | None) -> list[tuple[str, Row]]:
    found: list[tuple[str, Row]] = []
    if what in (None, dead.EVENT):
        found += [(dead.EVENT, row) for row in inbox.dead(tx, code, number=number)]
    if what in (None, dead.DELIVERY):
        found += [(dead.DELIVERY, row) for row in dead_letters.of_cause(tx, code, number=number)]
    return found


def _letters(tx: Tx, hub: Hub, rows: Sequence[tuple[str, Row]]) -> list[Letter]:
    found = []
    for number, (kind, row) in enumerate(rows, 1):
        accounts.by_id(tx, hub.vault, row["account"])
        account, signal = row["account"], None
        if kind == dead.EVENT:
            signal = opened(hub.vault, account, row["body"], Signal)
        else:
            account, signal = again.signal_of(tx, hub, row) or (account, None)
        own = row["id"] if kind == dead.EVENT else -number
        found.append(Letter(what=kind, row=row, number=own, account=account, signal=signal))
    return found


async def _at(hub: Hub, account: str, letters: Sequence[Letter]) -> list[dict[str, Any]]:
    """What would become of the letters that are decided, or go out, at this account."""
    row = await hub.account(account)
    if row is None:
        return [_told([one], [foretold.unknown("not-connected", "its account is not connected")]) for one in letters]
    by_reading = [one for one in letters if one.signal is not None]
    others = [one for one in letters if one.signal is None]
    try:
        async with hub.open(row) as desk:
            told = [await _goes_out(hub, desk, one) for one in others]
            return told + await _decided(hub, desk, by_reading)
    except DeliveryError as failed:
        return [_told([one], [foretold.unknown(failed.code, "it cannot be read at this moment")]) for one in letters]


async def _decided(hub: Hub, desk: Desk, letters: Sequence[Letter]) -> list[dict[str, Any]]:
    connector, connections = desk.connector, await hub.connections_of(desk.account.id)
    if not letters:
        return []
    if not isinstance(connector, Reader) or not connections:
        return [_told([one], [foretold.unknown("not-connected", "nobody is connected")]) for one in letters]
    by_contact: dict[str, list[Letter]] = {}
    for one in letters:
        assert one.signal is not None
        by_contact.setdefault(subject_of(hub.vault, one.signal.ref), []).append(one)
    waiting = [_waiting(hub, subject, group) for subject, group in by_contact.items()]
    played = _played(hub, letters)
    contacts = [
        contact
        for together in companies(waiting, lambda _: 0)
        for contact in await read_contacts(played, desk, connector, connections, together)
    ]
    told = []
    held = Lease(desk.account.id, PLAYED, None)
    for contact_waits, contact, group in zip(waiting, contacts, by_contact.values(), strict=True):
        decided = await decide_contact(_played(hub, group), desk, held, connections, contact_waits, contact)
        told.append(_told(group, [foretold.decided(this) for this in decided]))
    return told


def _waiting(hub: Hub, subject: str, letters: Sequence[Letter]) -> Waiting:
    """The events of one contact as they would wait if its letters were put back."""
    rows, signals = [], []
    for one in letters:
        assert one.signal is not None
        new = new_event(hub, one.account, one.signal, hub.now())
        received = one.row["created"] if one.what == dead.EVENT else new.received
        # As if it had been looked for elsewhere: a search is put on its way, and nothing is from here.
        rows.append(
            InboxRow(
                id=one.number,
                subject=subject,
                kind=new.kind,
                body=new.body,
                received=received,
                attempts=0,
                code=SOUGHT,
                run=one.row["run"] if one.what == dead.EVENT else again.run_of(one.row),
            )
        )
        signals.append(one.signal)
    return Waiting(ref=signals[-1].ref, rows=tuple(rows), signals=tuple(signals))


def _played(hub: Hub, letters: Sequence[Letter]) -> Hub:
    """The hub as if these letters had been put back and their accounts were held by us; what it stores is undone."""

    def put_back(tx: Tx) -> None:
        now = hub.now()
        for one in letters:
            if one.what == dead.EVENT:
                inbox.replay(tx, one.row["id"], now)
            else:
                again.decide_again(tx, hub, [one.row])
                if one.signal is not None:
                    inbox.number_newest(tx, one.number)
            lease.play(tx, one.account, now)

    played = copy.copy(hub)
    played.store = Undoing(hub.store, put_back)
    return played


async def _goes_out(hub: Hub, desk: Desk, letter: Letter) -> dict[str, Any]:
    """A change that is not decided again: the laws are asked just before it is written."""
    if letter.what == dead.EVENT:
        return _told([letter], [foretold.unknown(UNREADABLE, "what is stored of it cannot be read")])
    played = _played(hub, [letter])
    row = await played.store.read(lambda tx: dead_letters.as_delivery(tx, letter.row["id"]))
    jobs = [] if row is None else await look_up(played, desk, Lease(desk.account.id, PLAYED, None), [row])
    if not jobs:
        return _told(
            [letter], [foretold.unknown("not-looked-up", "its contact is not known any more, or cannot be read")]
        )
    return _told([letter], [foretold.prepared(hub, job) for job in jobs])


def _told(letters: Sequence[Letter], outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    shown = [
        {"what": one.what, "number": one.row["id"], "change": one.row.get("tag") or one.row.get("kind")}
        for one in letters
    ]
    return {"letters": shown, "account": letters[0].row["account"], "outcomes": list(outcomes)}

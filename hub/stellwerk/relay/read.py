"""read: an event is a signal, not the truth. Read the contact, then decide on what was read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from stellwerk.errors import DeliveryError, PauseError, ReauthorizeError, RetryableError, StellwerkError
from stellwerk.relay import case as cases
from stellwerk.relay import seeking
from stellwerk.relay.abreast import abreast, groups
from stellwerk.relay.asking_again import is_asked_again
from stellwerk.relay.bug import BUG, place
from stellwerk.relay.company import OUTAGE, companies
from stellwerk.relay.happened import ANEW, decide_contact, is_released, let_go, only_looks
from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.relay.linking import is_linked_again
from stellwerk.relay.putting import AS_RELEASED
from stellwerk.relay.reading import read_all
from stellwerk.relay.rests import events_behind, of_its_own
from stellwerk.relay.stands_twice import told_apart
from stellwerk.relay.unread import show_unread
from stellwerk.relay.waiting import Waiting, by_contact, end_unread, later, not_now
from stellwerk.relay.wave import gathers, wave
from stellwerk.sdk.connector import Reader, Ref, Signal
from stellwerk.store import inbox
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import Stale
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk_rules.breaker import busy
from stellwerk_rules.evaluate import wants_history
from stellwerk_rules.model import (
    ADDRESS,
    Contact,
    Presence,
)


async def read_and_decide(hub: Hub, desk: Desk, held: Lease) -> int:
    """Take the contacts that wait longest, read each once, decide. The number of events looked at."""
    account = desk.account.id
    rows = await _taken(hub, desk)
    if not rows:
        return 0
    waiting = await by_contact(hub, held, rows)
    connections = await hub.connections_of(account)
    connector = desk.connector
    if not isinstance(connector, Reader) or not connections:
        await end_unread(hub, held, rows, "nobody is connected" if not connections else "cannot be read")
        return len(rows)
    failures = 0
    for together in companies(waiting, lambda one: max(map(of_its_own, one.rows))):
        those = [row for one in together for row in one.rows]
        if failures >= OUTAGE:
            await not_now(hub, held, those)
            continue
        try:
            contacts = await read_contacts(hub, desk, connector, connections, together)
        except ReauthorizeError:
            raise
        except PauseError as asked:
            await events_behind(hub, held, those, asked)
            raise
        except DeliveryError as failed:
            failures += 1
            desk.pulse.fails(failed)
            await later(hub, held, those, failed)
            continue
        failures = 0
        desk.pulse.answered += 1
        await show_unread(hub, desk, connections, contacts)
        for several in groups(zip(together, contacts, strict=True), lambda pair: only_looks(pair[0])):
            await abreast(_decided(hub, desk, held, connections, *pair) for pair in several)
    hub.wake()  # the lanes of the other sides: what was decided for them goes out while this one delivers
    return len(rows)


async def _taken(hub: Hub, desk: Desk) -> list[InboxRow]:
    """The contacts that wait longest; a few wait a moment for company where the account's calls are scarce."""

    def take(tx: Tx) -> list[InboxRow]:
        return inbox.take(tx, desk.account.id, hub.now(), wave(desk.connector))

    rows = await hub.store.read(take)
    seconds = gathers(desk.connector, rows, desk.budget.left(), hub.now())
    if seconds == 0:
        return rows
    await asyncio.sleep(seconds)
    return await hub.store.read(take)


async def _decided(
    hub: Hub, desk: Desk, held: Lease, connections: Sequence[Connection], one: Waiting, contact: Contact
) -> None:
    """Decide on one contact; what goes wrong with it holds up nobody else."""
    try:
        await decide_contact(hub, desk, held, connections, one, contact)
    except Stale:
        await later(hub, held, one.rows, RetryableError("keeps-changing"))
    except PauseError as asked:
        await events_behind(hub, held, one.rows, asked)
        raise
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("account %s: a bug stopped a decision: %s", held.account, place(bug))
        await later(hub, held, one.rows, RetryableError(BUG))


async def read_contacts(
    hub: Hub, desk: Desk, connector: Reader, connections: Sequence[Connection], waiting: Sequence[Waiting]
) -> list[Contact]:
    """Each contact once, with history where a decision needs to know who set a value."""
    system = desk.system.name
    books = [hub.book(connection) for connection in connections]
    fields = sorted({name for book in books for name in book.plan.reads(system)})
    history = sorted({name for book in books for name in book.plan.history_fields(system)})
    contacts = await read_all(connector, [one.ref for one in waiting], fields)
    for number, one in enumerate(waiting):
        if seeking.is_search(one.signals):
            peers = seeking.peers_of(one.signals)
            contacts[number] = await seeking.found(hub.vault, connector, one.ref, peers, contacts[number], fields)
    contacts = await told_apart(hub, connector, connections, system, [one.ref for one in waiting], contacts)
    if not history:
        return contacts

    def asks(tx: Tx) -> tuple[list[int], frozenset[str]]:
        asked: list[int] = []
        names: frozenset[str] = frozenset()
        for number, (one, contact) in enumerate(zip(waiting, contacts, strict=True)):
            if contact.presence is not Presence.PRESENT:
                continue
            wanted = [_wants(tx, hub, connection, system, contact, one.signals) for connection in connections]
            if any(one is not None for one in wanted):
                asked.append(number)
                names = names.union(*(one for one in wanted if one is not None))
        return asked, names

    deeper, more = await hub.store.read(asks)
    if deeper:
        refs = [Ref(by="id", value=contacts[number].id or "") for number in deeper]
        told = (ADDRESS, *sorted({*history, *more}))
        for number, contact in zip(deeper, await read_all(connector, refs, fields, told), strict=True):
            contacts[number] = contact
    return contacts


def _wants(
    tx: Tx, hub: Hub, connection: Connection, system: str, contact: Contact, signals: Sequence[Signal]
) -> frozenset[str] | None:
    """None where the decision needs no history, else the fields whose history it needs besides the usual ones."""
    try:
        case = cases.load(tx, hub, connection, system, contact)
    except msgspec.MsgspecError:
        return None  # deciding on this one will fail by itself; the others are read
    plan, known = case.book.plan, case.known
    more = frozenset[str]().union(
        *(busy(plan.ways.get((system, other), ()), known.written.get(other, {})) for other in plan.others(system))
    )
    asked = is_asked_again(connection, signals) or is_linked_again(connection, known, signals)
    released = is_released(tx, case, let_go(signals), AS_RELEASED | ANEW) or asked
    return more if more or wants_history(plan, contact, known, case.settings, released=released) else None

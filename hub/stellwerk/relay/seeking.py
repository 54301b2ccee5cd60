"""seek: an address that the mail system speaks of, and that no contact of ours has, is looked for where contacts wish.

The account over there has a lane of its own, which alone calls it. So a search is an event in that account's inbox, and
what was told of the address waits until it has ended. Meanwhile a claimed opt-out counts as it always does.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from stellwerk.errors import RetryableError, StellwerkError
from stellwerk.relay import case as cases
from stellwerk.relay.applied import BROKEN
from stellwerk.relay.bug import place
from stellwerk.relay.hub import Hub, log
from stellwerk.relay.reading import read_all
from stellwerk.relay.receive import new_event, subject_of
from stellwerk.sdk.connector import Finder, Reader, Ref, Signal
from stellwerk.store import contacts, counts, inbox, lease, meta
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.inbox import InboxRow
from stellwerk.store.lease import Lease
from stellwerk.store.store import Tx
from stellwerk.store.vault import Vault
from stellwerk_rules.merging import secondary
from stellwerk_rules.model import Contact, EventKind, OptOutEvidence, Presence

KINDS = frozenset({EventKind.CONFIRMED, EventKind.UNSUBSCRIBED})
"""Of these something follows where the contact is; whatever else is told of a stranger is not worth a search."""

FOR_ACCOUNT, FOR_SUBJECT, AS_PEER = "sought_for_account", "sought_for_subject", "sought_as_peer"
DETAILS = frozenset({FOR_ACCOUNT, FOR_SUBJECT, AS_PEER})
"""Details of a search's signal: whose events wait for it, and the id that the mail system stores of the contact."""

SOUGHT = "looked for elsewhere"
"""Code of events that wait for a search."""

LOOK_SECONDS = 60.0
RARELY_SECONDS = 1800.0
OFTEN_UNTIL_SECONDS = 600.0
"""Whose wait is over is told so; these looks are for a word that was lost."""

LONGEST_SECONDS = 86_400.0
"""How long a search may take; an account that is out for longer keeps no opt-out from being final."""


async def seek(
    hub: Hub,
    held: Lease,
    system: str,
    connections: Sequence[Connection],
    kind: EventKind,
    rows: Sequence[InboxRow],
    subject: Contact,
) -> bool:
    """Whether `rows`, told of `subject` at `system`, wait for a search for it; the first time, it is put on its way."""
    ref = _ref(subject)
    if ref is None or kind not in KINDS:
        return False
    details = {FOR_ACCOUNT: held.account, FOR_SUBJECT: rows[0].subject}
    if subject.peer_id is not None:
        details[AS_PEER] = subject.peer_id
    signal = Signal(kind=EventKind.CHANGED, ref=ref, details=details)
    before = any(row.code == SOUGHT for row in rows)

    def work(tx: Tx) -> bool:
        now = hub.now()
        lease.fence(tx, held, now)
        homes = _homes(tx, hub, system, connections, subject)
        key = subject_of(hub.vault, ref)
        under_way = [home for home in homes if inbox.waiting_of(tx, home, key, signal.kind.value)]
        if now - rows[0].received >= LONGEST_SECONDS or not (under_way if before else homes):
            return False
        for home in () if before else sorted(set(homes) - set(under_way)):
            meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, [new_event(hub, home, signal, now)]))
            lease.wake(tx, home, now)
        wait = LOOK_SECONDS if now - rows[0].received < OFTEN_UNTIL_SECONDS else RARELY_SECONDS
        inbox.untried(tx, [row.id for row in rows], now + wait, SOUGHT)
        return True

    return await hub.store.write(work)


def look_for(tx: Tx, hub: Hub, account: str, email: str, id_there: str | None) -> None:
    """A search of its own, of an address that somebody at `account` turned out to have: as the first one, or as another."""
    now = hub.now()
    ref = Ref(by="email", value=email)
    details = {FOR_ACCOUNT: account, FOR_SUBJECT: subject_of(hub.vault, ref)}
    if id_there is not None:
        details[AS_PEER] = id_there
    signal = Signal(kind=EventKind.CHANGED, ref=ref, details=details)
    meta.count(tx, counts.ACKNOWLEDGED, inbox.put(tx, [new_event(hub, account, signal, now)]))
    lease.wake(tx, account, now)


def with_peer(subject: Contact, evidence: OptOutEvidence) -> Contact:
    """With the other system's id, from the report where the contact that left does not show it any more."""
    told = [entry.peer_id for entry in evidence.entries if entry.peer_id]
    return structs.replace(subject, peer_id=told[-1]) if told and subject.peer_id is None else subject


def _ref(subject: Contact) -> Ref | None:
    if subject.email is not None:
        return Ref(by="email", value=subject.email)
    return None if subject.peer_id is None else Ref(by="id", value=subject.peer_id)


def _homes(tx: Tx, hub: Hub, system: str, connections: Sequence[Connection], subject: Contact) -> list[str]:
    """The accounts where the contact could be and is not known to be."""
    found: dict[str, None] = {}
    for connection in connections:
        home = hub.book(connection).plan.wish_system
        if home in (None, system) or connection.state != "runs":
            continue
        remembered = cases.load(tx, hub, connection, system, subject).known.remembered
        if home not in remembered.ids and remembered.within is None:
            found[connection.accounts[home]] = None
    return list(found)


# --- where it is looked for


def peers_of(signals: Sequence[Signal]) -> list[str]:
    """The ids by which the mail system knows the contact that is sought."""
    return list(dict.fromkeys(one.details[AS_PEER] for one in signals if AS_PEER in one.details))


def is_search(signals: Sequence[Signal]) -> bool:
    """Whether one of `signals` is a search."""
    return any(FOR_SUBJECT in one.details for one in signals)


async def found(
    vault: Vault, connector: Reader, ref: Ref, peers: Sequence[str], contact: Contact, fields: Sequence[str]
) -> Contact:
    """The contact that a search leads to: by its address (`contact`, read already), by its id, by another address of its.

    An id counts only at a contact that has the address, or none: it may still stand at an address that its contact has
    left, and consent stays with the address. Raises `DeliveryError`.
    """
    email = ref.value if ref.by == "email" else None
    if _is_it(vault, contact, email):
        return contact
    for one in peers if email is not None else ():
        by_id = await _by_id(connector, one, fields)
        if _is_it(vault, by_id, email) or (by_id.presence is Presence.PRESENT and not by_id.email):
            return by_id
    holder = await _holder(connector, email) if email is not None and isinstance(connector, Finder) else None
    if holder is not None:
        other = await _by_id(connector, holder, fields)
        if _is_it(vault, other, email):
            return other
    return Contact(presence=Presence.ABSENT, read_at=contact.read_at)


def _is_it(vault: Vault, contact: Contact, email: str | None) -> bool:
    if contact.presence is not Presence.PRESENT:
        return False
    return email is None or vault.address(email) in _addresses(vault, contact)


def _addresses(vault: Vault, contact: Contact) -> list[str]:
    """The digests of its addresses, its own first."""
    return [vault.address(one) for one in (contact.email, *contact.also_emails) if one]


async def _by_id(connector: Reader, one: str, fields: Sequence[str]) -> Contact:
    return (await read_all(connector, [Ref(by="id", value=one)], fields))[0]


async def _holder(connector: Finder, email: str) -> str | None:
    try:
        return await connector.find(email)
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("connector %s: %s", type(connector).__name__, place(bug))
        raise RetryableError(BROKEN) from None


async def keep_secondary(
    hub: Hub, held: Lease, system: str, connections: Sequence[Connection], ref: Ref, contact: Contact
) -> None:
    """Remember the address that was sought as a secondary one, where it is one of the contact that was found."""
    if ref.by != "email" or contact.presence is not Presence.PRESENT or contact.id is None:
        return
    address, own = hub.vault.address(ref.value), contact.id
    if contact.email is None or address == hub.vault.address(contact.email):
        return

    def work(tx: Tx) -> None:
        lease.fence(tx, held, hub.now())
        for connection in connections:
            known = contacts.by_address(tx, connection.id, address)
            free = [one for one in known if system not in one.remembered.ids and one.remembered.within is None]
            if connection.state != "runs" or (known and not free):
                continue
            state = free[0] if free else ContactState(connection=connection.id, address=address)
            remembered = secondary(state.remembered, system, own)
            contacts.save(tx, structs.replace(state, remembered=remembered), hub.now())

    await hub.store.write(work)


async def ended(hub: Hub, held: Lease, rows: Sequence[InboxRow], signals: Sequence[Signal]) -> None:
    """Whatever came of it, those who waited for the search are looked at now; a wake-up that is lost is late by a minute.

    A search that has ended is kept without what it said: it may have looked for somebody who was erased.
    """

    def work(tx: Tx) -> None:
        now = hub.now()
        lease.fence(tx, held, now)
        inbox.forget(tx, [row.id for row, one in zip(rows, signals, strict=True) if FOR_SUBJECT in one.details])
        for one in signals:
            if FOR_SUBJECT in one.details:
                account = one.details[FOR_ACCOUNT]
                inbox.look_now(tx, account, one.details[FOR_SUBJECT], SOUGHT, now)
                lease.wake(tx, account, now)

    await hub.store.write(work)

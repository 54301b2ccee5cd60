"""An address that several contacts have over there: seen to before anything is linked or written, and said to a person."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stellwerk.errors import RetryableError, StellwerkError
from stellwerk.relay import case as cases
from stellwerk.relay.applied import BROKEN
from stellwerk.relay.bug import place
from stellwerk.relay.case import Case
from stellwerk.relay.hub import Hub, log
from stellwerk.sdk.connector import Doubles, Reader, Ref
from stellwerk.store import held as held_rows
from stellwerk.store import repairs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.model import Because, Contact, Decision, Presence
from stellwerk_rules.stands_twice import STANDS_TWICE, wants_others


async def told_apart(
    hub: Hub,
    connector: Reader,
    connections: Sequence[Connection],
    system: str,
    refs: Sequence[Ref],
    contacts: Sequence[Contact],
) -> list[Contact]:
    """`contacts` as read by `refs`; of whom an id alone found, and who would be linked by it, the address is looked up as well.

    Raises `DeliveryError`.
    """
    found = list(contacts)
    if not isinstance(connector, Doubles):
        return found

    def asks(tx: Tx) -> list[int]:
        pairs = enumerate(zip(refs, contacts, strict=True))
        return [
            number
            for number, (ref, contact) in pairs
            if ref.by != "email" and any(_wants(tx, hub, connection, system, contact) for connection in connections)
        ]

    for number in await hub.store.read(asks):
        found[number] = await as_it_stands(connector, found[number])
    return found


def _wants(tx: Tx, hub: Hub, connection: Connection, system: str, contact: Contact) -> bool:
    if contact.presence is not Presence.PRESENT:
        return False
    try:
        case = cases.load(tx, hub, connection, system, contact)
    except msgspec.MsgspecError:
        return False  # deciding on this one will fail by itself; the others are read
    return wants_others(case.book.plan, system, contact, case.known, case.settings)


async def as_it_stands(connector: object, contact: Contact) -> Contact:
    """The contact, or that its address stands there twice. Raises `DeliveryError`, also where the connector broke."""
    if contact.presence is not Presence.PRESENT or not contact.email or not isinstance(connector, Doubles):
        return contact
    try:
        twice = await connector.stands_twice(contact.email)
    except StellwerkError:
        raise
    except Exception as bug:
        log.error("connector %s: %s", type(connector).__name__, place(bug))
        raise RetryableError(BROKEN) from None
    if not twice:
        return contact
    return Contact(
        id=contact.id,
        email=contact.email,
        peer_id=contact.peer_id,
        presence=Presence.TWICE,
        opted_out=contact.opted_out,
        read_at=contact.read_at,
    )


def note(tx: Tx, case: Case, decision: Decision, now: float) -> None:
    """Open the repair for a contact that is linked to none of those that have its address; close it once it is linked.

    What is held for it has a repair of its own, which ends when a person lets it go.
    """
    mail = case.book.plan.mail_system or ""
    one = case.state.id
    subject = f"{case.connection.id}/{one}"
    if mail in decision.remembered.ids:
        if mail not in case.known.remembered.ids:
            repairs.close(tx, subject, STANDS_TWICE, now)
        return
    told = why(decision)
    if told is None or any(
        (row["state"], row["code"]) == ("held", STANDS_TWICE) for row in held_rows.enters_of(tx, one)
    ):
        return
    repairs.open_(tx, subject, STANDS_TWICE, told.text, now)


def why(decision: Decision) -> Because | None:
    """The reason, where the decision tells that an address stands twice: its contact is kept in mind, for the repair's sake."""
    return next((skip.because for skip in decision.skips if skip.because.code == STANDS_TWICE), None)

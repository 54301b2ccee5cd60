"""A contact as one connection knows it: everything the rules are given besides the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from stellwerk.registry import has
from stellwerk.relay.hub import LEARNT_ZONE, Hub
from stellwerk.relay.rulebook import Rulebook
from stellwerk.sdk.connector import Unzoned
from stellwerk.store import accounts, connections, consent, contacts, outbox, written
from stellwerk.store.connections import Connection
from stellwerk.store.contacts import ContactState
from stellwerk.store.store import Tx
from stellwerk_rules.breaker import WINDOW
from stellwerk_rules.consent import told_elsewhere
from stellwerk_rules.merging import Stored, holder, survivor
from stellwerk_rules.model import (
    Change,
    Contact,
    DeleteContact,
    Fact,
    Former,
    Known,
    MoveAddress,
    Presence,
    SetPeer,
    Unlinked,
    Unsubscribe,
    Wrote,
)
from stellwerk_rules.spec import SettingValue

UNDONE = frozenset({"waiting", "sent", "parked", "held"})


class Case(Struct, frozen=True, kw_only=True):
    """`address` is the digest of the address this is about, `mail_account` where its consent is kept.

    `tells` says that this address is the contact's own from now on: it was read where contacts have theirs. `absorbed` are
    the contacts that turned out to have been merged into this one.
    """

    connection: Connection
    book: Rulebook
    settings: Mapping[str, SettingValue]
    state: ContactState
    known: Known
    mail_account: str
    address: str | None
    tells: bool = False
    absorbed: tuple[ContactState, ...] = ()


def load(tx: Tx, hub: Hub, connection: Connection, system: str, contact: Contact) -> Case:
    """The case of a contact that was read at `system`."""
    address = None if contact.email is None else hub.vault.address(contact.email)
    state, absorbed = _found(tx, hub, connection, system, contact, address)
    at_home = system == hub.book(connection).plan.wish_system
    own = state.address is None or (at_home and contact.presence is Presence.PRESENT)
    former = state.address if at_home and state.address != address else None
    return _case(tx, hub, connection, state, address or state.address, tells=own, former=former, absorbed=absorbed)


def load_stored(tx: Tx, hub: Hub, connection: Connection, contact: int, change: Change | None = None) -> Case | None:
    """The case of a contact by our own id; about the address that `change` names, else about its own."""
    state = contacts.by_id(tx, contact)
    if state is None:
        return None
    former = change.former if isinstance(change, MoveAddress) else None
    case = _case(tx, hub, connection, state, _about(hub, change) or state.address, tells=False, former=former)
    left = _left(change)
    return case if left is None else replace(case, known=replace(case.known, in_bin=_in_bin(tx, case, left)))


def of_state(tx: Tx, hub: Hub, connection: Connection, state: ContactState, address: str | None) -> Case:
    """The case of a contact as it is stored, about `address` (a digest)."""
    return _case(tx, hub, connection, state, address, tells=False)


def load_secondary(tx: Tx, hub: Hub, connection: Connection, within: str) -> list[Case]:
    """The cases of the secondary addresses of the contact with that id."""
    states = contacts.within(tx, connection.id, within)
    return [_case(tx, hub, connection, state, state.address, tells=False) for state in states]


def _left(change: Change | None) -> str | None:
    """The digest of the address that the contact has left, where `change` is of that one."""
    of = change.of if isinstance(change, SetPeer | Unsubscribe | DeleteContact) else None
    return None if of is None else of.address


def _in_bin(tx: Tx, case: Case, address: str) -> frozenset[str]:
    """The ids, where contacts have their addresses, of those with this address that were deleted there."""
    home = case.book.plan.wish_system or ""
    states = (one.remembered for one in contacts.by_address(tx, case.connection.id, address))
    return frozenset(one.ids[home] for one in states if one.binned and home in one.ids)


def _about(hub: Hub, change: Change | None) -> str | None:
    """The digest of the address whose consent counts for `change`, where it names one."""
    if (left := _left(change)) is not None:
        return left
    email: str | None = getattr(change, "email", None)
    return None if email is None else hub.vault.address(email)


def _found(
    tx: Tx, hub: Hub, connection: Connection, system: str, contact: Contact, address: str | None
) -> tuple[ContactState, tuple[ContactState, ...]]:
    """The stored contact, and those that were merged into it since we last looked."""
    merged = contact.also_ids or contact.also_emails
    if not merged or contact.id is None or system != hub.book(connection).plan.wish_system:
        return _find(tx, hub, connection, system, contact, address), ()
    states = _candidates(tx, connection, system, (contact.id, *contact.also_ids))
    others = frozenset(hub.vault.address(email) for email in contact.also_emails)
    stored = [Stored(address=state.address, remembered=state.remembered) for state in states]
    number = survivor(stored, system, contact.id, address, others)
    if number is None and not states:
        return _find(tx, hub, connection, system, contact, address), ()
    one = ContactState(connection=connection.id, address=address) if number is None else states[number]
    news = (state for state in states if state is not one)
    return one, tuple(state for state in news if state.remembered.within != contact.id)


def _candidates(tx: Tx, connection: Connection, system: str, ids: Sequence[str]) -> list[ContactState]:
    found: dict[int, ContactState] = {}
    for one in ids:
        linked = contacts.by_link(tx, connection.id, system, one)
        for state in (*(() if linked is None else (linked,)), *contacts.within(tx, connection.id, one)):
            found[state.id] = state
    return list(found.values())


def _find(tx: Tx, hub: Hub, connection: Connection, system: str, contact: Contact, address: str | None) -> ContactState:
    if contact.id is not None:
        linked = contacts.by_link(tx, connection.id, system, contact.id)
        if linked is not None:
            return linked
    others = [name for name in connection.accounts if name != system]
    if contact.peer_id is not None:
        for other in others:
            linked = contacts.by_link(tx, connection.id, other, contact.peer_id)
            if linked is not None and _is_its(tx, connection, linked, system, contact, address):
                return linked
    if address is not None:
        same = [
            state
            for state in contacts.by_address(tx, connection.id, address)
            if contact.id is None
            or state.remembered.ids.get(system, contact.id) == contact.id
            or system == hub.book(connection).plan.mail_system
        ]
        number = holder([state.remembered for state in same], system)
        if number is not None:
            return same[number]
    return ContactState(connection=connection.id, address=address)


def _is_its(
    tx: Tx, connection: Connection, linked: ContactState, system: str, contact: Contact, address: str | None
) -> bool:
    """Whether what stores our id at `system` is what `linked` has there now, and not an address that it has left.

    Consent stays with the address. Where none is told (whoever left is anonymous), only the id there tells; and before
    anything was made for the address that it has now, or is known of it, nobody there is it.
    """
    if address is not None and linked.address is not None:
        return linked.address == address
    there = linked.remembered.ids.get(system)
    if there is None and contact.presence is Presence.ANONYMOUS:
        known = linked.address is not None and facts_for(tx, connection, system, linked.address)
        if not linked.remembered.entered and not known:
            return False
        undone = outbox.undone_of(tx, linked.id)
        return not any(row["tag"] == "enter" and row["state"] in UNDONE for row in undone)
    return contact.id is None or there in (None, contact.id)


def _case(
    tx: Tx,
    hub: Hub,
    connection: Connection,
    state: ContactState,
    address: str | None,
    *,
    tells: bool,
    former: str | None = None,
    absorbed: tuple[ContactState, ...] = (),
) -> Case:
    chosen = hub.chosen(connection)
    book = chosen.book
    mail_account = connection.accounts[book.plan.mail_system] if book.plan.mail_system else ""
    facts: tuple[Fact, ...] = ()
    since: float | None = None
    if address is not None and mail_account:
        facts = facts_for(tx, connection, book.plan.mail_system or "", address)
        since = consent.suppressed_since(tx, mail_account, address)
    return Case(
        connection=connection,
        book=book,
        settings=chosen.values,
        state=state,
        known=Known(
            digest=hub.vault.digest,
            began_at=None if connection.began is None else hub.moment(connection.began),
            agreed=connection.agreed,
            remembered=state.remembered,
            facts=facts,
            suppressed=since is not None,
            suppressed_at=None if since is None else hub.moment(since),
            stages=_stages(tx, connection, book),
            unzoned=_unzoned(tx, hub, connection),
            address=state.address,
            about=address,
            former=None if former is None else former_of(tx, mail_account, former),
            absorbed=tuple(one.remembered for one in absorbed),
            written=_written(tx, hub, state.id),
            within_unlinked=_within_unlinked(tx, connection, book.plan.wish_system, state),
        ),
        mail_account=mail_account,
        address=address,
        tells=tells,
        absorbed=absorbed,
    )


def _within_unlinked(tx: Tx, connection: Connection, home: str | None, state: ContactState) -> Unlinked | None:
    """Whether the contact was unlinked whose secondary address this is."""
    if state.remembered.within is None or home is None:
        return None
    first = contacts.by_link(tx, connection.id, home, state.remembered.within)
    return None if first is None else first.remembered.unlinked


def _written(tx: Tx, hub: Hub, contact: int) -> dict[str, dict[str, tuple[Wrote, ...]]]:
    """By system and field, what was written of the contact within the breaker's window."""
    found: dict[str, dict[str, tuple[Wrote, ...]]] = {}
    for row in written.lately(tx, contact, hub.now() - WINDOW.total_seconds()) if contact else ():
        fields = found.setdefault(row["system"], {})
        one = Wrote(at=hub.moment(row["at"]), by_hand=bool(row["by_hand"]))
        fields[row["field"]] = (*fields.get(row["field"], ()), one)
    return found


def former_of(tx: Tx, mail_account: str, address: str) -> Former:
    """What is known of the consent of an address that a contact has left."""
    return Former(
        address=address,
        facts=consent.facts(tx, mail_account, address),
        suppressed=consent.suppressed_since(tx, mail_account, address) is not None,
    )


def facts_for(tx: Tx, connection: Connection, mail_system: str, address: str) -> tuple[Fact, ...]:
    """The ledger of the address at the connection's mail account, whoever shares that, as this connection may use it."""
    found: list[Fact] = []
    ours: dict[str, bool] = {"": True, connection.id: True}
    for writer, fact in consent.written(tx, connection.accounts[mail_system], address):
        if writer not in ours:
            ours[writer] = _same_source(tx, connection, writer)
        found += (fact,) if ours[writer] else told_elsewhere((fact,), mail_system)
    return tuple(found)


def _same_source(tx: Tx, connection: Connection, writer: str) -> bool:
    other = connections.by_id(tx, writer)
    return other is not None and dict(other.accounts) == dict(connection.accounts)


def _stages(tx: Tx, connection: Connection, book: Rulebook) -> tuple[str, ...]:
    if book.plan.stage_system is None:
        return ()
    return tuple(accounts.info(tx, connection.accounts[book.plan.stage_system]).get("stages", ()))


def _unzoned(tx: Tx, hub: Hub, connection: Connection) -> frozenset[str]:
    """The systems whose times bear no zone, where that of this account was not learnt yet."""
    names = (name for name in connection.accounts if has(hub.systems[name].connector, Unzoned))
    return frozenset(name for name in names if LEARNT_ZONE not in accounts.info(tx, connection.accounts[name]))

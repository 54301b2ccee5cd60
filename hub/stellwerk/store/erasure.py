"""Erasure on request: everything personal that is kept of an address goes. Ledger and suppression have no clear text and stay."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stellwerk.errors import StoreError
from stellwerk.store import accounts, connections, contacts, inbox, repairs, runs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Row, Tx, counted
from stellwerk.store.vault import Vault


class Erased(Struct, frozen=True, kw_only=True):
    """How many rows of each kind are gone, or have lost what they said."""

    contacts: int
    events: int
    changes: int
    reasons: int

    def __bool__(self) -> bool:
        return bool(self.contacts or self.events or self.changes or self.reasons)


class OnItsWay(StoreError):
    """Something of this address is not decided yet, is being written or must still reach its system; nothing was erased."""


def erase(tx: Tx, vault: Vault, email: str, now: float, within: Connection | None = None) -> Erased:
    """Forget the address, under every connection or `within` one. Changes that wait end as erased. Raises `OnItsWay`.

    Within one, events of an account that others use too go only where it has the contact.
    """
    address = vault.address(email)
    one = None if within is None else within.id
    found = tx.all(
        "select id, connection from contact where address = :address and (connection = :one or :one is null)",
        address=address,
        one=one,
    )
    for row in found:
        _refuse_what_must_arrive(tx, row["id"])
    reach = _reach(tx, found, within)
    subjects = _subjects(tx, found, address, reach)
    for account, subject in subjects:
        _refuse_what_is_not_read(tx, account, subject)
    events = sum(_erase_events(tx, account, subject, now) for account, subject in subjects)
    events += _erase_unread(tx, vault, email, reach if within is None else connections.own_accounts(tx, within))
    changes = sum(_erase_changes(tx, row["id"], now) for row in found)
    reasons = tx.run(
        "delete from trace where address = :address and (connection = :one or :one is null)", address=address, one=one
    )
    reasons += runs.forget_address(tx, address, one)
    for row in found:
        reasons += tx.run("delete from trace where contact = :contact", contact=row["id"])
        repairs.forget(tx, f"{row['connection']}/{row['id']}")
        contacts.delete(tx, row["id"])
    return Erased(contacts=len(found), events=events, changes=changes, reasons=reasons)


def _reach(tx: Tx, found: list[Row], within: Connection | None) -> list[str]:
    """The accounts whose events may be about the address."""
    if within is None:
        return [row["id"] for row in tx.all("select id from account")]
    return sorted(within.accounts.values()) if found else connections.own_accounts(tx, within)


def _refuse_what_must_arrive(tx: Tx, contact: int) -> None:
    arrives = counted(
        tx,
        "select count(*) as n from outbox where contact = :contact"
        " and (state = 'sent' or (class = 0 and state in ('waiting', 'parked')))",
        contact=contact,
    )
    if arrives:
        raise OnItsWay(
            "an opt-out or a change of this address is on its way; nothing was erased, try again when it arrived"
        )


def _refuse_what_is_not_read(tx: Tx, account: str, subject: str) -> None:
    """That something changed is all an event says: it may be an opt-out, which must be in the ledger before it is forgotten."""
    row = tx.one(
        "select id from inbox where account = :account and subject = :subject and state = 'waiting' limit 1",
        account=account,
        subject=subject,
    )
    if row is not None:
        raise OnItsWay("an event of this address is not decided yet; nothing was erased, try again when it is")


def _subjects(tx: Tx, found: list[Row], address: str, reach: list[str]) -> set[tuple[str, str]]:
    """Account and subject under which events of the address were taken in."""
    subjects = {(account, f"email:{address}") for account in reach}
    for row in found:
        for link in tx.all("select system, remote from link where contact = :contact", contact=row["id"]):
            stored = tx.one("select accounts from connection where id = :id", id=row["connection"])
            own = {} if stored is None else msgspec.json.decode(stored["accounts"], type=dict[str, str])
            here = [own[link["system"]]] if link["system"] in own else []
            subjects |= {(account, f"id:{link['remote']}") for account in here}
    return subjects


def _erase_events(tx: Tx, account: str, subject: str, now: float) -> int:
    found = counted(
        tx,
        "select count(*) as n from inbox where account = :account and subject = :subject and body is not null",
        account=account,
        subject=subject,
    )
    inbox.erase(tx, account, subject, now)
    return found


def _erase_unread(tx: Tx, vault: Vault, email: str, reach: list[str]) -> int:
    """What was never understood names nobody: it is opened, and goes where it has the address in it."""
    wanted = email.strip().casefold()
    for account in reach:
        accounts.by_id(tx, vault, account)
    gone = 0
    for row in tx.all("select id, account, body from inbox where kind = 'unread' and body is not null"):
        if row["account"] not in reach:
            continue
        try:
            text = vault.open(row["account"], row["body"]).decode(errors="replace")
        except (StoreError, KeyError):
            continue
        if wanted in text.casefold():
            gone += tx.run("update inbox set state = 'erased', body = null, answer = null where id = :id", id=row["id"])
    return gone


def _erase_changes(tx: Tx, contact: int, now: float) -> int:
    tx.run(
        "update outbox set state = 'erased', ended = :now where contact = :contact and state in ('waiting', 'parked', 'held')",
        contact=contact,
        now=now,
    )
    return tx.run(
        "update outbox set body = null, answer = null, text = '', progress = '' where contact = :contact and body is not null",
        contact=contact,
    )

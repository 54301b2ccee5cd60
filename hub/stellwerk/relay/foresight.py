"""What settings would come to: the last real contacts, decided as if they were created now and nobody knew them.

Nothing is written anywhere; the contacts are read as for a decision, and forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from stellwerk.registry import has
from stellwerk.relay.budget import Budget
from stellwerk.relay.case import facts_for
from stellwerk.relay.hub import Hub
from stellwerk.relay.reading import read_all
from stellwerk.relay.rulebook import Rulebook, choose
from stellwerk.sdk.connector import Reader, Ref, Sampler
from stellwerk.store import consent
from stellwerk.store.accounts import AccountRow
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.foresight import foresee
from stellwerk_rules.model import ADDRESS, Agreement, Contact, Known, Presence
from stellwerk_rules.outlook import Outlook, What

CONTACTS = 20
FORESEEN = (What.MAILED, What.GRANTED, What.CREATED, What.SKIPPED)


class OfContact(Struct, frozen=True, kw_only=True):
    """One contact by its id over there: what it would come to under the settings that stand (None: there are none) and new."""

    id: str
    before: Outlook | None
    after: Outlook


class Foresight(Struct, frozen=True, kw_only=True):
    """`before` and `after` count what becomes of the `contacts` under the settings that stand and under the new ones."""

    system: str
    contacts: list[OfContact]
    before: dict[str, int] | None
    after: dict[str, int]


async def newest_contacts(hub: Hub, book: Rulebook, account: AccountRow) -> tuple[Contact, ...] | None:
    """The last contacts of this account, read as decisions need them; None where it cannot tell. Raises `DeliveryError`."""
    side = hub.systems[account.system]
    if not has(side.connector, Sampler) or not has(side.connector, Reader):
        return None
    fields = {spec.name: spec for spec in book.fields[account.system]}
    services = hub.services(side, Budget(*side.connector.rate, hub.now), fields, account.id)
    async with side.connector.open(side.settings, hub.account_settings(side, account), services) as connector:
        ids = await connector.newest(CONTACTS)  # type: ignore[attr-defined]
        if not ids:
            return ()
        names = book.plan.reads(account.system)
        told = (ADDRESS, *book.plan.history_fields(account.system))
        refs = [Ref(by="id", value=one) for one in ids[:CONTACTS]]
        found = await read_all(connector, refs, names, told)  # type: ignore[arg-type]
    return tuple(contact for contact in found if contact.presence is Presence.PRESENT)


async def foresight(
    hub: Hub, connection: Connection, settings: Mapping[str, Any], contacts: Sequence[Contact], *, begun: bool
) -> Foresight | None:
    """What these plain `settings` come to for the contacts, beside those that stand where the connection has `begun`.

    The new ones count as if a person had agreed to them. None where no rule of the file brings anybody in.
    """
    book = hub.book(connection)
    wishes = book.plan.wish_system
    if wishes is None:
        return None
    new = choose(book, dict(settings))
    stands = choose(book, connection.settings)
    now = hub.time()
    assumed = Agreement(by="", at=now, words="", confirmation_given="as if it were given")
    known = await hub.store.read(lambda tx: [_known(tx, hub, connection, book, one) for one in contacts])
    rows: list[OfContact] = []
    for contact, one in zip(contacts, known, strict=True):
        agreed = msgspec.structs.replace(one, agreed=assumed)
        after = foresee(new.book.plan, contact, agreed, new.values, now)
        before = foresee(stands.book.plan, contact, one, stands.values, now) if begun else None
        if after is not None:
            rows.append(OfContact(id=contact.id or "", before=before, after=after))
    return Foresight(
        system=wishes,
        contacts=rows,
        before=_counted([row.before for row in rows if row.before is not None]) if begun else None,
        after=_counted([row.after for row in rows]),
    )


def _known(tx: Tx, hub: Hub, connection: Connection, book: Rulebook, contact: Contact) -> Known:
    """What is known of the address's opt-outs at this connection's mail account."""
    mail = book.plan.mail_system or ""
    account = connection.accounts.get(mail)
    address = None if contact.email is None else hub.vault.address(contact.email)
    if account is None or address is None:
        return Known(digest=hub.vault.digest, began_at=None, agreed=connection.agreed)
    since = consent.suppressed_since(tx, account, address)
    return Known(
        digest=hub.vault.digest,
        began_at=None,
        agreed=connection.agreed,
        facts=facts_for(tx, connection, mail, address),
        suppressed=since is not None,
        suppressed_at=None if since is None else hub.moment(since),
        address=address,
        about=address,
    )


def _counted(found: Sequence[Outlook]) -> dict[str, int]:
    counted = Counter(one.what for one in found)
    return {what.value: counted[what] for what in FORESEEN}

"""Fields that a system does not have any more: said once, with the contacts it is about, and taken back when they are there.

Nothing is carried of a field that cannot be read, least of all that it is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from stellwerk.relay.hub import Desk, Hub, log
from stellwerk.store import accounts, contacts, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.store import Tx
from stellwerk_rules.model import Contact, Presence

FIELD_GONE = "field-gone"
UNREAD = "unread"
"""In what is kept of an account: by connection, the fields that could not be read when contacts were last read."""


async def show_unread(hub: Hub, desk: Desk, connections: Sequence[Connection], read: Sequence[Contact]) -> None:
    """Compare the fields that were asked for with those that `read`, just read at this account, came with."""
    present = [contact for contact in read if contact.presence is Presence.PRESENT]
    if not present:
        return
    account, system = desk.account.id, desk.system.name
    came = set().union(*(contact.fields for contact in present))
    now = {one.id: sorted(set(hub.book(one).plan.reads(system)) - came) for one in connections}
    now = {connection: fields for connection, fields in now.items() if fields}
    if now == desk.unread.get(UNREAD, desk.account.info.get(UNREAD, {})):
        return

    def work(tx: Tx) -> None:
        before = accounts.info(tx, account).get(UNREAD, {})
        accounts.set_info(tx, account, **{UNREAD: now})
        for connection in {*before, *now}:
            for name in {*before.get(connection, ()), *now.get(connection, ())}:
                subject = f"{connection}/{system}.{name}"
                if name in now.get(connection, ()):
                    repairs.open_(tx, subject, FIELD_GONE, _text(tx, connection, system, name), hub.now())
                else:
                    repairs.close(tx, subject, FIELD_GONE, hub.now())

    await hub.store.write(work)
    desk.unread[UNREAD] = now
    for connection, fields in now.items():
        log.warning("account %s: connection %s: no such field any more: %s", account, connection, ", ".join(fields))


def _text(tx: Tx, connection: str, system: str, name: str) -> str:
    number = contacts.linked(tx, connection, system)
    known = "1 contact keeps" if number == 1 else f"{number} contacts keep"
    return (
        f"{system} has no field {name} any more: {known} what was last carried. To mend: bring it back over there under this"
        " name, or change its row in integration.yaml"
    )

"""Telling recipients of repairs: each once when it opens and once when it is mended, a storm of them in one message.

What is to be told stands in the database before anybody is called, and a call that fails is made again; nothing that a
contact is owed waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec import Struct

from stellwerk.relay.hub import Hub, log
from stellwerk.relay.outgoing_hook import post
from stellwerk.relay.outgoing_mail import Mail, send
from stellwerk.relay.recipients import ready
from stellwerk.relay.untold import Untold
from stellwerk.store import accounts, connections, notifications, recipients, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.notifications import FAILED, SENT, WAITING, Cause, Content, Notification
from stellwerk.store.recipients import Recipient
from stellwerk.store.store import Row, Tx

GATHER_SECONDS = 60.0
"""So long after the first one is waited for more."""

QUIET_SECONDS = 600.0
"""Between two messages to one recipient."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 60.0, 3600.0
CALL_SECONDS = 900.0
"""Longer than any call: a mail server may take half a minute for each of its answers. Until then nobody else calls."""

MOST_ATTEMPTS = 24
AT_ONCE = 20


class Letter(Struct, frozen=True, kw_only=True):
    """One notification in words: what a mail says, and the JSON that a webhook is sent."""

    subject: str
    text: str
    json: bytes


Compose: TypeAlias = Callable[[Hub, Connection, Recipient, Notification], Letter]


async def tell_of_repairs(hub: Hub, compose: Compose) -> None:
    """One round: write down what is to be told, then tell what is due."""
    if not await hub.store.read(lambda tx: tx.one("select id from recipient limit 1")):
        return
    await ready(hub)
    await hub.store.write(lambda tx: _gather(tx, hub))
    waiting = await hub.store.read(lambda tx: notifications.due(tx, hub.now(), AT_ONCE))
    await asyncio.gather(*(_tell(hub, compose, one) for one in waiting))


def _gather(tx: Tx, hub: Hub) -> None:
    now = hub.now()
    for connection in connections.every(tx):
        told = recipients.of_connection(tx, hub.vault, connection.id)
        places = _places(tx, hub, connection) if told else None
        for one in told:
            assert places is not None
            _gather_for(tx, one, places, now)


def _gather_for(tx: Tx, one: Recipient, places: _Places, now: float) -> None:
    every, mended = notifications.untold(tx, one.id, one.created)
    opened = [row for row in every if places.has(row)]
    if not opened and not mended:
        return
    last = notifications.last_told(tx, one.id)
    first = min(row["at"] for row in (*opened, *mended))
    if now - first < GATHER_SECONDS or (last is not None and now - last < QUIET_SECONDS):
        return
    left = [row for row in repairs.still_open(tx) if places.has(row)]
    content = Content(opened=_causes(opened, places), mended=_causes(mended, places), left=len(left))
    notifications.put(tx, one.id, content, [row["id"] for row in opened], [row["id"] for row in mended], now)


class _Places(Struct, frozen=True, kw_only=True):
    """Whose repairs are a connection's business, as its overview shows them."""

    connection: str
    own: frozenset[str]
    waits: frozenset[tuple[str, str]]

    def has(self, row: Row) -> bool:
        return row["subject"].partition("/")[0] in self.own or (row["subject"], row["code"]) in self.waits

    def system(self, subject: str) -> str:
        place = subject.partition("/")[0]
        return "" if place == self.connection else place.partition(":")[0]


def _places(tx: Tx, hub: Hub, connection: Connection) -> _Places:
    own = {connection.id, *connections.own_accounts(tx, connection)}
    rows = (accounts.by_id(tx, hub.vault, one) for one in connection.accounts.values() if one not in own)
    waits = {(row.id, row.state_code) for row in rows if row is not None and row.state != "ok"}
    return _Places(connection=connection.id, own=frozenset(own), waits=frozenset(waits))


def _causes(rows: Iterable[Row], places: _Places) -> tuple[Cause, ...]:
    by_cause: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        by_cause.setdefault((row["code"], places.system(row["subject"])), []).append(row["at"])
    return tuple(
        Cause(code=code, system=system, count=len(times), since=min(times))
        for (code, system), times in by_cause.items()
    )


async def _tell(hub: Hub, compose: Compose, one: Notification) -> None:
    attempts = one.attempts + 1
    wait = min(FIRST_WAIT_SECONDS * 2.0 ** (attempts - 1), LONGEST_WAIT_SECONDS)

    def begin(tx: Tx) -> tuple[Recipient, Connection] | None:
        recipient = recipients.by_id(tx, hub.vault, one.recipient)
        connection = None if recipient is None else connections.living(tx, recipient.connection)
        if recipient is None or connection is None:
            return None
        # Before the call: who dies in it does not call at once again, and nobody else calls meanwhile.
        begun = notifications.attempt(tx, one.id, one.attempts, hub.now() + CALL_SECONDS)
        return (recipient, connection) if begun else None

    found = await hub.store.write(begin)
    if found is None:
        return
    recipient, connection = found
    state, code = SENT, ""
    try:
        await _send(hub, recipient, compose(hub, connection, recipient, one), one.id)
    except Untold as untold:
        state, code = (FAILED if attempts >= MOST_ATTEMPTS else WAITING), untold.code
        log.warning("notification %d to recipient %d: %s", one.id, recipient.id, code)
    now = hub.now()
    await hub.store.write(lambda tx: notifications.settle(tx, one.id, attempts, state, code, now, now + wait))


async def _send(hub: Hub, recipient: Recipient, letter: Letter, number: int) -> None:
    if recipient.kind == "webhook":
        internal = hub.integration.hub.notify_internal
        secret = recipient.reach.secret
        await post(recipient.reach.to, letter.json, secret=secret, at=int(hub.now()), internal=internal)
        return
    name = f"stellwerk-{number}-{int(recipient.created)}"
    await send(hub, Mail(to=recipient.reach.to, subject=letter.subject, text=letter.text, number=name))

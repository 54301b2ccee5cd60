"""Who is told of a connection's repairs: added and removed by a person, and tried with a test message."""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

from stellwerk.errors import StellwerkError
from stellwerk.relay.hub import Hub
from stellwerk.relay.outgoing_hook import is_outside
from stellwerk.store import connections, meta, notifications, recipients
from stellwerk.store.connections import Connection
from stellwerk.store.notifications import Content
from stellwerk.store.recipients import Kind, Language, Reach, Recipient
from stellwerk.store.store import Tx

MOST = 20
LONGEST_NAME = 80
LONGEST_TO = 500


class NotTaken(StellwerkError):
    """This recipient cannot be added; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no recipient: {code}")
        self.code = code


async def ready(hub: Hub) -> None:
    """Let the vault open what recipients are sealed with."""
    fresh = hub.vault.new_key(recipients.OWNER)
    wrapped = await hub.store.write(lambda tx: meta.first_value(tx, f"key:{recipients.OWNER}", fresh))
    hub.vault.use_account_key(recipients.OWNER, wrapped)


async def add(
    hub: Hub, connection: Connection, *, name: str, kind: Kind, to: str, language: Language, by: str
) -> Recipient:
    """The new recipient; repairs that are open already are not told of. The secret of a webhook is made here.

    Raises `NotTaken`: `no-mail-server`, `not-an-address`, `not-a-url`, `inside`, `too-many`.
    """
    to = to.strip()
    if kind == "email" and hub.integration.hub.smtp is None:
        raise NotTaken("no-mail-server")
    if kind == "webhook":
        check_url(to, internal=hub.integration.hub.notify_internal)
    elif not is_address(to):
        raise NotTaken("not-an-address")
    await ready(hub)
    reach = Reach(to=to, secret=secrets.token_urlsafe(32) if kind == "webhook" else "")
    now = hub.now()

    def work(tx: Tx) -> Recipient:
        if len(recipients.of_connection(tx, hub.vault, connection.id)) >= MOST:
            raise NotTaken("too-many")
        one = recipients.add(
            tx,
            hub.vault,
            connection=connection.id,
            name=name,
            kind=kind,
            language=language,
            reach=reach,
            made_by=by,
            now=now,
        )
        connections.note(tx, connection.id, who=by, now=now, note=connections.RECIPIENT_ADDED, about=name)
        made = recipients.by_id(tx, hub.vault, one)
        assert made is not None
        return made

    return await hub.store.write(work)


async def remove(hub: Hub, connection: Connection, one: int, *, by: str) -> bool:
    """False when this connection has no such recipient."""
    await ready(hub)
    now = hub.now()

    def work(tx: Tx) -> bool:
        found = recipients.by_id(tx, hub.vault, one)
        if found is None or not recipients.remove(tx, connection.id, one):
            return False
        connections.note(tx, connection.id, who=by, now=now, note=connections.RECIPIENT_REMOVED, about=found.name)
        return True

    return await hub.store.write(work)


async def try_out(hub: Hub, connection: Connection, one: int) -> bool:
    """Put a test message on its way; False when this connection has no such recipient."""
    await ready(hub)

    def work(tx: Tx) -> bool:
        found = recipients.by_id(tx, hub.vault, one)
        if found is None or found.connection != connection.id:
            return False
        notifications.put(tx, one, Content(what="test"), (), (), hub.now())
        return True

    return await hub.store.write(work)


def is_name(text: str) -> bool:
    """Whether it can be shown as it is: no control character and nothing that turns the direction of what stands after it.

    The two joiners are part of names in Persian and Hindi, and of emoji.
    """
    plain = text.replace("\u200c", "").replace("\u200d", "")
    return bool(plain) and plain.isprintable()


def is_address(text: str) -> bool:
    """Whether one mail can be addressed to this, and nothing else is said by it."""
    local, _, domain = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not any(one in text for one in ' ,;:<>()[]"\\')
    return bool(plain and local and "@" not in local and "." in domain.strip(".") and len(text) <= 254)


def check_url(text: str, *, internal: bool) -> None:
    """Raises `NotTaken` for what is no URL of a webhook. Where a name leads is looked up at each call."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotTaken("not-a-url") from None
    schemes = ("https", "http") if internal else ("https",)
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= LONGEST_TO
    if not plain or parts.scheme not in schemes or not host or parts.username is not None or port == 0:
        raise NotTaken("not-a-url")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        literal = None
    if not internal and (host == "localhost" or (literal is not None and not is_outside(host))):
        raise NotTaken("inside")

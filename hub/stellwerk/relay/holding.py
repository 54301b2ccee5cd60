"""stop and go on: everything that mails or grants waits, whatever it is; opt-outs, fields and mirrors go on.

The whole hub is held by whoever runs it; a connection also by its own people, and each goes on by itself.
"""

from __future__ import annotations

from msgspec import structs

from stellwerk.errors import StellwerkError
from stellwerk.relay.hub import Hub
from stellwerk.store import connections, lease, repairs
from stellwerk.store import hold as table
from stellwerk.store.hold import BY_A_PERSON, Hold
from stellwerk.store.store import Tx
from stellwerk_rules.model import Change, Enter, MoveAddress


def mails_or_grants(change: Change) -> bool:
    """Whether a planned change may come to a mail or a permission."""
    return isinstance(change, Enter | MoveAddress)


async def hold(hub: Hub, *, by: str, reason: str = "", connection: str | None = None) -> None:
    """Hold what mails or grants from now on, everywhere or of one connection: none of these calls begins after this returns.

    Raises `StellwerkError` for a connection that there is not.
    """
    if connection is not None:
        await _set(hub, connection, by=by, since=hub.now())
        return

    def work(tx: Tx) -> None:
        table.put_on(tx, Hold(since=hub.now(), by=by, because=BY_A_PERSON, reason=reason))

    await hub.store.write(work)


async def go_on(hub: Hub, *, by: str, connection: str | None = None) -> bool:
    """Let it go on. False when nothing was held. Raises `StellwerkError` for a connection that there is not."""
    if connection is not None:
        return await _set(hub, connection, by=by, since=None)

    def work(tx: Tx) -> bool:
        stood = table.standing(tx)
        if stood is None:
            return False
        table.lift(tx)
        repairs.close(tx, repairs.WHOLE_HUB, stood.because, hub.now())
        lease.wake_all(tx, hub.now())
        return True

    went = await hub.store.write(work)
    hub.wake()
    return went


async def _set(hub: Hub, one: str, *, by: str, since: float | None) -> bool:
    """Whether it was otherwise before; the history says who changed it."""

    def work(tx: Tx) -> bool:
        stored = connections.living(tx, one)
        if stored is None:
            raise StellwerkError(f"there is no connection {one}; `stellwerk connections list` names them")
        if (stored.on_hold is None) == (since is None):
            return False
        held = structs.replace(stored, on_hold=since)
        connections.save(
            tx, held, who=by, now=hub.now(), note=connections.WENT_ON if since is None else connections.STOPPED
        )
        for account in stored.accounts.values():
            lease.wake(tx, account, hub.now())
        return True

    changed = await hub.store.write(work)
    hub.wake()
    return changed

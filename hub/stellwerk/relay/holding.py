"""stop and go on: everything that mails or grants waits, whatever it is; opt-outs, fields and mirrors go on."""

from __future__ import annotations

from stellwerk.relay.hub import Hub
from stellwerk.store import hold as table
from stellwerk.store import lease, repairs
from stellwerk.store.hold import BY_A_PERSON, Hold
from stellwerk.store.store import Tx
from stellwerk_rules.model import Change, Enter, MoveAddress


def mails_or_grants(change: Change) -> bool:
    """Whether a planned change may come to a mail or a permission."""
    return isinstance(change, Enter | MoveAddress)


async def hold(hub: Hub, *, by: str, reason: str = "") -> None:
    """Hold what mails or grants from now on: not one call of these begins after this returns."""

    def work(tx: Tx) -> None:
        table.put_on(tx, Hold(since=hub.now(), by=by, because=BY_A_PERSON, reason=reason))

    await hub.store.write(work)


async def go_on(hub: Hub, *, by: str) -> bool:
    """Let it go on. False when nothing was held."""

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

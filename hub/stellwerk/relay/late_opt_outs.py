"""The alarm of law 1: an opt-out that is decided and not delivered for too long is told to a person, and by itself ends."""

from __future__ import annotations

from functools import partial

from stellwerk.relay.hub import Hub, log
from stellwerk.store import opt_outs, repairs
from stellwerk.store.store import Tx

OPT_OUT_LATE = "opt-out-late"


async def look_at_opt_outs(hub: Hub) -> None:
    """Open the repair of each connection with an opt-out that waits too long, close it where none does any more."""
    now = hub.now()
    late, open_ = await hub.store.read(partial(_late, before=now - hub.integration.limits.opt_out_late_minutes * 60.0))
    if late.keys() == open_:
        return
    for connection in late.keys() - open_:
        log.warning("connection %s: an opt-out is not delivered since %s", connection, hub.moment(late[connection]))
    await hub.store.write(partial(_tell, late=late, open_=open_, hub=hub, now=now))


def _late(tx: Tx, before: float) -> tuple[dict[str, float], frozenset[str]]:
    oldest = opt_outs.oldest_by_connection(tx)
    return {one: at for one, at in oldest.items() if at <= before}, repairs.subjects(tx, OPT_OUT_LATE)


def _tell(tx: Tx, late: dict[str, float], open_: frozenset[str], hub: Hub, now: float) -> None:
    for connection in late.keys() - open_:
        since = hub.moment(late[connection]).isoformat(timespec="seconds")
        repairs.open_(tx, connection, OPT_OUT_LATE, f"an opt-out is on its way since {since} and not delivered", now)
    for connection in open_ - late.keys():
        repairs.close(tx, connection, OPT_OUT_LATE, now)

"""A connection runs, watches or rests; what was only watched is decided anew by the next event, never made up for."""

from __future__ import annotations

from typing import Any, get_args

from stellwerk.errors import StellwerkError
from stellwerk.relay.hub import Hub
from stellwerk.relay.operate import State, change_state
from stellwerk.store import connections
from stellwerk.store.connections import IN_FILE

STATES: tuple[State, ...] = get_args(State)


async def set_state(hub: Hub, *, connection: str, state: str, by: str) -> dict[str, Any]:
    """Change a connection that was set up on the page. Raises `StellwerkError` for an unknown one, or one of the file."""
    known = next((one for one in STATES if one == state), None)
    if known is None:
        raise StellwerkError(f"a connection runs, watches or rests; {state!r} is none of these")
    stored = await hub.store.read(lambda tx: connections.living(tx, connection))
    if stored is None:
        raise StellwerkError(f"there is no connection {connection}; `stellwerk connections list` names them")
    if stored.origin == IN_FILE:
        raise StellwerkError(f"{connection} stands in integration.yaml; write `state: {state}` there and start anew")
    saved = await change_state(hub, stored, known, who=by)
    return {"connection": saved.id, "state": saved.state}

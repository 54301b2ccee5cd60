"""What is held for a person: listed by its cause, released (and then decided again first) or discarded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stellwerk.errors import StellwerkError
from stellwerk.relay import again
from stellwerk.relay.hub import Hub
from stellwerk.store import held as held_rows
from stellwerk.store import repairs
from stellwerk.store.store import Row, Tx

AT_ONCE = 200


def groups(tx: Tx) -> list[dict[str, Any]]:
    """`{connection, code, origin, change, count, oldest, text}` of what is held and not released yet, oldest first."""
    return [dict(row) for row in held_rows.groups(tx)]


async def release(hub: Hub, *, connection: str, code: str, by: str, origin: str | None = None) -> int:
    """Let go what is held for `code`; each is decided again first, under today's rules. How many there were.

    Raises `StellwerkError` when nothing of the kind is held.
    """
    return await _each(hub, connection, code, origin, lambda tx, rows: again.decide_again(tx, hub, rows), by)


async def discard(hub: Hub, *, connection: str, code: str, by: str, reason: str = "", origin: str | None = None) -> int:
    """Never do what is held for `code`. How many there were. Raises `StellwerkError` when nothing of the kind is held."""
    text = f"discarded by {by}" + (f": {reason}" if reason else "")
    return await _each(hub, connection, code, origin, lambda tx, rows: again.end(tx, hub, rows, "discarded", text), by)


async def _each(hub: Hub, connection: str, code: str, origin: str | None, work: Any, by: str) -> int:
    done = 0
    after = 0
    while True:

        def some(tx: Tx, after: int = after) -> Sequence[Row]:
            rows = held_rows.of_cause(tx, connection, code, origin, after=after, limit=AT_ONCE)
            work(tx, rows)
            if not held_rows.of_cause(tx, connection, code, None, after=0, limit=1):
                repairs.close(tx, connection, code, hub.now())
            return rows

        rows = await hub.store.write(some)
        if not rows:
            break
        done += len(rows)
        after = rows[-1]["id"]
    if not done:
        raise StellwerkError(
            f"nothing of connection {connection} is held for {code}; `stellwerk held list` says what is"
        )
    hub.wake()
    return done

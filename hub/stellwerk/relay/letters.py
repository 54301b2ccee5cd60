"""What a person does with the letters of one connection: replay the dead, release the held, end either for good.

What becomes of each is decided as for the commands (`again`, `dead`, `held`); here only one connection's are in reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from stellwerk.relay import again
from stellwerk.relay.dead import DELIVERY, EVENT
from stellwerk.relay.given_up import is_left
from stellwerk.relay.hub import Hub
from stellwerk.store import connections, dead_letters, held, inbox, lease, outbox, repairs
from stellwerk.store.connections import Connection
from stellwerk.store.inbox import DeadEvent
from stellwerk.store.outbox import Letter
from stellwerk.store.store import Row, Tx

LONGEST_REASON = 300
Find: TypeAlias = Callable[[Tx], tuple[Sequence[Letter], Sequence[DeadEvent]]]
"""The changes and the events meant, found in the transaction that acts on them."""


def only(find: Find, what: str, number: int) -> Find:
    """Of those found the one event, or the one change (`what` is `dead.EVENT` or `dead.DELIVERY`), with this number."""

    def found(tx: Tx) -> tuple[Sequence[Letter], Sequence[DeadEvent]]:
        changes, events = find(tx)
        return (
            [one for one in changes if what == DELIVERY and one.id == number],
            [one for one in events if what == EVENT and one.id == number],
        )

    return found


def whole(tx: Tx, find: Find) -> list[tuple[str, Row]]:
    """Those found with their payloads, each with what it is, events first."""
    changes, events = find(tx)
    rows = [(EVENT, row) for one in events for row in inbox.dead(tx, one.code, number=one.id)]
    return rows + [(DELIVERY, row) for row in outbox.whole(tx, [one.id for one in changes])]


async def replay(hub: Hub, connection: Connection, find: Find) -> int:
    """Put dead letters back; each is decided again. How many: those without their payload stay, and so does what is held."""

    def work(tx: Tx) -> int:
        changes, events = find(tx)
        now = hub.now()
        put_back = [one for one in changes if one.state == "dead" and one.kept]
        again.decide_again(tx, hub, outbox.whole(tx, [one.id for one in put_back]))
        count = len(put_back) + sum(inbox.replay(tx, one.id, now) for one in events)
        for account in connection.accounts.values():
            lease.wake(tx, account, now)
        _close(tx, connection, changes, events, now)
        return count

    return await _woken(hub, work)


async def release(hub: Hub, connection: Connection, find: Find) -> int:
    """Let go what is held; each is decided again first, under today's rules. How many."""

    def work(tx: Tx) -> int:
        changes, _ = find(tx)
        let_go = [one for one in changes if one.state == "held" and one.kept]
        again.decide_again(tx, hub, outbox.whole(tx, [one.id for one in let_go]))
        _close(tx, connection, let_go, (), hub.now())
        return len(let_go)

    return await _woken(hub, work)


async def dismiss(hub: Hub, connection: Connection, find: Find, *, who: str, why: str) -> int:
    """End them without writing them, with who did it and why. How many."""
    reason = why.strip()[:LONGEST_REASON]

    def work(tx: Tx) -> int:
        changes, events = find(tx)
        kept_back = [one.id for one in changes if one.state == "held"]
        again.end(tx, hub, outbox.whole(tx, kept_back), "discarded", f"discarded by {who}: {reason}")
        dismissed = f"dismissed by {who}: {reason}"
        dead_letters.dismiss(tx, [one.id for one in changes if one.state == "dead"], dismissed)
        again.leave(tx, hub, [row for one in events for row in inbox.dead(tx, one.code, number=one.id)], dismissed)
        _close(tx, connection, changes, events, hub.now())
        return len(changes) + len(events)

    return await _woken(hub, work)


async def _woken(hub: Hub, work: Callable[[Tx], int]) -> int:
    count = await hub.store.write(work)
    hub.wake()
    return count


def _close(tx: Tx, connection: Connection, changes: Sequence[Letter], events: Sequence[DeadEvent], now: float) -> None:
    """The repairs of causes that nothing is left of."""
    for code in {one.code for one in changes} | {one.code for one in events}:
        if held.of_cause(tx, connection.id, code, None, after=0, limit=1):
            continue
        for subject in (connection.id, *connections.own_accounts(tx, connection)):
            if not is_left(tx, code, subject):
                repairs.close(tx, subject, code, now)

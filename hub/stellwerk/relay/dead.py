"""Dead letters: listed by their cause, shown, put back (and decided again) or dismissed by a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from stellwerk.errors import StellwerkError
from stellwerk.relay import again
from stellwerk.relay.given_up import is_left
from stellwerk.relay.hub import Hub
from stellwerk.store import accounts, dead_letters, inbox, lease, repairs
from stellwerk.store.store import Row, Tx
from stellwerk.store.vault import Vault

Work: TypeAlias = Callable[[Tx, Hub, str, Sequence[Row]], dict[str, int]]
AT_ONCE = 200
EVENT, DELIVERY = "event", "delivery"


def listed(tx: Tx) -> list[dict[str, Any]]:
    """`{what, account, connection, change, code, count, oldest, newest}` by cause. `change` is the event's kind for an event."""
    return [dict(row) for row in (*inbox.dead_groups(tx), *dead_letters.groups(tx))]


def show(tx: Tx, vault: Vault, code: str) -> list[dict[str, Any]]:
    """The dead letters of one cause, oldest first: numbers, times, what was answered (redacted). No field's value."""
    rows = [{**row, "what": EVENT} for row in inbox.dead(tx, code)]
    rows += [{**row, "what": DELIVERY} for row in dead_letters.of_cause(tx, code)]
    return [_shown(tx, vault, row) for row in rows]


async def replay(hub: Hub, *, code: str, by: str, what: str | None = None, number: int | None = None) -> dict[str, int]:
    """Put back the dead letters of `code`, or one of them; each is decided again. `{replayed, kept}`.

    Kept are those that were never understood, or whose payload has outlived its days. Raises `StellwerkError` when there
    are none.
    """
    return await _each(hub, code, what, number, _put_back)


async def dismiss(
    hub: Hub, *, code: str, by: str, reason: str = "", what: str | None = None, number: int | None = None
) -> dict[str, int]:
    """Give them up for good, with a reason. `{dismissed}`. Raises `StellwerkError` when there are none."""
    text = f"dismissed by {by}" + (f": {reason}" if reason else "")

    def give_up(tx: Tx, hub: Hub, kind: str, rows: Sequence[Row]) -> dict[str, int]:
        if kind == EVENT:
            again.leave(tx, hub, rows, text)
        else:
            dead_letters.dismiss(tx, [row["id"] for row in rows], text)
        return {"dismissed": len(rows)}

    return await _each(hub, code, what, number, give_up)


def can_be_replayed(row: Row) -> bool:
    """Not what was never understood, or has lost its payload."""
    return row["body"] is not None and row.get("kind") != "unread"


def none_of(code: str) -> StellwerkError:
    return StellwerkError(f"there is no such dead letter of the code {code}; `stellwerk dead list` says what there is")


def _put_back(tx: Tx, hub: Hub, kind: str, rows: Sequence[Row]) -> dict[str, int]:
    now = hub.now()
    good = [row for row in rows if can_be_replayed(row)]
    if kind == EVENT:
        for row in good:
            inbox.replay(tx, row["id"], now)
            lease.wake(tx, row["account"], now)
    else:
        again.decide_again(tx, hub, good)
    return {"replayed": len(good), "kept": len(rows) - len(good)}


async def _each(hub: Hub, code: str, what: str | None, number: int | None, work: Work) -> dict[str, int]:
    done: dict[str, int] = {}
    for kind in (EVENT, DELIVERY) if what is None else (what,):
        after: int | None = 0
        while after is not None:
            counted, after = await hub.store.write(_some(hub, code, kind, number, after, work))
            for name, count in counted.items():
                done[name] = done.get(name, 0) + count
    if not any(done.values()):
        raise none_of(code)
    hub.wake()
    return done


def _some(
    hub: Hub, code: str, kind: str, number: int | None, after: int, work: Work
) -> Callable[[Tx], tuple[dict[str, int], int | None]]:
    """The next of them, in one transaction: what was done, and after which id to go on."""

    def some(tx: Tx) -> tuple[dict[str, int], int | None]:
        of_cause = inbox.dead if kind == EVENT else dead_letters.of_cause
        rows = of_cause(tx, code, number=number, after=after, limit=AT_ONCE)
        counted = work(tx, hub, kind, rows)
        for subject in {one for row in rows for one in (row["account"], row.get("connection")) if one}:
            if not is_left(tx, code, subject):
                repairs.close(tx, subject, code, hub.now())
        return counted, rows[-1]["id"] if rows else None

    return some


def _shown(tx: Tx, vault: Vault, row: Row) -> dict[str, Any]:
    accounts.by_id(tx, vault, row["account"])
    answer = None if row["answer"] is None else vault.open(row["account"], row["answer"]).decode()
    kept = {name: value for name, value in row.items() if name not in ("body", "answer", "run")}
    return {**kept, "answer": answer, "payload": row["body"] is not None}

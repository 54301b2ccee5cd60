"""What recipients are told: each repair once when it opens and once when it is mended, several in one notification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from stellwerk.store.store import Row, Tx

OPENED, MENDED = "opened", "mended"
What: TypeAlias = Literal["repairs", "test"]
WAITING, SENT, FAILED = "waiting", "sent", "failed"


class Cause(Struct, frozen=True, kw_only=True):
    """Repairs of one code at one place (a system's name, or "" for the connection): how many, and since when."""

    code: str
    system: str
    count: int
    since: float


class Content(Struct, frozen=True, kw_only=True):
    """What one notification says. Nothing of any contact but how many repairs there are; `left` are still open."""

    what: What = "repairs"
    opened: tuple[Cause, ...] = ()
    mended: tuple[Cause, ...] = ()
    left: int = 0


class Notification(Struct, frozen=True, kw_only=True):
    """One notification with how far it has come. `code` says what kept it from arriving the last time."""

    id: int
    recipient: int
    content: Content
    created: float
    due: float
    attempts: int
    state: str
    code: str
    ended: float | None


def untold(tx: Tx, recipient: int, since: float) -> tuple[list[Row], list[Row]]:
    """Repairs opened since then that the recipient was not told of, and those told of that are mended: `{id, subject, code, at}`."""
    opened = tx.all(
        "select id, subject, code, opened as at from repair as r where closed is null and opened >= :since and not exists"
        " (select 1 from told as t where t.recipient = :recipient and t.repair = r.id and t.what = 'opened') order by id",
        recipient=recipient,
        since=since,
    )
    mended = tx.all(
        "select r.id, r.subject, r.code, r.closed as at from told as t join repair as r on r.id = t.repair"
        " where t.recipient = :recipient and t.what = 'opened' and r.closed is not null and not exists"
        " (select 1 from told as m where m.recipient = t.recipient and m.repair = r.id and m.what = 'mended') order by r.id",
        recipient=recipient,
    )
    return opened, mended


def put(tx: Tx, recipient: int, content: Content, opened: Sequence[int], mended: Sequence[int], now: float) -> int:
    """Store one notification, and that these repairs are told of by it."""
    row = tx.one(
        "insert into notification (recipient, body, created, due) values (:recipient, :body, :now, :now) returning id",
        recipient=recipient,
        body=msgspec.json.encode(content).decode(),
        now=now,
    )
    assert row is not None
    for what, repairs in ((OPENED, opened), (MENDED, mended)):
        tx.many(
            "insert into told (recipient, repair, what) values (:recipient, :repair, :what) on conflict do nothing",
            [{"recipient": recipient, "repair": one, "what": what} for one in repairs],
        )
    return int(row["id"])


def last(tx: Tx, recipient: int) -> Notification | None:
    """The newest one, tests among them."""
    row = tx.one(
        "select * from notification where recipient = :recipient order by id desc limit 1", recipient=recipient
    )
    return None if row is None else _notification(row)


def last_told(tx: Tx, recipient: int) -> float | None:
    """When the recipient was last told of repairs."""
    row = tx.one(
        "select max(created) as at from notification where recipient = :recipient and body not like :test",
        recipient=recipient,
        test='%"what":"test"%',
    )
    return None if row is None else row["at"]


def due(tx: Tx, now: float, limit: int) -> list[Notification]:
    """Those to be sent now, the longest waiting first; of connections that were ended none."""
    rows = tx.all(
        "select n.* from notification as n join recipient as r on r.id = n.recipient join connection as c"
        " on c.id = r.connection where n.state = 'waiting' and n.due <= :now and c.state <> 'disconnected'"
        " order by n.due, n.id limit :limit",
        now=now,
        limit=limit,
    )
    return [_notification(row) for row in rows]


def attempt(tx: Tx, one: int, tries: int, again: float) -> bool:
    """Begin the try that follows `tries`, and say when the next one is if nobody says how this one went.

    False where another process has begun it.
    """
    return bool(
        tx.run(
            "update notification set attempts = attempts + 1, due = :again"
            " where id = :id and attempts = :tries and state = 'waiting'",
            id=one,
            tries=tries,
            again=again,
        )
    )


def settle(tx: Tx, one: int, tries: int, state: str, code: str, now: float, again: float) -> None:
    """How the last of `tries` went: it waits with `code` for the next one at `again`, or has ended."""
    tx.run(
        "update notification set state = :state, code = :code, due = :again, ended = :ended"
        " where id = :id and attempts = :tries",
        id=one,
        tries=tries,
        state=state,
        code=code,
        again=again,
        ended=None if state == WAITING else now,
    )


def purge(tx: Tx, before: float, limit: int) -> int:
    """Those that ended before then go; what was told stays known."""
    return tx.run(
        "delete from notification where id in (select id from notification where ended < :before limit :limit)",
        before=before,
        limit=limit,
    )


def _notification(row: Row) -> Notification:
    content = msgspec.json.decode(row["body"], type=Content)
    return Notification(**{**{name: value for name, value in row.items() if name != "body"}, "content": content})

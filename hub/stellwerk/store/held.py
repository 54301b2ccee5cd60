"""Deliveries that are held for a person, or were let go by one; and what the brake counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stellwerk.store import counts, lease
from stellwerk.store.outbox import NewDelivery, OutboxRow
from stellwerk.store.store import Row, Tx, counted
from stellwerk_rules.model import CHANGED_SINCE

RELEASED = "released"
"""Names, in the details of an event of ours, the delivery that a person let go, or that is decided anew first."""

ANEW = CHANGED_SINCE
"""Code of what nobody let go. In place of its tag, it says so."""

ANEW_LATER_SECONDS = 3600.0


def release(tx: Tx, one: int, now: float) -> None:
    """A person let it go: it stays as it is until its contact has been decided on again."""
    tx.run(
        "update outbox set state = 'held', released = :now where id = :id and state in ('dead', 'held')",
        id=one,
        now=now,
    )


def renew_first(tx: Tx, one: int, now: float) -> None:
    """What waits stays as it is until its contact has been decided on again; nothing is let go by that."""
    tx.run(
        "update outbox set state = 'held', released = :now, code = :code where id = :id and state = 'waiting'",
        id=one,
        now=now,
        code=ANEW,
    )


def free(tx: Tx, one: int) -> None:
    """Nothing went out for it and nobody let it go: its effect may be planned once more, when it is to happen after all."""
    tx.run("update outbox set once = null where id = :id and state = 'held' and code = :code", id=one, code=ANEW)


def unrelease(tx: Tx, ids: Sequence[int], now: float) -> list[Row]:
    """Those of `ids` that were let go and nothing was decided on are held as before; their connection, code and text.

    What nobody let go waits as before, and is looked at later.
    """
    due = now + ANEW_LATER_SECONDS
    for one in ids:
        waits = tx.one(
            "update outbox set state = 'waiting', released = null, due = :due where id = :id and state = 'held' and code = :code"
            " and released is not null returning account",
            id=one,
            due=due,
            code=ANEW,
        )
        if waits is not None:
            lease.wake(tx, waits["account"], due)
    found = (
        tx.one(
            "select id, connection, code, text from outbox where id = :id and state = 'held' and released is not null",
            id=one,
        )
        for one in ids
    )
    rows = [row for row in found if row is not None]
    tx.many("update outbox set released = null where id = :id", [{"id": row["id"]} for row in rows])
    return rows


def released_of(tx: Tx, connection: str, contact: int, ids: Sequence[int]) -> dict[int, str]:
    """Those of `ids` that are deliveries of this contact, let go and not decided again yet, with their tags (or `ANEW`)."""
    found = (
        tx.one(
            "select id, case when code = :anew then code else tag end as tag from outbox"
            " where id = :id and connection = :connection and contact = :contact and state = 'held' and released is not null",
            id=one,
            connection=connection,
            contact=contact,
            anew=ANEW,
        )
        for one in ids
    )
    return {row["id"]: row["tag"] for row in found if row is not None}


def is_released(tx: Tx, one: int) -> bool:
    """Whether it was let go and is not decided again yet."""
    found = tx.one("select id from outbox where id = :id and state = 'held' and released is not null", id=one)
    return found is not None


def renew(tx: Tx, ids: Iterable[int], new: NewDelivery) -> int | None:
    """Of the released `ids`, the one that `new` is the same kind of change as is made after all, as it was decided now."""
    for one in ids:
        done = tx.run(
            "update outbox set state = 'waiting', body = :body, due = :due, attempts = 0, code = '', text = '', ended = null,"
            " answer = null, released = case when code = :anew then null else released end"
            " where id = :id and tag = :tag and state = 'held' and released is not null and (once is null or once = :once)",
            id=one,
            body=new.body,
            due=new.due,
            tag=new.tag,
            once=new.once,
            anew=ANEW,
        )
        if done:
            counts.link(tx, new.event, one)
            return one
    return None


def overtake(tx: Tx, contact: int, account: str, code: str, why: str, text: str, now: float) -> bool:
    """End what is held of the contact for `code` at this account and was not let go; whether there was any."""
    done = tx.run(
        "update outbox set state = 'skipped', code = :why, text = :text, ended = :now where contact = :contact"
        " and account = :account and state = 'held' and code = :code and released is null",
        contact=contact,
        account=account,
        code=code,
        why=why,
        text=text,
        now=now,
    )
    return done > 0


def enters_of(tx: Tx, contact: int) -> list[Row]:
    """How everything stands that was to bring this contact in, oldest first."""
    return tx.all(
        "select id, connection, state, code from outbox where contact = :contact and tag = 'enter' order by id",
        contact=contact,
    )


def groups(tx: Tx) -> list[Row]:
    """What is held and not released, by cause."""
    return tx.all(
        "select connection, code, origin, tag as change, count(*) as count, min(created) as oldest, min(text) as text from outbox"
        " where state = 'held' and released is null group by connection, code, origin, tag order by oldest"
    )


def of_cause(tx: Tx, connection: str, code: str, origin: str | None, *, after: int, limit: int) -> list[Row]:
    """Of those that are held for `code` and not released, the next after the id `after`."""
    return tx.all(
        "select * from outbox where state = 'held' and released is null and connection = :connection and code = :code"
        " and (origin = :origin or :origin is null) and id > :after order by id limit :limit",
        connection=connection,
        code=code,
        origin=origin,
        after=after,
        limit=limit,
    )


def count(tx: Tx, row: OutboxRow, kind: str, now: float) -> None:
    """One of `kind` is started; trying it again is the same one."""
    tx.run(
        "insert into braked (delivery, connection, kind, origin, at) values (:delivery, :connection, :kind, :origin, :now)"
        " on conflict do nothing",
        delivery=row.id,
        connection=row.connection,
        kind=kind,
        origin=row.origin,
        now=now,
    )


def started_since(tx: Tx, row: OutboxRow, kind: str, since: float) -> int:
    """How many others of `kind` were started for that origin after `since`; those before are forgotten."""
    tx.run("delete from braked where at <= :since", since=since)
    return counted(
        tx,
        "select count(*) as n from braked where connection = :connection and kind = :kind and origin = :origin"
        " and delivery <> :delivery",
        connection=row.connection,
        kind=kind,
        origin=row.origin,
        delivery=row.id,
    )

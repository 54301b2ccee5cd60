"""Comparisons of both sides: how far, and the drift that was found. A page, its cursor and what it showed are written together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from stellwerk.store import lease
from stellwerk.store.store import Row, Tx, counted

State = Literal["compares", "mends", "done", "failed"]
What = Literal["known", "listed"]
"""Of a part: contacts that are linked at its system, or all that are listed there and not linked."""


class Comparison(Struct, frozen=True, kw_only=True):
    """`mend`: what was found is looked at again afterwards. `contacts` were compared so far; `counts` is drift by its kind."""

    id: int
    connection: str
    mend: bool
    state: State
    code: str
    text: str
    made_by: str
    started: float
    ended: float | None
    contacts: int
    counts: Mapping[str, int]
    mended: int


class Part(Struct, frozen=True, kw_only=True):
    """What one account has to do with a comparison; `cursor` is where its next page begins."""

    id: int
    run: int
    account: str
    system: str
    what: What
    state: Literal["compares", "compared", "mends", "done"]
    cursor: str | None
    attempts: int
    due: float


class Drift(Struct, frozen=True, kw_only=True):
    """One way in which a contact differs, found at the system of the part. `address` is a digest.

    `event` is the kind of event that looks at it again, where that mends it.
    """

    remote: str
    contact: int | None
    address: str | None
    kind: str
    event: str | None

    @property
    def mends(self) -> bool:
        return self.event is not None


def begin(
    tx: Tx, connection: str, parts: Sequence[tuple[str, str, What]], *, mend: bool, by: str, now: float
) -> int | None:
    """A new one with these parts (account, system, what); None where one of the connection is not over."""
    if going_on(tx, connection) is not None:
        return None
    row = tx.one(
        "insert into comparison (connection, mend, state, made_by, started) values (:connection, :mend, 'compares', :by, :now)"
        " returning id",
        connection=connection,
        mend=int(mend),
        by=by,
        now=now,
    )
    assert row is not None
    for account, system, what in parts:
        tx.run(
            "insert into comparison_part (run, account, system, what, due) values (:run, :account, :system, :what, :now)",
            run=row["id"],
            account=account,
            system=system,
            what=what,
            now=now,
        )
        lease.wake(tx, account, now)
    return int(row["id"])


def by_id(tx: Tx, run: int) -> Comparison | None:
    return _comparison(tx.one("select * from comparison where id = :run", run=run))


def going_on(tx: Tx, connection: str) -> Comparison | None:
    return _comparison(
        tx.one("select * from comparison where connection = :connection and ended is null", connection=connection)
    )


def last(tx: Tx, connection: str, *, ended: bool = False) -> Comparison | None:
    """The youngest of the connection; with `ended` the youngest that came to its end."""
    return _comparison(
        tx.one(
            "select * from comparison where connection = :connection and (:ended = 0 or state = 'done')"
            " order by id desc limit 1",
            connection=connection,
            ended=int(ended),
        )
    )


def connections_with_any(tx: Tx) -> list[str]:
    return [
        row["connection"] for row in tx.all("select connection from comparison group by connection order by connection")
    ]


# --- parts


def next_part(tx: Tx, account: str, now: float) -> Part | None:
    """The part of this account that waits longest, where one is due."""
    row = tx.one(
        "select * from comparison_part where account = :account and state in ('compares', 'mends') and due <= :now"
        " order by due, id limit 1",
        account=account,
        now=now,
    )
    return None if row is None else Part(**row)


def next_due(tx: Tx, account: str) -> float | None:
    row = tx.one(
        "select min(due) as due from comparison_part where account = :account and state in ('compares', 'mends')",
        account=account,
    )
    return None if row is None else row["due"]


def put_off(tx: Tx, part: Part, due: float, attempts: int) -> None:
    tx.run(
        "update comparison_part set due = :due, attempts = :attempts where id = :part",
        part=part.id,
        due=due,
        attempts=attempts,
    )


def turned(tx: Tx, part: Part, after: str | None, contacts: int, found: Iterable[Drift], now: float) -> None:
    """One page more was compared; the next begins at `after`, None where there is none."""
    for one in found:
        put(tx, part, one)
    tx.run(
        "update comparison_part set cursor = :after, state = :state, attempts = 0, due = :now where id = :part",
        part=part.id,
        after=after,
        state="compares" if after is not None else "compared",
        now=now,
    )
    tx.run("update comparison set contacts = contacts + :contacts where id = :run", run=part.run, contacts=contacts)
    if after is None:
        _all_compared(tx, part.run, now)


def _all_compared(tx: Tx, run: int, now: float) -> None:
    """Once every part was compared, and not before, mending begins: all drift is listed by then."""
    if tx.one("select id from comparison_part where run = :run and state = 'compares' limit 1", run=run) is not None:
        return
    found = tx.all("select kind, count(*) as n from drift where run = :run group by kind", run=run)
    counts = msgspec.json.encode({row["kind"]: row["n"] for row in found}).decode()
    tx.run("update comparison set counts = :counts where id = :run", run=run, counts=counts)
    tx.run(
        "update comparison_part set state = case when exists (select 1 from comparison where id = :run and mend = 1)"
        " then 'mends' else 'done' end, cursor = null, due = :now where run = :run",
        run=run,
        now=now,
    )
    tx.run("update comparison set state = 'mends' where id = :run and state = 'compares'", run=run)
    for row in tx.all(
        "select account from comparison_part where run = :run group by account order by account", run=run
    ):
        lease.wake(tx, row["account"], now)
    _all_done(tx, run, now)


def part_done(tx: Tx, part: Part, now: float) -> None:
    """All that this part has to mend was put in."""
    tx.run("update comparison_part set state = 'done' where id = :part", part=part.id)
    _all_done(tx, part.run, now)


def _all_done(tx: Tx, run: int, now: float) -> None:
    if tx.one("select id from comparison_part where run = :run and state <> 'done' limit 1", run=run) is None:
        tx.run("update comparison set state = 'done', ended = :now where id = :run and ended is null", run=run, now=now)


def fail(tx: Tx, run: int, code: str, text: str, now: float) -> None:
    """It ends early; what it found so far stays listed."""
    tx.run("update comparison_part set state = 'done' where run = :run", run=run)
    tx.run(
        "update comparison set state = 'failed', code = :code, text = :text, ended = :now where id = :run and ended is null",
        run=run,
        code=code,
        text=text,
        now=now,
    )


# --- drift


def put(tx: Tx, part: Part, one: Drift) -> None:
    tx.run(
        "insert into drift (run, part, remote, contact, address, kind, mends, event) values (:run, :part, :remote, :contact,"
        " :address, :kind, :mends, :event) on conflict do nothing",
        run=part.run,
        part=part.id,
        remote=one.remote,
        contact=one.contact,
        address=one.address,
        kind=one.kind,
        mends=int(one.mends),
        event=one.event,
    )


def to_mend(tx: Tx, part: Part, limit: int) -> list[Row]:
    """`{id, remote, kind, event}` of what was found here, mends, and was not looked at again yet."""
    return tx.all(
        "select id, remote, kind, event from drift where part = :part and mends = 1 and mended = 0 order by id limit :limit",
        part=part.id,
        limit=limit,
    )


def mended(tx: Tx, part: Part, rows: Sequence[int], now: float) -> None:
    """These are looked at again by an event of their own from now on."""
    for one in rows:
        tx.run("update drift set mended = 1 where id = :id", id=one)
    tx.run("update comparison set mended = mended + :n where id = :run", run=part.run, n=len(rows))
    tx.run("update comparison_part set due = :now where id = :part", part=part.id, now=now)


def listed(tx: Tx, run: int, limit: int, after: int = 0) -> list[Row]:
    """`{id, system, remote, contact, kind, mends, mended}` of what was found, in the order it was, behind the id `after`."""
    return tx.all(
        "select d.id, p.system, d.remote, d.contact, d.kind, d.mends, d.mended from drift as d"
        " join comparison_part as p on p.id = d.part where d.run = :run and d.id > :after order by d.id limit :limit",
        run=run,
        after=after,
        limit=limit,
    )


def waiting(tx: Tx, run: int) -> int:
    """How much of what was looked at again is on its way: events that wait, and changes of these contacts."""
    events = counted(
        tx,
        "select count(*) as n from inbox as i join comparison_part as p on p.account = i.account"
        " and i.dedup >= 'compared/' || p.id || '/' and i.dedup < 'compared/' || p.id || '0'"
        " where p.run = :run and i.state = 'waiting'",
        run=run,
    )
    changes = counted(
        tx,
        "select count(*) as n from outbox where state in ('waiting', 'sent')"
        " and contact in (select contact from drift where run = :run)",
        run=run,
    )
    return events + changes


def figures(tx: Tx) -> list[Row]:
    """`{connection, counts, ended}` of the youngest comparison of each connection that came to its end."""
    return tx.all(
        "select connection, counts, ended from comparison where id in"
        " (select max(id) from comparison where state = 'done' group by connection) order by connection"
    )


def by_kind(tx: Tx, run: int) -> list[Row]:
    """`{kind, system, count, mends}`, by how many of each kind and system were found and how many of these mend."""
    return tx.all(
        "select d.kind, p.system, count(*) as count, sum(d.mends) as mends from drift as d"
        " join comparison_part as p on p.id = d.part where d.run = :run group by d.kind, p.system order by d.kind, p.system",
        run=run,
    )


# --- contacts


def linked(tx: Tx, connection: str, system: str, after: int, limit: int) -> list[Row]:
    """`{id, version, remote, address}` of the connection's contacts that are known at the system, behind the id `after`."""
    return tx.all(
        "select c.id, c.version, l.remote, c.address from contact as c"
        " join link as l on l.contact = c.id and l.connection = :connection and l.system = :system"
        " where c.connection = :connection and c.id > :after order by c.id limit :limit",
        connection=connection,
        system=system,
        after=after,
        limit=limit,
    )


def is_busy(tx: Tx, contact: int, address: str | None, accounts: Mapping[str, str]) -> bool:
    """Whether something of the contact is on its way or waits for a person: it is compared once that has ended.

    `accounts` by system.
    """
    # Two statements, so that each partial index can be used.
    held = tx.one("select id from outbox where contact = :contact and state = 'held' limit 1", contact=contact)
    under_way = tx.one(
        "select id from outbox where contact = :contact and state in ('waiting', 'sent', 'parked') limit 1",
        contact=contact,
    )
    if held is not None or under_way is not None:
        return True
    subjects = {
        (accounts[row["system"]], f"id:{row['remote']}")
        for row in tx.all("select system, remote from link where contact = :contact", contact=contact)
        if row["system"] in accounts
    }
    subjects |= set() if address is None else {(account, f"email:{address}") for account in accounts.values()}
    return any(waits(tx, account, subject) for account, subject in subjects)


def waits(tx: Tx, account: str, subject: str) -> bool:
    """Whether an event of this contact waits at the account."""
    row = tx.one(
        "select id from inbox where account = :account and subject = :subject and state = 'waiting' limit 1",
        account=account,
        subject=subject,
    )
    return row is not None


def _comparison(row: Row | None) -> Comparison | None:
    if row is None:
        return None
    counts = msgspec.json.decode(row["counts"], type=dict[str, int])
    return Comparison(**{**dict(row), "mend": bool(row["mend"]), "counts": counts})

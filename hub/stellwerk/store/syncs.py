"""Syncs and dry runs: on which terms, how far, and what came of them. A page and its cursor are written together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from stellwerk.store import inbox, lease
from stellwerk.store.store import Row, Tx, counted
from stellwerk_rules.model import CHANGED_SINCE, Backfill, Permission

Kind = Literal["dry", "sync"]
State = Literal["running", "stopped", "done", "cancelled", "failed"]
GOING_ON = ("running", "stopped")
UNDONE = ("waiting", "sent", "parked")

NOT_RUNNING = "not-running"
"""Code of a sync, and of its events, that wait since its connection does not run."""

STANDING_SECONDS = 6 * 3600.0
"""Until the next look at what stands still: whoever lets the connection run has it looked at at once."""


class Run(Struct, frozen=True, kw_only=True):
    """One sync, or one dry run of it.

    With `ask` those who enter are asked, else granted `permission`; `confirmed` is how many a person said there may be of
    these. `version` and `plan` name the settings and the rules it was started under. `listed`: the last page was seen.
    `contacts` are those on the pages so far, of `total` where the system tells; `counts` is by what became of them.
    """

    id: int = 0
    connection: str
    account: str
    kind: Kind
    ask: bool = False
    permission: Permission = Permission.NONE
    confirmed: int = 0
    state: State = "running"
    code: str = ""
    text: str = ""
    made_by: str
    started: float
    ended: float | None = None
    version: int
    plan: str
    cursor: str | None = None
    listed: bool = False
    pages: int = 0
    contacts: int = 0
    total: int | None = None
    counts: Mapping[str, int] = {}
    attempts: int = 0
    due: float

    @property
    def going_on(self) -> bool:
        return self.state in GOING_ON

    def terms(self) -> Backfill:
        """What the rules are told of it. A dry run counts those who would be mailed or granted something."""
        used = self.counts.get("mailed", 0) + self.counts.get("granted", 0)
        return Backfill(
            run=self.id,
            began_at=datetime.fromtimestamp(self.started, UTC),
            ask=self.ask,
            grant=self.permission,
            left=None if self.kind == "dry" else max(self.confirmed - used, 0),
        )


class DryRow(Struct, frozen=True, kw_only=True):
    """What a dry run says of one contact. `address` is a digest, `body` sealed."""

    remote: str
    address: str | None
    what: str
    code: str
    body: bytes


def add(tx: Tx, new: Run) -> Run:
    row = tx.one(
        "insert into sync_run (connection, account, kind, ask, permission, confirmed, state, made_by, started, version, plan,"
        " total, due) values (:connection, :account, :kind, :ask, :permission, :confirmed, :state, :made_by, :started,"
        " :version, :plan, :total, :due) returning id",
        connection=new.connection,
        account=new.account,
        kind=new.kind,
        ask=int(new.ask),
        permission=new.permission.value,
        confirmed=new.confirmed,
        state=new.state,
        made_by=new.made_by,
        started=new.started,
        version=new.version,
        plan=new.plan,
        total=new.total,
        due=new.due,
    )
    assert row is not None
    return structs.replace(new, id=row["id"])


def by_id(tx: Tx, run: int) -> Run | None:
    return _run(tx.one("select * from sync_run where id = :run", run=run))


def going_on(tx: Tx, connection: str) -> Run | None:
    """The one that runs or was stopped; a connection has one at most."""
    return _run(
        tx.one(
            "select * from sync_run where connection = :connection and state in ('running', 'stopped')",
            connection=connection,
        )
    )


def last(tx: Tx, connection: str, kind: Kind | None = None) -> Run | None:
    """The youngest of the connection, whatever became of it."""
    return _run(
        tx.one(
            "select * from sync_run where connection = :connection and kind = coalesce(:kind, kind) order by id desc limit 1",
            connection=connection,
            kind=kind,
        )
    )


def connections_with_any(tx: Tx) -> list[str]:
    return [
        row["connection"] for row in tx.all("select connection from sync_run group by connection order by connection")
    ]


def next_of(tx: Tx, account: str, now: float) -> Run | None:
    """The run of this account that waits longest for its turn, where one is due."""
    return _run(
        tx.one(
            "select * from sync_run where account = :account and state = 'running' and due <= :now order by due, id limit 1",
            account=account,
            now=now,
        )
    )


def next_due(tx: Tx, account: str) -> float | None:
    row = tx.one("select min(due) as due from sync_run where account = :account and state = 'running'", account=account)
    return None if row is None else row["due"]


def turned(tx: Tx, run: Run, after: str | None, contacts: int, now: float) -> None:
    """One page more was taken in; the next begins at `after`, None where there is none: then it is known how many there are."""
    tx.run(
        "update sync_run set cursor = :after, listed = :listed, pages = pages + 1, contacts = contacts + :contacts,"
        " attempts = 0, code = '', text = '', due = :now where id = :run and state in ('running', 'stopped')",
        run=run.id,
        after=after,
        listed=int(after is None),
        contacts=contacts,
        now=now,
    )
    if after is None:
        tx.run("update sync_run set total = contacts where id = :run and state in ('running', 'stopped')", run=run.id)


def put_off(tx: Tx, run: Run, due: float, *, attempts: int = 0, code: str = "", text: str = "") -> None:
    """Nothing more of it before `due`."""
    tx.run(
        "update sync_run set due = :due, attempts = :attempts, code = :code, text = :text where id = :run"
        " and state in ('running', 'stopped')",
        run=run.id,
        due=due,
        attempts=attempts,
        code=code,
        text=text,
    )


def know_total(tx: Tx, run: Run, total: int) -> None:
    tx.run("update sync_run set total = :total where id = :run", run=run.id, total=total)


def count(tx: Tx, run: int, what: Iterable[str], *, by: int = 1) -> None:
    """Add to the figures of what became of contacts, or with -1 take back: they are decided on anew."""
    row = tx.one("select counts from sync_run where id = :run", run=run)
    if row is None:
        return
    counts: dict[str, int] = msgspec.json.decode(row["counts"], type=dict[str, int])
    for one in what:
        counts[one] = max(counts.get(one, 0) + by, 0)
    tx.run("update sync_run set counts = :counts where id = :run", run=run, counts=msgspec.json.encode(counts).decode())


def moves(tx: Tx, run: int, at: float) -> None:
    """Something of it was decided on or has ended: it is looked at by `at`, for how long ever it was put off."""
    row = tx.one(
        "update sync_run set due = :at, attempts = 0 where id = :run and state = 'running' and due > :at returning account",
        run=run,
        at=at,
    )
    if row is not None:
        lease.wake(tx, row["account"], at)


def stand_still(tx: Tx, run: int, events: Sequence[int], standing: Collection[str], now: float) -> bool:
    """These events of a sync wait where its connection is one of `standing`, which did not run when it was read."""
    row = tx.one(
        "select c.id, c.state from sync_run as r join connection as c on c.id = r.connection where r.id = :run", run=run
    )
    if row is None or row["id"] not in standing:
        return False
    inbox.untried(tx, events, now if row["state"] == "runs" else now + STANDING_SECONDS, NOT_RUNNING)
    return True


def go_on(tx: Tx, connection: str, now: float) -> None:
    """What stood still while the connection did not run is due."""
    run = going_on(tx, connection)
    if run is None:
        return
    tx.run(
        "update sync_run set due = :now, attempts = 0, code = '', text = '' where id = :run and code = :code",
        run=run.id,
        code=NOT_RUNNING,
        now=now,
    )
    tx.run(
        "update inbox set due = :now where run = :run and state = 'waiting' and code = :code",
        run=run.id,
        code=NOT_RUNNING,
        now=now,
    )


def go(tx: Tx, run: Run, state: State, now: float, *, code: str = "", text: str = "") -> bool:
    """Stop it, let it go on or end it; False where it has ended already."""
    return bool(
        tx.run(
            "update sync_run set state = :state, code = :code, text = :text, due = :now, attempts = 0, ended = :ended"
            " where id = :run and state in ('running', 'stopped')",
            run=run.id,
            state=state,
            code=code,
            text=text,
            now=now,
            ended=None if state in GOING_ON else now,
        )
    )


# --- what a dry run says


def put_rows(tx: Tx, run: int, rows: Sequence[DryRow]) -> None:
    """A contact that stands there already stays as it was said first."""
    tx.many(
        "insert into sync_row (run, remote, address, what, code, body) values (:run, :remote, :address, :what, :code, :body)"
        " on conflict do nothing",
        [{"run": run, **structs.asdict(row)} for row in rows],
    )


def rows(tx: Tx, run: int, after: str, limit: int, what: str | None = None) -> list[DryRow]:
    """In the order of the ids, as texts, behind `after`."""
    found = tx.all(
        "select remote, address, what, code, body from sync_row where run = :run and remote > :after"
        " and what = coalesce(:what, what) order by remote limit :limit",
        run=run,
        after=after,
        limit=limit,
        what=what,
    )
    return [DryRow(**row) for row in found]


def reasons(tx: Tx, run: int) -> list[Row]:
    """`{what, code, count}`, the most frequent first."""
    return tx.all(
        "select what, code, count(*) as count from sync_row where run = :run group by what, code order by count desc, what, code",
        run=run,
    )


# --- events and deliveries of a sync


def undone(tx: Tx, run: int) -> int:
    """How much of it is on its way: events that wait and deliveries that have not ended."""
    on_their_way = "select count(*) as n from outbox where run = :run and state in ('waiting', 'sent', 'parked')"
    return waiting_events(tx, run) + counted(tx, on_their_way, run=run)


def waiting_events(tx: Tx, run: int) -> int:
    return counted(tx, "select count(*) as n from inbox where run = :run and state = 'waiting'", run=run)


def deliveries(tx: Tx, run: int) -> dict[str, int]:
    """How many of its deliveries stand in which state."""
    found = tx.all("select state, count(*) as n from outbox where run = :run group by state order by state", run=run)
    return {row["state"]: int(row["n"]) for row in found}


def drop_events(tx: Tx, run: int, code: str, now: float) -> int:
    """What waits to be looked at is left. How many were."""
    return tx.run(
        "update inbox set state = 'skipped', code = :code, ended = :now where run = :run and state = 'waiting'",
        run=run,
        code=code,
        now=now,
    )


def entries_to_drop(tx: Tx, run: int, limit: int) -> list[Row]:
    """Deliveries that would bring somebody in and have not begun, as deciding again needs them; those that were to be decided anew first
    among them."""
    return tx.all(
        "select id, account, connection, contact, tag, body, event from outbox where run = :run and tag = 'enter'"
        " and progress = '' and (state = 'waiting' or (state = 'held' and code = :anew and released is not null))"
        " order by id limit :limit",
        run=run,
        anew=CHANGED_SINCE,
        limit=limit,
    )


def _run(row: Row | None) -> Run | None:
    if row is None:
        return None
    told: dict[str, Any] = dict(row)
    told |= {"ask": bool(row["ask"]), "listed": bool(row["listed"]), "permission": Permission(row["permission"])}
    told["counts"] = msgspec.json.decode(row["counts"], type=dict[str, int])
    return Run(**told)

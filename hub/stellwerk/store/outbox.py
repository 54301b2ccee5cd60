"""Deliveries to go out. A contact has at most one in flight; what is undone never overtakes what came before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from stellwerk.store import counts as events
from stellwerk.store import lease, syncs
from stellwerk.store.store import Row, Tx, counted
from stellwerk.store.turn import TURN

SOON_SECONDS = 1.0

COLUMNS = (
    "id, connection, contact, tag, class as urgency, attempts, code, progress, sent, due, body, event, created, state, once,"
    " origin, released, run"
)


class NewDelivery(Struct, frozen=True, kw_only=True):
    """One planned change. `once` (or None) is an effect that may happen once for ever; `urgency` 0 is an opt-out.

    `origin` is where the contact's record comes from, `run` the sync that it belongs to. A held one says by `code` which
    repair shows it, by `text` why.
    """

    account: str
    connection: str
    contact: int
    tag: str
    once: str | None
    urgency: int
    due: float
    body: bytes
    event: str
    created: float
    state: str = "waiting"
    code: str = ""
    text: str = ""
    origin: str = "other"
    released: float | None = None
    run: int | None = None


class OutboxRow(Struct, frozen=True, kw_only=True):
    """One delivery as it stands. One in flight is to be looked for at `due`, if that is after twice its time-out.

    `released`: when a person let it go after it was held; it has been decided again since.
    """

    id: int
    connection: str
    contact: int
    tag: str
    urgency: int
    attempts: int
    code: str
    progress: str
    sent: float | None
    due: float
    body: bytes
    event: str
    created: float
    state: str
    once: str | None
    origin: str
    released: float | None
    run: int | None = None


def put(tx: Tx, new: NewDelivery, merge: Callable[[bytes, bytes], bytes | None] | None = None) -> bool:
    """Add a delivery; True when a row is there that will do it.

    `merge(waiting, new)` joins it into the contact's last waiting delivery of the same tag; None from it means "cannot".
    False: the same effect (`once`) stands already.
    """
    if merge is not None:
        last = tx.one(
            "select id, tag, state, body from outbox where contact = :contact and account = :account"
            " and state in ('waiting', 'sent', 'parked') order by id desc limit 1",
            contact=new.contact,
            account=new.account,
        )
        if last is not None and last["state"] == "waiting" and last["tag"] == new.tag:
            joined = merge(last["body"], new.body)
            if joined is not None:
                # A live change must not wait with the back-fill it joined.
                tx.run(
                    "update outbox set body = :body, class = case when class < :urgency then class else :urgency end where id = :id",
                    body=joined,
                    urgency=new.urgency,
                    id=last["id"],
                )
                events.link(tx, new.event, last["id"])
                return True
    row = tx.one(
        "insert into outbox (account, connection, contact, tag, once, class, due, body, event, created, state, code, text, origin,"
        " released, run)"
        " values (:account, :connection, :contact, :tag, :once, :urgency, :due, :body, :event, :created, :state, :code, :text,"
        " :origin, :released, :run) on conflict do nothing returning id",
        **structs.asdict(new),
    )
    if row is None:
        stands = "select id from outbox where connection = :connection and once = :once"
        row = tx.one(stands, connection=new.connection, once=new.once)
        if row is not None:
            events.link(tx, new.event, row["id"])
        return False
    events.link(tx, new.event, row["id"])
    return True


def ready(tx: Tx, account: str, now: float, limit: int, *, hold: bool = False) -> list[OutboxRow]:
    """Deliveries whose turn it is: interrupted ones first, then opt-outs, live, back-fill; one a contact.

    With `hold` nothing that may mail or grant has its turn; of a connection that holds it, never.
    """
    # `+due`: found by the order they go out in, not by `outbox_due`, which would have to sort the whole backlog.
    turn = f"select {COLUMNS} from {TURN} and +due <= :now"
    interrupted = tx.all(
        f"{turn} and progress <> '' order by class, id limit :limit",
        account=account,
        now=now,
        limit=limit,
        hold=hold,
    )
    others = tx.all(f"{turn} order by class, id limit :limit", account=account, now=now, limit=limit, hold=hold)
    first: dict[int, OutboxRow] = {}
    for row in (*interrupted, *others):
        first.setdefault(row["contact"], OutboxRow(**row))
    return list(first.values())[:limit]


def stands(tx: Tx, one: int, body: bytes) -> bool:
    """Whether the delivery is still to be made as it was read: not ended meanwhile, nothing joined into it."""
    return (
        tx.one(
            "select id from outbox where id = :id and body = :body and state in ('waiting', 'sent')", id=one, body=body
        )
        is not None
    )


def is_effect(tx: Tx, connection: str, once: str) -> bool:
    """Whether that effect was ever planned: it is made or will be, and not a second time."""
    stands = "select id from outbox where connection = :connection and once = :once"
    return tx.one(stands, connection=connection, once=once) is not None


def body_of(tx: Tx, connection: str, once: str) -> bytes | None:
    """What the delivery with this effect said; None where there is none, or its days are over."""
    row = tx.one(
        "select body from outbox where connection = :connection and once = :once", connection=connection, once=once
    )
    return None if row is None else row["body"]


def sent(tx: Tx, ids: Sequence[int], now: float) -> None:
    """Written down before the call: a crash after this leaves a row that must be settled, never one that is repeated blindly."""
    tx.many(
        "update outbox set state = 'sent', sent = :now, attempts = attempts + 1 where id = :id and state in ('waiting', 'sent')",
        [{"id": one, "now": now} for one in ids],
    )


def in_flight(tx: Tx, account: str) -> list[OutboxRow]:
    """Deliveries that were sent and never settled."""
    return [
        OutboxRow(**row)
        for row in tx.all(
            f"select {COLUMNS} from outbox where account = :account and state = 'sent' order by id", account=account
        )
    ]


def progress(tx: Tx, one: int, text: str) -> None:
    tx.run("update outbox set progress = :text where id = :id", text=text, id=one)


def settle(tx: Tx, one: int, state: str, *, code: str, text: str, answer: bytes | None, now: float) -> None:
    """The end of a delivery: done, skipped, held or dead. What has ended stays as it ended; what is held may still end."""
    row = tx.one(
        "update outbox set state = :state, code = :code, text = :text, answer = :answer, ended = :now, progress = ''"
        " where id = :id and state in ('waiting', 'sent', 'parked', 'held') returning run",
        state=state,
        code=code,
        text=text,
        answer=answer,
        now=now,
        id=one,
    )
    if row is not None and row["run"] is not None:
        syncs.moves(tx, row["run"], now + SOON_SECONDS)


def again(
    tx: Tx,
    one: int,
    due: float,
    *,
    code: str,
    text: str,
    answer: bytes | None,
    state: str = "waiting",
    attempts: int | None = None,
) -> None:
    """Try again at `due`; with state `sent` only look for its mark then. `attempts`: so many have failed by now.

    Where nothing new was answered, what the remote said last stays readable.
    """
    tx.run(
        "update outbox set state = :state, due = :due, code = :code, text = :text, answer = coalesce(:answer, answer),"
        " attempts = coalesce(:attempts, attempts) where id = :id and state in ('waiting', 'sent', 'parked')",
        state=state,
        attempts=attempts,
        due=due,
        code=code,
        text=text,
        answer=answer,
        id=one,
    )


def erase(tx: Tx, contact: int, needed: str, now: float) -> None:
    """Forget what the contact's deliveries said; those that wait end as erased.

    But for what is in flight, and those of the tag `needed` that are not done: a person may still have to put one back.
    """
    tx.run(
        "update outbox set state = 'erased', ended = :now where contact = :contact"
        " and state in ('waiting', 'parked', 'held') and tag <> :needed",
        contact=contact,
        needed=needed,
        now=now,
    )
    tx.run(
        "update outbox set body = null, answer = null, text = '' where contact = :contact and ended is not null"
        " and not (tag = :needed and state in ('dead', 'held'))",
        contact=contact,
        needed=needed,
    )


def is_undone(tx: Tx, contact: int, needed: str) -> bool:
    """Whether something of the contact is still to be made, one of the tag `needed` that was given up included."""
    return (
        tx.one(
            "select id from outbox where contact = :contact and (state in ('waiting', 'sent', 'parked')"
            " or (state in ('dead', 'held') and tag = :needed and body is not null))",
            contact=contact,
            needed=needed,
        )
        is not None
    )


def look_at(tx: Tx, one: int, due: float) -> None:
    """Look for the mark of one in flight at `due`; why it is in doubt stays said."""
    tx.run(
        "update outbox set due = :due, code = case when code = '' then 'outcome unknown' else code end"
        " where id = :id and state = 'sent'",
        due=due,
        id=one,
    )


def untried(tx: Tx, ids: Sequence[int]) -> None:
    """Back to waiting as if not tried: the call did not happen."""
    tx.many(
        "update outbox set state = 'waiting', sent = null, attempts = case when attempts > 0 then attempts - 1 else 0 end where id = :id and state = 'sent'",
        [{"id": one} for one in ids],
    )


def forgive(tx: Tx, account: str, due: float) -> None:
    """What failed waits as if it had not been tried: it was its account that did not answer. What is in flight is looked for."""
    params = {"account": account, "due": due}
    tx.run(
        "update outbox set attempts = 0, due = :due where account = :account and state = 'waiting' and attempts > 0",
        **params,
    )
    tx.run("update outbox set due = :due where account = :account and state = 'sent' and due > :due", **params)


def works(tx: Tx, account: str, tag: str, since: float) -> bool:
    """Whether a change of this kind was made at this account after `since`."""
    found = tx.one(
        "select id from outbox where ended > :since and account = :account and tag = :tag"
        " and state in ('done', 'not_needed', 'opted_out') limit 1",
        account=account,
        tag=tag,
        since=since,
    )
    return found is not None


def due_now(tx: Tx, contact: int, code: str, now: float) -> None:
    """Take up again at once what waits for this contact with this code."""
    rows = tx.all(
        "update outbox set due = :now where contact = :contact and state = 'waiting' and code = :code returning account",
        contact=contact,
        code=code,
        now=now,
    )
    for account in sorted({row["account"] for row in rows}):
        lease.wake(tx, account, now)


class Letter(Struct, frozen=True, kw_only=True):
    """A delivery that a person has to decide on: dead or held. `kept`: its payload is still there."""

    id: int
    account: str
    contact: int
    tag: str
    state: str
    code: str
    text: str
    created: float
    kept: bool


def letters(tx: Tx, connection: str, state: str, limit: int) -> list[Letter]:
    """Deliveries of the connection in this state (`dead` or `held`), oldest first."""
    assert state in ("dead", "held")
    # The state stands in the statement, so that the partial indexes can be used.
    rows = tx.all(
        "select id, account, contact, tag, state, code, text, created, body is not null as kept from outbox"
        f" where connection = :connection and state = '{state}' and (state <> 'held' or released is null)"
        " order by id limit :limit",
        connection=connection,
        limit=limit,
    )
    return [Letter(**{**row, "kept": bool(row["kept"])}) for row in rows]


def whole(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """These deliveries with their payloads, as deciding again needs them."""
    found = (
        tx.one("select id, account, connection, contact, tag, body, event, run from outbox where id = :id", id=one)
        for one in ids
    )
    return [row for row in found if row is not None]


def replay(tx: Tx, one: int, now: float) -> bool:
    """Put a dead or held delivery back; False when there is none, or its payload has outlived its days."""
    return bool(
        tx.run(
            "update outbox set state = 'waiting', due = :now, attempts = 0, ended = null,"
            " released = case state when 'held' then :now else released end where id = :id and state in ('dead', 'held')"
            " and body is not null",
            id=one,
            now=now,
        )
    )


def next_due(tx: Tx, account: str, *, hold: bool = False) -> float | None:
    """When a delivery's turn may come, or one in flight is to be looked for. What waits for another one does not count."""
    waiting = tx.one(f"select due from {TURN} order by due limit 1", account=account, hold=hold)
    in_flight = tx.one(
        "select min(due) as due from outbox where account = :account and state = 'sent'", account=account
    )
    times = [row["due"] for row in (waiting, in_flight) if row is not None and row["due"] is not None]
    return min(times, default=None)


def undone_of(tx: Tx, contact: int) -> list[Row]:
    """The contact's deliveries that did not end `done`, oldest first: what waits, and also what is dead or was skipped."""
    return tx.all(
        "select account, tag, state, due, attempts, code, text, answer, created from outbox"
        " where contact = :contact and state <> 'done' order by id",
        contact=contact,
    )


def counts(tx: Tx) -> dict[str, int]:
    return {row["state"]: row["n"] for row in tx.all("select state, count(*) as n from outbox group by state")}


def undone(tx: Tx, account: str, connection: str) -> dict[str, int]:
    """How many deliveries of this connection to this account stand in each state that is no end."""
    return {
        state: count
        for state in ("waiting", "sent", "parked", "held", "dead")
        if (count := _in_state(tx, account, connection, state))
    }


def _in_state(tx: Tx, account: str, connection: str, state: str) -> int:
    # The state stands in the statement, so that the partial indexes can be used.
    return counted(
        tx,
        f"select count(*) as n from outbox where account = :account and connection = :connection and state = '{state}'",
        account=account,
        connection=connection,
    )

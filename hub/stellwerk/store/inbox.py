"""Events taken in: stored before they are acknowledged, taken with the decision they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, structs

from stellwerk.store.store import Row, Tx

NOT_SURE = "not sure yet"
"""Code of what waits because its remote has not made up its mind."""

SCANNED_EVENTS_A_CONTACT = 20
Ended = Literal["decided", "skipped", "held", "dead", "erased"]


class NewEvent(Struct, frozen=True, kw_only=True):
    """One signal to store. `subject` groups events of one contact (an id or an address's digest, never clear text).

    `run` is the sync that looks at the contact, where nothing happened to it.
    """

    account: str
    dedup: str | None
    subject: str
    kind: str
    body: bytes
    occurred: float | None
    received: float
    urgency: int
    run: int | None = None


class InboxRow(Struct, frozen=True, kw_only=True):
    """One waiting event. `code` says why it waits, where it was looked at before."""

    id: int
    subject: str
    kind: str
    body: bytes
    received: float
    attempts: int
    code: str
    run: int | None = None


def put(tx: Tx, events: Sequence[NewEvent]) -> int:
    """Store; an event whose vendor key stands already is a redelivery and changes nothing. Number of new rows."""
    new = tx.many(
        "insert into inbox (account, dedup, subject, kind, body, occurred, received, class, due, run)"
        " values (:account, :dedup, :subject, :kind, :body, :occurred, :received, :urgency, :received, :run) on conflict do nothing",
        [structs.asdict(event) for event in events],
    )
    for event in events:
        if event.kind == "confirmed":
            look_now(tx, event.account, event.subject, NOT_SURE, event.received)
    return new


def number_newest(tx: Tx, number: int) -> None:
    """In a transaction that is undone: the event that was put last gets a number that is known before."""
    tx.run("update inbox set id = :number where id = (select max(id) from inbox)", number=number)


def look_now(tx: Tx, account: str, subject: str, code: str, now: float) -> None:
    """Something new is heard of a contact: look at once at what waits for it, by its `code`."""
    tx.run(
        "update inbox set due = :now where account = :account and subject = :subject and state = 'waiting'"
        " and code = :code and due > :now",
        account=account,
        subject=subject,
        code=code,
        now=now,
    )


def waiting_of(tx: Tx, account: str, subject: str, kind: str) -> list[Row]:
    """Waiting events of that kind of one contact, oldest first."""
    return tx.all(
        "select id, received, dedup from inbox where account = :account and subject = :subject and state = 'waiting'"
        " and kind = :kind order by id",
        account=account,
        subject=subject,
        kind=kind,
    )


def put_dead(tx: Tx, *, account: str, body: bytes, code: str, now: float) -> None:
    """An authentic item that was not understood."""
    tx.run(
        "insert into inbox (account, dedup, subject, kind, body, received, due, state, code, ended)"
        " values (:account, null, '', 'unread', :body, :now, :now, 'dead', :code, :now)",
        account=account,
        body=body,
        now=now,
        code=code,
    )


def take(tx: Tx, account: str, now: float, contacts: int) -> list[InboxRow]:
    """The contacts that wait longest, opt-outs first, with all their events that are due.

    At most `contacts`; fewer where some have very many events, since grouping the whole backlog at each call would make
    draining it quadratic.
    """
    longest = tx.all(
        "select subject from inbox where account = :account and state = 'waiting' and due <= :now"
        " order by class, id limit :scanned",
        account=account,
        now=now,
        scanned=contacts * SCANNED_EVENTS_A_CONTACT,
    )
    subjects = list(dict.fromkeys(row["subject"] for row in longest))[:contacts]
    found: list[InboxRow] = []
    for subject in subjects:
        found += [
            InboxRow(**event)
            for event in tx.all(
                "select id, subject, kind, body, received, attempts, code, run from inbox"
                " where account = :account and subject = :subject and state = 'waiting' and due <= :now order by id",
                account=account,
                subject=subject,
                now=now,
            )
        ]
    return found


def end(tx: Tx, ids: Sequence[int], state: Ended, code: str, now: float, answer: bytes | None = None) -> None:
    """`answer` is what a remote said, sealed, where that ended it. What ended together was read together: the first names them."""
    tx.many(
        "update inbox set state = :state, code = :code, answer = :answer, ended = :now, together = :first"
        " where id = :id and state = 'waiting'",
        [{"id": one, "state": state, "code": code, "answer": answer, "now": now, "first": ids[0]} for one in ids],
    )


def forget(tx: Tx, ids: Sequence[int]) -> None:
    """What these events said goes, of those that have ended."""
    forgotten = "update inbox set body = null, answer = null where id = :id and ended is not null"
    tx.many(forgotten, [{"id": one} for one in ids])


def later(tx: Tx, ids: Sequence[int], due: float, code: str, answer: bytes | None = None) -> None:
    """Look again at `due`; `answer` is what a remote said this time, sealed."""
    tx.many(
        "update inbox set due = :due, attempts = attempts + 1, code = :code, answer = :answer"
        " where id = :id and state = 'waiting'",
        [{"id": one, "due": due, "code": code, "answer": answer} for one in ids],
    )


def erase(tx: Tx, account: str, subject: str, now: float) -> None:
    """Forget what the events of one contact said; those that wait end as erased."""
    params = {"account": account, "subject": subject}
    tx.run(
        "update inbox set state = 'erased', code = '', ended = :now"
        " where account = :account and subject = :subject and state = 'waiting'",
        **params,
        now=now,
    )
    tx.run("update inbox set body = null, answer = null where account = :account and subject = :subject", **params)


def leave(tx: Tx, account: str, now: float, limit: int) -> int:
    """Events of an account that nobody uses any more end undecided. How many did."""
    return tx.run(
        "update inbox set state = 'skipped', code = 'nobody is connected', body = null, answer = null, ended = :now"
        " where id in (select id from inbox where account = :account and state = 'waiting' limit :limit)",
        account=account,
        now=now,
        limit=limit,
    )


def still_waiting(tx: Tx, ids: Sequence[int]) -> bool:
    """Whether one of them is still to be decided on."""
    return any(tx.one("select id from inbox where id = :id and state = 'waiting'", id=one) is not None for one in ids)


def look_again(tx: Tx, ids: Sequence[int], due: float) -> None:
    """Look again at `due`: nothing failed, and what failed before is over."""
    tx.many(
        "update inbox set due = :due, attempts = 0, code = :code where id = :id and state = 'waiting'",
        [{"id": one, "due": due, "code": NOT_SURE} for one in ids],
    )


def untried(tx: Tx, ids: Sequence[int], due: float, code: str) -> None:
    """Look at `due`: it was not these events that failed."""
    tx.many(
        "update inbox set due = :due, code = :code where id = :id and state = 'waiting'",
        [{"id": one, "due": due, "code": code} for one in ids],
    )


def forgive(tx: Tx, account: str, due: float) -> None:
    """What failed waits as if it had not been tried: it was its account that did not answer."""
    tx.run(
        "update inbox set attempts = 0, due = :due where account = :account and state = 'waiting' and attempts > 0",
        account=account,
        due=due,
    )


def works(tx: Tx, account: str, since: float) -> bool:
    """Whether anything taken in at this account was decided on after `since`."""
    found = tx.one(
        "select id from inbox where ended > :since and account = :account and state in ('decided', 'skipped') limit 1",
        account=account,
        since=since,
    )
    return found is not None


def undone_of(tx: Tx, account: str, subject: str) -> list[Row]:
    """Events of one contact that still wait or were given up, oldest first."""
    return tx.all(
        "select id, account, kind, state, due, attempts, code, answer, received from inbox"
        " where account = :account and subject = :subject and state in ('waiting', 'dead') order by id",
        account=account,
        subject=subject,
    )


class DeadEvent(Struct, frozen=True, kw_only=True):
    """An event that was given up. `kept`: it can be read again."""

    id: int
    account: str
    kind: str
    code: str
    received: float
    kept: bool


def dead_of(tx: Tx, account: str, limit: int) -> list[DeadEvent]:
    """Dead letters of one account, oldest first."""
    rows = tx.all(
        "select id, account, kind, code, received, body is not null and kind <> 'unread' as kept from inbox"
        " where account = :account and state = 'dead' order by id limit :limit",
        account=account,
        limit=limit,
    )
    return [DeadEvent(**{**row, "kept": bool(row["kept"])}) for row in rows]


def replay(tx: Tx, one: int, now: float) -> bool:
    """Put a dead letter back; False when there is none, it was never understood, or its payload has outlived its days."""
    return bool(
        tx.run(
            "update inbox set state = 'waiting', due = :now, attempts = 0, code = '', ended = null where id = :id and state = 'dead'"
            " and kind <> 'unread' and body is not null",
            id=one,
            now=now,
        )
    )


def dead_groups(tx: Tx) -> list[Row]:
    """Dead letters by cause."""
    return tx.all(
        "select 'event' as what, account, null as connection, kind as change, code, count(*) as count, min(ended) as oldest,"
        " max(ended) as newest from inbox where state = 'dead' group by account, kind, code order by oldest"
    )


def dead(tx: Tx, code: str, *, number: int | None = None, after: int = 0, limit: int = 1000) -> list[Row]:
    """Dead letters of that cause after the id `after`, or the one with that number."""
    return tx.all(
        "select id, account, kind, body, attempts, code, answer, run, received as created, ended from inbox where state = 'dead'"
        " and code = :code and id > :after and (id = :number or :number is null) order by id limit :limit",
        code=code,
        number=number,
        after=after,
        limit=limit,
    )


def dismiss(tx: Tx, ids: Sequence[int], text: str) -> None:
    """Given up for good by a person, who says why."""
    tx.many(
        "update inbox set state = 'skipped', code = :text where id = :id and state = 'dead'",
        [{"id": one, "text": text} for one in ids],
    )


def number_of(tx: Tx, account: str, dedup: str) -> int | None:
    """The number of the event with this key."""
    row = tx.one("select id from inbox where account = :account and dedup = :dedup", account=account, dedup=dedup)
    return None if row is None else int(row["id"])


def by_number(tx: Tx, one: int) -> Row | None:
    """How one event stands: account, state, code, and which event it was read together with."""
    return tx.one("select account, state, code, together from inbox where id = :id", id=one)


def next_due(tx: Tx, account: str) -> float | None:
    row = tx.one("select min(due) as due from inbox where account = :account and state = 'waiting'", account=account)
    return None if row is None else row["due"]


def counts(tx: Tx) -> dict[str, int]:
    return {row["state"]: row["n"] for row in tx.all("select state, count(*) as n from inbox group by state")}


def undone(tx: Tx, account: str) -> dict[str, int]:
    """How many events of this account wait, and how many were given up."""
    found = {}
    for state in ("waiting", "dead"):
        # The state stands in the statement, so that the partial indexes can be used.
        row = tx.one(f"select count(*) as n from inbox where account = :account and state = '{state}'", account=account)
        if row is not None and row["n"]:
            found[state] = int(row["n"])
    return found

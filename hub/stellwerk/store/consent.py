"""The consent ledger (append-only) and the suppression list, per address and mail account."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from stellwerk.store.store import Tx, counted
from stellwerk_rules.model import Fact, FactKind

TRIES = frozenset({FactKind.ASK_FAILED, FactKind.ASK_UNKNOWN})


def facts(tx: Tx, account: str, address: str, *, connection: str | None = None) -> tuple[Fact, ...]:
    """The address's facts at the account, oldest first; with `connection` only those that it was told itself."""
    return tuple(fact for writer, fact in written(tx, account, address) if connection in (None, writer))


def written(tx: Tx, account: str, address: str) -> list[tuple[str, Fact]]:
    """The facts, oldest first, each with the connection that wrote it; "" where none did."""
    return [(one.connection, one.fact) for one in recorded(tx, account, address)]


class Entry(Struct, frozen=True, kw_only=True):
    """A fact with the connection that wrote it ("" where none did), when, in seconds since 1970, and under which
    configuration (its hash; "" where nothing was decided, or before it was kept)."""

    connection: str
    recorded: float
    plan: str
    fact: Fact


def recorded(tx: Tx, account: str, address: str) -> list[Entry]:
    """The facts, oldest first, each with how it was written down."""
    rows = tx.all(
        "select connection, recorded, plan, body from ledger where account = :account and address = :address order by id",
        account=account,
        address=address,
    )
    return [
        Entry(
            connection=row["connection"],
            recorded=row["recorded"],
            plan=row["plan"],
            fact=msgspec.json.decode(row["body"], type=Fact),
        )
        for row in rows
    ]


def accounts_of(tx: Tx, address: str) -> list[str]:
    """The mail accounts where something is known of the address's consent."""
    rows = tx.all(
        "select account from ledger where address = :address union select account from suppression where address = :address"
        " order by account",
        address=address,
    )
    return [row["account"] for row in rows]


def suppressed_since(tx: Tx, account: str, address: str) -> float | None:
    """Since when the address is on the suppression list; None when it is not."""
    row = tx.one(
        "select since from suppression where account = :account and address = :address",
        account=account,
        address=address,
    )
    return None if row is None else float(row["since"])


def add(
    tx: Tx, account: str, address: str, connection: str, new: Sequence[Fact], now: float, *, plan: str = ""
) -> tuple[Fact, ...]:
    """Append; those that did not stand already. Opt-outs enter the suppression list in the same transaction.

    `plan` is the hash of the configuration that was decided under.
    """
    fresh = []
    for fact in new:
        added = tx.run(
            "insert into ledger (account, address, connection, kind, fact, body, recorded, plan) values"
            " (:account, :address, :connection, :kind, :fact, :body, :now, :plan) on conflict do nothing",
            account=account,
            address=address,
            connection=connection,
            kind=fact.kind.value,
            fact=_name(fact, connection),
            body=msgspec.json.encode(fact).decode(),
            now=now,
            plan=plan,
        )
        if fact.kind is FactKind.OPTED_OUT:
            tx.run(
                "insert into suppression (account, address, since) values (:account, :address, :now) on conflict do nothing",
                account=account,
                address=address,
                now=now,
            )
        fresh += [fact] if added else []
    return tuple(fresh)


def _name(fact: Fact, connection: str) -> str:
    """A claim and its proof are two facts with one key; the answer is set to no by each connection at its own CRM.

    What failed, or may have gone out, counts each time: it may have been tried again since a person said that it did not.
    """
    if fact.kind is FactKind.NO_SET:
        return f"{fact.key} at {connection}"
    if fact.kind in TRIES:
        return f"{fact.key} at {fact.at.isoformat()}"
    return fact.key if fact.final else fact.key + " claimed"


def lift(tx: Tx, account: str, address: str) -> None:
    """Only after the contact's own confirmation, or when a claimed opt-out proved to be none."""
    tx.run("delete from suppression where account = :account and address = :address", account=account, address=address)


def told(tx: Tx, connection: str, kind: FactKind, since: float, until: float) -> int:
    """How many facts of that kind this connection recorded, from `since` to before `until`, in seconds since 1970."""
    return counted(
        tx,
        "select count(*) as n from ledger where connection = :connection and kind = :kind"
        " and recorded >= :since and recorded < :until",
        connection=connection,
        kind=kind.value,
        since=since,
        until=until,
    )


def unanswered(tx: Tx, connection: str, since: float) -> int:
    """How many addresses that this connection asked since then have neither confirmed nor opted out after it."""
    return counted(
        tx,
        "select count(distinct asked.address) as n from ledger as asked where asked.connection = :connection"
        " and asked.kind = 'asked' and asked.recorded >= :since and not exists (select 1 from ledger as answer"
        " where answer.account = asked.account and answer.address = asked.address and answer.id > asked.id"
        " and answer.kind in ('confirmed', 'opted_out'))",
        connection=connection,
        since=since,
    )


class Asked(Struct, frozen=True, kw_only=True):
    """An address that was asked: `effect` names the delivery that asked it. `confirmed`: it has answered since."""

    account: str
    effect: str
    confirmed: bool


def asked_before(tx: Tx, connection: str, before: float, limit: int) -> list[Asked]:
    """Whom this connection asked until then, the last first."""
    rows = tx.all(
        "select asked.account, asked.body, exists (select 1 from ledger as answer where answer.account = asked.account"
        " and answer.address = asked.address and answer.id > asked.id and answer.kind = 'confirmed') as confirmed"
        " from ledger as asked where asked.connection = :connection and asked.kind = 'asked' and asked.recorded <= :before"
        " order by asked.id desc limit :limit",
        connection=connection,
        before=before,
        limit=limit,
    )
    return [
        Asked(
            account=row["account"],
            effect=msgspec.json.decode(row["body"], type=Fact).event,
            confirmed=bool(row["confirmed"]),
        )
        for row in rows
    ]


def carry_suppression(tx: Tx, account: str, to: str, after: str, limit: int) -> str | None:
    """Addresses suppressed at one account are so at another one too. The last address carried; None: there is no further."""
    rows = tx.all(
        "select address, since from suppression where account = :account and address > :after order by address limit :limit",
        account=account,
        after=after,
        limit=limit,
    )
    tx.many(
        "insert into suppression (account, address, since) values (:account, :address, :since) on conflict do nothing",
        [{"account": to, **row} for row in rows],
    )
    return rows[-1]["address"] if rows else None


def forget(tx: Tx, account: str) -> int:
    """The ledger and the suppression list of an account go, by a person's word. How many addresses were suppressed."""
    tx.run("delete from ledger where account = :account", account=account)
    return tx.run("delete from suppression where account = :account", account=account)
